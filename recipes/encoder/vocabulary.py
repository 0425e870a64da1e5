"""Which pieces stay, and the tokenizer that cuts text into them.

Text is lower-cased, so a piece with a capital can never occur: it goes. So do pieces of scripts that neither a
language of the European Union nor Chinese, Japanese or Korean is written in. Whatever those languages can produce
stays, with its Unigram score: lower-cased text is cut exactly as the full vocabulary would cut it.
"""

import base64
import hashlib
import json
import unicodedata
from typing import Any

import sentencepiece
from image import Image
from sentencepiece import sentencepiece_model_pb2

SCRIPTS = {"LATIN", "GREEK", "CYRILLIC", "CJK", "IDEOGRAPHIC", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA", "HANGUL"}
SPECIAL = ("<s>", "<pad>", "</s>", "<unk>")
LAST = "<mask>"
NORMALISATION = "nmt_nfkc"
NORMALISATION_SHA256 = "1e2c7b43d3ee9755ceaa2ac335e253d8703604e0249ee1e81156c92b46423844"


def choose(image: Image) -> list[int]:
    """The kept rows, in their old order; the special pieces come first (ids 0 to 3)."""
    rows = [row for row, piece in enumerate(image.pieces) if piece != LAST and (piece in SPECIAL or _can_occur(piece))]
    assert tuple(image.pieces[row] for row in rows[:4]) == SPECIAL
    return rows


def tokenizer_json(image: Image, rows: list[int], lower: bool = True) -> str:
    """The file that `tokenizers` reads. `lower=False` with all rows gives the full, cased vocabulary."""
    metaspace = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "always", "split": True}
    start, end = ({"SpecialToken": {"id": piece, "type_id": 0}} for piece in ("<s>", "</s>"))
    text, other = ({"Sequence": {"id": name, "type_id": 0}} for name in "AB")
    added = {"single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True}
    content = {
        "version": "1.0",
        "truncation": None,
        "padding": None,
        "added_tokens": [{"id": number, "content": piece, **added} for number, piece in enumerate(SPECIAL)],
        "normalizer": {"type": "Sequence", "normalizers": _normalisers(lower)},
        "pre_tokenizer": metaspace,
        "post_processor": {
            "type": "TemplateProcessing",
            "single": [start, text, end],
            "pair": [start, text, end, end, other, end],
            "special_tokens": {
                piece: {"id": piece, "ids": [SPECIAL.index(piece)], "tokens": [piece]} for piece in ("<s>", "</s>")
            },
        },
        "decoder": metaspace,
        "model": {
            "type": "Unigram",
            "unk_id": SPECIAL.index("<unk>"),
            "vocab": [[image.pieces[row], float(str(image.scores[row]))] for row in rows],
            "byte_fallback": False,
        },
    }
    return json.dumps(content, ensure_ascii=False, separators=(",", ":"))


def _can_occur(piece: str) -> bool:
    scripts = {unicodedata.name(letter, "?").split()[0] for letter in piece if letter.isalpha()}
    return piece == piece.lower() and scripts <= SCRIPTS


def _normalisers(lower: bool) -> list[dict[str, Any]]:
    """First the model's own table (full-width to plain, ligatures apart, ...), then lower case.

    The table first, because it yields capitals (№ becomes No). Lower-casing letter by letter leaves two blemishes,
    mended here: İ becomes i with a loose dot, and a capital sigma at a word's end becomes σ in place of ς.
    """
    steps: list[dict[str, Any]] = [{"type": "Precompiled", "precompiled_charsmap": _normalisation_table()}]
    if lower:
        steps += [
            {"type": "Lowercase"},
            {"type": "Replace", "pattern": {"String": "i\u0307"}, "content": "i"},
            {"type": "Replace", "pattern": {"Regex": r"(?<=\p{L})σ(?!\p{L})"}, "content": "ς"},
        ]
    steps.append({"type": "Strip", "strip_left": True, "strip_right": True})
    steps.append({"type": "Replace", "pattern": {"Regex": " {2,}"}, "content": " "})
    return steps


def _normalisation_table() -> str:
    """SentencePiece's table of normalisation, which the model was trained with, in base64."""
    specification = sentencepiece_model_pb2.ModelProto()  # type: ignore[attr-defined]
    rules = sentencepiece.SentencePieceNormalizer(rule_name=NORMALISATION)
    specification.ParseFromString(rules.serialized_model_proto())
    table: bytes = specification.normalizer_spec.precompiled_charsmap
    found = hashlib.sha256(table).hexdigest()
    if found != NORMALISATION_SHA256:
        raise ValueError(f"sentencepiece {sentencepiece.__version__} brings another table {NORMALISATION}: {found}")
    return base64.b64encode(table).decode()

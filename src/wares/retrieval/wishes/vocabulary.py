"""The packaged words by which wishes are said, and the one form in which they and queries are compared."""

import re
import tomllib
import unicodedata
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from typing import Any

HAN = "\u3400-\u4dbf\u4e00-\u9fff"
START, END = "(?<![a-z0-9])", "(?![a-z0-9])"  # of a Latin word, in folded text
_ALONE = str.maketrans({"ł": "l", "Ł": "l", "ø": "o", "Ø": "o", "đ": "d", "’": "'", "‘": "'", "′": "'", "～": "~"})
_DASHES = dict.fromkeys(map(ord, "‐‑‒–—−"), "-")


def fold(text: str) -> str:
    """Lower case, without accents, full-width forms as ASCII. Character i stays character i, so spans hold for both.

    Decomposed accents (NFD) must have been composed before.
    """
    if text.isascii():
        return text.lower()
    return text.translate(_folding())


@cache
def _folding() -> dict[int, str]:
    table: dict[int, str] = {}
    for point in (*range(0x41, 0x250), *range(0x391, 0x450), 0x3000, *range(0xFF01, 0xFFE7)):
        bare = "".join(c for c in unicodedata.normalize("NFKD", chr(point)) if not unicodedata.combining(c)).casefold()
        if len(bare) == 1:
            table[point] = bare
    return table | _ALONE | _DASHES


@cache
def vocabulary() -> Mapping[str, Any]:
    """The tables of vocabulary.toml."""
    return tomllib.loads((files(__package__) / "vocabulary.toml").read_text(encoding="utf-8"))


def one_of(phrases: Iterable[str]) -> str:
    """A pattern for one of these phrases in folded text, longest first; words are parted by any space."""
    folded = sorted({fold(phrase) for phrase in phrases}, key=lambda phrase: (-len(phrase), phrase))
    return "(?:" + "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in folded) + ")"


def word_of(phrases: Iterable[str]) -> str:
    """The same, not inside a longer Latin word."""
    return START + one_of(phrases) + END


@cache
def word_lists(table: str) -> Mapping[str, tuple[str, ...]]:
    """Colours or genders: each with the phrases that say it, folded."""
    return {
        name: tuple(dict.fromkeys(fold(phrase).replace("_", " ") for phrase in said.split()))
        for name, said in vocabulary()[table].items()
    }


@cache
def function_words() -> frozenset[str]:
    """Words that end a noun phrase, folded."""
    return frozenset(map(fold, vocabulary()["function"]["words"]))

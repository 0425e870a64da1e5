"""Words: the one way in which texts and queries become tokens, so that both sides always agree."""

import re
import unicodedata
from functools import lru_cache

_HAN = "\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
_KANA = "\u3040-\u30ff"
_LETTER = rf"(?![{_HAN}{_KANA}])[^\W\d_]"
_WORD = re.compile(rf"[{_HAN}{_KANA}]+|\d+(?:[.,/]\d+)*|(?:{_LETTER})+(?:['’](?:{_LETTER})+)?", re.UNICODE)
_IDEOGRAPHIC = re.compile(rf"[{_HAN}{_KANA}]")
MAX_TEXT = 20_000  # characters of one field that are read; a longer text is a fault of the feed
MAX_QUERY = 500  # characters of a query that are read


def normalise(text: str) -> str:
    """Unicode compatibility forms unified (full-width 'Ａ' is 'A'), case folded, accents of Latin letters dropped."""
    folded = unicodedata.normalize("NFKC", text).casefold()
    if folded.isascii():
        return folded
    parts = unicodedata.normalize("NFD", folded)
    bare = "".join(c for c in parts if not (unicodedata.combining(c) and ord(c) < 0x370))
    return unicodedata.normalize("NFC", bare)


@lru_cache(maxsize=100_000)
def stem(word: str) -> str:
    """English plurals only, after Harman's S-stemmer (1991): 'berries' -> 'berry', 'boxes' -> 'boxe', 'bus' stays."""
    if len(word) < 4 or not word.endswith("s"):
        return word
    if word.endswith("ies") and not word.endswith(("eies", "aies")):
        return word[:-3] + "y"
    if word.endswith("es") and not word.endswith(("aes", "ees", "oes")):
        return word[:-1]
    if not word.endswith(("us", "ss")):
        return word[:-1]
    return word


def tokens(text: str) -> list[str]:
    """The words of a text in order: '2% Milk, 1 GAL' -> ['2', 'milk', '1', 'gal'].

    Runs of Chinese characters and kana become overlapping pairs (a lone character stays), so that a word inside a
    compound is found without a dictionary.
    """
    found: list[str] = []
    for match in _WORD.finditer(normalise(text[:MAX_TEXT])):
        word = match.group()
        if _IDEOGRAPHIC.match(word):
            found.extend([word] if len(word) == 1 else [word[i : i + 2] for i in range(len(word) - 1)])
        else:
            found.append(stem(word.replace("’", "'").removesuffix("'s")))
    return found


def spans(text: str) -> list[tuple[int, int]]:
    """Where words stand in the text as it is written: (start, end), for highlighting. A run of Chinese characters or
    kana is one span."""
    return [match.span() for match in _WORD.finditer(text)]

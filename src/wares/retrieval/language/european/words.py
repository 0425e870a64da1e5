"""Texts of the European languages as words of the index: elision, decimal commas, stems, accents folded.

Words are folded before they are stemmed, so a query typed without accents always meets the accented title.
"""

import re
from collections.abc import Callable
from functools import cache, lru_cache

from wares.domain.text import stem
from wares.retrieval.language.european.folding import drop_elision, fold, fold_word
from wares.retrieval.language.european.germanic import stem_dutch, stem_german
from wares.retrieval.language.european.nordic import stem_danish, stem_finnish, stem_norwegian, stem_swedish
from wares.retrieval.language.european.polish import stem_polish
from wares.retrieval.language.european.romance import stem_french, stem_italian, stem_portuguese, stem_spanish

_STEMMERS: dict[str, Callable[[str], str]] = {
    "en": stem,
    "de": stem_german,
    "fr": stem_french,
    "es": stem_spanish,
    "it": stem_italian,
    "nl": stem_dutch,
    "pt": stem_portuguese,
    "pl": stem_polish,
    "sv": stem_swedish,
    "da": stem_danish,
    "nb": stem_norwegian,
    "fi": stem_finnish,
}
LANGUAGES = tuple(_STEMMERS)
COMPOUNDING = ("de", "nl", "sv", "da", "nb", "fi")  # languages that write new compounds as one word

_WORD = re.compile(r"\d+(?:[.,/]\d+)*|[^\W\d_]+(?:['’][^\W\d_]+)*")
_NUMBER = re.compile(r"\d")
_POINTS = re.compile(r"[1-9]\d{0,2}(?:\.\d{3})+(?:,\d+)?$")  # 1.299 and 1.299,00: the points part thousands
_COMMAS = re.compile(r"[1-9]\d{0,2}(?:,\d{3})+(?:\.\d+)?$")
_COMMA_FRACTION = re.compile(r"\d+,\d+$")


def language_of_tag(tag: str) -> str:
    """The language of a tag: 'de-AT' -> 'de', 'pt_BR' -> 'pt', 'no' and 'nn' -> 'nb'."""
    base = re.split("[-_]", tag.casefold(), maxsplit=1)[0]
    return "nb" if base in ("no", "nn") else base


@cache
def stemmer(language: str) -> Callable[[str], str]:
    """Case folded word -> stem without accents, remembered. A language not in `LANGUAGES` is stemmed as English."""
    language = language_of_tag(language)
    light = _STEMMERS.get(language, stem)
    return lru_cache(maxsize=100_000)(lambda word: light(fold_word(word, language)))


def surface_words(text: str, language: str) -> list[str]:
    """The words of a text of Latin script as they stand, folded, without elided articles: "l'été" -> ['ete'].

    The text is NFKC and case folded, accents intact or not. Runs of letters and runs of digits are words of their own.
    """
    language = language_of_tag(language)
    found: list[str] = []
    for word in _WORD.findall(fold(text)):
        if _NUMBER.match(word):
            found.append(read_number(word, language))
        elif "'" in word or "’" in word:
            found.append(fold_word(drop_elision(word.replace("’", "'"), language), language))
        else:
            found.append(fold_word(word, language))
    return found


def latin_words(text: str, language: str) -> list[str]:
    """The index words of a text of Latin script (NFKC, case folded): `surface_words`, each by its stem."""
    stem_word = stemmer(language_of_tag(language))
    return [word if _NUMBER.match(word) else stem_word(word) for word in surface_words(text, language)]


def read_number(digits: str, language: str) -> str:
    """A number with a decimal point and no thousands signs: German '1.299,5' and English '1,299.5' -> '1299.5'.

    A point before anything but three digits is a decimal point everywhere ('2.0'), and '0.125' is no thousand.
    """
    language = language_of_tag(language)
    if language == "en" or language not in LANGUAGES:
        return digits.replace(",", "") if _COMMAS.match(digits) else digits
    if _POINTS.match(digits):
        digits = digits.replace(".", "")
    return digits.replace(",", ".") if _COMMA_FRACTION.match(digits) else digits

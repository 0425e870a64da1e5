"""Light stemmers for Swedish, Danish, Norwegian and Finnish, on words without accents.

The first three take off number and definiteness (the endings of Snowball's stemmers, with the words that those miss in
a shop: 'sko', 'cykel'); Finnish is Snowball's, with consonant gradation evened out afterwards ('kenkä', 'kengät').
"""

import re
from functools import cache
from typing import Protocol

_SHOES = re.compile(r"(?<!a)sko(?:r|rna|n|ne|en|ene|er|erne)$")
_NEUTER = {
    "vitt": "vit", "rott": "rod", "gront": "gron", "blatt": "bla", "blaa": "bla", "gratt": "gra", "graa": "gra",
    "nytt": "ny", "svart": "svart", "gult": "gul", "brunt": "brun", "stort": "stor", "litet": "lit", "hvidt": "hvid",
    "rodt": "rod", "blat": "bla", "grat": "gra", "hvitt": "hvit", "barn": "barn", "born": "barn", "barna": "barn",
    "bocker": "bok", "bockerna": "bok", "boger": "bog", "bogerne": "bog", "mossa": "moss", "grona": "gron",
    "vatten": "vatten", "herrer": "herr", "herre": "herr", "herr": "herr",
}  # fmt: skip
_SWEDISH = ("orna", "arna", "erna", "aren", "are", "en", "et", "an", "or", "ar", "er", "a", "e")
_DANISH = ("enerne", "ener", "enet", "erne", "eren", "erene", "ene", "ere", "en", "et", "er", "e")


class _Snowball(Protocol):
    def stemWord(self, word: str) -> str: ...


def stem_swedish(word: str) -> str:
    """'lampor', 'lampan' -> 'lamp'; 'cykel', 'cyklar' -> 'cykl'; 'datorer' -> 'dator'; 'loparskor' -> 'loparsko'."""
    if re.search(r"[aeiouk]torn?$", word):
        return word.removesuffix("n")
    if word.endswith("eln") and len(word) >= 5:
        word = word[:-1]
    return _bare(word, _SWEDISH)


def stem_danish(word: str) -> str:
    """'kjoler', 'kjolen' -> 'kjol'; 'kopper' -> 'kop' as 'kop': Danish doubles a consonant before an ending."""
    return _single(_bare(word, _DANISH))


def stem_norwegian(word: str) -> str:
    """'gensere', 'genser' -> 'gens'; 'sykkel', 'sykler' -> 'sykl'."""
    bare = _bare(word, (*_DANISH, "a"))
    return "gron" if bare == "gronn" else bare


def _bare(word: str, endings: tuple[str, ...]) -> str:
    if word in _NEUTER:
        return _NEUTER[word]
    if len(word) < 4:
        return word
    if _SHOES.search(word):
        return _SHOES.sub("sko", word)
    for ending in sorted(endings, key=len, reverse=True):
        if word.endswith(ending) and len(word) - len(ending) >= 3:
            word = word[: -len(ending)]
            break
    if word.endswith("el") and len(word) >= 5:  # the e that falls out before an ending: 'nyckel', 'nycklar'
        word = word[:-2] + "l"
    if word.endswith("l") and len(word) >= 5 and word[-2] == word[-3]:
        word = word[:-2] + "l"
    return word


def _single(word: str) -> str:
    return word[:-1] if len(word) >= 4 and word[-1] == word[-2] and word[-1] not in "aeiou" else word


@cache
def _finnish() -> _Snowball:
    import snowballstemmer

    stemmer: _Snowball = snowballstemmer.stemmer("finnish")
    return stemmer


def stem_finnish(word: str) -> str:
    """'takki', 'takit' -> 'tak'; 'kenka', 'kengat' -> 'kenk'; 'poyta', 'poydat' -> 'poyt'."""
    if word.startswith("must") and len(word) <= 8:  # black; Snowball takes 'musta' for a partitive of 'mus'
        return "must"
    rest = _finnish().stemWord(word)
    if rest.endswith(("ain", "ais")) and len(rest) >= 6:
        rest = rest[:-2]
    rest = rest.rstrip("aeiouy") if len(rest.rstrip("aeiouy")) >= 3 else rest
    rest = re.sub(r"([kpt])\1$", r"\1", rest)
    return rest.removesuffix("ng") + "nk" if rest.endswith("ng") else re.sub(r"d$", "t", rest)

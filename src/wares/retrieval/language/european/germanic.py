"""Light stemmers for German and Dutch: number, case and the endings of adjectives, on words without accents.

German after Savoy's light stemmer (SAC 2006) with longer rests, so that 'Leder' does not become 'LED'; Dutch after the
spelling rules of Kraaij and Pohlmann (1994) for the plural alone, without derivation.
"""

import re

_GERMAN = {
    "reise": "reise", "reisen": "reise", "kohle": "kohle", "kohlen": "kohle", "tablette": "tablette",
    "tabletten": "tablette",
    "eier": "ei", "keks": "keks", "gans": "gans", "hals": "hals", "mais": "mais", "ole": "ol", "pils": "pils",
    "dunkle": "dunkel", "teure": "teuer", "teuren": "teuer", "teures": "teuer", "damen": "dame", "dame": "dame",
    "roter": "rot", "neuer": "neu", "guter": "gut", "roher": "roh", "schale": "schale", "schalen": "schale",
}  # fmt: skip
# Ends of words, and so of compounds, that are no endings: without them 'Drucker' were 'Druck' and 'Eisen' 'Eis'.
_WHOLE_DE = (
    "leder", "drucker", "eisen", "messer", "toaster", "tester", "laufer", "wecker", "wagen", "besen", "lager",
    "leinen", "ofen", "rechen", "wasser", "finger", "kocher", "stander", "mixer", "kartoffel", "glas", "gras", "puder",
    "feder", "kater", "nieren", "bohrer", "hocker", "leiter", "eimer", "kissen", "daten", "starter", "zucker",
    "teller", "halter", "los",
)  # fmt: skip
_ADJECTIVE_DE = re.compile(r"dunkl(?:e[nmrs]?)$")

_DUTCH = {
    "roze": "roze", "kinderen": "kind", "kinder": "kind", "eieren": "ei", "bladeren": "blad", "kleren": "kleed",
    "uien": "ui", "ui": "ui", "gips": "gips", "chips": "chips", "cameras": "camera", "shirts": "shirt",
    "tablets": "tablet", "shorts": "short", "sets": "set", "pads": "pad", "films": "film", "jeans": "jeans",
    "schepen": "schip", "glazen": "glas", "sloten": "slot", "wegen": "weg", "bedden": "bed", "kits": "kit",
    "jackets": "jacket", "dames": "dame", "heren": "heer", "jongens": "jongen", "jongen": "jongen",
    "potloden": "potlood", "olien": "olie",
}  # fmt: skip
_PLURAL_S = re.compile(r"(?:..(?:el|er|en|em)|.[^aeiou](?:e|ie)|..[pg]|..[^aeiou][oy]|[aeo]{2}n|[ao]n)s$")
_NO_PLURAL_NL = re.compile(
    r"(?:fles|mes|bes|adres|succes|proces|expres|dans|mens|kans|bons|wens|grens|lens|spons|pens|prins|(?<!o)ons|gips)$"
)
_WHOLE_NL = re.compile(r"(?:[eo]|[^aeou]i)en$")  # 'schoen', 'steen', 'tien'
_DIGRAPHS = ("oe", "ie", "ui", "eu", "ou", "ij", "ei", "au")


def stem_german(word: str) -> str:
    """'stuhle' -> 'stuhl', 'bildern' -> 'bild', 'weisser' -> 'weiss', 'autos' -> 'auto', 'fahrrader' -> 'fahrrad'."""
    if word in _GERMAN:
        return _GERMAN[word]
    if len(word) < 4:
        return word
    word = _ADJECTIVE_DE.sub("dunkel", word)
    if word.endswith("rader"):
        return word[:-2]
    if word.endswith(_WHOLE_DE):
        return word
    if word.endswith("glaser"):
        return word[:-2]
    if word.endswith("s") and not word.endswith(("ss", "is", "us", "es", "ees")):
        if len(word) >= 5 or word[-2] not in "aeiouy":
            word = word[:-1]
    elif word.endswith(("ees", "ies")):
        word = word[:-1]
    if word.endswith(("eln", "ern")) and len(word) >= 5:
        word = word[:-1]
    if word.endswith(_WHOLE_DE):
        return word
    if word.endswith("ien"):
        return word[:-1]
    for ending, rest in (("er", 4), ("en", 3), ("em", 4), ("es", 4), ("e", 3)):
        if word.endswith(ending) and len(word) - len(ending) >= rest and not word.endswith(("ee", "ie")):
            return word[: -len(ending)]
    return word


def stem_dutch(word: str) -> str:
    """'boeken' -> 'boek', 'huizen' -> 'huis', 'ramen' -> 'raam', 'bedden' -> 'bed', 'tafels' -> 'tafel'.

    Diminutives stay ('doosje' is sold as another thing than 'doos'), without their plural.
    """
    if word in _DUTCH:
        return _DUTCH[word]
    if len(word) < 4:
        return word
    if _PLURAL_S.search(word) and not _NO_PLURAL_NL.search(word):
        word = word[:-1]
    if word.endswith("en") and len(word) >= 5 and not _WHOLE_NL.search(word):
        return _closed(word[:-2])
    if word.endswith("e") and len(word) >= 4 and word[-2] not in "aeiouj":
        return _closed(word[:-1])
    return word


def _closed(rest: str) -> str:
    """What was an open syllable before the ending, written as a closed one: 'ram' -> 'raam', 'bedd' -> 'bed'."""
    if len(rest) < 3:
        return rest
    last, before, two = rest[-1], rest[-2], rest[-3:-1]
    if last == before and last not in "aeiou":
        return rest[:-1]
    unstressed = rest.endswith(("er", "el", "en", "em", "ig", "ing")) and re.search(r"[aeiouy]", rest[:-2]) is not None
    if (
        before in "aeou"
        and last not in "aeiouwxj"
        and two not in _DIGRAPHS
        and rest[-3] not in "aeiou"
        and not unstressed
    ):
        rest = rest[:-1] + before + last
    if rest.endswith("z"):
        return rest[:-1] + "s"
    return rest[:-1] + "f" if rest.endswith("v") else rest

"""A light stemmer for Polish: case endings of nouns and adjectives, on words without accents ('ż' is 'z', 'ł' is 'l').

The endings are the declensions of Swan, "A Grammar of Contemporary Polish" (2002), taken off once and longest first as
Dolamic and Savoy do for Czech (2009). Endings that are rare in a shop and common inside words (-om, -owi) stay.
"""

_IRREGULAR = {
    "pani": "pani", "linia": "lini", "linii": "lini", "linie": "lini",
    "dziecko": "dzieck", "dziecka": "dzieck", "dziecku": "dzieck", "dzieci": "dzieck", "dzieciom": "dzieck",
    "dziecmi": "dzieck", "pies": "pies", "psa": "pies", "psy": "pies", "psow": "pies", "psom": "pies", "gra": "gra",
    "gry": "gra", "gier": "gra", "gre": "gra", "grami": "gra", "toreb": "torb", "oko": "oko", "oczy": "oko",
    "oczu": "oko", "reka": "reka", "rak": "reka", "rece": "reka", "reki": "reka", "szkiel": "szkl", "swiec": "swiec",
    "okien": "okn", "bielizna": "bielizn", "bielizny": "bielizn", "rzeczy": "rzecz", "zeby": "zab", "zebow": "zab",
    "wody": "wod", "wod": "wod", "stol": "stol", "noz": "noz", "kurtce": "kurtk", "menu": "menu", "lozek": "lozk",
    "kolej": "kolej", "lyzew": "lyzw", "wioslo": "wiosl", "origami": "origami", "ksiazce": "ksiazk",
    "mezczyzn": "mezczyzn", "krzesle": "krzesl", "piasek": "piask", "mies": "mies",
}  # fmt: skip
# Ends of words that look like a case ending.
_WHOLE = ("system", "problem", "krem", "totem", "balsem", "zapach", "dach", "gmach", "olej", "klej", "kolej", "tusz")
_ENDINGS = (
    "iego", "iemu", "iami", "iach", "ymi", "imi", "ami", "ach", "ych", "ich", "ego", "emu", "iej", "iem", "iow",
    "ym", "im", "ej", "em", "ow", "ie", "ia", "io", "iu", "a", "e", "i", "o", "u", "y",
)  # fmt: skip


def stem_polish(word: str) -> str:
    """'buty', 'butow', 'butami' -> 'but'; 'czerwona', 'czerwonych' -> 'czerwon'; 'kubek', 'kubki' -> 'kubk'."""
    if word in _IRREGULAR:
        return _IRREGULAR[word]
    if len(word) < 4:
        return word
    if not word.endswith(_WHOLE):
        for ending in _ENDINGS:
            if word.endswith(ending) and len(word) - len(ending) >= 3:
                word = word[: -len(ending)]
                break
    if word.endswith("i") and len(word) >= 4:
        word = word[:-1]
    return _without_fleeting_e(word)


def _without_fleeting_e(word: str) -> str:
    """The e that stands only where there is no ending: 'kubek' and 'kubki', 'lampek' and 'lampka'."""
    if len(word) < 5 or word[-2] != "e" or word[-1] not in "kclrn":
        return word
    bare = word[:-2].removesuffix("i")
    if len(bare) < 3 or bare[-1] in "aeiouy":
        return word
    return bare + word[-1]

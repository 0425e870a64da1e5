"""Letters on a shopper's keyboard: accents, ligatures and second spellings brought to one form; elided articles cut.

Folding comes before stemming, so that a query without accents takes the same way as a title with them.
"""

import re
import unicodedata

# Letters without a canonical decomposition. 'ß' is 'ss' after case folding, and stands here for other text.
_LETTERS = str.maketrans(
    {"ł": "l", "ø": "o", "đ": "d", "ħ": "h", "ı": "i", "æ": "ae", "œ": "oe", "ß": "ss", "ð": "d", "þ": "th", "’": "'"}
)
_GERMAN = re.compile(r"([ao])e|(?<![aeiouyq])ue")
# 'aa' is the older spelling of 'å', and 'oe' of 'ø', save in the endings of 'sko' (shoe) and 'radio': 'skoene'.
_DANISH = re.compile(r"aa|(?<!sk)(?<!di)oe")

_ELIDED_WORDS = {
    "fr": "l d j m t s n c qu jusqu lorsqu puisqu quoiqu",
    "it": "l d c m n s t v un all dall dell nell sull coll gl agl dagl degl negl sugl quest quell bell",
    "ca": "l d m n s t",
    "en": "",
}
_ELIDED = {language: frozenset(heads.split()) for language, heads in _ELIDED_WORDS.items()}
_NAMES = frozenset({"l", "d"})  # "L'Oréal" and "d'Artagnan" are French names in every shop


def fold(text: str) -> str:
    """Case folded text of Latin script without accents, 'ł' as 'l', 'œ' as 'oe'."""
    if text.isascii():
        return text
    parts = unicodedata.normalize("NFD", text.translate(_LETTERS))
    return unicodedata.normalize("NFC", "".join(c for c in parts if not (unicodedata.combining(c) and ord(c) < 0x370)))


def fold_word(word: str, language: str) -> str:
    """One word folded; the language's second spelling of a letter too: German 'schluessel' is 'schlussel'.

    German after the rule of Snowball's German2: 'ue' stays behind a vowel or q ('neue', 'Quelle').
    """
    word = fold(word)
    if language == "de":
        return _GERMAN.sub(lambda found: found.group(1) or "u", word) if "e" in word else word
    if language in ("da", "nb"):
        return _DANISH.sub(lambda found: found.group()[0], word)
    return word


def drop_elision(word: str, language: str) -> str:
    """ "l'eau" -> "eau", "dell'acqua" -> "acqua"; "foto's" -> "foto"; another apostrophe is dropped: "aujourdhui"."""
    if "'" not in word:
        return word
    head, _, rest = word.partition("'")
    if head in _ELIDED.get(language, _NAMES) and len(rest) > 1:
        return drop_elision(rest, language)
    return word.removesuffix("'s").replace("'", "" if language != "en" else "'")

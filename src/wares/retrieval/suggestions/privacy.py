"""Which past queries may be shown to other shoppers: none that could name, or reach, a person."""

import re
import unicodedata

LEAST_SHOPPERS = 5  # different shoppers who typed it; below, a query may be somebody's own
MAX_LETTERS = 60
_LEAST_DIGITS = 7  # of a phone number; card numbers (13 to 19 digits, whatever their check digit) are longer
_DIGITS = re.compile(r"\d(?:[\s().,+/*_\-\u2010-\u2015]*\d)*")
_ADDRESS = re.compile(r"[@]|://|\bwww\.|\b(?:mailto|https?)\b")
_DOMAIN = re.compile(
    r"[\w-]\.(?:com|net|org|info|biz|edu|gov|io|co|app|dev|shop|store|me|tv|eu|uk|us|ca|au|de|at|ch|fr|be|nl|lu|es|pt|it"
    r"|pl|cz|se|no|dk|fi|ie|ru|ua|tr|gr|hu|ro|cn|hk|tw|jp|kr|in|br|mx)(?![\w-])"
)


def is_showable(query: str) -> bool:
    """False for text that looks like an e-mail or web address, a phone or card number or any long string of digits.

    Digits count across the signs that group them, so that "0170 123-45 67" is one string of 11. Text that is too long
    to be a query, or has characters that cannot be printed, is not shown either.

    >>> is_showable("leather shoes size 42"), is_showable("anna@example.com"), is_showable("4111 1111 1111 1111")
    (True, False, False)
    """
    text = unicodedata.normalize("NFKC", query).casefold()
    if not text.strip() or len(text) > MAX_LETTERS or not text.isprintable():
        return False
    if _ADDRESS.search(text) or _DOMAIN.search(text):
        return False
    return all(sum(c.isdecimal() for c in run) < _LEAST_DIGITS for run in _DIGITS.findall(text))

"""Money: amounts are whole numbers of a currency's smallest unit (ISO 4217)."""

_WITHOUT_CENTS = (
    *("BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG"),
    *("RWF", "UGX", "UYI", "VND", "VUV", "XAF", "XOF", "XPF"),
)
_THREE_DIGITS = ("BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND")


def scale_of(currency: str) -> int:
    """How many of the smallest unit make one: 100 for USD, 1 for JPY, 1000 for KWD.

    >>> scale_of("EUR")
    100
    """
    return 1 if currency in _WITHOUT_CENTS else 1000 if currency in _THREE_DIGITS else 100

"""How long something may take, as people write it: 90s, 10m, 2h."""

import re

from wares.errors import InputError

_SECONDS = {"s": 1.0, "m": 60.0, "h": 3600.0}


def seconds_of(text: str) -> float:
    """
    >>> seconds_of("90s"), seconds_of("1.5h")
    (90.0, 5400.0)
    """
    read = re.fullmatch(r"(\d+(?:\.\d+)?)\s*([smh])", text.strip().lower())
    if read is None or float(read[1]) <= 0:
        raise InputError(f"{text[:40]!r} is no length of time. Valid are seconds, minutes or hours: 90s, 10m, 2h.")
    return float(read[1]) * _SECONDS[read[2]]


def spoken(seconds: float) -> str:
    """
    >>> spoken(4.2), spoken(90), spoken(5400)
    ('4.2 s', '1.5 minutes', '1.5 hours')
    """
    if seconds < 60:
        return f"{seconds:.2g} s" if seconds < 10 else f"{seconds:.0f} s"
    return f"{seconds / 60:.3g} minutes" if seconds < 3600 else f"{seconds / 3600:.3g} hours"


def gigabytes(size: float) -> str:
    """
    >>> gigabytes(900_000_000), gigabytes(12_345_678)
    ('0.9 GB', '12 MB')
    """
    return f"{size / 1e9:.1f} GB" if size >= 1e8 else f"{size / 1e6:.0f} MB"

"""One slip of the fingers in the beginning of a word: a letter too many, too few, wrong, or two in the wrong order."""

from bisect import bisect_left
from collections.abc import Sequence

LEAST_LETTERS = 4
_MAX_LETTERS = 20
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_LAST = "\U0010ffff"


def slips_of(word: str, keys: Sequence[str], unknown: bool) -> list[tuple[int, int]]:
    """Stretches [low, high) of the sorted `keys` that begin with a string one slip away from `word`.

    Instead of comparing with every key, the few hundred strings one slip away (Damerau-Levenshtein) are looked up,
    only where their beginnings lead somewhere. A word that is a key itself has no slip; one that begins some key
    (not `unknown`) has none in its last letter, else every longer word would be near.
    """
    n = len(word)
    if not LEAST_LETTERS <= n <= _MAX_LETTERS or not (word.isascii() and word.isalpha()) or _at(keys, word) == word:
        return []
    meant: set[str] = set()
    for i in range(n):
        head, rest = word[:i], word[i:]
        if not _at(keys, head).startswith(head):
            break
        meant.update(head + letter + rest for letter in _LETTERS)
        if i < n - 1:
            meant.add(head + rest[1:])
            meant.update(head + letter + rest[1:] for letter in _LETTERS)
            meant.add(head + rest[1] + rest[0] + rest[2:])
        elif unknown:
            meant.add(head)
    meant.discard(word)
    spans = []
    for prefix in sorted(meant):
        low = bisect_left(keys, prefix)
        if low < len(keys) and keys[low].startswith(prefix):
            spans.append((low, bisect_left(keys, prefix + _LAST, lo=low)))
    return spans


def _at(keys: Sequence[str], word: str) -> str:
    place = bisect_left(keys, word)
    return keys[place] if place < len(keys) else ""

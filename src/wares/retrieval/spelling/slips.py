"""How unlikely it is that a hand or an ear turns one word into another: a weighted edit distance.

The costs are negative logarithms of probabilities, rounded, after the error classes of Kernighan, Church and Gale
(1990): doubled letters, swapped letters, neighbouring keys, vowels and sounds that are written alike.
"""

from collections.abc import Iterable
from functools import cache, lru_cache
from math import inf

SLIP = 2.0  # that a word is mistyped at all
DOUBLED, SWAPPED, ALIKE, NEIGHBOUR, LETTER = 2.0, 2.5, 2.5, 3.0, 4.0
CHEAPEST = 2.0  # any slip costs as much
FIRST = 1.5  # more, where the first letter is concerned: people rarely miss it

_KEYBOARDS = ("qwertyuiop|asdfghjkl|zxcvbnm", "qwertzuiop|asdfghjkl|yxcvbnm", "azertyuiop|qsdfghjklm|wxcvbn")
_VOWELS = "aeiouy"
_SOUNDS = ("ck", "cs", "sz", "kq", "gj", "dt", "bp", "mn", "vw", "fv", "ij", "xs", "rl")
_SPELLINGS = (
    "ph f, ck k, qu k, qu kw, ks x, ch k, sh ch, sch sh, dg g, wh w, ti ci, ti si, "
    "ough off, eau o, ier eer, ee ea, ea e, ai ay, ei ai, ou u, oo u, tt dd"
)


def _both(pairs: Iterable[tuple[str, str]]) -> frozenset[tuple[str, str]]:
    return frozenset(pair for a, b in pairs for pair in ((a, b), (b, a)))


@cache
def _neighbours() -> frozenset[tuple[str, str]]:
    """Keys that touch, on the layouts in wide use; a lower row lies half a key further to the right."""
    found: set[tuple[str, str]] = set()
    for layout in _KEYBOARDS:
        rows = layout.split("|")
        place = {key: (x + y / 2, y) for y, row in enumerate(rows) for x, key in enumerate(row)}
        found |= {
            (a, b)
            for a, (x, y) in place.items()
            for b, (u, v) in place.items()
            if a != b and abs(x - u) <= 1 and abs(y - v) <= 1
        }
    return frozenset(found)


@cache
def _alike() -> frozenset[tuple[str, str]]:
    return _both([(a, b) for a in _VOWELS for b in _VOWELS if a != b]) | _both(
        (sound[0], sound[1]) for sound in _SOUNDS
    )


@cache
def _spellings() -> frozenset[tuple[str, str]]:
    return _both((a, b) for a, b in map(str.split, _SPELLINGS.split(",")))


def _gap(word: str, i: int) -> float:
    """The cost of letter i being too many in, or missing from, the other word."""
    before, after = word[i - 1 : i], word[i + 1 : i + 2]
    if word[i] in (before, after):
        return DOUBLED
    return LETTER


def _extra(word: str, i: int) -> float:
    """The cost of a letter too many: one finger often hits two keys."""
    touched = (word[i], word[i - 1 : i]) in _neighbours() or (word[i], word[i + 1 : i + 2]) in _neighbours()
    return min(_gap(word, i), NEIGHBOUR if touched else LETTER)


def _instead(a: str, b: str) -> float:
    if (a, b) in _alike():
        return ALIKE
    return NEIGHBOUR if (a, b) in _neighbours() else LETTER


@lru_cache(maxsize=50_000)
def slip_cost(said: str, meant: str) -> float:
    """At least 0, which equal words cost. The letters that both words share at their ends are left out first."""
    if said == meant:
        return 0.0
    low, s, m = 0, len(said), len(meant)
    while low < min(s, m) and said[low] == meant[low]:
        low += 1
    while s > low and m > low and said[s - 1] == meant[m - 1]:
        s, m = s - 1, m - 1
    heard = [(a, b) for a, b in _spellings() if a in said and b in meant]
    if heard:  # a sound written with several letters may begin or end in a letter that both share
        low, s, m = max(low - 1, 0), min(s + 1, len(said)), min(m + 1, len(meant))
    extra = [_extra(said, i) for i in range(low, s)]
    missing = [_gap(meant, j) for j in range(low, m)]
    best = [[0.0] * (m - low + 1) for _ in range(s - low + 1)]
    for i in range(s - low + 1):
        for j in range(m - low + 1):
            if i == j == 0:
                continue
            cost = min(
                best[i - 1][j] + extra[i - 1] if i else inf,
                best[i][j - 1] + missing[j - 1] if j else inf,
            )
            if i and j:
                a, b = said[low + i - 1], meant[low + j - 1]
                cost = min(cost, best[i - 1][j - 1] + (0.0 if a == b else _instead(a, b)))
                if i > 1 and j > 1 and a != b and said[low + i - 2] == b and meant[low + j - 2] == a:
                    cost = min(cost, best[i - 2][j - 2] + SWAPPED)
                for a, b in heard:
                    k, n = i - len(a), j - len(b)
                    if k >= 0 and n >= 0 and said.startswith(a, low + k) and meant.startswith(b, low + n):
                        cost = min(cost, best[k][n] + ALIKE)
            best[i][j] = cost
    return SLIP + best[-1][-1] + (FIRST if said[:1] != meant[:1] else 0.0)

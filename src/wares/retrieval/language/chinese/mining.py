"""New words from a shop's own titles: characters that keep recurring as one unit and that no dictionary joins.

After Sornlertlamvanich et al. (2000) and common practice for Chinese: a unit is cohesive (its parts meet far more often
than by chance) and free at its borders (many different neighbours).
"""

import math
import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from itertools import pairwise

SHAPES = re.compile("[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]+")
_LEAST_COUNT = 3
_LEAST_COHESION = 2.0  # nats of pointwise mutual information
_LEAST_ENTROPY = 0.6  # nats, at the freer and at the tighter border
_LONGEST = 4  # characters
_NEVER = frozenset(
    "的了和与及或在是可不无有带含免非男女新大小一二两三四五六七八九十个只双件条支片包瓶盒罐袋米寸斤克升码色款"
)


def mine(cuts: Iterable[Sequence[str]]) -> list[str]:
    """New words among cut runs: two neighbouring pieces of which one is a lone character. Alphabetical."""
    pieces, pairs = Counter[str](), Counter[tuple[str, str]]()
    left: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    right: dict[tuple[str, str], Counter[str]] = defaultdict(Counter)
    for words in cuts:
        pieces.update(words)
        for i, pair in enumerate(pairwise(words)):
            if not _can_join(*pair):
                continue
            pairs[pair] += 1
            # the border of a run counts as a new neighbour each time: it is where a unit ends
            left[pair][words[i - 1] if i else f"^{pairs[pair]}"] += 1
            right[pair][words[i + 2] if i + 2 < len(words) else f"${pairs[pair]}"] += 1
    total = sum(pieces.values())
    found = []
    for (a, b), count in pairs.items():
        if count < _LEAST_COUNT or math.log(count * total / (pieces[a] * pieces[b])) < _LEAST_COHESION:
            continue
        if min(_entropy(left[a, b]), _entropy(right[a, b])) >= _LEAST_ENTROPY:
            found.append(a + b)
    return sorted(set(found))


def _can_join(a: str, b: str) -> bool:
    return (
        min(len(a), len(b)) == 1
        and len(a) + len(b) <= _LONGEST
        and not (len(a) == 1 and a in _NEVER)
        and not (len(b) == 1 and b in _NEVER)
    )


def _entropy(counts: Counter[str]) -> float:
    total = sum(counts.values())
    return -sum(n / total * math.log(n / total) for n in counts.values())

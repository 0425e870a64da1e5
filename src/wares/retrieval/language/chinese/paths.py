"""The likeliest way through a graph of words, and the words on ways that are nearly as likely."""

import math
from collections.abc import Sequence

Arc = tuple[int, float]  # where the word ends, its log probability


def likeliest(run: str, arcs: Sequence[Sequence[Arc]], margin: float, whole: bool) -> tuple[list[str], list[str]]:
    """The likeliest path, and the words on other paths within the margin that leave no more characters alone.

    Without `whole`, the run itself does not count as a word, and other paths may leave characters alone.
    """
    n = len(run)
    if not whole:
        arcs = [[arc for arc in arcs[0] if arc[0] < n], *arcs[1:]]
    ahead, alone_ahead, step = [0.0] * (n + 1), [0] * (n + 1), [n] * (n + 1)
    for start in range(n - 1, -1, -1):
        best = -math.inf
        for end, own in arcs[start]:
            if own + ahead[end] > best:
                best, step[start] = own + ahead[end], end
        ahead[start] = best
        alone_ahead[start] = alone_ahead[step[start]] + (step[start] == start + 1)
    path, on_path, at = list[str](), set[tuple[int, int]](), 0
    while at < n:
        path.append(run[at : step[at]])
        on_path.add((at, step[at]))
        at = step[at]
    if len(path) == n:
        return path, []
    behind, alone_behind = [0.0] + [-math.inf] * n, [0] * (n + 1)
    others, least = list[str](), ahead[0] - margin
    for start in range(n):
        value, alone = behind[start], alone_behind[start]
        for end, own in arcs[start]:
            if value + own > behind[end]:
                behind[end], alone_behind[end] = value + own, alone + (end == start + 1)
            if end - start < 2 or value + own + ahead[end] < least or (start, end) in on_path:
                continue
            if not whole or alone + alone_ahead[end] <= alone_ahead[0]:
                others.append(run[start:end])
    return path, others

"""Whose hits were clicked on interleaved pages: the two rankings' sign test, and their shares of the clicks."""

import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.special import bdtr, betaincinv

from wares.domain.catalogue import Columns
from wares.domain.log import EventBlock
from wares.evaluation.attribution import chosen_lines
from wares.evaluation.intervals import Floats, Interval
from wares.evaluation.satisfaction import CHOSEN, WINDOW_MS
from wares.evaluation.variants import Group

Longs = NDArray[np.int64]


@dataclass(frozen=True)
class Preference:
    """`wins`: shoppers of whose clicks more went to the other variant than to control; `losses` the other way round.

    `share` is wins / (wins + losses) with its exact interval (Clopper and Pearson 1934), above a half = the other is
    better; `p` that of the sign test. `clicks` is the other's share of all credited clicks, its interval by shopper.
    """

    wins: int
    losses: int
    ties: int
    share: Interval
    p: float
    clicks: Interval


def credits_of(
    shown: Iterable[tuple[int, Mapping[str, Any]]],
    block: EventBlock,
    columns: Columns,
    control: str,
    named: Mapping[int, str] | None = None,
) -> tuple[Longs, Floats, int]:
    """Interleaved impressions, each with its shopper's key, in order of time -> shoppers (s,), how many of the
    control's and of the other's hits each chose (s, 2), and how many pages there were. A shown hit counts once, however
    often it was chosen."""
    pages = 0
    shoppers, groups, times, teams, names = list[int](), list[int](), list[int](), list[bool](), list[str]()
    for shopper, impression in shown:
        pages += 1
        for hit in impression["hits"]:
            row = columns.row_of.get(hit["product"])
            if row is None or not hit.get("team"):
                continue
            shoppers.append(shopper)
            groups.append(int(columns.groups[row]))
            times.append(int(impression["time_ms"]))
            teams.append(hit["team"] != control)
            names.append(str(impression.get("id", "")))
    line_shoppers, line_groups = np.array(shoppers, np.int64), np.array(groups, np.int64)
    line_times, line_teams = np.array(times, np.int64), np.array(teams, np.bool_)
    lines = line_shoppers, line_groups, line_times
    chosen = chosen_lines(lines, names, block, columns, kinds=CHOSEN, window_ms=WINDOW_MS, named=named)
    whose, place = np.unique(line_shoppers, return_inverse=True)
    found = np.zeros((len(whose), 2))
    np.add.at(found, (place[chosen], line_teams[chosen].astype(np.intp)), 1)
    return whose, found, pages


def preference_of(found: Floats, level: float = 0.95) -> Preference:
    """What each shopper's credits (s, 2) say of the two.

    >>> preference_of(np.array([[0.0, 1.0]] * 15 + [[1.0, 0.0]] * 5)).wins
    15
    """
    ahead = found[:, 1] - found[:, 0]
    wins, losses = int((ahead > 0).sum()), int((ahead < 0).sum())
    n, tail = wins + losses, (1 - level) / 2
    low = float(betaincinv(wins, losses + 1, tail)) if wins else 0.0
    high = float(betaincinv(wins + 1, losses, 1 - tail)) if losses else 1.0
    share = Interval(wins / n, low, high) if n else Interval(math.nan)
    p = min(1.0, 2 * float(bdtr(min(wins, losses), n, 0.5))) if n else 1.0
    total = found.sum(axis=1)
    clicks = Group.of(found[:, 1], total).interval(level) if total.sum() else Interval(math.nan)
    return Preference(wins, losses, len(found) - n, share, p, clicks)

"""Two orders drafted into one: which of two rankings do shoppers' clicks prefer, on the very same page?

Team draft (Radlinski, Kurup and Joachims, "How does clickthrough data reflect retrieval quality?", CIKM 2008): round by
round a coin says who picks first, and each picks its best hit that is not on the page yet. A click counts for the team
that picked the hit. Far fewer shoppers tell a better order than when each sees one of the two.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Catalogue
from wares.domain.request import Request
from wares.domain.result import Hit, Page
from wares.engine.page import present
from wares.engine.stages import Answer
from wares.engine.view import ShopView
from wares.features.table import FeatureTable

INTERLEAVED = "interleaved"  # the variant that such an answer tells
_NO_TEAM = -1  # behind what was ranked


@dataclass(frozen=True)
class Interleaved:
    """Two answers to one request and their draft. `teams` (total,): 0 = the first picked this hit, 1 = the second,
    -1 = nobody, it lies behind what either ranked. `places` (total,): where it stands in its own answer's order."""

    answers: tuple[Answer, Answer]
    names: tuple[str, str]
    experiment: str
    order: NDArray[np.int32]  # (total,) rows
    teams: NDArray[np.int8]
    places: NDArray[np.intp]

    variant = INTERLEAVED

    @property
    def view(self) -> ShopView:
        """The shop of the moment that both saw."""
        return self.answers[0].view

    def to_keep(self) -> "Interleaved":
        """The same without what can be computed again, for later pages."""
        first, second = self.answers
        return replace(self, answers=(first.to_keep(), second.to_keep()))

    @property
    def nbytes(self) -> int:
        """About the memory that it takes once it is kept."""
        return sum(one.nbytes for one in (*self.answers, self.order, self.teams, self.places))

    @property
    def shares(self) -> Iterable[tuple[object, int]]:
        """The shop of that moment."""
        return [shared for one in self.answers for shared in one.shares]


def interleave(first: Answer, second: Answer, names: tuple[str, str], experiment: str, request: Request) -> Interleaved:
    """Both answers drafted into one, the same for the same request; they may be kept ones, found for another's."""
    groups = first.view.columns.groups
    a, b = first.order, second.order
    ranked = (groups[a[: len(first.slate)]], groups[b[: len(second.slate)]])
    teams, places = team_draft(*ranked, _generator_of(request))
    rows = np.where(teams == 0, a[np.where(teams == 0, places, 0)], b[np.where(teams == 1, places, 0)])
    picked = np.zeros(first.view.columns.n_groups, np.bool_)
    picked[groups[rows]] = True
    behind = np.flatnonzero(~picked[groups[a]])
    return Interleaved(
        (first, second),
        names,
        experiment,
        np.concatenate([rows, a[behind]]).astype(np.int32),
        np.concatenate([teams, np.full(len(behind), _NO_TEAM, np.int8)]),
        np.concatenate([places, behind]),
    )


def team_draft(
    first: NDArray[np.int32], second: NDArray[np.int32], rng: np.random.Generator
) -> tuple[NDArray[np.int8], NDArray[np.intp]]:
    """Two orders (a,), (b,) of what may be picked once -> who picked each of the merged hits, and its place there.

    >>> teams, places = team_draft(np.array([7, 8]), np.array([7, 9]), np.random.default_rng(0))
    >>> len(teams), sorted(teams.tolist()) in ([0, 0, 1], [0, 1, 1])
    (3, True)
    """
    lists = (first.tolist(), second.tolist())
    ahead = rng.random(len(first) + len(second) + 1) < 0.5
    picked, teams, places, at = set[int](), list[int](), list[int](), [0, 0]
    for second_is_first in ahead.tolist():
        for team in (1, 0) if second_is_first else (0, 1):
            mine = lists[team]
            while at[team] < len(mine) and mine[at[team]] in picked:
                at[team] += 1
            if at[team] < len(mine):
                picked.add(mine[at[team]])
                teams.append(team)
                places.append(at[team])
                at[team] += 1
        if at[0] >= len(lists[0]) and at[1] >= len(lists[1]):
            break
    return np.array(teams, np.int8), np.array(places, np.intp)


def present_interleaved(found: Interleaved, offset: int, k: int, catalogue: Catalogue) -> Page:
    """The page `offset .. offset + k`; each hit is described by the answer whose it is, and tells its team."""
    here = slice(offset, offset + k)
    teams, places, rows = found.teams[here], found.places[here], found.order[here]
    ids = found.answers[0].view.columns.ids
    hits = dict[str, Hit]()
    for team, answer in enumerate(found.answers):
        own = teams == 1 if team else teams != 1
        for hit in present(_at(answer, places[own]), 0, int(own.sum()), catalogue).hits:
            hits[hit.product.id] = hit
    named = {0: found.names[0], 1: found.names[1], _NO_TEAM: ""}
    page = present(found.answers[0], 0, 0, catalogue)
    there = [(ids[row], team) for row, team in zip(rows.tolist(), teams.tolist(), strict=True)]
    shown = tuple(replace(hits[one], team=named[team]) for one, team in there if one in hits)
    return replace(page, hits=shown, total=len(found.order))


def _at(answer: Answer, places: NDArray[np.intp]) -> Answer:
    """An answer of these places alone, growing, so that ranked ones come before the others."""
    ranked = places[places < len(answer.slate)]
    parts = answer.scored_by
    return replace(
        answer,
        slate=answer.slate.take(ranked),
        features=FeatureTable(answer.features.names, answer.features.values[ranked]),
        order=answer.order[places],
        scored_by=FeatureTable(parts.names, parts.values[ranked]) if parts is not None else None,
    )


def _generator_of(request: Request) -> np.random.Generator:
    said = f"{request.surface}\0{request.query}\0{request.shopper_id}\0{request.now_ms}\0{request.seeds}"
    digest = blake2b(said.encode("utf-8", "surrogatepass"), digest_size=8, person=b"draft").digest()
    return np.random.default_rng(int.from_bytes(digest, "big"))

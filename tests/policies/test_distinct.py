"""A set of things that go together holds each thing once."""

from dataclasses import dataclass, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray
from policy_shop import assert_honest, intent, slate

from wares.contracts import View
from wares.domain.result import Slate
from wares.policies.distinct import Distinct


@dataclass(frozen=True)
class Texts:
    """What the text of each row says, as an angle in degrees; ordinary texts stand at a right angle to all."""

    angles: dict[int, float]

    def vectors(self, rows: NDArray[np.int32]) -> NDArray[np.float32]:
        known = [self.angles.get(row) for row in rows.tolist()]
        each = [(0.0, 0.0) if a is None else (np.cos(np.radians(a)), np.sin(np.radians(a))) for a in known]
        return np.array(each, np.float32).reshape(-1, 2)

    def ordinary(self, vector: NDArray[np.float32]) -> tuple[float, float]:
        return 0.0, 1.0


@dataclass(frozen=True)
class TextView:
    texts: Texts

    def space(self, name: str) -> Texts:
        assert name == "text"
        return self.texts


def arranged(angles: dict[int, float], before: Slate, seeds: tuple[int, ...] = (), depth: int = 40) -> list[int]:
    asked = replace(intent(), seeds=np.array(seeds, np.int32))
    after = Distinct(depth=depth).arrange(before, asked, cast(View, TextView(Texts(angles))))
    assert_honest(before, after)
    return [int(row) for row in after.rows]


BEST_FIRST = slate([4.0, 3.0, 2.0, 1.0], [0, 1, 2, 3])


def test_the_second_of_two_that_say_the_same_is_left_out() -> None:
    assert arranged({0: 0, 1: 5, 2: 80, 3: 160}, BEST_FIRST) == [0, 2, 3]


def test_what_says_the_same_as_a_seed_is_left_out() -> None:
    assert arranged({0: 0, 1: 50, 2: 100, 3: 160, 9: 98}, BEST_FIRST, seeds=(9,)) == [0, 1, 3]


def test_what_only_resembles_something_left_out_stays() -> None:
    """0 is near 1, 1 near 2, but 2 is not near 0."""
    assert arranged({0: 0, 1: 30, 2: 60, 3: 160}, BEST_FIRST) == [0, 2, 3]


def test_without_vectors_nothing_is_left_out() -> None:
    assert arranged({}, BEST_FIRST, seeds=(9,)) == [0, 1, 2, 3]
    assert arranged({1: 10.0, 2: 10.0}, BEST_FIRST) == [0, 1, 3], "others are compared all the same"


def test_only_the_first_are_compared() -> None:
    assert arranged({0: 0, 1: 90, 2: 1, 3: 2}, BEST_FIRST, depth=2) == [0, 1, 2, 3]


def test_an_empty_slate_stays_empty() -> None:
    assert arranged({}, slate([])) == []

"""What is kept for later pages keeps to its bound, whatever several answers share, and goes when it is too old."""

import gc
import weakref
from dataclasses import dataclass

import pytest

from wares.engine.cursors import Cursors
from wares.errors import CursorExpired


class Catalogue:
    """Stands for what several answers hold."""


@dataclass(frozen=True, eq=False)
class Kept:
    catalogue: Catalogue
    nbytes: int = 10

    @property
    def shares(self) -> list[tuple[object, int]]:
        return [(self.catalogue, 100)]


def test_what_several_share_counts_once_and_until_the_last_of_them_goes() -> None:
    first, second = Catalogue(), Catalogue()
    cursors = Cursors[Kept](most_bytes=1_000)
    for name, catalogue in (("a", first), ("b", first), ("c", second)):
        cursors.keep_as(name, Kept(catalogue))
    assert cursors.nbytes == 3 * 10 + 2 * 100
    cursors.keep_as("a", Kept(second))
    assert cursors.nbytes == 3 * 10 + 2 * 100
    cursors.keep_as("b", Kept(second))
    assert cursors.nbytes == 3 * 10 + 100


def test_only_the_latest_cursors_are_kept() -> None:
    cursors, catalogue = Cursors[Kept](most_bytes=300), Catalogue()
    answers = [Kept(catalogue, nbytes) for nbytes in (100, 50, 120)]
    names = [cursors.keep(answer) for answer in answers]
    with pytest.raises(CursorExpired):
        cursors.find(f"{names[0]}.24")
    for name, answer in zip(names[1:], answers[1:], strict=True):
        assert cursors.find(f"{name}.24") == (answer, name, 24)


def test_a_shop_that_changes_all_the_time_takes_no_more_than_the_bound() -> None:
    cursors = Cursors[Kept](most_bytes=550)
    names = [cursors.keep(Kept(Catalogue())) for _ in range(50)]
    assert cursors.nbytes == 550
    assert [cursors.holds(name) for name in names] == [False] * 45 + [True] * 5


def test_the_latest_answer_is_kept_even_where_it_alone_is_too_large() -> None:
    cursors = Cursors[Kept](most_bytes=50)
    cursors.keep(Kept(Catalogue()))
    assert cursors.holds(cursors.keep(Kept(Catalogue())))
    assert cursors.nbytes == 110


def test_what_no_cursor_may_continue_is_let_go_though_nobody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    monkeypatch.setattr("wares.engine.cursors.time.monotonic", lambda: now_s[0])
    cursors = Cursors[Kept](lifetime_s=600.0)
    old, used = Catalogue(), Catalogue()
    cursors.keep_as("old", Kept(old))
    cursors.keep_as("used", Kept(used))
    there = weakref.ref(old)
    del old
    now_s[0] = 300.0
    cursors.find("used.24")
    now_s[0] = 601.0
    cursors.let_go()
    gc.collect()
    assert there() is None
    assert cursors.nbytes == 110
    assert cursors.find("used.24")[2] == 24
    with pytest.raises(CursorExpired):
        cursors.find("old.24")

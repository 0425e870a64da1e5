"""How gaps in a table are filled, and that what fills them never looks where it may not."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.errors import InputError
from wares.feeds.missing import Column, Filled, Method, Scale, Way, column_of, fill, shares_of
from wares.feeds.nearest import nearest_values

AGES = ["19-24", "25-34", "65+", "25-34", None, "Under 19"]


def filled(cells: list[str | None], way: str, *others: Column) -> Filled:
    column = column_of("x", cells)
    return fill([column, *others], {"x": Way.read(way)})


def texts(cells: list[str | None], way: str) -> list[str]:
    return filled(cells, way).columns[0].texts()


def test_bands_stand_in_their_order_whatever_order_they_come_in() -> None:
    column = column_of("age", AGES)
    assert (column.scale, column.labels) == (Scale.BAND, ("Under 19", "19-24", "25-34", "65+"))
    income = column_of("income", ["100-124K", "Under 15K", "15-24K", "250K+", "50-74K"])
    assert income.labels == ("Under 15K", "15-24K", "50-74K", "100-124K", "250K+")
    assert column_of("income", ["$25,000-$49,999", "<$25,000"]).labels == ("<$25,000", "$25,000-$49,999")
    assert column_of("income", ["500K-1M", "900K-2M", "2M+"]).labels == ("500K-1M", "900K-2M", "2M+")


@pytest.mark.parametrize(
    ("cells", "scale"),
    [
        (["34", "51.5"], Scale.NUMBER),
        (["0", "1", "3+"], Scale.BAND),
        (["2 Adults No Kids", "1 Adult Kids"], Scale.WORD),
        (["19-24", "young"], Scale.WORD),
        ([None, "unknown"], Scale.WORD),
    ],
)
def test_a_column_is_numbers_bands_or_words(cells: list[str | None], scale: Scale) -> None:
    assert column_of("x", cells).scale is scale


@given(st.lists(st.one_of(st.none(), st.text(max_size=12), st.integers(0, 99).map(str)), max_size=20))
def test_what_is_known_reads_back_as_it_was(cells: list[str | None]) -> None:
    column = column_of("x", cells)
    for cell, text, missing in zip(cells, column.texts(), column.missing.tolist(), strict=True):
        assert missing == (text == "")
        if column.scale is not Scale.NUMBER:
            assert missing or text == cell


@pytest.mark.parametrize(
    ("way", "expected"), [("mean", "26"), ("median", "20"), ("mode", "20"), ("constant:-1", "-1"), ("leave", "")]
)
def test_numbers_are_filled(way: str, expected: str) -> None:
    assert texts(["20", "20", None, "38"], way)[2] == expected


def test_whole_numbers_stay_whole_and_others_do_not() -> None:
    assert texts(["1", "2", None], "mean")[2] == "2"
    assert texts(["1.5", "2", None], "mean")[2] == "1.75"


@pytest.mark.parametrize(("way", "expected"), [("mean", "19-24"), ("median", "25-34"), ("mode", "25-34")])
def test_bands_are_filled_with_bands(way: str, expected: str) -> None:
    assert texts(["Under 19", "Under 19", "25-34", "25-34", "25-34", "19-24", None], way)[6] == expected


def test_words_have_a_mode_but_no_mean() -> None:
    assert texts(["owner", "owner", "renter", None], "mode")[3] == "owner"
    with pytest.raises(InputError, match="'x' holds words, which have no mean"):
        texts(["owner", "renter", None], "mean")


def test_drop_leaves_the_rows_out_and_fills_nothing() -> None:
    dropped = filled(["20", None, "38"], "drop")
    assert dropped.kept.tolist() == [True, False, True]
    assert not dropped.filled.any()


def test_a_flag_says_which_cells_were_filled() -> None:
    other = column_of("y", [None, "a", "b"])
    done = filled(["20", None, "38"], "median", other)
    assert done.filled.tolist() == [[False, False], [True, False], [False, False]]
    assert done.columns[1] is other
    assert done.kept.all()


@pytest.mark.parametrize("way", ["mean", "median", "mode", "nearest"])
def test_a_column_without_any_value_stays_empty(way: str) -> None:
    done = filled([None, "", "NA"], way)
    assert done.columns[0].texts() == ["", "", ""]
    assert not done.filled.any()
    assert texts([None, None], "constant:none") == ["none", "none"]


def test_a_constant_may_be_a_word_of_its_own_but_numbers_need_a_number() -> None:
    assert texts(["owner", None], "constant:not said") == ["owner", "not said"]
    with pytest.raises(InputError, match="holds numbers; 'none' is none"):
        texts(["1", None], "constant:none")


@pytest.mark.parametrize("text", ["average", "", "constant", "constant:", "median:3"])
def test_an_unknown_way_is_refused_with_those_there_are(text: str) -> None:
    with pytest.raises(InputError, match=r"leave, drop, mean, median, mode, nearest, or constant:VALUE"):
        Way.read(text)
    assert Way.read("constant:a:b") == Way(Method.CONSTANT, "a:b")


def household(rng: np.random.Generator, n: int = 300) -> tuple[np.ndarray, Column, Column]:
    """Whoever has kids has a large household; the shoe size says nothing."""
    kids = rng.integers(0, 2, n)
    size = column_of("size", [str(one) for one in kids * 3 + rng.integers(1, 3, n)])
    return kids, size, column_of("shoe", [str(one) for one in rng.integers(36, 46, n)])


def test_neighbours_are_sought_in_the_columns_that_tell() -> None:
    rng = np.random.default_rng(0)
    kids, size, shoe = household(rng)
    cells = [None if hide else ("no", "yes")[kid] for kid, hide in zip(kids, rng.random(300) < 0.3, strict=True)]
    done = fill([column_of("kids", cells), shoe, size], {"kids": Way(Method.NEAREST)})
    assert [text == "yes" for text in done.columns[0].texts()] == (kids == 1).tolist()


def test_neighbours_are_sought_beside_the_table_where_a_row_knows_nothing_else() -> None:
    rng = np.random.default_rng(0)
    kids, size, _ = household(rng)
    hidden = rng.random(300) < 0.3
    cells = [None if hide else ("no", "yes")[kid] for kid, hide in zip(kids, hidden, strict=True)]
    beside = np.where(kids[:, None] == 1, [1.0, 0.0], [0.0, 1.0]) + rng.normal(0, 0.05, (300, 2))
    unknown = Column("size", size.scale, np.where(hidden, math.nan, size.values), size.labels)
    done = fill([column_of("kids", cells), unknown], {"kids": Way(Method.NEAREST)}, beside)
    assert [text == "yes" for text in done.columns[0].texts()] == (kids == 1).tolist()
    alone = fill([column_of("kids", cells), unknown], {"kids": Way(Method.NEAREST)})
    assert len({text for text, hide in zip(alone.columns[0].texts(), hidden, strict=True) if hide}) == 1


def test_where_nothing_tells_the_neighbours_say_the_mode_and_the_median() -> None:
    shoe = column_of("shoe", [str(36 + n % 9) for n in range(90)])
    colour = column_of("colour", [None, *["red"] * 50, *["blue"] * 39])
    number = column_of("number", [None, *["1"] * 20, *["5"] * 40, *["9"] * 29])
    done = fill([colour, number, shoe], {"colour": Way(Method.NEAREST), "number": Way(Method.NEAREST)})
    assert done.columns[0].texts()[0] == "red"
    assert done.columns[1].texts()[0] == "5"


def test_what_is_hidden_cannot_be_seen_by_what_fills() -> None:
    rng = np.random.default_rng(1)
    table = rng.integers(0, 5, (200, 4)).astype(float)
    hidden = rng.random(200) < 0.2
    secret = table[hidden, 0]
    seen = table.copy()
    seen[hidden, 0] = math.nan
    found = nearest_values(seen, np.array([False, False, True, False]))
    assert np.abs(found - secret).mean() > 0.8  # noise tells nothing of noise
    assert len(found) == hidden.sum()


@given(st.integers(1, 6), st.integers(0, 6), st.booleans(), st.booleans())
def test_a_small_table_is_filled_too(known: int, gaps: int, words: bool, with_beside: bool) -> None:
    n = known + gaps
    table = np.column_stack([np.r_[np.arange(known) % 2, np.full(gaps, math.nan)], np.full(n, math.nan), np.ones(n)])
    beside = np.arange(2.0 * n).reshape(n, 2) if with_beside else None
    found = nearest_values(table, np.array([words, True, words]), beside)
    assert len(found) == gaps
    assert set(found) <= set(table[:known, 0])


def test_more_known_rows_than_are_asked_still_fill_every_gap() -> None:
    x = np.arange(5_000.0)
    target = np.where(x % 7 == 0, math.nan, x)
    found = nearest_values(np.column_stack([target, x]), np.array([False, False]))
    assert np.abs(found - x[x % 7 == 0]).max() < 25


def test_shares_are_of_each_row_and_the_rare_ones_share_a_place() -> None:
    shares = shares_of(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 2]), np.array([3.0, 1.0, 2.0, 2.0]), 3, most=1)
    np.testing.assert_allclose(shares**2, np.array([[0.75, 0.25], [0.5, 0.5], [0.0, 0.0]]))

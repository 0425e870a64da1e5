import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from wares.errors import InputError, UnknownName
from wares.ranking.formula import Formula, Scale, Term, scaled

NAMES = ("lexical", "meaning", "popularity", "freshness")
values = st.one_of(st.floats(-100, 100, width=32), st.just(float("nan")), st.just(float("inf")))
tables = arrays.arrays(np.float32, st.tuples(st.integers(0, 8), st.just(4)), elements=values)
FORMULA = Formula({"lexical": 1.0, "meaning": Term(0.5, "minmax"), "popularity": Term(2, "log"), "freshness": Term(-1)})


def column(*numbers: float) -> np.ndarray[tuple[int, int], np.dtype[np.float32]]:
    return np.array(numbers, np.float32).reshape(-1, 1)


@given(table=tables)
def test_the_parts_sum_to_the_score(table: np.ndarray[tuple[int, int], np.dtype[np.float32]]) -> None:
    parts = FORMULA.parts(table, NAMES)
    assert parts.shape == table.shape
    assert np.allclose(parts.sum(axis=1), FORMULA.score(table, NAMES), atol=1e-6)


@given(table=tables, scale=st.sampled_from(["max", "minmax", "log"]))
def test_scaled_values_lie_between_0_and_1(
    table: np.ndarray[tuple[int, int], np.dtype[np.float32]], scale: Scale
) -> None:
    result = scaled(table, scale)
    assert result.dtype == np.float32
    assert np.isfinite(result).all()
    assert ((result >= 0) & (result <= 1)).all()
    assert (result[~np.isfinite(table)] == 0).all()


@given(table=tables)
def test_the_order_of_the_candidates_does_not_matter(
    table: np.ndarray[tuple[int, int], np.dtype[np.float32]],
) -> None:
    assert np.array_equal(FORMULA.score(table[::-1], NAMES), FORMULA.score(table, NAMES)[::-1])


@pytest.mark.parametrize(
    ("scale", "expected"), [("max", [0.5, 1, 0]), ("minmax", [0, 1, 0]), ("raw", [2, 4, 0]), ("log", [0.6826, 1, 0])]
)
def test_each_scale_makes_what_it_says(scale: Scale, expected: list[float]) -> None:
    assert np.allclose(scaled(column(2, 4, float("nan")), scale)[:, 0], expected, atol=1e-4)


@pytest.mark.parametrize(("value", "expected"), [(3.0, 1.0), (0.0, 0.0), (-2.0, 0.0)])
def test_equal_values_count_fully_if_above_nothing(value: float, expected: float) -> None:
    assert scaled(column(value, value), "minmax")[:, 0].tolist() == [expected, expected]


def test_a_feature_that_the_request_does_not_have_counts_nothing() -> None:
    assert FORMULA.score(column(5, 10), ["lexical"]).tolist() == [0.5, 1.0]


def test_a_feature_without_a_weight_counts_nothing() -> None:
    assert FORMULA.parts(column(5, 10), ["colour"]).tolist() == [[0.0], [0.0]]


def test_an_unknown_feature_names_the_nearest_known_one() -> None:
    with pytest.raises(UnknownName, match="Did you mean 'lexical'"):
        Formula({"lexicl": 1.0}, known=NAMES)


def test_an_unknown_scale_is_refused() -> None:
    with pytest.raises(UnknownName, match="minmax"):
        Term(1.0, "min-max")  # type: ignore[arg-type]


def test_a_weight_must_be_a_number() -> None:
    with pytest.raises(InputError, match="finite"):
        Term(float("nan"))


def test_names_and_columns_must_agree() -> None:
    with pytest.raises(InputError, match="shape"):
        FORMULA.score(column(1, 2), ["lexical", "meaning"])

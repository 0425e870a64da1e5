"""The bench of missing values, on made-up households whose facts tell one another."""

import runpy
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from typer.testing import CliRunner

from wares.app.bench.missing import ACCURACY, CELLS, HOUSEHOLDS, OFF, errors_of, missing_figures
from wares.app.cli import app
from wares.feeds.dialects.complete_journey import FILES, CompleteJourney
from wares.feeds.dialects.flat_table import FlatTable
from wares.feeds.missing import column_of

N = 120
NOW_MS = 1_780_000_000_000


@pytest.fixture
def feed(tmp_path: Path) -> Path:
    """Whoever is married has a large household; the young, who are no others, buy milk alone, the old bread."""
    rng = np.random.default_rng(0)
    young, married = rng.random(N) < 0.5, rng.random(N) < 0.5
    people: dict[str, Any] = {
        "household_id": [str(i) for i in range(N)],
        "age": ["19-24" if one else "65+" for one in young],
        "marital_status": [None if i % 10 == 0 else "Married" if one else "Unmarried" for i, one in enumerate(married)],
        "household_size": ["5+" if one else str(rng.integers(1, 3)) for one in married],
    }
    log: dict[str, Any] = {
        "household_id": list(range(N)) * 2,
        "product_id": [1 if one else 2 for one in young] * 2,
        "basket_id": 7,
        "quantity": 1,
        "sales_value": 2.0,
        "retail_disc": 0.0,
        "coupon_disc": 0.0,
        "coupon_match_disc": 0.0,
    }
    things: dict[str, Any] = {
        "product_id": [1, 2],
        "department": ["GROCERY", "PASTRY"],
        "brand": "Private",
        "product_category": ["FLUID MILK PRODUCTS", "BREAD"],
        "product_type": ["FLUID MILK WHITE ONLY", "BREAD:ITALIAN/FRENCH"],
        "package_size": "1 GA",
    }
    when = pl.datetime(2017, 1, 1, time_unit="ns").alias("transaction_timestamp")
    tables = (pl.DataFrame(log).with_columns(when), pl.DataFrame(things), pl.DataFrame(people))
    for name, table in zip(FILES, tables, strict=True):
        table.write_parquet(tmp_path / name)
    return tmp_path


@pytest.fixture
def figures(feed: Path) -> dict[str, Any]:
    return missing_figures(feed, share=0.2, seeds=2, seed=0, tell=lambda *_: None)


def test_neighbours_in_both_find_what_either_tells(figures: dict[str, Any]) -> None:
    ways = figures[CELLS]["ways"]
    assert ways["nearest"]["fields"]["age"][ACCURACY]["mean"] > 0.9
    assert ways["nearest"]["fields"]["marital_status"][ACCURACY]["mean"] > 0.7
    assert ways["nearest in demographics"]["fields"]["age"][ACCURACY]["mean"] < 0.7
    assert ways["nearest in purchases"]["fields"]["marital_status"][ACCURACY]["mean"] < 0.7
    for other in ("mean", "median", "mode"):
        assert ways[other]["difference"][ACCURACY]["high"] < 0
        assert ways[other]["difference"][OFF]["low"] > 0


def test_of_a_household_that_is_hidden_whole_only_purchases_tell(figures: dict[str, Any]) -> None:
    ways = figures[HOUSEHOLDS]["ways"]
    assert ways["nearest"]["fields"]["age"][ACCURACY]["mean"] > 0.9
    for name, field in ways["nearest"]["fields"].items():
        assert field[ACCURACY]["mean"] == ways["nearest in purchases"]["fields"][name][ACCURACY]["mean"]
    assert ways["nearest in demographics"]["fields"]["age"][ACCURACY]["mean"] < 0.7


def test_only_what_is_known_is_hidden_and_words_have_no_bands(figures: dict[str, Any]) -> None:
    assert figures["fields"]["marital_status"] == {"scale": "word", "values": 2, "known": N - N // 10}
    assert 0.15 * 2 * 2.9 * N < figures[CELLS]["hidden_cells"] < 0.25 * 2 * 2.9 * N
    assert OFF not in figures[CELLS]["ways"]["mode"]["fields"]["marital_status"]
    assert 0.3 < figures[CELLS]["ways"]["drop"]["left"] < 0.6
    assert figures[CELLS]["ways"]["nearest"]["left"] == 1


def test_errors_are_counted_where_something_was_hidden_only() -> None:
    truth = [column_of("age", ["19-24", "25-34", "65+", "65+"]), column_of("home", ["own", "rent", None, "own"])]
    said = [column_of("age", ["19-24", "25-34", "19-24", "65+"]), column_of("home", ["own", "rent", None, "rent"])]
    said[0] = type(truth[0])("age", truth[0].scale, np.array([0.0, 1.0, 0.0, 2.0]), truth[0].labels)
    hidden = np.array([[False, False], [True, True], [True, False], [False, True]])
    right, off = errors_of(truth, hidden, said)
    np.testing.assert_array_equal(right, [[np.nan, np.nan], [1, 1], [0, np.nan], [np.nan, 0]])
    np.testing.assert_array_equal(off, [[np.nan, np.nan], [0, np.nan], [2, np.nan], [np.nan, np.nan]])


def test_the_command_prints_both_tables(feed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    result = CliRunner().invoke(app, ["bench", "missing", "--data", str(feed), "--seeds", "1"])
    assert result.exit_code == 0, result.output
    assert "Cells hidden one by one" in result.output
    assert "Everything of a household hidden" in result.output
    assert "nearest in purchases" in result.output


def test_the_recipe_makes_a_flat_table_of_the_households_without_gender(feed: Path) -> None:
    recipe = runpy.run_path(str(Path(__file__).parents[2] / "recipes" / "flat_table" / "make.py"))
    rows = list(recipe["flat_rows"](CompleteJourney(feed, now_ms=NOW_MS), 1))
    named = [dict(zip(recipe["COLUMNS"], row, strict=True)) for row in rows]
    assert len({row["item_id"] for row in named}) == 1  # the most bought one
    assert {row["gender"] for row in named} == {""}
    table = FlatTable(named, now_ms=NOW_MS, currency="USD")
    assert (table.report.read, table.report.kept) == (len(rows), len(rows))
    assert "The column 'gender' is empty: there is nothing to fill it from." in table.report.notes
    assert {shopper.attributes["age"] for shopper in table.shoppers()} <= {"19-24", "65+"}
    (product,) = table.products()
    assert (product.price_minor, product.brand) == (200, "Store brand")

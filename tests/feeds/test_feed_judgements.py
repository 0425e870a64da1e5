"""What is read of judgements, what is put right, and what is said about the rest."""

from pathlib import Path
from typing import Any

import polars as pl
import pytest

from wares.domain.judgement import Judgement
from wares.errors import InputError
from wares.feeds.judgements import MAX_ID, NAMES, read_judgements

ROWS = [
    {"query": "oak ladder", "product_id": "1", "relevance": 3},
    {"query": "oak ladder", "product_id": "2", "relevance": 1.5},
]


def test_a_relevance_is_what_lies_above_the_lowest() -> None:
    reading = read_judgements([*ROWS, {"query": "tap", "product_id": 3, "relevance": "2.33"}], lowest=1)
    assert list(reading) == [
        Judgement("oak ladder", "1", 2.0),
        Judgement("oak ladder", "2", 0.5),
        Judgement("tap", "3", 1.33),
    ]


@pytest.mark.parametrize("ending", ["csv", "tsv", "jsonl", "parquet"])
def test_every_format_says_the_same(tmp_path: Path, ending: str) -> None:
    path, table = tmp_path / f"judged.{ending}", pl.DataFrame(ROWS)
    if ending == "jsonl":
        table.write_ndjson(path)
    elif ending == "parquet":
        table.write_parquet(path)
    else:
        table.write_csv(path, separator="," if ending == "csv" else "\t")
    assert list(read_judgements(path)) == [Judgement("oak ladder", "1", 3.0), Judgement("oak ladder", "2", 1.5)]


@pytest.mark.parametrize("name", NAMES["relevance"])
def test_columns_may_have_other_names(name: str) -> None:
    row = {"Search Term": " tap ", "item_id": "3", name.upper(): "1", "note": "x"}
    assert list(read_judgements([row])) == [Judgement("tap", "3", 1.0)]


def test_where_the_best_named_column_is_empty_the_next_one_counts() -> None:
    assert list(read_judgements([{"query": "tap", "product_id": 3, "relevance": None, "label": 1}])) == [
        Judgement("tap", "3", 1.0)
    ]


def test_several_judgements_of_a_pair_become_their_mean_and_are_counted() -> None:
    rows = [{"query": "tap", "product_id": 3, "relevance": grade} for grade in (0, 1, 2.5)]
    reading = read_judgements(rows)
    assert list(reading) == [Judgement("tap", "3", round(3.5 / 3, 9))]
    assert reading.report.repaired == {"repeated pair: the mean counts": 2}
    assert reading.report.read == reading.report.kept == 3


@pytest.mark.parametrize(
    ("change", "reason", "field"),
    [
        ({"query": "  "}, "no query", "query"),
        ({"product_id": None}, "no product", "product_id"),
        ({"product_id": "x" * (MAX_ID + 1)}, "id too long", "product_id"),
        ({"relevance": ""}, "no relevance", "relevance"),
        ({"relevance": float("nan")}, "no relevance", "relevance"),
        ({"relevance": "good"}, "relevance is no number", "relevance"),
        ({"relevance": float("inf")}, "relevance is no number", "relevance"),
        ({"relevance": 0.5}, "relevance below the lowest", "relevance"),
    ],
)
def test_an_unusable_row_is_reported_with_its_line_and_field(change: dict[str, Any], reason: str, field: str) -> None:
    reading = read_judgements([ROWS[0], ROWS[1] | change], lowest=1)
    assert list(reading) == [Judgement("oak ladder", "1", 2.0)]
    [finding] = reading.report.rejections
    assert (finding.rule, finding.count) == (reason, 1)
    assert (finding.examples[0].line, finding.examples[0].field) == (2, field)
    assert reading.report.read == reading.report.kept + reading.report.rejected == 2


def test_rejected_rows_can_be_written_to_a_file(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    list(read_judgements([{"query": "tap", "relevance": 1}], rejects=rejects))
    assert '"no product"' in rejects.read_text(encoding="utf-8")


def test_a_scale_that_never_reaches_its_lowest_is_mentioned() -> None:
    reading = read_judgements(ROWS)
    list(reading)
    assert reading.report.notes == (
        "The lowest relevance is 1.5, while 0 means 'worth nothing'. "
        "If 1.5 does, read the file again with that as the lowest.",
    )


def test_a_file_of_only_wanted_products_is_nothing_odd() -> None:
    reading = read_judgements([row | {"relevance": 1} for row in ROWS])
    assert len(list(reading)) == 2
    assert reading.report.notes == ()


def test_a_lowest_that_is_no_number_is_refused() -> None:
    with pytest.raises(InputError, match="lowest relevance is nan"):
        read_judgements(ROWS, lowest=float("nan"))

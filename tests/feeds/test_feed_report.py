"""The report of an import: for people, for tables and for JSON."""

import json
from pathlib import Path

import pytest

from wares.errors import InputError, StoreUnwritable
from wares.feeds.products import read_products

ROWS = [{"id": n, "price": -1} for n in range(8)] + [{"title": "x"}] * 3


def test_every_rule_shows_a_few_examples_and_counts_them_all() -> None:
    reading = read_products(ROWS, now_ms=0, examples=2)
    list(reading)
    report = reading.report
    assert (report.read, report.kept, report.rejected) == (11, 8, 3)
    assert report.repairs[0].count == 8
    assert [example.line for example in report.repairs[0].examples] == [1, 2]


def test_a_report_can_be_a_table_and_json() -> None:
    reading = read_products(ROWS, now_ms=0, examples=2)
    list(reading)
    table = reading.report.to_polars()
    assert table.columns == ["outcome", "rule", "count", "file", "line", "field", "value", "fix"]
    assert table["outcome"].to_list() == ["rejected", "rejected", "repaired", "repaired"]
    assert json.loads(json.dumps(reading.report.to_dict()))["rejected"] == 3
    assert "rejected 3: no id" in str(reading.report)


def test_the_report_grows_while_the_feed_is_read() -> None:
    assert read_products(ROWS, now_ms=0).report.read == 0


def test_rejected_rows_of_an_earlier_import_do_not_stay(tmp_path: Path) -> None:
    rejects = tmp_path / "rejected.jsonl"
    list(read_products(ROWS, now_ms=0, rejects=rejects))
    assert len(rejects.read_text(encoding="utf-8").splitlines()) == 3
    list(read_products([{"id": 1}], now_ms=0, rejects=rejects))
    assert not rejects.exists()


def test_a_place_where_rejected_rows_cannot_be_written_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreUnwritable, match="missing"):
        list(read_products(ROWS, now_ms=0, rejects=tmp_path / "missing" / "rejected.jsonl"))


def test_a_reading_is_used_up_once_it_was_read() -> None:
    reading = read_products(ROWS, now_ms=0)
    list(reading)
    with pytest.raises(InputError, match="used up"):
        list(reading)

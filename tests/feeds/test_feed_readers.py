"""Every kind of source gives the same rows, and no file, however broken, stops an import."""

import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wares.errors import InputError
from wares.feeds.encodings import guess_encoding
from wares.feeds.products import read_products
from wares.feeds.readers import name_of, read_rows
from wares.feeds.report import ImportReport, Tally

Write = Callable[[str, str | bytes], Path]
ROWS = [{"id": "1", "title": "Tea, green"}, {"id": "2", "title": 'A "good" mug'}, {"id": "3", "title": "two\nlines"}]
CSV = 'id,title\n1,"Tea, green"\n2,"A ""good"" mug"\n3,"two\nlines"\n'


@pytest.fixture
def write(tmp_path: Path) -> Write:
    def write(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode("utf-8") if isinstance(content, str) else content)
        return path

    return write


def rows_of(source: Any) -> tuple[list[dict[str, Any]], ImportReport]:
    tally = Tally(name_of(source))
    rows = [row for _, row in read_rows(source, tally)]
    tally.kept = len(rows)
    return rows, tally.report()


class PandasLike:
    """What wares uses of a pandas frame, which it does not depend on."""

    columns = ("id", "title")

    def itertuples(self, index: bool, name: None) -> Iterator[tuple[str, ...]]:
        return (tuple(row.values()) for row in ROWS)


class ArrowLike:
    """A table that can only hand itself over as an Arrow stream."""

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return pl.DataFrame(ROWS).__arrow_c_stream__(requested_schema)


@pytest.mark.parametrize(
    "source",
    [ROWS, iter(ROWS), pl.DataFrame(ROWS), pl.DataFrame(ROWS).lazy(), PandasLike(), ArrowLike()],
    ids=["list", "iterator", "polars", "lazy", "pandas", "arrow"],
)
def test_tables_and_iterables_give_the_same_rows(source: object) -> None:
    assert rows_of(source)[0] == ROWS


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.csv", CSV),
        ("a.csv", "\ufeff" + CSV),
        ("a.csv", CSV.replace("\n", "\r\n").replace("two\r\n", "two\n")),
        ("a.csv", 'id;title\n1;Tea, green\n2;"A ""good"" mug"\n3;"two\nlines"\n'),
        ("a.csv", '"id";"title"\n1;"Tea, green"\n2;"A ""good"" mug"\n3;"two\nlines"\n'),
        ("a.tsv", 'id\ttitle\n1\tTea, green\n\n2\t"A ""good"" mug"\n3\t"two\nlines"'),
        ("a.txt", CSV.encode("utf-16")),
        ("a.csv.gz", gzip.compress(CSV.encode())),
        ("a.jsonl", "\n".join(json.dumps(row) for row in ROWS)),
        ("a.ndjson.gz", gzip.compress("\n".join(json.dumps(row) for row in ROWS).encode())),
    ],
)
def test_files_of_every_dialect_give_the_same_rows(write: Write, name: str, content: str | bytes) -> None:
    rows, report = rows_of(write(name, content))
    assert rows == ROWS
    assert not report.rejected


def test_a_parquet_file_gives_the_same_rows(tmp_path: Path) -> None:
    pl.DataFrame(ROWS).write_parquet(tmp_path / "a.parquet")
    assert rows_of(tmp_path / "a.parquet")[0] == ROWS


def test_a_broken_json_line_is_reported_with_its_line_and_the_rest_is_kept(write: Write) -> None:
    lines = [json.dumps({"id": n}) for n in range(1, 1001)]
    lines[480] = '{"id": 481'
    rows, report = rows_of(write("a.jsonl", "\n".join(lines)))
    assert len(rows) == 999
    assert report.rejections[0].rule == "broken JSON"
    assert report.rejections[0].examples[0].line == 481


def test_a_ragged_csv_row_is_reported_with_its_line(write: Write) -> None:
    rows, report = rows_of(write("a.csv", "id,title\n1,a\n2\n3,c,d\n4,e\n"))
    assert [row["id"] for row in rows] == ["1", "4"]
    assert [example.line for example in report.rejections[0].examples] == [3, 4]
    assert "2 columns" in report.rejections[0].examples[0].fix


def test_a_quote_that_is_never_closed_costs_one_row_only(write: Write) -> None:
    text = "id,title\n1,a\n" + '2,"never closed\n' + "".join(f"{n},x\n" for n in range(3, 2000))
    rows, report = rows_of(write("a.csv", text))
    assert [row["id"] for row in rows] == ["1", *(str(n) for n in range(3, 2000))]
    assert report.rejected_by_reason == {"a quote that is never closed": 1}
    assert report.rejections[0].examples[0].line == 3


def test_text_after_a_closing_quote_costs_one_row_only(write: Write) -> None:
    rows, report = rows_of(write("a.csv", 'id,title\n1,"a"b\n2,12" ruler\n'))
    assert rows == [{"id": "2", "title": '12" ruler'}]
    assert report.rejected_by_reason == {"broken quoting": 1}


@pytest.mark.parametrize("encoding", ["gbk", "gb2312", "gb18030"])
def test_what_excel_writes_in_china_is_read_as_chinese_and_reported(write: Write, encoding: str) -> None:
    told = "编号,标题\n1,龙井绿茶 250克\n2,Café au lait\n3,紫砂壶（小号）\n".replace("é", "e")
    rows, report = rows_of(write("a.csv", told.encode(encoding)))
    assert [row["标题"] for row in rows] == ["龙井绿茶 250克", "Cafe au lait", "紫砂壶（小号）"]
    assert report.repaired == {"not UTF-8": 3} and any("gb18030" in note for note in report.notes)


def test_accented_letters_are_not_taken_for_chinese() -> None:
    for text in ("Größe;Übergröße;Fußbälle", "créée à Nîmes, élève", "Señor Muñoz", "crème brûlée ÄÖÜ", "£5 – €6"):
        assert guess_encoding(text.encode("cp1252")) == "cp1252", text
    assert guess_encoding("价格（元）".encode("gbk")) == "gb18030"


def test_text_that_is_not_utf_8_is_read_as_windows_1252_and_reported(write: Write) -> None:
    rows, report = rows_of(write("a.csv", "id,title\n1,Voucher £5\n".encode("cp1252")))
    assert rows == [{"id": "1", "title": "Voucher £5"}]
    assert report.repaired == {"not UTF-8": 1}


def test_columns_of_numpy_arrays_as_pandas_holds_lists_are_read() -> None:
    (product,) = read_products([{"id": np.int64(7), "colour": np.array(["red", "blue"])}], now_ms=0)
    assert (product.id, product.attributes) == ("7", {"colour": ("red", "blue")})


@pytest.mark.parametrize("name", ["a.csv", "a.jsonl", "a.parquet", "a.tsv"])
def test_an_empty_file_gives_no_rows_and_a_note(write: Write, name: str) -> None:
    rows, report = rows_of(write(name, ""))
    assert rows == []
    assert "empty" in report.notes[0]


def test_a_header_only_gives_no_rows_and_a_note(write: Write) -> None:
    rows, report = rows_of(write("a.csv", "id,title\n"))
    assert rows == []
    assert "header only" in report.notes[0]


def test_a_column_that_is_named_twice_is_noted(write: Write) -> None:
    rows, report = rows_of(write("a.csv", "id,title,title\n1,a,b\n"))
    assert rows == [{"id": "1", "title": "b"}]
    assert "more than once" in report.notes[0]


def test_an_unknown_ending_lists_the_known_ones(write: Write) -> None:
    with pytest.raises(InputError, match=r"\.csv.*\.jsonl.*\.parquet"):
        rows_of(write("a.docx", "x"))


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match="no-such"):
        rows_of("no-such.csv")


@pytest.mark.parametrize("text", [json.dumps(ROWS), json.dumps(ROWS, indent=2), "\n".join(map(json.dumps, ROWS))])
def test_a_json_file_holds_a_list_or_an_object_per_line(write: Write, text: str) -> None:
    assert rows_of(write("a.json", text))[0] == ROWS
    assert rows_of(write("a.json.gz", gzip.compress(text.encode())))[0] == ROWS


def test_one_object_over_many_lines_is_one_row(write: Write) -> None:
    assert rows_of(write("a.json", json.dumps(ROWS[0], indent=2)))[0] == ROWS[:1]


def test_a_broken_json_file_says_in_which_line(write: Write) -> None:
    rows, report = rows_of(write("a.json", '{"id": "1"}\n{"id": \n{"id": "3"}\n'))
    assert rows == [{"id": "1"}, {"id": "3"}]
    assert report.rejections[0].examples[0].line == 2


def test_a_parquet_file_that_is_none_is_named(write: Write) -> None:
    with pytest.raises(InputError, match=r"a\.parquet cannot be read"):
        rows_of(write("a.parquet", b"PAR1 but not really"))


@pytest.mark.parametrize("source", [5, None, {"id": 1}])
def test_what_is_no_source_is_refused(source: object) -> None:
    with pytest.raises(InputError, match="no source of rows"):
        rows_of(source)


def test_a_gz_file_that_breaks_off_keeps_what_came_before(write: Write) -> None:
    packed = gzip.compress("".join(json.dumps({"id": n, "x": n * n}) + "\n" for n in range(20_000)).encode())
    rows, report = rows_of(write("a.jsonl.gz", packed[: len(packed) // 2]))
    assert rows
    assert "the file breaks off" in report.rejected_by_reason


def test_a_row_that_is_no_mapping_is_rejected() -> None:
    rows, report = rows_of([{"id": 1}, 7, {"id": 2}])
    assert rows == [{"id": 1}, {"id": 2}]
    assert report.rejections[0].examples[0].line == 2


def test_a_cell_of_ten_megabytes_is_read(write: Write) -> None:
    rows, _ = rows_of(write("a.csv", "id,title\n1," + "x" * 10_000_000 + "\n2,y\n"))
    assert [len(row["title"]) for row in rows] == [10_000_000, 1]


@given(content=st.binary(max_size=400), name=st.sampled_from(["a.csv", "a.jsonl", "a.csv.gz", "a.tsv", "a.json"]))
@settings(deadline=None, max_examples=300, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_bytes_stop_an_import(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    reading = read_products(tmp_path / name, now_ms=0)
    list(reading)
    assert reading.report.read == reading.report.kept + reading.report.rejected


PIECES = st.sampled_from(['"', ",", "\n", "\r", "id", "title", "1", " ", ";", "\t", "é", "\x00", '""', "a,b", "\ufeff"])


@given(pieces=st.lists(PIECES, max_size=60))
@settings(deadline=None, max_examples=500, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_csv_stops_an_import_and_no_line_is_counted_twice(tmp_path: Path, pieces: list[str]) -> None:
    text = "id,title\n" + "".join(pieces)
    (tmp_path / "a.csv").write_bytes(text.encode())
    rows, report = rows_of(tmp_path / "a.csv")
    assert len(rows) + report.rejected <= len(text.splitlines())


@given(
    rows=st.lists(
        st.fixed_dictionaries(
            {"id": st.text(st.characters(codec="utf-8", exclude_characters="\r\x00"), min_size=1), "title": st.text()}
        )
    )
)
@settings(deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_what_was_written_as_jsonl_is_read_back(tmp_path: Path, rows: list[dict[str, str]]) -> None:
    (tmp_path / "a.jsonl").write_text("\n".join(json.dumps(row) for row in rows), encoding="utf-8")
    assert rows_of(tmp_path / "a.jsonl")[0] == rows


@given(
    row=st.dictionaries(
        st.sampled_from(["id", "title", "price", "stock", "published", "category", "available", "attributes", "x"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
            max_leaves=5,
        ),
    )
)
@settings(deadline=None)
def test_no_value_of_a_cell_stops_an_import(row: dict[str, Any]) -> None:
    reading = read_products([row], now_ms=1_780_000_000_000)
    for product in reading:
        assert product.price_minor is None or product.price_minor >= 0
    assert reading.report.read == 1


def test_lists_one_after_the_other_are_read_as_one_and_text_behind_a_list_is_reported(write: Write) -> None:
    two = json.dumps(ROWS) + "\n" + json.dumps(ROWS, indent=2)
    assert rows_of(write("a.json", two))[0] == [*ROWS, *ROWS]
    rows, report = rows_of(write("a.json", json.dumps(ROWS, indent=2) + "\nnot a list"))
    assert rows == ROWS
    assert report.rejected_by_reason == {"text behind the list": 1}
    assert report.rejections[0].examples[0].line == json.dumps(ROWS, indent=2).count("\n") + 2

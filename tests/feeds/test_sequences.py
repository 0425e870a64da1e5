"""Files of sequences: who met what in which order, what is known of the items, and what is wrong with a file."""

import json
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from wares.errors import DataError, InputError
from wares.feeds.sequences import read_item_texts, read_sequences

ITEMS = ("soap", "towel", "comb")


def written(folder: Path, text: str, name: str = "shop.txt") -> Path:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return path


def test_each_line_is_a_user_and_what_they_met_oldest_first(tmp_path: Path) -> None:
    found = read_sequences(written(tmp_path, "ann soap towel soap\nben comb towel\n"))
    assert found.users == ("ann", "ben")
    assert found.items == ("soap", "towel", "comb")
    np.testing.assert_array_equal(found.rows, [0, 1, 0, 2, 1])
    np.testing.assert_array_equal(found.indptr, [0, 3, 5])


def test_blanks_tabs_and_a_mark_at_the_start_of_the_file_are_no_part_of_a_name(tmp_path: Path) -> None:
    found = read_sequences(written(tmp_path, "\ufeffann\tsoap  towel \r\nben comb"))
    assert found.users == ("ann", "ben")
    assert found.items == ("soap", "towel", "comb")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("ann soap\n\nben comb\n", 2, "empty line"),
        ("ann soap\n   \n", 2, "empty line"),
        ("ann soap\nben\n", 2, "without items.*'ben'"),
        ("ann soap\nben comb\nann towel\n", 3, "line 1 already.*'ann'"),
        ("", 0, "the file is empty"),
    ],
)
def test_a_faulty_file_is_refused_with_the_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(DataError, match=said) as fault:
        read_sequences(path)
    assert fault.value.file == str(path)
    assert fault.value.line == line


def test_a_file_that_is_not_there_says_what_it_needs(tmp_path: Path) -> None:
    for path in (tmp_path / "no.txt", tmp_path):
        with pytest.raises(InputError, match="one line per user"):
            read_sequences(path)


def test_items_are_described_by_any_kind_of_table(tmp_path: Path) -> None:
    rows = [
        {"item_id": "comb", "text": "a comb", "attributes": ["wood", "hair"]},
        {"item_id": "soap", "text": "olive soap", "attributes": None},
        {"item_id": "unseen", "text": "nobody met it", "attributes": []},
    ]
    pl.DataFrame(rows).write_parquet(tmp_path / "items.parquet")
    written(tmp_path, "".join(json.dumps(row) + "\n" for row in rows), "items.jsonl")
    written(tmp_path, "item_id,text,attributes\ncomb,a comb,wood|hair\nsoap,olive soap,\nunseen,it,\n", "items.csv")
    for name in ("items.parquet", "items.jsonl", "items.csv"):
        found = read_item_texts(tmp_path / name, ITEMS)
        assert found.texts == ("olive soap", "", "a comb")
        assert found.attributes == ((), (), ("wood", "hair"))
        assert found.unknown == 1


def test_numbers_are_names_like_any_other(tmp_path: Path) -> None:
    pl.DataFrame({"item_id": [2, 1], "attributes": [[7, 8], [9]]}).write_parquet(tmp_path / "items.parquet")
    found = read_item_texts(tmp_path / "items.parquet", ("1", "2"))
    assert found.attributes == (("9",), ("7", "8"))
    assert found.texts == ("", "")


def test_attributes_in_a_csv_may_be_a_list_as_json(tmp_path: Path) -> None:
    path = written(tmp_path, 'item_id,attributes\nsoap,"[1, 2]"\ncomb,[broken\n', "items.csv")
    assert read_item_texts(path, ITEMS).attributes == (("1", "2"), (), ("[broken",))


def test_one_more_column_can_be_asked_for(tmp_path: Path) -> None:
    path = written(tmp_path, "item_id,shelf\nsoap,B\ncomb,A\n", "items.csv")
    assert read_item_texts(path, ITEMS, key="shelf").keys == ("B", "", "A")
    assert read_item_texts(path, ITEMS).keys == ()
    with pytest.raises(DataError, match="no column 'shlef'; there are item_id, shelf"):
        read_item_texts(path, ITEMS, key="shlef")


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ("id,text\nsoap,a soap\n", 2, "without item_id; it has id, text"),
        ("item_id,text\nsoap,a soap\n,a comb\n", 3, "without item_id"),
        ("item_id,text\nsoap,a soap\nsoap,the same\n", 3, "line 2 already.*'soap'"),
        ("item_id,text\nsoap,a soap\ncomb\n", 3, "wrong number of cells"),
        ("item_id,text\nmop,a mop\nrug,a rug\n", 0, "none of its 2 items.*'mop'"),
    ],
)
def test_a_faulty_table_of_items_is_refused_with_the_line(tmp_path: Path, text: str, line: int, said: str) -> None:
    path = written(tmp_path, text, "items.csv")
    with pytest.raises(DataError, match=said) as fault:
        read_item_texts(path, ITEMS)
    assert fault.value.file == str(path)
    assert fault.value.line == line

"""A shop's catalogue follows its feed: sync, update and delete from files, and what they refuse."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wares.app.cli import app
from wares.errors import TooManyGone
from wares.shop import open_shop

HEADER = "id,title,price,stock\n"


def feed(folder: Path, *rows: str) -> Path:
    path = folder / "feed.csv"
    path.write_text(HEADER + "".join(f"{row}\n" for row in rows))
    return path


def rows_of(n: int) -> list[str]:
    return [f"p{i},Thing number {i},{i + 1}.50,3" for i in range(n)]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    place = tmp_path / "shop"
    with open_shop(place) as shop:
        shop.put(feed(tmp_path, *rows_of(10)))
    return place


def ids(folder: Path) -> set[str]:
    with open_shop(folder, create=False) as shop:
        return set(shop.store.catalogue.ids())


def wares(*words: str | Path) -> tuple[int, str]:
    done = CliRunner().invoke(app, [str(word) for word in words])
    return done.exit_code, done.output


def test_what_a_full_feed_lacks_leaves_the_shop_and_what_is_new_comes_in(folder: Path, tmp_path: Path) -> None:
    path = feed(tmp_path, *rows_of(9), "new,A new thing,2,1")
    code, told = wares("sync", folder, path, "--json")
    assert code == 0 and json.loads(told[told.index("{") : told.rindex("}") + 1])["kept"] == 10
    assert ids(folder) == {f"p{i}" for i in range(9)} | {"new"}


def test_a_feed_that_lacks_too_much_changes_nothing_until_it_is_confirmed(folder: Path, tmp_path: Path) -> None:
    path = feed(tmp_path, *rows_of(7), "new,A new thing,2,1")
    code, told = wares("sync", folder, path)
    assert code == 1 and "3 of 10 products (30.0%)" in told and "--yes" in told
    assert ids(folder) == {f"p{i}" for i in range(10)}
    assert wares("sync", folder, path, "--at-most", "0.3")[0] == 0
    assert len(ids(folder)) == 8
    assert wares("sync", folder, feed(tmp_path, "only,The only thing,1,1"), "--yes")[0] == 0
    assert ids(folder) == {"only"}


def test_a_feed_with_unreadable_rows_retires_nothing_unasked(folder: Path, tmp_path: Path) -> None:
    path = feed(tmp_path, *rows_of(9), ",without an id,1,1")
    code, told = wares("sync", folder, path)
    assert code == 1 and "1 rows of it could not be read" in told
    assert len(ids(folder)) == 10
    whole = feed(tmp_path, *rows_of(10), ",without an id,1,1")  # nothing is missing: nothing to ask about
    assert wares("sync", folder, whole)[0] == 0


def test_an_empty_feed_does_not_empty_a_shop(folder: Path, tmp_path: Path) -> None:
    code, told = wares("sync", folder, feed(tmp_path))
    assert code == 1 and "10 of 10" in told and len(ids(folder)) == 10


def test_a_dry_run_says_what_would_leave_and_writes_nothing(folder: Path, tmp_path: Path) -> None:
    code, told = wares("sync", folder, feed(tmp_path, *rows_of(9)), "--dry-run")
    assert code == 0 and "One product of the shop is absent" in told and "Nothing was written" in told
    assert len(ids(folder)) == 10


def test_the_python_api_syncs_and_refuses_alike(folder: Path, tmp_path: Path) -> None:
    with open_shop(folder) as shop:
        with pytest.raises(TooManyGone, match="5 of 10"):
            shop.sync(feed(tmp_path, *rows_of(5)))
        report = shop.sync(feed(tmp_path, *rows_of(5)), at_most=0.5)
        assert any("5 products of the shop are absent" in note for note in report.notes)
        assert shop.store.catalogue.ids() == [f"p{i}" for i in range(5)]


def test_an_update_changes_what_it_names_and_rejects_what_the_shop_lacks(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "prices.csv"
    path.write_text("ID,Price\np1,9.99\nnobody,1.00\np2,\np3,cheap\n")
    code, told = wares("update", folder, path, "--json", "--rejects", tmp_path / "rejects.jsonl")
    report = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert code == 0 and (report["read"], report["kept"], report["rejected"]) == (4, 3, 1)
    example = report["rejections"][0]["examples"][0]
    assert (example["line"], example["field"], example["value"]) == (3, "id", "nobody") and example["fix"]
    assert "nobody" in (tmp_path / "rejects.jsonl").read_text()
    assert report["repairs"]
    with open_shop(folder, create=False) as shop:
        found = shop.store.catalogue.get(["p1", "p2", "p3"])
    assert found["p1"].price_minor == 999 and found["p1"].title == "Thing number 1" and found["p1"].stock == 3
    assert found["p2"].price_minor is None  # an empty cell empties the field
    assert found["p3"].price_minor == 450  # what cannot be read stays


def test_deleted_products_leave_and_unknown_ids_are_told(folder: Path) -> None:
    code, told = wares("delete", folder, "p1", "p2", "nobody")
    assert code == 0 and "2 products left" in told and "nobody" in told
    assert len(ids(folder)) == 8
    assert wares("delete", folder)[0] == 2


def test_rows_that_are_left_out_by_a_rule_are_no_reason_to_refuse_a_full_feed(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "magento.csv"
    rows = "".join(f"p{i},,simple,Default,Thing {i},{i + 1}.50\np{i},de,simple,Default,Ding {i},\n" for i in range(9))
    path.write_text("sku,store_view_code,product_type,attribute_set_code,name,price\n" + rows)
    assert wares("sync", folder, path)[0] == 0
    assert ids(folder) == {f"p{i}" for i in range(9)}


def test_a_dry_run_writes_no_rejected_rows(folder: Path, tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    wares("sync", folder, feed(tmp_path, *rows_of(10), ",without an id,1,1"), "--dry-run", "--rejects", rejects)
    assert not rejects.exists()


def test_an_update_knows_ids_that_are_numbers_and_tells_every_repair_once(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.app.commands.changing._AT_ONCE", 1)
    with open_shop(folder) as shop:
        shop.put([{"id": "0", "title": "Nought"}, {"id": "7", "title": "Seven"}])
    path, rejects = tmp_path / "prices.jsonl", tmp_path / "rejects.jsonl"
    rejects.write_text("of an earlier update")
    path.write_text('{"id": 0, "price": "cheap"}\n{"id": 7.0, "price": "dear"}\n')
    code, told = wares("update", folder, path, "--json", "--rejects", rejects)
    report = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert code == 0 and (report["kept"], report["rejected"]) == (2, 0)
    assert [(one["rule"], one["count"]) for one in report["repairs"]] == [("price is no amount: unknown", 2)]
    assert not rejects.exists()


def test_an_update_tells_what_was_repaired_in_the_file_itself(folder: Path, tmp_path: Path) -> None:
    path = tmp_path / "names.csv"
    path.write_bytes("id,title\np1,Café\n".encode("cp1252"))
    _, told = wares("update", folder, path, "--json")
    report = json.loads(told[told.index("{") : told.rindex("}") + 1])
    assert [one["rule"] for one in report["repairs"]] == ["not UTF-8"]


def test_several_ids_need_no_folder_where_the_shop_is_named_by_a_variable(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARES_SHOP", str(folder))
    assert wares("delete", "p1", "p2")[0] == 0
    assert wares("delete", folder, "p3")[0] == 0
    assert ids(folder) == {"p0", *(f"p{i}" for i in range(4, 10))}

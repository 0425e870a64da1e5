"""A flat table into a shop, by command and by program."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import wares
from wares.app.cli import app

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again", "item_knn"]\n'
TABLE = """user_id,age,gender,income,item_id,category,brand,price
u1,34,female,25-49K,tea,Drinks,Leaf,2.00
u2,,male,,tea,Drinks,Leaf,2.00
u2,,male,,rusk,Food,Mill,1.50
u3,61,male,50-74K,rusk,Food,Mill,1.50
,34,,,rusk,Food,Mill,1.50
"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    (tmp_path / "flat.csv").write_text(TABLE, encoding="utf-8")
    return tmp_path


def run(*words: str) -> Result:
    return CliRunner().invoke(app, words, prog_name="wares")


def test_a_flat_table_is_imported_and_a_second_time_changes_nothing(folder: Path) -> None:
    words = ("import", str(folder / "shop"), "--flat", str(folder / "flat.csv"), "--rejects", str(folder / "no"))
    result = run(*words, "--json")
    assert result.exit_code == 0, result.output
    (report,) = json.loads(result.stdout)
    assert (report["read"], report["kept"], report["rejected"]) == (5, 4, 1)
    assert report["rejections"][0]["examples"][0]["line"] == 6
    (rejected,) = (folder / "no" / "flat.csv.rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(rejected)["reason"] == "no shopper"
    again = run(*words)
    assert "4 events were known already" in again.output
    with wares.open(folder / "shop") as shop:
        u2 = shop.store.shoppers.get("u2")
        assert u2 is not None
        assert u2.attributes["age_filled"] == "nearest"
        shop.train()
        assert {hit.product.id for hit in shop.recommend("u1", k=10).hits} == {"tea", "rusk"}


def test_a_way_to_fill_is_said_by_column(folder: Path) -> None:
    table = str(folder / "flat.csv")
    result = run("import", str(folder / "shop"), "--flat", table, "--fill", "age=mean", "--fill", "income=leave")
    assert result.exit_code == 0, result.output
    with wares.open(folder / "shop") as shop:
        u2 = shop.store.shoppers.get("u2")
        assert u2 is not None
        assert u2.attributes == {"age": "48", "age_filled": "mean", "gender": "male"}


@pytest.mark.parametrize(
    ("fill", "told"), [("age", "COLUMN=WAY"), ("age=best", "no way to fill"), ("size=mode", "column to fill")]
)
def test_a_way_that_is_none_is_refused_before_anything_is_written(folder: Path, fill: str, told: str) -> None:
    result = run("import", str(folder / "shop"), "--flat", str(folder / "flat.csv"), "--fill", fill)
    assert result.exit_code == 1
    assert told in result.output
    with wares.open(folder / "shop") as shop:
        assert shop.store.shoppers.get("u1") is None


def test_a_program_puts_a_flat_table(folder: Path) -> None:
    with wares.open(folder / "shop") as shop:
        report = shop.put_flat(folder / "flat.csv", fill={"age": "constant:50"})
        assert (report.read, report.kept, report.repeated) == (5, 4, 0)
        assert shop.knows("rusk")
        u2 = shop.store.shoppers.get("u2")
        assert u2 is not None
        assert u2.attributes["age"] == "50"
        assert shop.put_flat(folder / "flat.csv").repeated == 4

"""Foreign product feeds into a shop, by command: recognised, shown, put right, and tried without writing."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

import wares
from wares.app.cli import app
from wares.app.commands.recognising import chosen_columns

SETTINGS = '[encoder]\nsource = "none"\n[shop]\ncurrency = "EUR"\n'
FREE = "Artikelnummer;Bezeichnung;VK;Preis alt\nT1;Grüner Tee;3,50 €;5\nT2;Schwarzer Tee;4,00;6\n;Ohne Nummer;1;1\n"
SHOPIFY = "Handle,Title,Variant SKU,Variant Price\nmug,Mug,M1,12.50\nmug,,M2,free\n"
EVENTS = '{"kind": "view", "time": "2026-01-31T12:00:00Z", "shopper_id": "u", "product_id": "M1"}\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    for name, text in {"free.csv": FREE, "shopify.csv": SHOPIFY, "events.jsonl": EVENTS}.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def run(folder: Path, *words: str) -> Result:
    return CliRunner().invoke(app, ("import", str(folder / "shop"), *words), prog_name="wares", env={"COLUMNS": "200"})


def test_guessed_columns_are_shown_and_the_products_imported(folder: Path) -> None:
    result = run(folder, "--products", str(folder / "free.csv"), "--rejects", str(folder / "no"))
    assert result.exit_code == 0, result.output
    shown = result.stderr
    assert "is read as" in shown and "an attribute" in shown and "--columns FIELD=COLUMN" in shown
    with wares.open(folder / "shop") as shop:
        tea = shop.store.catalogue.get(["T1"])["T1"]
    assert (tea.title, tea.price_minor, tea.attributes) == ("Grüner Tee", 350, {"Preis alt": ("5",)})
    (rejected,) = (folder / "no" / "free.csv.rejects.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(rejected)["line"] == 4
    assert json.loads(rejected)["field"] == "Artikelnummer"
    assert json.loads(rejected)["row"]["Bezeichnung"] == "Ohne Nummer"


def test_a_guess_is_put_right_on_the_command_line(folder: Path) -> None:
    result = run(folder, "--products", str(folder / "free.csv"), "--columns", "price=Preis alt,title=Bezeichnung")
    assert result.exit_code == 0, result.output
    assert "as you said" in result.stderr
    with wares.open(folder / "shop") as shop:
        assert shop.store.catalogue.get(["T1"])["T1"].price_minor == 500


@pytest.mark.parametrize("made", [True, False])
def test_a_dry_run_reports_and_writes_nothing(folder: Path, made: bool) -> None:
    if not made:
        (folder / "shop" / "wares.toml").unlink()
        (folder / "shop").rmdir()
    before = sorted(folder.rglob("*"))
    files = ("--products", str(folder / "shopify.csv"), "--events", str(folder / "events.jsonl"))
    result = run(folder, *files, "--rejects", str(folder / "no"), "--dry-run", "--json")
    assert result.exit_code == 0, result.output
    products, events = json.loads(result.stdout)
    assert (products["read"], products["kept"], events["kept"]) == (2, 2, 1)
    assert products["repairs"][0]["examples"][0]["field"] == "Variant Price"
    assert all("dry run" in report["notes"][-1] for report in (products, events))
    assert sorted(folder.rglob("*")) == before


def test_one_option_names_the_dialect_of_either(folder: Path) -> None:
    files = ("--products", str(folder / "shopify.csv"), "--events", str(folder / "events.jsonl"))
    assert run(folder, *files, "--dialect", "shopify").exit_code == 0
    with wares.open(folder / "shop") as shop:
        assert shop.knows("M2")


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--dialect", "shopfy"), "Did you mean 'shopify'"),
        (("--dialect", "ga4"), "google-merchant"),
        (("--columns", "titel=Title"), "Did you mean 'title'"),
        (("--columns", "title=Titel"), "Did you mean 'Title'"),
        (("--columns", "Title"), "FIELD=COLUMN"),
    ],
)
def test_an_unknown_name_is_refused_before_anything_is_written(folder: Path, words: tuple[str, str], told: str) -> None:
    result = run(folder, "--products", str(folder / "shopify.csv"), *words)
    assert result.exit_code == 1
    assert told in result.output
    assert not (folder / "shop" / "wares.sqlite").exists()


def test_a_column_may_have_a_comma_in_its_name() -> None:
    assert chosen_columns(["title=Name, long,price=Preis"]) == {"title": "Name, long", "price": "Preis"}
    assert chosen_columns(["title=A", "price=B"]) == {"title": "A", "price": "B"}


def test_missing_categories_are_filled_on_request_and_the_report_says_so(tmp_path: Path) -> None:
    rows = [f"m{i},Stone mug {i},Mugs,9" for i in range(9)] + [f"s{i},Wool sock {i},Socks,4" for i in range(9)]
    feed = tmp_path / "p.csv"
    feed.write_text("\n".join(["id,title,category,price", *rows, "x,Stone mug blue,,9"]), encoding="utf-8")
    shop_folder = str(tmp_path / "shop")
    result = CliRunner().invoke(app, ["import", shop_folder, "--products", str(feed), "--fill", "category=nearest"])
    assert result.exit_code == 0 and "category: 1 of 19 products filled by nearest" in result.output
    with wares.open(tmp_path / "shop") as shop:
        assert shop.product("x").category == ("Mugs",)
    people = tmp_path / "s.csv"
    people.write_text("id,age\na,20\nb,\n", encoding="utf-8")
    both = ["import", shop_folder, "--products", str(feed), "--shoppers", str(people), "--fill"]
    result = CliRunner().invoke(app, [*both, "age=median"])
    assert result.exit_code == 1 and "products.COLUMN=WAY or shoppers.COLUMN=WAY" in result.output
    assert CliRunner().invoke(app, [*both, "shoppers.age=median"]).exit_code == 0
    with wares.open(tmp_path / "shop") as shop:
        kept = shop.store.shoppers.get("b")
        assert kept is not None and kept.attributes == {"age": "20", "age_filled": "median"}

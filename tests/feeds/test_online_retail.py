"""The demo shop "gifts", on lines written in the manner of UCI's file."""

from pathlib import Path

import polars as pl
import pytest

from wares.domain.event import EventKind
from wares.errors import InputError
from wares.feeds.dialects.online_retail import OnlineRetail, title_of

NOW_MS = 1_780_000_000_000
HEADER = "InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country"
LINES = """536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom
536365,85123A,WHITE HANGING HEART T-LIGHT HOLDER,6,12/1/2010 8:26,2.55,17850,United Kingdom
536366,85123a,WHITE HANGING HEART T-LIGHT HOLDER,1,7/1/2011 9:00,2.95,,France
536367,85123A,wrong,2,12/2/2010 8:26,2.75,17850,United Kingdom
C536379,85123A,WHITE HANGING HEART T-LIGHT HOLDER,-1,12/3/2010 9:41,2.55,17850,United Kingdom
536370,POST,POSTAGE,3,12/1/2010 8:45,18.00,12583,France
536371,gift_0001_20,Dotcomgiftshop Gift Voucher £20.00,1,12/1/2010 8:45,16.67,,United Kingdom
536589,21777,damaged,-10,12/1/2010 16:50,0.00,,United Kingdom
C537600,22222,,-1,12/8/2010 9:00,1.00,17850,United Kingdom
"""


@pytest.fixture
def shop(tmp_path: Path) -> OnlineRetail:
    path = tmp_path / "online_retail.csv"
    path.write_text(f"{HEADER}\n{LINES}", encoding="utf-8")
    return OnlineRetail(path, now_ms=NOW_MS)


def test_the_most_frequent_description_is_the_title_and_the_median_the_price(shop: OnlineRetail) -> None:
    (product,) = shop.products()
    assert (product.id, product.title) == ("85123A", "White hanging heart T-light holder")
    assert (product.price_minor, product.currency) == (275, "GBP")


def test_purchases_and_cancellations_are_events(shop: OnlineRetail) -> None:
    events = list(shop.events())
    assert [(e.kind, e.product_id, e.quantity, e.value_minor, e.basket_id) for e in events] == [
        (EventKind.PURCHASE, "85123A", 6.0, 1530, "536365"),
        (EventKind.PURCHASE, "85123A", 1.0, 295, "536366"),
        (EventKind.PURCHASE, "85123A", 2.0, 550, "536367"),
        (EventKind.REFUND, "85123A", 1.0, 255, "C536379"),
        (EventKind.REFUND, "22222", 1.0, 100, "C537600"),
    ]


def test_invoices_tell_the_time_in_london(shop: OnlineRetail) -> None:
    winter, summer, *_ = shop.events()
    assert winter.time_ms == 1_291_191_960_000  # 08:26 UTC
    assert summer.time_ms == 1_309_507_200_000  # 08:00 UTC


def test_a_line_without_a_customer_is_anonymous(shop: OnlineRetail) -> None:
    assert [event.shopper_id for event in shop.events()][:2] == ["17850", None]


def test_a_customer_has_a_country(shop: OnlineRetail) -> None:
    assert {s.id: s.attributes["country"] for s in shop.shoppers()} == {"17850": "United Kingdom", "12583": "France"}


def test_what_is_left_out_is_said(shop: OnlineRetail) -> None:
    notes = shop.notes
    assert notes[0].startswith("2 lines of postage")
    assert notes[1].startswith("1 lines repeat")
    assert notes[2].startswith("1 lines correct the stock")
    assert notes[4].startswith("1 stock codes")


def test_parquet_and_csv_give_the_same_events(shop: OnlineRetail, tmp_path: Path) -> None:
    stamp = pl.col("InvoiceDate").str.to_datetime("%m/%d/%Y %H:%M")
    pl.read_csv(shop.path).with_columns(stamp).write_parquet(tmp_path / "online_retail.parquet")
    assert list(OnlineRetail(tmp_path / "online_retail.parquet", now_ms=NOW_MS).events()) == list(shop.events())


def test_a_file_of_another_kind_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("id,title\n1,x\n", encoding="utf-8")
    with pytest.raises(InputError, match="lacks the columns InvoiceNo"):
        list(OnlineRetail(tmp_path / "a.csv", now_ms=NOW_MS).events())
    with pytest.raises(InputError, match="no file"):
        list(OnlineRetail(tmp_path / "b.csv", now_ms=NOW_MS).events())


def test_a_workbook_without_an_engine_says_to_save_it_as_csv(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_engine(*_: object, **__: object) -> None:
        raise ModuleNotFoundError("fastexcel")

    monkeypatch.setattr(pl, "read_excel", no_engine)
    (tmp_path / "Online Retail.xlsx").write_bytes(b"PK")
    with pytest.raises(InputError, match="Save the sheet as CSV"):
        list(OnlineRetail(tmp_path / "Online Retail.xlsx", now_ms=NOW_MS).events())


@pytest.mark.parametrize(
    ("description", "title"),
    [
        ("RED RETROSPOT T-LIGHT  HOLDER", "Red retrospot T-light holder"),
        ("SET OF 4 ENGLISH ROSE PLACEMATS", "Set of 4 English rose placemats"),
        ("12 PINK ROSE PEG", "12 Pink rose peg"),
        ("CARD DOLLY GIRL ,WITH LED", "Card Dolly girl, with LED"),
    ],
)
def test_descriptions_are_written_in_readable_case(description: str, title: str) -> None:
    assert title_of(description) == title


def test_cancellations_are_matched_to_what_they_take_back(shop: OnlineRetail) -> None:
    reading = shop.events()
    list(reading)
    assert reading.report.returns == {"refunds": 2, "matched": 1, "by_order": 0, "in_part": 0, "unmatched": 1}
    (remark,) = reading.report.remarks
    assert (remark.rule, remark.examples[0].value) == ("refund without a purchase in this feed", "22222")

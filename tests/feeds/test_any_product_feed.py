"""Whatever a product feed holds: no reader stops with an error of its own, none hangs, and no row is lost."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wares.errors import InputError
from wares.feeds.amounts import read_amount
from wares.feeds.dialects.product_feeds import DIALECTS, FREE, NAMES
from wares.feeds.dialects.sales import iso_date
from wares.feeds.markup import plain_text
from wares.feeds.products import read_products

NOW_MS = 1_780_000_000_000
LENIENT = settings(deadline=None, max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
COLUMNS = (
    *("id", "title", "price", "sale price", "sale_price_effective_date", "availability", "product_type", "color"),
    *("Handle", "Variant SKU", "Variant Price", "Option1 Name", "Option1 Value", "Image Src", "Tags", "Status"),
    *("Type", "SKU", "Name", "Regular price", "Categories", "Parent", "Attribute 1 name", "Attribute 1 value(s)"),
    *("product_number", "parent_id", "price_gross", "options", "sku", "product_type", "configurable_variations"),
    *("store_view_code", "additional_attributes", "visibility", "qty", "Bezeichnung", "Preis", "#", ""),
)
CELLS = st.sampled_from(
    (
        *(
            "",
            "a",
            "b",
            "a|b",
            "id:a",
            "12,50 €",
            "1.299",
            "-1",
            "x,y=1",
            "sku=a,color=b|sku=b",
            "<p>x",
            "&amp;",
            "TRUE",
        ),
        *(
            "variable",
            "variation",
            "configurable",
            "de",
            "2026-01-31/",
            "31.12.2026",
            "A > B, C",
            "not visible individually",
        ),
    )
)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | CELLS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(COLUMNS), inner, max_size=3),
    max_leaves=4,
)
ROWS = st.lists(st.dictionaries(st.sampled_from(COLUMNS) | st.text(max_size=5), VALUES, max_size=8), max_size=6)
LINKED = ("@type", "@graph", "@id", "sku", "name", "offers", "price", "hasVariant", "item", "itemListElement", "brand")
KINDS = st.sampled_from(
    ("Product", "ProductGroup", "schema:Product", "Offer", "", "12,50", "https://schema.org/InStock")
)
NODES = st.recursive(
    st.none() | st.integers() | st.floats() | KINDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(LINKED), inner, max_size=4),
    max_leaves=12,
)
XML = st.lists(
    st.sampled_from(
        (
            *(
                "<item>",
                "</item>",
                "<item/>",
                "<entry>",
                "<g:id>",
                "</g:id>",
                "<title>",
                "</title>",
                "a",
                "b",
                "\n",
                " ",
            ),
            *(
                "&",
                "&amp;",
                "&nbsp;",
                "&#0;",
                "<![CDATA[",
                "]]>",
                "<!--",
                "-->",
                "<",
                ">",
                "<?xml version='1.0'?>",
                "\x00",
            ),
            *("<link href='x'/>", "é", "</channel>", "<!DOCTYPE x>"),
        )
    ),
    max_size=40,
)


def check(source: Any, **options: Any) -> None:
    try:
        reading = read_products(source, **{"now_ms": NOW_MS, "currency": "EUR", **options})
        products = list(reading)
    except InputError:  # and DataError, which is one
        return
    report = reading.report
    assert report.read == report.kept + report.rejected
    assert len(products) <= report.kept
    for product in products:
        assert product.id
        assert product.price_minor is None or product.price_minor >= 0


@pytest.mark.parametrize("dialect", NAMES)
@given(rows=ROWS)
@settings(deadline=None, max_examples=60)
def test_no_row_stops_a_dialect(dialect: str, rows: list[dict[str, Any]]) -> None:
    check(rows, dialect=dialect)


@pytest.mark.parametrize("dialect", [dialect.name for dialect in DIALECTS if dialect.name != "schema-org"])
@given(rows=st.lists(st.dictionaries(st.sampled_from(COLUMNS), CELLS, max_size=12), max_size=8))
@settings(deadline=None, max_examples=60)
def test_every_row_of_a_table_is_kept_or_rejected(dialect: str, rows: list[dict[str, Any]]) -> None:
    reading = read_products(rows, now_ms=NOW_MS, dialect=dialect)
    list(reading)
    assert reading.report.read == reading.report.kept + reading.report.rejected == len(rows)


@given(node=NODES)
@LENIENT
def test_no_json_stops_an_import(tmp_path: Path, node: Any) -> None:
    (tmp_path / "a.json").write_text(json.dumps(node), encoding="utf-8")
    check(tmp_path / "a.json", dialect="schema-org")
    check([{"@type": "Product", "offers": node, "category": node, "image": node}], dialect="schema-org")


@given(pieces=XML)
@LENIENT
def test_no_xml_stops_an_import(tmp_path: Path, pieces: list[str]) -> None:
    (tmp_path / "a.xml").write_bytes("".join(pieces).encode())
    check(tmp_path / "a.xml")


@given(
    content=st.binary(max_size=300), name=st.sampled_from(["a.xml", "a.json", "a.jsonl", "a.csv", "a.xml.gz", "a.txt"])
)
@LENIENT
def test_no_bytes_stop_an_import(tmp_path: Path, content: bytes, name: str) -> None:
    (tmp_path / name).write_bytes(content)
    check(tmp_path / name)


@given(header=st.lists(st.sampled_from(COLUMNS), min_size=1, max_size=10), lines=st.lists(st.lists(CELLS, max_size=10)))
@LENIENT
def test_no_table_stops_an_import(tmp_path: Path, header: list[str], lines: list[list[str]]) -> None:
    text = "\n".join(";".join(cells) for cells in (header, *lines))
    (tmp_path / "a.csv").write_text(text, encoding="utf-8")
    check(tmp_path / "a.csv")
    check(tmp_path / "a.csv", dialect=FREE)


@given(text=st.text() | st.text("0123456789.,'-+ €$EURUSD", max_size=20))
@settings(deadline=None)
def test_any_text_is_an_amount_or_none(text: str) -> None:
    amount = read_amount(text)
    assert amount is None or amount.value == amount.value
    date = iso_date(text)
    assert not date or datetime.fromisoformat(date)


@given(
    pieces=st.lists(
        st.sampled_from(["<", ">", "<p>", "</p>", "<script>", "</script>", "&amp;", "&#9", "<!--", "-->", "a", " "])
    )
)
@settings(deadline=None)
def test_any_text_has_a_plain_form_without_tags(pieces: list[str]) -> None:
    text = plain_text("".join(pieces))
    assert "<p>" not in text


def test_a_long_text_of_open_tags_is_not_slow() -> None:
    for piece in ("<a ", "<script>", "<!--", "&", "<p>&amp;"):
        assert len(plain_text(piece * 200_000)) <= 200_000


@pytest.mark.parametrize("names", [("id", "title", "image_url"), ("Artikelnummer", "Bezeichnung", "Bild")])
def test_of_several_pictures_the_first_one_is_shown(tmp_path: Path, names: tuple[str, str, str]) -> None:
    cells = [
        (names[0], "1"),
        (names[1], "Tea"),
        (names[2], "https://s.example/1.jpg"),
        (names[2], "https://s.example/2.jpg"),
    ]
    item = "".join(f"<{name}>{value}</{name}>" for name, value in cells)
    path = tmp_path / "feed.xml"
    path.write_text(f"<products><product>{item}</product></products>")
    (tea,) = read_products(path, now_ms=NOW_MS)
    assert (tea.title, tea.image_url) == ("Tea", "https://s.example/1.jpg")

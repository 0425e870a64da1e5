"""A Google Merchant feed as TSV, CSV, RSS and Atom: what becomes of every item, sound or faulty."""

# ruff: noqa: E501 (a line of a feed is a line here)

import gzip
import time
from datetime import datetime
from pathlib import Path

import pytest
from messy_products import fix_of, noted, read_feed, told

from wares.errors import DataError

TSV = """
id\ttitle\tdescription\tlink\timage link\tavailability\tprice\tsale price\tsale price effective date\tbrand\tproduct type\tgoogle product category\titem group id\tcolor\tgtin\tshipping
mug-r\tMug\t<p>Holds tea &amp; <b>coffee</b></p>\thttps://s.example/mug\thttps://s.example/mug.jpg\tin stock\t12.50 EUR\t\t\tKiln\tHome > Kitchen > Mugs\t674\tmug\tRed/White\t4006381333931\tDE:::4.90 EUR
mug-b\tMug\t\t\t\tout of stock\t12,50 €\t9,99 €\t2026-02-24T11:07+0100/2026-03-01T23:07+0100\tKiln\t\t674\tmug\tBlue\t\t
pot\tTeapot\t\t\t\tpreorder\tEUR 1.299,00\t999 EUR\t\tKiln\t\tHome & Garden > Kitchen\t\t\t\t
tray\tTray\t\t\t\tin_stock\t1.299 EUR\t\t\t\t\t\t\t\t\t
cup\tCup\t\t\t\tsold\t12.50\t15 EUR\t\t\t\t\t\t\t\t
\tNo id\t\t\t\tin stock\t1 EUR\t\t\t\t\t\t\t\t\t
jar\tJar\t\t\t\tin stock\tab 5 EUR\tcheap\t\t\t\t\t\t\t\t
lid\tLid\t\t\t\tin stock
"""
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss xmlns:g="http://base.google.com/ns/1.0" version="2.0">
<channel>
<title>A shop</title>
<!-- <item><g:id>never</g:id></item> -->
<item>
  <title>Plain title</title>
  <g:id>mug</g:id>
  <g:title><![CDATA[Mug <b>red</b> & white </item>]]></g:title>
  <g:price>12.50 EUR</g:price>
  <g:availability>in_stock</g:availability>
  <g:product_type>Home</g:product_type>
  <g:product_type>Home &gt; Mugs</g:product_type>
  <g:additional_image_link>https://s.example/2.jpg</g:additional_image_link>
  <g:shipping><g:country>DE</g:country><g:price>4.90 EUR</g:price></g:shipping>
  <g:product_detail>General:Volume:300 ml</g:product_detail>
</item>
<item>
  <g:id>salt</g:id>
  <g:title>Salt & pepper&nbsp;mill</g:title>
  <g:price>8 EUR</g:price>
</item>
<item>
  <g:id>broken</g:id>
  <g:title>Never closed<g:title>
</item>
<item>
  <g:id>lost</g:id>
<item>
  <g:id>pan</g:id>
  <title>Pan</title>
  <g:price>20.00 EUR</g:price>
</item>
</channel>
</rss>
"""
ATOM = """<feed xmlns="http://www.w3.org/2005/Atom" xmlns:g="http://base.google.com/ns/1.0">
<title>A shop</title>
<entry><g:id>a</g:id><title>Soap</title><link href="https://s.example/soap"/><summary>For hands</summary><g:price>3.20 GBP</g:price></entry>
<entry><g:title>No id</g:title></entry>
</feed>
"""
BOMB = """<?xml version="1.0"?>
<!DOCTYPE rss [<!ENTITY a "lol"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>
<rss><channel><item><g:id>&b;</g:id></item></channel></rss>
"""
FILE = """<?xml version="1.0"?>
<!DOCTYPE rss SYSTEM "file:///etc/passwd">
<rss><channel><item><g:id>1</g:id></item></channel></rss>
"""


def test_every_fault_of_a_tab_separated_feed_is_told_and_every_good_row_kept(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "feed.tsv", TSV)
    assert list(products) == ["mug-r", "mug-b", "pot", "tray", "cup", "jar"]
    assert noted(report, "Read as google-merchant")
    assert told(report.rejections) == {
        "no id": [(7, "id", "")],
        "wrong number of cells": [(9, "", "lid\tLid\t\t\t\tin stock")],
    }
    assert told(report.repairs) == {
        "HTML in the description: its text": [(2, "description", "<p>Holds tea &amp; <b>coffee</b></p>")],
        "the category is a number: unknown": [(3, "google product category", "674")],
        "a point before three digits: thousands": [(5, "price", "1.299 EUR")],
        "sale price is not below the price: not used": [(6, "sale price", "15 EUR")],
        "unclear availability: available": [(6, "availability", "sold")],
        "sale price is no amount: not used": [(8, "sale price", "cheap")],
        "price is no amount: unknown": [(8, "price", "ab 5 EUR")],
    }
    assert "product_type" in fix_of(report.repairs, "the category is a number: unknown")


def test_the_fields_of_a_feed_are_what_google_says_they_are(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "feed.tsv", TSV, currency="USD")
    mug = products["mug-r"]
    assert (mug.title, mug.description, mug.brand) == ("Mug", "Holds tea & coffee", "Kiln")
    assert mug.category == ("Home", "Kitchen", "Mugs")
    assert (mug.price_minor, mug.currency, mug.available, mug.group_id) == (1250, "EUR", True, "mug")
    assert (mug.url, mug.image_url) == ("https://s.example/mug", "https://s.example/mug.jpg")
    assert mug.attributes == {"color": ("Red", "White"), "gtin": ("4006381333931",)}
    assert products["pot"].category == ("Home & Garden", "Kitchen")
    assert [products[id_].seen(0).price_minor for id_ in ("pot", "tray", "cup", "jar")] == [99900, 129900, 1250, None]
    assert [products[id_].currency for id_ in ("pot", "tray", "cup")] == ["EUR", "EUR", "USD"]
    assert noted(report, "Columns that are not used: shipping")


def test_a_sale_without_dates_always_holds_and_one_with_dates_from_its_first_to_its_last_moment(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "feed.tsv", TSV)
    assert (products["pot"].seen(0).price_minor, products["pot"].seen(0).regular_price_minor) == (99900, 129900)
    mug = products["mug-b"]
    begins, ends = (
        int(datetime.fromisoformat(moment).timestamp() * 1000)
        for moment in ("2026-02-24T11:07:00+01:00", "2026-03-01T23:07:00+01:00")
    )
    prices = [mug.seen(moment).price_minor for moment in (begins - 1, begins, ends - 1, ends)]
    assert prices == [1250, 999, 999, 1250]
    assert not mug.available


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_the_same_feed_in_another_encoding_and_packed_is_the_same(tmp_path: Path, encoding: str) -> None:
    expected, report = read_feed(tmp_path, "feed.tsv", TSV)
    packed = gzip.compress(TSV.lstrip("\n").encode(encoding))
    products, other = read_feed(tmp_path, "feed.txt.gz", packed)
    assert products == expected
    assert noted(other, "UTF-16") is (encoding == "utf-16")
    assert (other.repaired, other.rejected_by_reason) == (report.repaired, report.rejected_by_reason)


def test_windows_1252_and_pipes_are_read_and_the_encoding_reported(tmp_path: Path) -> None:
    feed = "id|title|price|availability\n1|Käse|12,50 €|in stock\n2|Brot|3 €|in stock\n"
    products, report = read_feed(tmp_path, "feed.csv", feed.encode("cp1252"))
    assert [(p.title, p.price_minor) for p in products.values()] == [("Käse", 1250), ("Brot", 300)]
    assert [(line, value) for line, _, value in told(report.repairs)["not UTF-8"]] == [
        (2, r"b'\xe4se|12,50 \x80|in stock'"),
        (3, r"b'\x80|in stock\n'"),
    ]


def test_a_fault_in_xml_costs_one_item_and_says_in_which_line(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "feed.xml", RSS)
    assert list(products) == ["mug", "salt", "pan"]
    assert told(report.rejections) == {
        "broken XML": [(26, "", "</item>")],
        "an item that is not closed": [(27, "", "<item>\n  <g:id>lost</g:id>\n")],
    }
    assert "mismatched tag" in fix_of(report.rejections, "broken XML")
    repairs = told(report.repairs)
    assert repairs["broken XML that could be mended"] == [(20, "", "<g:title>Salt & pepper&nbsp;mill</g:title>")]
    assert repairs["HTML in the title: its text"] == [(6, "g:title", "Mug <b>red</b> & white </item>")]
    assert products["mug"].title == "Mug red & white"
    assert products["mug"].category == ("Home", "Mugs")
    assert products["mug"].price_minor == 1250
    assert products["mug"].attributes == {"Volume": ("300 ml",)}
    assert products["salt"].title == "Salt & pepper\xa0mill"


def test_an_atom_feed_has_its_links_in_attributes(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "feed.xml.gz", gzip.compress(ATOM.encode()))
    soap = products["a"]
    assert (soap.title, soap.description, soap.url) == ("Soap", "For hands", "https://s.example/soap")
    assert (soap.price_minor, soap.currency) == (320, "GBP")
    assert told(report.rejections) == {"no id": [(4, "g:id", "")]}


@pytest.mark.parametrize("encoding", ["utf-16", "iso-8859-1", "windows-1252", "gb2312"])
def test_xml_is_read_in_the_encoding_that_it_declares(tmp_path: Path, encoding: str) -> None:
    word = "瓷器" if encoding == "gb2312" else "Käse"
    text = f'<?xml version="1.0" encoding="{encoding}"?><rss><item><g:id>1</g:id><title>{word}</title></item></rss>'
    products, report = read_feed(tmp_path, "feed.xml", text.encode(encoding))
    assert products["1"].title == word
    assert any("encoding" in note or "UTF-16" in note for note in report.notes)


@pytest.mark.parametrize(("text", "line"), [(BOMB, 2), (FILE, 2)])
def test_xml_that_declares_entities_is_refused_before_anything_is_read(tmp_path: Path, text: str, line: int) -> None:
    with pytest.raises(DataError, match="document type") as caught:
        read_feed(tmp_path, "feed.xml", text)
    assert caught.value.line == line


def test_an_item_that_breaks_off_is_told(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "feed.xml", RSS[: RSS.index("</item>\n<item>\n  <g:id>salt")])
    assert products == {}
    assert report.rejected_by_reason == {"an item that is not closed": 1}


def test_xml_without_items_says_which_elements_are_read(tmp_path: Path) -> None:
    _, report = read_feed(tmp_path, "feed.xml", "<html><body>404</body></html>")
    assert "entry" in fix_of(report.rejections, "no items in the XML")


def test_a_comment_that_is_never_closed_is_reported_as_it_hides_what_follows(tmp_path: Path) -> None:
    item = "<item><g:id>1</g:id><title>Tea</title></item>"
    products, report = read_feed(tmp_path, "feed.xml", f"<rss>\n{item}\n<!-- spring\n{item}\n</rss>")
    assert list(products) == ["1"]
    assert told(report.rejections) == {"a comment or CDATA that is not closed": [(3, "", "")]}


def test_an_item_of_very_many_equal_elements_is_read_at_once(tmp_path: Path) -> None:
    pictures = "<g:extra>x</g:extra>" * 60_000
    started = time.process_time()
    products, _ = read_feed(tmp_path, "feed.xml", f"<rss><item><g:id>1</g:id>{pictures}</item></rss>")
    assert list(products) == ["1"] and time.process_time() - started < 5

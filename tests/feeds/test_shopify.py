"""Shopify's product CSV: what becomes of every row, sound or faulty."""

# ruff: noqa: E501 (a line of a feed is a line here)

from pathlib import Path

from messy_products import fix_of, noted, read_feed, told

CSV = """
Handle,Title,Body (HTML),Vendor,Product Category,Type,Tags,Published,Option1 Name,Option1 Value,Option2 Name,Option2 Value,Variant SKU,Variant Inventory Tracker,Variant Inventory Qty,Variant Inventory Policy,Variant Price,Variant Compare At Price,Variant Barcode,Image Src,Image Position,SEO Title,Variant Image,Color (product.metafields.shopify.color-pattern),Status
shirt,Linen shirt,<p>Cool &amp; light</p>,Loom,Apparel & Accessories > Clothing > Shirts,Shirts,"summer, linen",TRUE,Size,M,Color,Red,SH-M-R,shopify,4,deny,39.00,49.00,4006381333931,https://s.example/1.jpg,1,Buy a shirt,,red; white,active
shirt,,,,,,,,,L,,Red,SH-L-R,shopify,0,deny,39.00,,,https://s.example/2.jpg,2,,https://s.example/l.jpg,,
shirt,,,,,,,,,,,,,,,,,,,https://s.example/3.jpg,3,,,,
shirt,,,,,,,,,XL,,Red,,shopify,-2,continue,41.00,,,,,,,,
soap,Soap,,Lather,,Bath,,TRUE,Title,Default Title,,,SOAP,,0,deny,5.50,5.00,,,,,,,active
,Nameless,,,,,,TRUE,Title,Default Title,,,X1,,1,deny,1.00,,,,,,,,active
old,Old,,,,,,FALSE,Title,Default Title,,,OLD,shopify,-3,deny,"1,299.00",,,,,,,,archived
draft,Draft,,,,,,TRUE,Title,Default Title,,,DR,shopify,5,deny,free,,,,,,,,draft
"""
SINCE_2024 = """
Title,URL handle,Description,Vendor,Product category,Type,Tags,Published on online store,Status,SKU,Barcode,Option1 name,Option1 value,Price,Compare-at price,Inventory tracker,Inventory quantity,Continue selling when out of stock,Product image URL,Image position
Mug,mug,For tea,Kiln,,Mugs,,TRUE,Active,MUG-R,,Color,Red,12.50,,shopify,3,FALSE,https://s.example/m.jpg,1
,mug,,,,,,,,MUG-B,,,Blue,13.50,15.00,shopify,0,FALSE,,
"""


def test_every_fault_is_told_and_every_good_row_kept(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "products.csv", CSV)
    assert list(products) == ["SH-M-R", "SH-L-R", "shirt/XL/Red", "SOAP", "OLD", "DR"]
    assert (report.read, report.kept, report.rejected) == (8, 7, 1)
    assert told(report.rejections) == {"no handle": [(7, "Handle", "")]}
    assert told(report.repairs) == {
        "HTML in the description: its text": [(line, "Body (HTML)", "<p>Cool &amp; light</p>") for line in (2, 3, 5)],
        "no SKU: named by handle and options": [(5, "Variant SKU", "")],
        "negative stock: 0": [(8, "Variant Inventory Qty", "-3")],
        "price is no amount: unknown": [(9, "Variant Price", "free")],
    }
    assert "SKU" in fix_of(report.repairs, "no SKU: named by handle and options")
    assert noted(report, "Read as shopify")
    assert noted(report, "1 rows with further pictures")
    assert noted(report, "not used: SEO Title")


def test_variants_take_what_stands_in_the_first_row_of_their_handle(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "products.csv", CSV)
    first, second, third = (products[id_] for id_ in ("SH-M-R", "SH-L-R", "shirt/XL/Red"))
    assert {p.title for p in (first, second, third)} == {"Linen shirt"}
    assert {p.group_id for p in (first, second, third)} == {"shirt"}
    assert second.category == ("Apparel & Accessories", "Clothing", "Shirts")
    assert (second.description, second.brand) == ("Cool & light", "Loom")
    assert (first.image_url, second.image_url) == ("https://s.example/1.jpg", "https://s.example/l.jpg")
    assert second.attributes == {
        "tags": ("summer", "linen"),
        "color": ("red", "white"),
        "Size": ("L",),
        "Color": ("Red",),
    }
    assert first.attributes["gtin"] == ("4006381333931",)


def test_prices_are_those_that_are_paid_and_stock_counts_where_it_is_counted(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "products.csv", CSV)
    assert (products["SH-M-R"].seen(0).price_minor, products["SH-M-R"].seen(0).regular_price_minor) == (3900, 4900)
    assert (products["SOAP"].seen(0).price_minor, products["SOAP"].sale_price_minor) == (550, None)
    assert [products[id_].stock for id_ in ("SH-M-R", "SH-L-R", "shirt/XL/Red", "SOAP")] == [4, 0, None, None]
    assert [p.id for p in products.values() if not p.available] == ["OLD", "DR"]
    assert products["OLD"].price_minor == 129900


def test_the_header_since_2024_is_read_too(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "products.csv", SINCE_2024)
    assert noted(report, "Read as shopify")
    assert not report.repairs and not report.rejections
    red, blue = products["MUG-R"], products["MUG-B"]
    assert (red.title, blue.title, blue.brand, blue.category) == ("Mug", "Mug", "Kiln", ("Mugs",))
    assert (red.price_minor, blue.sale_price_minor, blue.price_minor) == (1250, 1350, 1500)
    assert (red.sellable, blue.sellable, blue.available) == (True, False, True)

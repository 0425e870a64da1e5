"""Magento 2's product CSV: what becomes of every row, sound or faulty."""

# ruff: noqa: E501 (a line of a feed is a line here)

from pathlib import Path

from messy_products import midnight, noted, read_feed, told

CSV = """
sku,store_view_code,attribute_set_code,product_type,categories,name,description,product_online,visibility,price,special_price,special_price_from_date,special_price_to_date,base_image,created_at,additional_attributes,qty,is_in_stock,manage_stock,use_config_manage_stock,allow_backorders,configurable_variations,tax_class_name
bag-s,,Default,simple,,Bag S,,1,Not Visible Individually,20.000000,,,,,"1/23/26, 7:45 PM","color=Red,note=light, small",5.0000,1,1,1,0,,Goods
bag-l,,Default,simple,,Bag L,Large,1,Not Visible Individually,25.0000,22.0000,2/1/26,2/28/26,,1/23/2026 19:45,color=Red|Blue,0.0000,0,1,1,0,,Goods
bag,,Default,configurable,"Default Category/Gear,Default Category/Gear/Bags",Bag,<p>Carries all</p>,1,"Catalog, Search",,,,,/b/a/bag.jpg,,,0.0000,1,1,1,0,"sku=bag-s,size=S|sku=bag-l,size=L",Goods
bag,de,Default,configurable,,Tasche,,,,,,,,,,,,,,,,,
clip,,Default,simple,Default Category/Gear,Clip,,1,Not Visible Individually,2.5,,,,,23.13.2026,,9,1,1,1,0,,
pin,,Default,simple,Default Category,Pin,,2,"Catalog, Search",three,,,,https://s.example/pin.jpg,,,-4,1,1,1,0,,
,,Default,simple,,Nothing,,1,"Catalog, Search",1,,,,,,,1,1,1,1,0,,
net,,Default,virtual,,Net,,1,"Catalog, Search",10,12,,,,,,0,1,0,0,0,,
"""


def test_every_fault_is_told_and_every_good_row_kept(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "catalog_product.csv", CSV)
    assert list(products) == ["bag-s", "bag-l", "clip", "pin", "net"]
    assert (report.read, report.kept) == (8, 6)
    assert told(report.rejections) == {
        "left out: a row of one store view": [(5, "store_view_code", "de")],
        "no id": [(8, "sku", "")],
    }
    assert told(report.repairs) == {
        "HTML in the description: its text": [(2, "description", "<p>Carries all</p>")],
        "hidden, and of no article in the feed: not available": [(6, "visibility", "Not Visible Individually")],
        "published is no date: unknown": [(6, "created_at", "23.13.2026")],
        "price is no amount: unknown": [(7, "price", "three")],
        "negative stock: 0": [(7, "qty", "-4")],
        "sale price is not below the price: not used": [(9, "special_price", "12")],
    }
    assert noted(report, "Read as magento")
    assert noted(report, "without the shop's address")
    assert noted(report, "not used: attribute_set_code, tax_class_name")


def test_a_configurable_product_lends_its_variants_what_they_lack(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "catalog_product.csv", CSV)
    small, large = products["bag-s"], products["bag-l"]
    assert {small.group_id, large.group_id} == {"bag"}
    assert small.category == large.category == ("Gear", "Bags")
    assert (small.description, large.description) == ("Carries all", "Large")
    assert small.attributes == {"color": ("Red",), "note": ("light, small",), "size": ("S",)}
    assert (large.attributes["color"], large.attributes["size"]) == (("Red", "Blue"), ("L",))
    assert (small.image_url, small.published_ms) == ("/b/a/bag.jpg", 1_769_197_500_000)
    assert small.published_ms == large.published_ms


def test_prices_stock_and_what_is_switched_off(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "catalog_product.csv", CSV)
    assert [p.price_minor for p in products.values()] == [2000, 2500, 250, None, 1000]
    bag = products["bag-l"]
    assert (bag.sale_from_ms, bag.sale_until_ms) == (midnight("2026-02-01"), midnight("2026-03-01"))  # the 28th whole
    assert [p.stock for p in products.values()] == [5, 0, 9, 0, None]
    assert [p.id for p in products.values() if p.sellable] == ["bag-s", "net"]

"""WooCommerce's product CSV: what becomes of every row, sound or faulty."""

# ruff: noqa: E501 (a line of a feed is a line here)

from pathlib import Path

from messy_products import midnight, noted, read_feed, told

CSV = """
ID,Type,SKU,Name,Published,"Visibility in catalog","Short description",Description,"Date sale price starts","Date sale price ends","In stock?",Stock,"Backorders allowed?","Sale price","Regular price",Categories,Tags,Images,Parent,"Attribute 1 name","Attribute 1 value(s)","Attribute 1 visible","Meta: _seo"
13,variation,HOOD-G,"Hoodie - Green",1,visible,,,,,1,3,0,,45,,,,HOOD,Color,Green,,
10,variable,HOOD,Hoodie,1,visible,<p>Warm</p>,"<div>Very <b>warm</b></div>",,,1,,0,,,"Clothing, Clothing > Hoodies","new, warm","https://s.example/a.jpg, https://s.example/b.jpg",,Color,"Green, Grey",1,
11,variation,HOOD-Y,"Hoodie - Grey",1,visible,,,2026-02-01,2026-02-28,0,0,0,39,45,,,,id:10,Color,Grey,,
20,simple,TEA,"Green tea",1,visible,Leaves,,,,1,12,0,3.50,4.00,"Food > Tea\\, loose",,,,,,,
21,"simple, virtual",,"Gift card",0,visible,,,,,backorder,0,1,,"1.000,00 €",,,,,,,,
30,variation,LOST,"Lost - Red",1,visible,,,,,1,,0,,9,,,,id:99,Color,Red,,
31,variation,ALONE,"Alone",1,visible,,,,,1,,0,,9,,,,,,,,
40,bundle,B1,Box,1,visible,,,,,1,,0,,9,,,,,,,,
41,simple,S1,Scarf,maybe,visible,,,,,1,many,0,12,10,,,,,,,,
42,simple,S1,Scarf 2,1,visible,,,2026-02-30,,1,1,0,8,ten,,,,,,,,
"""
GERMAN = """
ID;Typ;Artikelnummer;Name;Veröffentlicht;Beschreibung;Vorrätig?;Lager;Angebotspreis;Regulärer Preis;Kategorien;Bilder;Übergeordnetes Produkt;Attribut 1 Name;Attribut 1 Wert(e)
1;simple;T1;Grüner Tee;1;Blätter;1;5;;3,50;Essen > Tee;https://s.example/t.jpg;;Sorte;Sencha
"""


def test_every_fault_is_told_and_every_good_row_kept(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "wc.csv", CSV)
    assert list(products) == ["13", "11", "20", "21", "30", "31", "41", "42"]
    assert (report.read, report.kept) == (10, 9)
    assert told(report.rejections) == {"unknown type": [(9, "Type", "bundle")]}
    assert told(report.repairs) == {
        "HTML in the description: its text": [(line, "Description", "<div>Very <b>warm</b></div>") for line in (2, 4)],
        "variation without parent: alone": [(8, "Parent", "")],
        "parent is not in the feed: alone": [(7, "Parent", "id:99")],
        "unclear whether published: available": [(10, "Published", "maybe")],
        "stock is no number: not counted": [(10, "Stock", "many")],
        "sale price is not below the price: not used": [(10, "Sale price", "12")],
        "sale date is no date: not used": [(11, "Date sale price starts", "2026-02-30")],
        "price is no amount: unknown": [(11, "Regular price", "ten")],
    }
    assert noted(report, "1 rows are articles with variants")
    assert noted(report, "not used: Meta: _seo")


def test_a_variation_inherits_wherever_its_product_stands(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "wc.csv", CSV)
    for id_, sku, color in (("13", "HOOD-G", "Green"), ("11", "HOOD-Y", "Grey")):
        one = products[id_]
        assert (one.group_id, one.description, one.category) == ("10", "Very warm", ("Clothing", "Hoodies"))
        assert one.image_url == "https://s.example/a.jpg"
        expected = {"tags": ("new", "warm"), "Color": (color,), "sku": (sku,)}
        assert {name: one.attributes[name] for name in expected} == expected
    assert products["13"].available and not products["11"].available


def test_sales_commas_and_backorders_are_understood(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "wc.csv", CSV)
    assert (products["20"].price_minor, products["20"].sale_price_minor) == (400, 350)
    assert products["20"].category == ("Food", "Tea, loose")
    assert products["11"].price_minor == 4500
    tea = products["11"]
    assert (tea.sale_from_ms, tea.sale_until_ms) == (midnight("2026-02-01"), midnight("2026-03-01"))  # the 28th whole
    assert (products["21"].price_minor, products["21"].stock, products["21"].available) == (100000, None, False)
    assert products["42"].sale_price_minor is None  # its dates are none


def test_a_german_header_is_read_too(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "wc.csv", GERMAN)
    assert not report.repairs and not report.rejections
    tea = products["1"]
    assert (tea.title, tea.price_minor, tea.category, tea.stock) == ("Grüner Tee", 350, ("Essen", "Tee"), 5)
    assert tea.attributes == {"sku": ("T1",), "Sorte": ("Sencha",)}
    assert noted(report, "Read as woocommerce")

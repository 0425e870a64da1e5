"""Shopware 6's product CSV: what becomes of every row, sound or faulty."""

from pathlib import Path

from messy_products import noted, read_feed, told

CSV = """
id;parent_id;product_number;active;stock;name;description;price_net;price_gross;tax_rate;manufacturer_name;categories;cover_media_url;optionIds;options
a1;;SW1;1;0;Wollpullover;"<p>Weich&nbsp;und warm</p>";41,18;49,00;19;Strick;Kleidung > Oberteile|Kleidung > Oberteile > Pullover;https://s.example/p.jpg;;
a2;a1;SW1.1;1;7;;;;;19;;;;0123456789abcdef0123456789abcdef;Farbe: Rot|Größe: M
a3;a1;SW1.2;0;-1;Pullover blau;;41,18;"1.049,00 EUR";19;;;https://s.example/b.jpg;;Farbe: Blau
a4;fehlt;SW9.1;1;1;Verwaist;;;9,90;19;;0123456789abcdef0123456789abcdef;;;
b1;;SW2;1;3;Tee;;2,80;;7;;Essen/Tee;;;
;;;1;3;Namenlos;;;1,00;7;;;;;
b3;;SW3;1;drei;Kaffee;;;gratis;7;;;;;
b4;;SW4;1
"""


def test_every_fault_is_told_and_every_good_row_kept(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "export.csv", CSV)
    assert list(products) == ["SW1.1", "SW1.2", "SW9.1", "SW2", "SW3"]
    assert (report.read, report.kept) == (8, 6)
    assert told(report.rejections) == {
        "wrong number of cells": [(9, "", "b4;;SW4;1")],
        "no id": [(7, "product_number", "")],
    }
    assert told(report.repairs) == {
        "HTML in the description: its text": [(line, "description", "<p>Weich&nbsp;und warm</p>") for line in (3, 4)],
        "negative stock: 0": [(4, "stock", "-1")],
        "parent is not in the feed: alone": [(5, "parent_id", "fehlt")],
        "the category is an id: unknown": [(5, "categories", "0123456789abcdef0123456789abcdef")],
        "no gross price: the net price": [(6, "price_net", "2,80")],
        "price is no amount: unknown": [(8, "price_gross", "gratis")],
        "stock is no number: not counted": [(8, "stock", "drei")],
    }
    assert noted(report, "Read as shopware")
    assert noted(report, "ids are not used")


def test_variants_inherit_what_they_leave_empty(tmp_path: Path) -> None:
    products, _ = read_feed(tmp_path, "export.csv", CSV)
    red, blue = products["SW1.1"], products["SW1.2"]
    assert (red.title, red.description, red.brand, red.price_minor) == (
        *("Wollpullover", "Weich und warm", "Strick", 4900),
    )
    assert (blue.title, blue.price_minor, blue.currency) == ("Pullover blau", 104900, "EUR")
    assert {red.group_id, blue.group_id} == {"SW1"}
    assert red.category == blue.category == ("Kleidung", "Oberteile", "Pullover")
    assert (red.image_url, blue.image_url) == ("https://s.example/p.jpg", "https://s.example/b.jpg")
    assert red.attributes == {"Farbe": ("Rot",), "Größe": ("M",)}
    assert (red.sellable, blue.sellable) == (True, False)
    assert products["SW2"].category == ("Essen", "Tee")
    assert products["SW2"].price_minor == 280

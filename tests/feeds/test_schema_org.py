"""schema.org products as JSON-LD: what becomes of every node, sound or faulty."""

import json
from pathlib import Path

import pytest
from messy_products import noted, read_feed, told

MUG = {
    "@context": "https://schema.org/",
    "@type": "Product",
    "sku": "mug",
    "name": "Mug",
    "description": "<p>For <b>tea</b></p>",
    "brand": {"@type": "Brand", "name": "Kiln"},
    "image": ["https://s.example/1.jpg", "https://s.example/2.jpg"],
    "category": "Home > Mugs",
    "color": "Red",
    "gtin13": "4006381333931",
    "additionalProperty": [{"@type": "PropertyValue", "name": "Volume", "value": "300 ml"}],
    "offers": {
        "@type": "Offer",
        "price": "12.50",
        "priceCurrency": "GBP",
        "availability": "https://schema.org/OutOfStock",
        "url": "https://s.example/mug",
    },
}
GRAPH = {
    "@context": "https://schema.org",
    "@graph": [
        {"@type": "BreadcrumbList", "name": "not a product"},
        {
            "@type": "ProductGroup",
            "productGroupID": "shirt",
            "name": "Shirt",
            "brand": "Loom",
            "material": "linen",
            "hasVariant": [
                {"@type": "Product", "sku": "shirt-m", "size": "M", "offers": [{"price": 39, "priceCurrency": "EUR"}]},
                {
                    "@type": ["Product", "Thing"],
                    "sku": "shirt-l",
                    "name": "Shirt L",
                    "size": "L",
                    "offers": {"@type": "AggregateOffer", "lowPrice": "41,00", "priceCurrency": "EUR"},
                },
            ],
        },
    ],
}
LIST = [
    {"@type": "Product", "productID": "a", "name": "A", "offers": {"price": "ask", "priceCurrency": "EUR"}},
    {"@type": "Product", "name": "No id", "offers": []},
    {"@type": "Article", "name": "News"},
    7,
    {
        "@type": "http://schema.org/Product",
        "@id": "https://s.example/b",
        "name": "B",
        "offers": [
            {
                "price": "1.299",
                "availability": "schema:LimitedAvailability",
                "priceSpecification": {"priceCurrency": "EUR"},
            },
            {"price": "9", "priceCurrency": "EUR", "availability": "InStock", "inventoryLevel": {"value": "viele"}},
        ],
    },
]


def test_a_product_with_everything_is_read(tmp_path: Path) -> None:
    products, report = read_feed(tmp_path, "p.jsonl", json.dumps(MUG))
    mug = products["mug"]
    assert (mug.title, mug.description, mug.brand, mug.category) == ("Mug", "For tea", "Kiln", ("Home", "Mugs"))
    assert (mug.price_minor, mug.currency, mug.available) == (1250, "GBP", False)
    assert mug.image_url == "https://s.example/1.jpg"
    assert mug.attributes == {"color": ("Red",), "gtin13": ("4006381333931",), "Volume": ("300 ml",)}
    assert told(report.repairs) == {"HTML in the description: its text": [(1, "description", "<p>For <b>tea</b></p>")]}
    assert noted(report, "Read as schema-org")


@pytest.mark.parametrize("indent", [None, 2])
def test_a_graph_holds_products_and_groups_whose_variants_inherit(tmp_path: Path, indent: int | None) -> None:
    products, report = read_feed(tmp_path, "p.json", json.dumps(GRAPH, indent=indent))
    assert (report.read, report.kept) == (2, 2)
    medium, large = products["shirt-m"], products["shirt-l"]
    assert {medium.group_id, large.group_id} == {"shirt"}
    assert (medium.title, large.title, medium.brand, large.brand) == ("Shirt", "Shirt L", "Loom", "Loom")
    assert [p.price_minor for p in (medium, large)] == [3900, 4100]
    assert medium.attributes == {"size": ("M",), "material": ("linen",)}


def test_every_fault_of_a_list_is_told_with_its_line_and_every_good_node_kept(tmp_path: Path) -> None:
    text = "[\n" + ",\n".join(json.dumps(node) for node in LIST) + "\n]"
    products, report = read_feed(tmp_path, "p.json", text)
    assert list(products) == ["a", "https://s.example/b"]
    assert (report.read, report.kept) == (5, 2)
    assert told(report.rejections) == {
        "no id": [(3, "sku", "")],
        "no product in it": [(4, "@type", "Article")],
        "not an object": [(5, "", "7")],
    }
    assert told(report.repairs) == {
        "price is no amount: unknown": [(2, "offers.price", "ask")],
        "a point before three digits: thousands": [(6, "offers.price", "1.299")],
    }
    assert products["https://s.example/b"].available
    assert noted(report, "several offers")


def test_a_broken_object_of_a_list_costs_itself_alone(tmp_path: Path) -> None:
    nodes = [json.dumps({"@type": "Product", "sku": f"p{i}", "name": "x"}) for i in range(4)]
    nodes[1] = nodes[1].replace('"sku":', '"sku"')
    products, report = read_feed(tmp_path, "p.json", "[\n  " + ",\n  ".join(nodes) + "\n]")
    assert list(products) == ["p0", "p2", "p3"]
    assert [(line, field) for line, field, _ in told(report.rejections)["broken JSON"]] == [(3, "")]


def test_json_lines_may_be_broken_too(tmp_path: Path) -> None:
    text = "\n".join([json.dumps(MUG), '{"@type": "Product", "sku": "x"', json.dumps(GRAPH)])
    products, report = read_feed(tmp_path, "p.jsonl", text)
    assert list(products) == ["mug", "shirt-m", "shirt-l"]
    assert told(report.rejections) == {"broken JSON": [(2, "", '{"@type": "Product", "sku": "x"')]}


def test_a_product_list_is_read(tmp_path: Path) -> None:
    listed = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": MUG}]}
    products, _ = read_feed(tmp_path, "p.json", json.dumps(listed))
    assert list(products) == ["mug"]


def test_variants_deep_within_a_page_are_found(tmp_path: Path) -> None:
    group = {"@type": "ProductGroup", "name": "Shirt", "hasVariant": [{"@type": "Product", "sku": "shirt-m"}]}
    listed = {"@type": "ItemList", "itemListElement": [{"@type": "ListItem", "item": one} for one in (MUG, group)]}
    page = {"@graph": [{"@type": "WebPage", "mainEntity": listed}]}
    products, report = read_feed(tmp_path, "page.json", json.dumps(page))
    assert set(products) == {"mug", "shirt-m"} and report.read == 2

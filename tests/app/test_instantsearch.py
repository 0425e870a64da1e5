"""The API that InstantSearch speaks, over requests that its own client sent and over those that others send."""

import json
import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from starlette.testclient import TestClient

from wares.app.web.access.caller import Caller
from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.keys import Keys
from wares.app.web.access.tokens import Claims, make_token
from wares.app.web.http import make_app
from wares.app.web.instantsearch.highlights import Marked, Tags, matching_value, words_of
from wares.app.web.instantsearch.names import SORTS, attribute_of
from wares.app.web.instantsearch.parameters import IGNORED, MAX_HITS, Parameters
from wares.domain.shopper import KINDS
from wares.retrieval.highlight import highlight
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
RECORDED = json.loads((Path(__file__).parent / "instantsearch_requests.json").read_text(encoding="utf-8"))
REFERENCE = Path(__file__).parents[2] / "docs" / "reference" / "instantsearch.md"
SETTINGS = """
[shop]
title = "Corner shop"
currency = "USD"
facets = ["category", "brand", "price"]
[encoder]
source = "none"
[models]
train = ["popular", "popular_lately", "co_bought"]
[markets.uk]
currency = "GBP"
[profiles.vegan]
sources = ["lexical"]
all_matches = true
"""
RULES = """
[[rules]]
when = { query = "opening hours" }
redirect = "/hours"

[[rules]]
when = { query = "tart" }
banner = { text = "Tarts", url = "/tarts", image_url = "https://shop.example/tart.png" }
"""
BRANDS = ("Goldfinch", "North Farm", "Meadow Lane", "-Dash")
GOODS = {
    "Dairy > Milk": ("Whole milk", "Skim milk", "Oat milk"),
    "Dairy > Cheese": ("Goat cheese",),
    "Bakery > Cakes": ("Milk chocolate cake", "Lemon tart"),
}


def goods() -> list[Row]:
    """Every title of every brand, priced 1, 2, 3, ... dollars, rated 1 to 5."""
    made: list[Row] = []
    for category, titles in GOODS.items():
        for title in titles:
            for brand in BRANDS:
                price = len(made) + 1
                made.append({
                    "id": f"{title} by {brand}".replace(" ", "-").lower(), "title": title, "brand": brand,
                    "category": category, "price": price, "rating": price % 5 + 1,
                    "size": ["small", "large"][price % 2],
                    "description": f"{title} by {brand} & Co, one of those that are bought again and again by many.",
                    "image_url": f"https://shop.example/{price}.png",
                })  # fmt: skip
    return made


def baskets() -> list[Row]:
    """Who buys oat milk buys everything of its brand and North Farm's, too."""
    beside = [row["id"] for row in goods() if row["brand"] in ("Goldfinch", "North Farm")]
    then_s = int(time.time()) - 86_400
    return [
        {"kind": "purchase", "time": then_s, "shopper_id": f"s{who}", "product_id": product, "basket_id": f"b{who}"}
        for who in range(3)
        for product in beside
    ]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    folder = tmp_path_factory.mktemp("shops") / "corner"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as opened:
        opened.put(goods())
        opened.record(baskets())
        opened.rules.publish("Tests", text=RULES)
        train_here(folder, silent)
        opened.log_impressions()
        yield opened


@pytest.fixture(scope="module")
def client(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop}), raise_server_exceptions=False) as client:
        yield client


def recorded(when: str, path: str = "") -> Row:
    """The body that the real client sent then."""
    body: Row = next(one["body"] for one in RECORDED if one["when"] == when and path in one["path"])
    return json.loads(json.dumps(body))  # type: ignore[no-any-return]


def send(client: TestClient, path: str, body: object) -> Any:
    """As a page sends it: JSON as plain text."""
    return client.post(path, content=json.dumps(body), headers={"content-type": "text/plain"})


def batch(client: TestClient, body: Row) -> list[Row]:
    answer = send(client, "/1/indexes/*/queries", body)
    assert answer.status_code == 200, answer.text
    results: list[Row] = answer.json()["results"]
    return results


def search(client: TestClient, index: str = "default", **asked: Any) -> Row:
    return batch(client, {"requests": [{"indexName": index, **asked}]})[0]


def ids(result: Row) -> list[str]:
    return [hit["objectID"] for hit in result["hits"]]


def refused(answer: Any, status: int, says: str) -> None:
    assert answer.status_code == status, answer.text
    told = answer.json()
    assert told["status"] == status
    assert re.search(says, told["message"]), told["message"]


# -- what the real client sends ----------------------------------------------------------------------------------------


def test_every_recorded_request_is_answered(client: TestClient) -> None:
    assert len(RECORDED) >= 10
    for one in RECORDED:
        answer = send(client, one["path"], one["body"])
        assert answer.status_code == 200, (one["when"], answer.text)


def test_a_search_has_every_field_that_the_widgets_read(client: TestClient) -> None:
    (result,) = batch(client, recorded("milk is typed"))
    assert set(result) >= {
        *("hits", "nbHits", "page", "nbPages", "hitsPerPage", "query", "params", "index", "facets", "facets_stats"),
        *("processingTimeMS", "exhaustiveNbHits", "exhaustiveFacetsCount", "exhaustive", "queryID", "renderingContent"),
    }
    assert (result["nbHits"], result["page"], result["nbPages"], result["hitsPerPage"]) == (16, 0, 2, 12)
    assert (result["query"], result["index"]) == ("milk", "default")
    assert dict(parse_qsl(result["params"]))["query"] == "milk"
    assert result["facets"]["hierarchicalCategories.lvl0"] == {"Dairy": 12, "Bakery": 4}
    assert result["facets_stats"] == {"price": {"min": 1, "max": 20}}
    hit = result["hits"][0]
    assert hit["_highlightResult"]["name"]["value"].count("__ais-highlight__") == 1
    assert hit["price"] == int(hit["price"]), "whole units"


def test_a_chosen_brand_narrows_the_hits_and_leaves_the_other_brands_their_numbers(client: TestClient) -> None:
    (before,) = batch(client, recorded("milk is typed"))
    hits, brands = batch(client, recorded("a brand is chosen"))
    assert {hit["brand"] for hit in hits["hits"]} == {"Goldfinch"}
    assert hits["nbHits"] == before["facets"]["brand"]["Goldfinch"]
    assert hits["facets"]["brand"] == {"Goldfinch": 4}
    assert brands["facets"]["brand"] == before["facets"]["brand"]
    assert (brands["hits"], brands["nbPages"], "queryID" in brands) == ([], 0, False)


def test_a_menu_of_categories_gets_each_level_as_it_asks_for_it(client: TestClient) -> None:
    hits, *more = batch(client, recorded("a category below is chosen"))
    assert hits["facets"]["hierarchicalCategories.lvl1"] == {"Dairy > Milk": 3}
    assert {tuple(hit["categories"]) for hit in hits["hits"]} == {("Dairy", "Milk")}
    counted = [result["facets"] for result in more if "hierarchicalCategories.lvl0" in result["facets"]]
    assert {"Dairy": 3, "Bakery": 1} in [facets["hierarchicalCategories.lvl0"] for facets in counted]


def test_the_price_slider_narrows_the_hits_and_keeps_its_own_ends(client: TestClient) -> None:
    body = json.loads(json.dumps(recorded("the highest price is lowered")).replace("price<=11", "price<=6"))
    hits, *more = batch(client, body)
    assert sorted(hit["price"] for hit in hits["hits"]) == [1, 5]
    assert hits["facets_stats"]["price"]["max"] == 5
    assert [result["facets_stats"]["price"] for result in more if "price" in result["facets"]] == [{"min": 1, "max": 9}]


@pytest.mark.parametrize("strange", ["inf", "-Infinity", "nan", "1e400", "7e307"])
def test_an_attribute_with_a_value_that_no_number_is_has_no_lowest_and_highest(tmp_path: Path, strange: str) -> None:
    (tmp_path / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(tmp_path) as opened:
        opened.put([{"id": str(n), "title": "Lamp", "power": power} for n, power in enumerate((strange, "3", "40"))])
        opened.put([{"id": f"x{n}", "title": "Lamp", "width": width} for n, width in enumerate(("1e99", "3", "40"))])
        with TestClient(make_app({"default": opened}), raise_server_exceptions=False) as client:
            found = search(client, facets=["power", "width"])
            assert found["facets"]["power"] == {strange: 1, "3": 1, "40": 1}
            assert set(found["facets_stats"]) == {"width"}
            assert search(client, numericFilters=["power>3"])["nbHits"] <= 1


def test_values_of_a_facet_are_found_by_how_their_words_begin(client: TestClient) -> None:
    (found,) = batch(client, recorded("brands are searched"))
    (hit,) = found["facetHits"]
    assert (hit["value"], hit["highlighted"]) == ("Goldfinch", "__ais-highlight__Gol__/ais-highlight__dfinch")
    assert found["exhaustiveFacetsCount"] is True


def test_another_order_is_another_index(client: TestClient) -> None:
    hits, *_ = batch(client, recorded("the cheapest come first"))
    prices = [hit["price"] for hit in hits["hits"]]
    assert prices == sorted(prices) and len(set(prices)) > 1


def test_a_click_is_an_event_with_its_answer_and_place(client: TestClient, shop: Shop) -> None:
    (result,) = batch(client, recorded("milk is typed"))
    click, cart = recorded("a product is clicked")["events"], recorded("a product is put into the cart")["events"]
    for event in (*click, *cart):
        event |= {"queryID": result["queryID"], "objectIDs": [ids(result)[0]]}
    before = shop.store.events.last()
    told = send(client, "/1/events", {"events": [*click, *cart]})
    assert told.json() == {"status": 200, "message": "OK", "new": 2, "rejected": []}
    block = shop.store.events.read(before)
    assert [KINDS[kind].value for kind in block.kinds] == ["click", "cart"]
    assert block.values_minor[1] == round(100 * cart[0]["objectData"][0]["price"])
    assert list(shop.store.events.shown(before).values()) == [(result["queryID"], 1), (result["queryID"], None)]


def test_what_was_only_in_sight_or_is_of_the_library_itself_is_no_event(client: TestClient, shop: Shop) -> None:
    before = shop.store.events.last()
    for when in ("the page is opened", "hits are in sight", "a filter is clicked"):
        answer = send(client, "/1/events", recorded(when, "/1/events"))
        assert (answer.status_code, answer.json()["new"], answer.json()["rejected"]) == (200, 0, []), when
    assert shop.store.events.last() == before


def test_the_answer_that_was_shown_is_remembered_and_the_counts_alone_are_not(client: TestClient, shop: Shop) -> None:
    hits, brands = batch(client, recorded("a brand is chosen"))
    shop._impressions.flush()  # type: ignore[union-attr]
    remembered = {met["id"]: met for _, met in read_impressions(shop.folder)}
    shown = remembered[hits["queryID"]]
    assert [hit["product"] for hit in shown["hits"]] == ids(hits)
    assert brands["nbHits"] > 0
    assert all(met["hits"] for met in remembered.values() if met["total"])


# -- what others send --------------------------------------------------------------------------------------------------


def test_parameters_in_one_url_encoded_string_mean_the_same(client: TestClient) -> None:
    """As version 4 of the client sends them."""
    told = {
        "query": "milk", "hitsPerPage": "3", "facets": '["brand"]', "facetFilters": '[["brand:Goldfinch"]]',
        "numericFilters": '["price>=1"]', "clickAnalytics": "true",
    }  # fmt: skip
    packed = search(client, params=urlencode(told))
    plain = search(
        client, query="milk", hitsPerPage=3, facets=["brand"], facetFilters=[["brand:Goldfinch"]],
        numericFilters=["price>=1"], clickAnalytics=True,
    )  # fmt: skip
    assert ids(packed) == ids(plain) and len(packed["hits"]) == 3
    assert packed["facets"] == plain["facets"]
    assert packed["queryID"]


def test_one_search_and_one_facet_search_have_routes_of_their_own(client: TestClient) -> None:
    one = client.post("/1/indexes/default__price_desc/query", json={"params": "query=milk&hitsPerPage=2"})
    assert one.json()["hits"] == search(client, "default__price_desc", query="milk", hitsPerPage=2)["hits"]
    values = client.post("/1/indexes/default/facets/brand/query", json={"facetQuery": "n", "query": "tart"})
    assert [(hit["value"], hit["highlighted"], hit["count"]) for hit in values.json()["facetHits"]] == [
        ("North Farm", "<em>N</em>orth Farm", 1)
    ]


def test_a_product_has_an_address(client: TestClient) -> None:
    found = client.get("/1/indexes/default/oat-milk-by-goldfinch").json()
    assert found["objectID"] == "oat-milk-by-goldfinch"
    assert (found["name"], found["title"], found["brand"]) == ("Oat milk", "Oat milk", "Goldfinch")
    assert found["hierarchicalCategories"] == {"lvl0": "Dairy", "lvl1": "Dairy > Milk"}
    assert (found["size"], found["rating"]) == ("large", "5")
    some = client.get("/1/indexes/default/oat-milk-by-goldfinch?attributesToRetrieve=name, price").json()
    assert set(some) == {"objectID", "name", "price"}
    refused(client.get("/1/indexes/default/nothing"), 404, "no product 'nothing'")


def test_pages_go_as_deep_as_there_are_hits(client: TestClient) -> None:
    pages = [search(client, page=page, hitsPerPage=5) for page in range(6)]
    everything = search(client, hitsPerPage=MAX_HITS)
    assert [hit for page in pages for hit in ids(page)] == ids(everything)
    assert [len(page["hits"]) for page in pages] == [5, 5, 5, 5, 4, 0]
    assert {page["nbPages"] for page in pages} == {5}
    part = search(client, offset=3, length=4)
    assert ids(part) == ids(everything)[3:7]
    assert (part["offset"], part["length"]) == (3, 4)


def test_facets_can_be_asked_for_all_at_once(client: TestClient) -> None:
    found = search(client, facets=["*"], hitsPerPage=0)
    assert set(found["facets"]) == {
        *("brand", "category", "size", "rating", "price", "hierarchicalCategories.lvl0", "hierarchicalCategories.lvl1")
    }
    ratings = [row["rating"] for row in goods()]
    mean = pytest.approx(sum(ratings) / len(ratings))
    assert found["facets_stats"]["rating"] == {"min": 1, "max": 5, "avg": mean, "sum": sum(ratings)}
    assert found["renderingContent"]["facetOrdering"]["facets"]["order"][0] == "hierarchicalCategories.lvl0"
    assert len(search(client, facets=["brand"], maxValuesPerFacet=2)["facets"]["brand"]) == 2


FILTERS: list[tuple[Row, str]] = [
    ({"facetFilters": ["brand:Goldfinch", "size:large"]}, "row['brand'] == 'Goldfinch' and row['size'] == 'large'"),
    ({"facetFilters": [["brand:Goldfinch", "brand:North Farm"]]}, "row['brand'] in ('Goldfinch', 'North Farm')"),
    ({"facetFilters": [["brand:Goldfinch", "size:large"]]}, "row['brand'] == 'Goldfinch' or row['size'] == 'large'"),
    ({"facetFilters": "brand:-Goldfinch"}, "row['brand'] != 'Goldfinch'"),
    ({"facetFilters": ["brand:\\-Dash"]}, "row['brand'] == '-Dash'"),
    ({"facetFilters": [["categories.lvl0:Dairy"]]}, "row['category'].startswith('Dairy')"),
    ({"facetFilters": [["categories.lvl1:Dairy"]]}, "False"),
    ({"facetFilters": ["nothing:x"]}, "False"),
    ({"facetFilters": ["nothing:-x"]}, "True"),
    ({"facetFilters": ["objectID:lemon-tart-by-goldfinch"]}, "row['id'] == 'lemon-tart-by-goldfinch'"),
    ({"numericFilters": ["price>3", "price<=7"]}, "3 < row['price'] <= 7"),
    ({"numericFilters": [["price<3", "price>20"]]}, "row['price'] < 3 or row['price'] > 20"),
    ({"numericFilters": "price:3 TO 7"}, "3 <= row['price'] <= 7"),
    ({"numericFilters": ["rating>=4"]}, "row['rating'] >= 4"),
    ({"numericFilters": ["rating!=4"]}, "row['rating'] != 4"),
    ({"numericFilters": ["rating=4"]}, "row['rating'] == 4"),
    ({"numericFilters": ["price>7", "price<3"]}, "False"),
    ({"filters": "brand:Goldfinch"}, "row['brand'] == 'Goldfinch'"),
    ({"filters": "brand:'North Farm' AND NOT size:large"}, "row['brand'] == 'North Farm' and row['size'] != 'large'"),
    ({"filters": 'brand:"North Farm" OR size:large'}, "row['brand'] == 'North Farm' or row['size'] == 'large'"),
    ({"filters": "(brand:Goldfinch OR price < 3) AND size:large"},
     "(row['brand'] == 'Goldfinch' or row['price'] < 3) and row['size'] == 'large'"),
    ({"filters": "price:3 TO 7 OR price:9 TO 11"}, "3 <= row['price'] <= 7 or 9 <= row['price'] <= 11"),
    ({"filters": "brand:Goldfinch<score=2> OR brand:-Dash<score=1>"}, "row['brand'] in ('Goldfinch', '-Dash')"),
    ({"filters": "available:true AND rating > 3"}, "row['rating'] > 3"),
    ({"tagFilters": ["promotion"]}, "False"),
    ({"tagFilters": "brand:Goldfinch,size:large"}, "row['brand'] == 'Goldfinch' and row['size'] == 'large'"),
    ({"filters": "size:large", "facetFilters": ["brand:Goldfinch"], "numericFilters": ["price<9"]},
     "row['size'] == 'large' and row['brand'] == 'Goldfinch' and row['price'] < 9"),
]  # fmt: skip


@pytest.mark.parametrize(("asked", "meant"), FILTERS, ids=lambda one: json.dumps(one)[:60])
def test_a_filter_lets_through_what_it_says(client: TestClient, asked: Row, meant: str) -> None:
    wanted = {row["id"] for row in goods() if eval(meant, {"row": row})}
    found = search(client, hitsPerPage=100, **asked)
    assert set(ids(found)) == wanted
    assert found["nbHits"] == len(wanted)


def test_a_facet_counts_the_hits_as_they_are(client: TestClient) -> None:
    found = search(
        client, facets=["brand", "price"], filters="brand:Goldfinch OR size:small", numericFilters=["price<9"]
    )
    assert sum(found["facets"]["brand"].values()) == found["nbHits"]
    assert found["facets_stats"]["price"]["max"] < 9


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ({"filters": "brand:Goldfinch AND ("}, "filters: .*not understood"),
        ({"filters": "brand:Goldfinch OR (size:large AND rating:3)"}, "AND of ORs"),
        ({"facetFilters": ["brand"]}, "attribute:value"),
        ({"numericFilters": ["price~3"]}, "comparison with a number"),
        ({"filters": "price:cheap"}, "no number"),
        ({"filters": "price != 3"}, "Ask for a range"),
        ({"hitsPerPage": 1001}, "hitsPerPage: .*1000"),
        ({"page": -1}, "page: "),
        ({"page": "two"}, "page: .*'two'"),
        ({"facets": [["brand"]]}, "facets: "),
        ({"params": 7}, "params: must be"),
        ({"type": "facet", "facet": "price"}, "no texts to search in"),
        ({"facetFilters": [["brand:a"] * 1001]}, "more than 1,000 conditions"),
        ({"filters": " OR ".join(["a:b"] * 1001)}, "more than 1,000 conditions"),
        ({"filters": "a" * 20_001}, "filters: has 20,001 characters; at most 20,000"),
        ({"numericFilters": [["price>3", "a" * 2001]]}, "numericFilters: a condition has 2,001 characters"),
        ({"facetFilters": ["brand:" + "a" * 2000]}, "facetFilters: a condition has 2,006 characters"),
        ({"tagFilters": ["a" * 2001]}, "tagFilters: a condition has 2,001 characters"),
        ({"filters": "price:nan TO 3"}, "no number"),
    ],
    ids=lambda one: json.dumps(one)[:50],
)
def test_what_cannot_be_answered_says_what_is_wrong(client: TestClient, asked: Row, says: str) -> None:
    refused(send(client, "/1/indexes/*/queries", {"requests": [{"indexName": "default", **asked}]}), 400, says)


LONG = 16_000
FULL = 1_999


@pytest.mark.parametrize(
    "asked",
    [
        {"numericFilters": ["a" + " " * LONG + "x"]},
        {"facetFilters": ["a" + " " * LONG + "x"]},
        {"filters": "a" + " " * LONG + "x"},
        {"filters": "a:b" + " " * LONG + "!"},
        {"filters": "<score=" * (LONG // 7)},
        {"filters": "a:'b\" " * (LONG // 6)},
        {"facets": ["1" * LONG + ".lvl0"]},
        *({"numericFilters": [text[:FULL]] * 100} for text in (
            "a" + " " * FULL, "a" + ": " * FULL, "a" + ":1" * FULL, "a:" + " " * FULL, "a:1" + " " * FULL,
            "a" + "= " * FULL, "a=" + "1" * (FULL - 3) + "x", "a" + " " * (FULL - 3) + "=1",
        )),
    ],
    ids=lambda one: json.dumps(one)[:40],
)  # fmt: skip
def test_no_text_takes_long_to_read(client: TestClient, asked: Row) -> None:
    took_s = []
    for _ in range(3):
        started_s = time.process_time()  # whatever else the machine does
        answer = send(client, "/1/indexes/default/query", {"hitsPerPage": 0, **asked})
        took_s.append(time.process_time() - started_s)
        assert answer.status_code in (200, 400), answer.text
    assert min(took_s) < 1  # in time that grows with the square it would be far more


@pytest.mark.parametrize(
    "text",
    [
        *(
            "price>=3",
            " price  >=  3 ",
            "price >= +3.0",
            "price>=3e0",
            "price>=.3e1",
            "price: 3 TO 1000",
            "price:3 TO 1e3",
        ),
    ],
)
def test_a_comparison_may_hold_blanks_signs_and_exponents(client: TestClient, text: str) -> None:
    told = send(client, "/1/indexes/default/query", {"numericFilters": [text], "hitsPerPage": 1000})
    if "TO 1e3" in text:
        refused(told, 400, "comparison with a number")
    else:
        assert min(hit["price"] for hit in told.json()["hits"]) == 3


@pytest.mark.parametrize("body", [b"", b"{", b"[]", b'{"requests": 1}', b'{"requests": [1]}'])
def test_a_body_that_is_none_is_refused_in_their_words(client: TestClient, body: bytes) -> None:
    refused(client.post("/1/indexes/*/queries", content=body), 400, "body")


@pytest.mark.parametrize("asked", [{"query": "\ud800"}, {"filters": "\ud800:a"}, {"\ud800": 1}])
def test_half_a_character_is_refused(client: TestClient, asked: Row) -> None:
    body = {"requests": [{"indexName": "default", **asked}]}
    refused(send(client, "/1/indexes/*/queries", body), 400, "not valid Unicode")
    emoji = {"requests": [{"indexName": "default", "query": "milk 🥛"}]}
    assert batch(client, emoji)[0]["query"] == "milk 🥛"


def test_a_batch_has_an_end(client: TestClient) -> None:
    many = {"requests": [{"indexName": "default"}] * 51}
    refused(send(client, "/1/indexes/*/queries", many), 400, "at most 50 queries")


def test_an_unknown_index_is_not_found_and_the_known_ones_are_named(client: TestClient) -> None:
    for name, says in (("products", "Known: default"), ("default__dear", "default__price_asc"), ("", "no index")):
        refused(send(client, "/1/indexes/*/queries", {"requests": [{"indexName": name}]}), 404, says)


def test_an_index_names_shop_market_and_order(client: TestClient) -> None:
    for sort in SORTS:
        assert search(client, f"default__{sort}")["nbHits"] == 24
        assert search(client, f"default__uk__{sort}", hitsPerPage=1)["index"] == f"default__uk__{sort}"
    (hit,) = search(client, "default__price_desc", hitsPerPage=1)["hits"]
    assert (hit["price"], hit["currency"]) == (24, "USD")


def test_rules_send_redirects_and_banners_where_widgets_look_for_them(client: TestClient) -> None:
    sent_on = search(client, query="opening hours")
    assert sent_on["renderingContent"]["redirect"] == {"url": "/hours"}
    assert {"redirect": "/hours"} in sent_on["userData"]
    tart = search(client, query="tart")
    (banner,) = tart["renderingContent"]["widgets"]["banners"]
    assert banner["image"]["urls"] == [{"url": "https://shop.example/tart.png"}]
    assert banner["link"] == {"url": "/tarts"}
    assert tart["userData"][0]["banner"]["text"] == "Tarts"


def test_a_rule_context_that_names_a_profile_is_answered_by_it(client: TestClient, shop: Shop) -> None:
    found = search(client, query="milk", ruleContexts=["summer", "vegan"], clickAnalytics=True)
    shop._impressions.flush()  # type: ignore[union-attr]
    surfaces = {met["id"]: met["surface"] for _, met in read_impressions(shop.folder)}
    assert surfaces[found["queryID"]] == "vegan"


def test_only_wanted_attributes_are_retrieved_and_marked(client: TestClient) -> None:
    asked: Row = {"query": "milk", "hitsPerPage": 1, "attributesToRetrieve": ["name", "price"]}
    (hit,) = search(client, **asked, attributesToHighlight=["name"])["hits"]
    assert set(hit) == {"objectID", "name", "price", "_highlightResult"}
    assert set(hit["_highlightResult"]) == {"name"}
    (hit,) = search(client, **asked, attributesToHighlight=[])["hits"]
    assert "_highlightResult" not in hit
    (hit,) = search(client, query="milk", hitsPerPage=1, attributesToRetrieve=["-description"])["hits"]
    assert "description" not in hit and "brand" in hit


def test_marks_say_which_words_matched(client: TestClient) -> None:
    asked: Row = {"highlightPreTag": "[", "highlightPostTag": "]"}
    (best, *_) = search(client, query="oat milk", attributesToSnippet=["description:4"], **asked)["hits"]
    assert best["_highlightResult"]["name"] == {
        "value": "[Oat] [milk]", "matchLevel": "full", "fullyHighlighted": True, "matchedWords": ["oat", "milk"],
    }  # fmt: skip
    assert best["_highlightResult"]["brand"] == {"value": best["brand"], "matchLevel": "none", "matchedWords": []}
    snippet = best["_snippetResult"]["description"]
    assert snippet["value"] == f"[Oat] [milk] by {best['brand'].split()[0]}…"
    assert snippet["matchLevel"] == "full"
    (best, *_) = search(client, query="oat goldfinch", **asked)["hits"]
    assert best["_highlightResult"]["name"] == {
        "value": "[Oat] milk", "matchLevel": "partial", "fullyHighlighted": False, "matchedWords": ["oat"],
    }  # fmt: skip


def test_what_is_not_known_is_named_and_ignored(client: TestClient) -> None:
    found = search(client, query="milk", hitsPerPge=3, facets=["colour"], synonyms=True)
    assert "hitsPerPge" in found["message"] and "colour" in found["message"] and "synonyms" not in found["message"]
    assert (found["hitsPerPage"], found.get("facets", {})) == (20, {})


def test_a_word_is_only_mended_where_that_is_wanted(client: TestClient) -> None:
    assert search(client, query="choclate")["wares"]["correction"] == "chocolate"
    assert search(client, query="choclate", typoTolerance=False)["wares"]["correction"] == ""


# -- recommendations ---------------------------------------------------------------------------------------------------


def recommended(client: TestClient, **asked: Any) -> Any:
    return send(
        client, "/1/indexes/*/recommendations", {"requests": [{"indexName": "default", "threshold": 0, **asked}]}
    )


def test_related_products_are_like_the_one_on_the_page(client: TestClient, shop: Shop) -> None:
    seed = "oat-milk-by-goldfinch"
    found = recommended(client, model="related-products", objectID=seed, maxRecommendations=3).json()["results"][0]
    assert ids(found) == [hit.product.id for hit in shop.similar(seed, k=3).hits]
    assert len(found["hits"]) == 3 and seed not in ids(found) and found["queryID"]
    other = {"facetFilters": [["brand:North Farm"]]}
    narrowed = recommended(client, model="looking-similar", objectID=seed, queryParameters=other).json()["results"][0]
    assert {hit["brand"] for hit in narrowed["hits"]} == {"North Farm"}


def test_trending_items_can_be_those_of_one_brand(client: TestClient) -> None:
    asked = {"model": "trending-items", "facetName": "brand", "facetValue": "Goldfinch", "maxRecommendations": 4}
    found = recommended(client, **asked).json()["results"][0]
    assert {hit["brand"] for hit in found["hits"]} == {"Goldfinch"}


def test_of_a_product_that_nobody_sells_nothing_is_recommended(client: TestClient) -> None:
    assert recommended(client, model="bought-together", objectID="nothing").json()["results"][0]["hits"] == []


def test_a_model_that_is_not_there_is_refused_by_name(client: TestClient) -> None:
    refused(recommended(client, model="trending-facets", facetName="brand"), 400, "model: .*trending-facets")
    refused(recommended(client, model="trending-items", maxRecommendations=0), 400, "maxRecommendations")


# -- anything ----------------------------------------------------------------------------------------------------------

odd = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.text(max_size=12),
        st.sampled_from(["brand:Goldfinch", "price>3", "price:1 TO 2", "a:-b", "NOT (", "[", "lvl0:x", "<score=1>"]),
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=5), inner, max_size=2)),
    max_leaves=6,
)  # fmt: skip
named = st.sampled_from([*Parameters.model_fields, "params", "type", "facet", "facetName", "indexName"])


@settings(max_examples=300, deadline=None)
@given(st.dictionaries(named, odd, max_size=4))
def test_whatever_is_sent_is_answered_or_refused_in_their_words(client: TestClient, asked: Row) -> None:
    body = json.dumps({"requests": [{"indexName": "default", **asked}]})
    answer = client.post("/1/indexes/*/queries", content=body)
    assert answer.status_code in (200, 400, 404), (answer.text, asked)
    assert answer.status_code == 200 or set(answer.json()) == {"message", "status"}


# -- events ------------------------------------------------------------------------------------------------------------


def event(**more: Any) -> Row:
    return {
        "eventType": "click", "eventName": "Clicked", "index": "default", "userToken": "u1", "objectIDs": ["x"], **more
    }  # fmt: skip


def test_good_events_count_beside_bad_ones(client: TestClient, shop: Shop) -> None:
    bad = [event(eventType="conversion"), event(objectIDs=None), event(index="nothing"), event(eventType="clik")]
    answer = send(client, "/1/events", {"events": [*bad, event(timestamp=int(time.time() * 1000))]})
    assert (answer.status_code, answer.json()["new"]) == (200, 1)
    assert {one["reason"] for one in answer.json()["rejected"]} == {
        *("conversion of no known kind", "no product", "unknown index", "unknown kind")
    }
    assert all(one["fix"] for one in answer.json()["rejected"])
    refused(send(client, "/1/events", {"events": bad}), 400, "No event can be used")
    refused(send(client, "/1/events", {"event": []}), 400, "events")


def test_an_event_that_arrives_twice_counts_once(client: TestClient) -> None:
    told = {"events": [event(timestamp=int(time.time() * 1000) - 5, objectIDs=["twice"])]}
    assert [send(client, "/1/events", told).json()["new"] for _ in range(2)] == [1, 0]


def test_an_order_names_the_answer_of_each_of_its_products(client: TestClient, shop: Shop) -> None:
    before = shop.store.events.last()
    lines = [{"price": 3.5, "quantity": 2, "queryID": "q1"}, {"price": 8.5}]
    order = event(eventType="conversion", eventSubtype="purchase", objectIDs=["a", "b"], objectData=lines, value=15.5)
    assert send(client, "/1/events", {"events": [order]}).json()["new"] == 2
    block = shop.store.events.read(before)
    assert block.values_minor.tolist() == [700, 850]
    assert list(shop.store.events.shown(before).values()) == [("q1", None)]


# -- who may ask -------------------------------------------------------------------------------------------------------


@pytest.fixture
def keyed(tmp_path: Path) -> Iterator[tuple[TestClient, Keys]]:
    (tmp_path / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(tmp_path) as opened:
        opened.put(goods())
        keys = Keys(tmp_path)
        keys.new(["admin"])
        app = make_app({"default": opened}, ring=KeyRing(tmp_path))
        with TestClient(app, raise_server_exceptions=False) as client:
            yield client, keys


QUERIES = "/1/indexes/*/queries"
MILK = {"requests": [{"indexName": "default", "query": "milk"}]}


def test_a_key_is_taken_from_a_header_and_from_the_address(keyed: tuple[TestClient, Keys]) -> None:
    client, keys = keyed
    key, _ = keys.new(["search"])
    time.sleep(0.3)  # the server looks at its keys again
    refused(send(client, QUERIES, MILK), 401, "key is needed")
    refused(send(client, f"{QUERIES}?x-algolia-api-key=wrong", MILK), 401, "not known")
    for way in ({"url": f"{QUERIES}?x-algolia-api-key={key}&x-algolia-application-id=wares"},
                {"url": f"{QUERIES}?X-Algolia-API-Key={key}"},
                {"url": QUERIES, "headers": {"x-algolia-api-key": key, "x-algolia-application-id": "wares"}},
                {"url": QUERIES, "headers": {"authorization": f"Bearer {key}"}}):  # fmt: skip
        assert client.post(content=json.dumps(MILK), **way).status_code == 200, way
    refused(send(client, f"/1/events?x-algolia-api-key={key}", {"events": [event()]}), 403, "scope events")


def test_a_page_of_another_origin_needs_a_key_that_is_for_it(keyed: tuple[TestClient, Keys]) -> None:
    client, keys = keyed
    key, _ = keys.new(["search"], origins=["https://shop.example"])
    time.sleep(0.3)
    asked = {"content": json.dumps(MILK), "url": f"{QUERIES}?x-algolia-api-key={key}"}
    answer = client.post(**asked, headers={"origin": "https://shop.example", "content-type": "text/plain"})  # type: ignore[arg-type]
    assert (answer.status_code, answer.headers["access-control-allow-origin"]) == (200, "https://shop.example")
    other = client.post(**asked, headers={"origin": "https://other.example"})  # type: ignore[arg-type]
    refused(other, 403, "origin")
    assert "access-control-allow-origin" not in other.headers


def test_a_token_asks_and_tells_as_its_shopper_alone(keyed: tuple[TestClient, Keys]) -> None:
    client, keys = keyed
    _, key = keys.new(["search", "events"])
    token = make_token(key, Claims(shopper="anna", expires=int(time.time()) + 600))
    time.sleep(0.3)
    way = f"?x-algolia-api-key={token}"
    assert send(client, QUERIES + way, MILK).status_code == 200
    other = {"requests": [{"indexName": "default", "userToken": "ben"}]}
    refused(send(client, QUERIES + way, other), 403, "one shopper")
    refused(send(client, "/1/events" + way, {"events": [event(userToken="ben")]}), 403, "one shopper")
    known = event(userToken="anna", authenticatedUserToken="ben")
    refused(send(client, "/1/events" + way, {"events": [known]}), 403, "one shopper")
    own = event()
    del own["userToken"]
    assert send(client, "/1/events" + way, {"events": [own]}).json()["new"] == 1


def test_a_key_for_one_market_asks_in_it_by_every_name(keyed: tuple[TestClient, Keys]) -> None:
    client, keys = keyed
    key, _ = keys.new(["search"], markets=["uk"])
    time.sleep(0.3)
    answer = send(client, f"{QUERIES}?x-algolia-api-key={key}", MILK)
    assert {hit["currency"] for hit in answer.json()["results"][0]["hits"]} <= {"GBP"}
    assert Caller(markets=("uk",)).in_market("") == "uk"


def test_the_tag_is_small_and_needs_no_key(keyed: tuple[TestClient, Keys]) -> None:
    client, _ = keyed
    tag = client.get("/wares.js")
    assert tag.status_code == 200
    assert tag.headers["content-type"].startswith("text/javascript")
    assert 1000 < len(tag.content) < 5000


def test_events_that_a_page_sends_as_plain_text_are_read(keyed: tuple[TestClient, Keys]) -> None:
    client, keys = keyed
    key, _ = keys.new(["events"], origins=["https://shop.example"])
    time.sleep(0.3)
    told = {"content": json.dumps({"events": [{"kind": "view", "product_id": "a", "shopper_id": "s"}]})}
    headers = {"origin": "https://shop.example", "content-type": "text/plain;charset=UTF-8"}
    assert client.post(f"/v1/events?key={key}", **told, headers=headers).json()["new"] == 1  # type: ignore[arg-type]
    assert client.post("/v1/events", **told, headers=headers).status_code == 401  # type: ignore[arg-type]


# -- marks, alone ------------------------------------------------------------------------------------------------------

texts = st.text(alphabet="ab &<>\"'é牛奶mark/.", max_size=40)


@settings(max_examples=200)
@given(texts, st.lists(st.sampled_from(["a", "b", "ab", "牛奶", "mark"]), max_size=3))
def test_a_mark_changes_no_letter_of_the_text(text: str, words: list[str]) -> None:
    marked = Marked.of(text, highlight(text, words))
    assert marked.written(Tags("", "")) == text
    assert marked.written(Tags("\0", "\1")).count("\0") == len(marked.spans)
    assert all(0 <= low < high <= len(text) for low, high in marked.spans)


@settings(max_examples=200)
@given(st.lists(st.sampled_from(["red", "shoe", "blue", "oat"]), min_size=1, max_size=60), st.integers(1, 20))
def test_a_snippet_is_a_part_of_the_text_and_holds_its_first_match(words: list[str], most: int) -> None:
    text = " ".join(words)
    snippet = Marked.of(text, highlight(text, ["oat"])).snippet(most, ["oat"], Tags("", ""), "…")
    inner = snippet["value"].strip("…")
    assert inner in text and len(inner.split()) == min(most, len(words))
    assert snippet["matchLevel"] == ("full" if "oat" in words else "none")
    assert ("oat" in words) == ("oat" in inner.split())


def test_a_facet_value_is_found_by_the_beginning_of_any_of_its_words() -> None:
    for typed, found in (("far", True), ("n f", True), ("orth", False), ("", True), ("farm n", True)):
        assert (matching_value("North Farm", words_of(typed)) is not None) is found, typed
    assert matching_value("全麦面包", words_of("面包")) is not None


def test_a_level_of_the_category_goes_by_any_name() -> None:
    for name in ("hierarchicalCategories.lvl1", "categories.lvl1", "category_lvl1"):
        assert (attribute_of(name).field, attribute_of(name).level) == ("category", 1), name
    assert attribute_of("categories").level is None


def test_every_parameter_of_theirs_stands_in_the_reference_as_followed_or_ignored() -> None:
    text = REFERENCE.read_text(encoding="utf-8")
    followed, ignored = text.partition("## Ignored")[::2]
    assert set(Parameters.model_fields) <= set(re.findall(r"`([^`]+)`", followed))
    assert set(re.findall(r"`(\w+)`", ignored.partition("\n## ")[0])) >= IGNORED

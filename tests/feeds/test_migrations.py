"""Exports of other engines: filters that mean the same, records laid flat, and nothing lost however odd the file."""

import json
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from wares.errors import WaresError
from wares.feeds.migrations.algolia_settings import boosts_of
from wares.feeds.migrations.exports import ENGINES, read_sample, sort_file
from wares.feeds.migrations.filters import algolia_choice, algolia_lists, algolia_where, typesense_where
from wares.feeds.migrations.found import Found, Ledger, Names, Part, Untold
from wares.feeds.migrations.records import flat_row
from wares.feeds.products import read_products
from wares.feeds.report import Tally

NAMES = Names({"merk": "brand", "categories": "category", "amount": "price"}, paths={"Milk": "Food > Milk", "Two": ""})


# -- filters -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("merk:Acme", {"brand": {"any": ["Acme"]}}),
        ('merk:"Acme & Co" AND NOT colour:red', {"brand": {"any": ["Acme & Co"]}, "colour": {"not": ["red"]}}),
        ("(merk:A OR merk:B) AND amount < 20", {"brand": {"any": ["A", "B"]}, "price": {"high": 1999}}),
        ("amount:10 TO 20.5", {"price": {"low": 1000, "high": 2050}}),
        ("amount >= 10 AND amount <= 20 AND amount > 12", {"price": {"low": 1201, "high": 2000}}),
        ("amount = 5", {"price": {"low": 500, "high": 500}}),
        ("NOT a:1 AND NOT a:2", {"a": {"not": ["1", "2"]}}),
        ("categories:Milk", {"category": {"any": ["Food > Milk"]}}),
        ("categories.lvl1:'Food > Milk'", {"category": {"any": ["Food > Milk"]}}),
        ("featured", {"_tags": {"any": ["featured"]}}),
    ],
)
def test_a_filter_of_algolia_chooses_the_same_products(text: str, where: dict[str, Any]) -> None:
    assert algolia_where(text, NAMES) == (where, ())


@pytest.mark.parametrize(
    ("text", "where"),
    [
        ("merk:=Acme", {"brand": {"any": ["Acme"]}}),
        ("merk:=[Acme, `A, B`] && size:!=S", {"brand": {"any": ["Acme", "A, B"]}, "size": {"not": ["S"]}}),
        ("amount:<20 && amount:>=10", {"price": {"high": 1999, "low": 1000}}),
        ("amount:[10..20]", {"price": {"low": 1000, "high": 2000}}),
        ("merk:A || merk:B", {"brand": {"any": ["A", "B"]}}),
        ("(merk:`A (1)`) && colour:![red,blue]", {"brand": {"any": ["A (1)"]}, "colour": {"not": ["red", "blue"]}}),
    ],
)  # fmt: skip
def test_a_filter_of_typesense_chooses_the_same_products(text: str, where: dict[str, Any]) -> None:
    assert typesense_where(text, NAMES) == (where, ())


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("merk:A OR colour:red", "OR between different attributes"),
        ("merk:A AND merk:B", "two wanted values"),
        ("rating > 4", "ranges of the price only"),
        ("title:x", "no rule can choose products by title"),
        ("categories:Two", "several categories"),
        ("amount:many", "a price that is not understood"),
        ("amount > 5 AND amount < 3", "no number is in this range"),
        ("merk:{facet}", "taken from the query"),
        ("(merk:A", "not understood"),
        ("merk:A AND", "not understood"),
        ("NOT (a:1 AND b:2)", "not understood"),
        ("(" * 50 + "a:1" + ")" * 50, "nested too deep"),
        ("", "not understood"),
        ("stock > 0", "what can be bought"),
    ],
)
def test_a_filter_that_wares_cannot_say_says_why(text: str, why: str) -> None:
    with pytest.raises(Untold, match=why.replace("(", r"\(")):
        algolia_where(text, NAMES)


def test_what_is_in_stock_is_left_to_wares() -> None:
    where, lost = algolia_where("merk:A AND stock > 0", NAMES)
    assert where == {"brand": {"any": ["A"]}} and "in stock" in lost[0]


def test_lists_of_filters_all_hold_and_inner_ones_are_a_choice() -> None:
    where, _ = algolia_lists([["merk:A", "merk:B"], "colour:-red", "amount < 3"], NAMES)
    assert where == {"brand": {"any": ["A", "B"]}, "colour": {"not": ["red"]}, "price": {"high": 299}}
    assert algolia_lists(["new", "-old"], NAMES, tags=True)[0] == {"_tags": {"any": ["new"], "not": ["old"]}}
    assert algolia_choice("merk:A<score=2>", NAMES) == ({"brand": {"any": ["A"]}}, False)
    assert algolia_choice("merk:-A", NAMES) == ({"brand": {"any": ["A"]}}, True)


def test_a_price_counts_the_smallest_unit_of_the_currency() -> None:
    assert algolia_where("price < 20", Names(scale=1))[0] == {"price": {"high": 19}}
    assert algolia_where("price < 20", Names(scale=1000))[0] == {"price": {"high": 19999}}


@given(st.text(alphabet="ab:=<>!()[]&|\"`'{}, .ANDORTN0123456789", max_size=60))
def test_any_text_is_a_filter_or_says_why_it_is_none(text: str) -> None:
    for read in (algolia_where, typesense_where):
        try:
            where, _ = read(text, Names())
            assert where and all(where.values())
        except Untold as why:
            assert str(why)


# -- records -----------------------------------------------------------------------------------------------------------


def flat(record: dict[str, Any], own_id: object = None) -> dict[str, Any]:
    return flat_row(record, own_id, Tally("records"))


def test_nested_values_become_columns_and_levels_a_path() -> None:
    row = flat(
        {
            "brand": {"name": "A", "country": {"code": "DE"}},
            "hierarchicalCategories": {"lvl0": "F", "lvl1": ["F > M", "G > N"]},
        }
    )
    assert row == {"category": "F > M", "brand.name": "A", "brand.country.code": "DE"}


def test_the_engines_id_counts_and_the_records_own_one_stays() -> None:
    assert flat({"id": 7, "t": 1}, "x-7") == {"id": "x-7", "record_id": 7, "t": 1}
    assert flat({"id": "a"}, "a") == {"id": "a"}


def test_of_several_prices_the_lowest_counts() -> None:
    tally = Tally("records")
    row = flat_row({"variants": [{"size": "S", "price": 12}, {"size": "M", "price": "9.50"}, "odd"]}, "1", tally)
    assert row == {"id": "1", "variants.size": ["S", "M"], "variants.price": 9.5}
    assert tally.report().remarks[0].rule == "several prices: the lowest counts"


def test_a_list_of_paths_is_the_deepest_one() -> None:
    assert flat({"categories": ["Food", "Food > Milk"]})["categories"] == "Food > Milk"
    assert flat({"categories": ["Food", "Milk"]})["categories"] == ["Food", "Milk"]


def test_vectors_and_bottomless_records_are_left_out() -> None:
    assert flat({"v": [0.5] * 384, "t": "x"}) == {"t": "x"}
    deep: dict[str, Any] = {"t": "x"}
    for _ in range(200):
        deep = {"n": deep}
    assert flat(deep) == {}


def test_words_weigh_by_the_order_of_the_attributes() -> None:
    order = [["categories"], ["title", "merk"], ["colour", "size"]]
    names = Names({"merk": "brand", "categories": "category", "title": "title"})
    boosts = boosts_of(order, names)
    assert boosts == {"title": 1.5, "brand": 1.5, "category": 3.0, "attributes": 1.0, "description": 0.0}


# -- whatever a file holds ---------------------------------------------------------------------------------------------

_LEAF = st.none() | st.booleans() | st.integers(-3, 10**14) | st.floats(-9, 9) | st.sampled_from(
    ["", "a", "a => b", "a, b", "exact", "is", "contains", "a:x", "{x}", "*", "synonym", "pinned", "\ud800", "\x00"]
)  # fmt: skip
_NAMES = [
    *("objectID", "type", "synonyms", "input", "word", "corrections", "condition", "conditions", "consequence"),
    *("pattern", "anchoring", "promote", "hide", "position", "params", "query", "edits", "filters", "validity"),
    *("facetFilters", "optionalFilters", "userData", "banner", "redirect", "from", "until", "settings", "rules"),
    *("searchableAttributes", "attributesForFaceting", "typoTolerance", "queryLanguages", "attributeForDistinct"),
    *("_id", "_source", "hits", "index", "delete", "doc", "update", "mappings", "properties", "analysis", "filter"),
    *("synonyms_set", "ruleset_id", "rule_id", "criteria", "actions", "ids", "docs", "metadata", "values", "id"),
    *("rule", "match", "includes", "excludes", "filter_by", "fields", "name", "facet", "locale", "items", "root"),
    *("overrides", "stopwords", "document", "effective_from_ts", "effective_to_ts", "replace_query", "lvl0", "price"),
]
_JSON = st.recursive(
    _LEAF,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(_NAMES), inner, max_size=5),
    max_leaves=25,
)
_DOCUMENTS = st.lists(st.dictionaries(st.sampled_from(_NAMES), _JSON, min_size=1, max_size=6) | _JSON, max_size=5)


def settled(engine_name: str, path: Path) -> Ledger:
    """Reads a file as a migration does, without a shop."""
    engine, ledger = ENGINES[engine_name], Ledger()
    one = sort_file(path, engine, ledger)
    sample = read_sample([path] if one.has_records else [], engine, {}, engine.columns(one.parts))
    found = Found(ledger)
    for part in one.parts:
        engine.settle(part, found, sample.names)
    engine.finish(one.parts, found, sample.names)
    if one.has_records:
        goods = read_products(path, now_ms=0, dialect="free", columns=sample.chosen, unfold=engine.records)
        products = list(goods)
        report = goods.report
        assert report.read == report.kept + report.rejected and len(products) <= report.kept
        ledger.see("records", report.read)
        ledger.settle("records", "mapped", count=report.kept)
        ledger.settle("records", "not mapped", count=report.rejected)
    ledger.settle("synonyms", "mapped", count=len(found.synonyms))
    ledger.settle("rules", "mapped", count=len(found.rules))
    return ledger


def check_counts(ledger: Ledger) -> None:
    for kind, counts in ledger.to_dict().items():
        assert counts["read"] == counts["mapped"] + counts["in part"] + counts["not mapped"], kind
    assert {line.kind for line in ledger.lines if line.count} <= set(ledger.read)


@pytest.mark.parametrize("engine", sorted(ENGINES))
@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(documents=_DOCUMENTS, lines=st.booleans(), cut=st.integers(0, 200))
def test_every_document_however_odd_is_counted_once(engine: str, documents: list[Any], lines: bool, cut: int) -> None:
    text = "\n".join(map(json.dumps, documents)) if lines else json.dumps(documents, indent=0)
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / ("export.jsonl" if lines else "export.json")
        path.write_bytes(text.encode()[: len(text) - cut if cut < 20 else None])
        check_counts(settled(engine, path))


@pytest.mark.parametrize("engine", sorted(ENGINES))
@pytest.mark.parametrize(
    "raw", [b"", b"[]", b"{}", b"null", b"[1, 2]", b"\x00\xff\xfe", b'{"rules": ', b"[[[[[", b"\x1f\x8b broken"]
)
@pytest.mark.parametrize("name", ["rules.json", "synonyms.jsonl", "records.json.gz", "x.csv"])
def test_files_that_are_nothing_are_told(tmp_path: Path, engine: str, raw: bytes, name: str) -> None:
    path = tmp_path / name
    path.write_bytes(raw)
    try:
        check_counts(settled(engine, path))
    except WaresError as error:
        assert str(path) in str(error)


def odd_rules(engine: str, value: Any) -> Ledger:
    found = Found(Ledger())
    found.ledger.see("rules")
    ENGINES[engine].settle(Part("rules", "r", value), found, Names())
    found.ledger.settle("rules", "mapped", count=len(found.rules))
    return found.ledger


_RULES: dict[str, Callable[[Any, Any], dict[str, Any]]] = {
    "algolia": lambda a, b: {"objectID": "r", "conditions": a, "consequence": b, "validity": b, "enabled": a},
    "elasticsearch": lambda a, b: {"rule_id": "r", "type": "pinned", "criteria": a, "actions": b},
    "typesense": lambda a, b: {"rule": a if isinstance(a, dict) else {"query": a}, "includes": b, "metadata": a},
}


@pytest.mark.parametrize("engine", sorted(ENGINES))
@settings(max_examples=150, deadline=None)
@given(some=_JSON, more=_JSON)
def test_every_rule_however_odd_has_one_outcome(engine: str, some: Any, more: Any) -> None:
    check_counts(odd_rules(engine, _RULES[engine](some, more)))

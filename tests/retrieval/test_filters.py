"""Filters and facets against counting by hand."""

from dataclasses import dataclass
from unittest import mock

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Between, Clause, Either, Filter, NoneOf, Single
from wares.domain.product import Product
from wares.errors import InputError, UnknownName
from wares.retrieval.filters import FilterIndex

BRANDS, COLOURS = ("Acme", "Bolt", "Apex"), ("red", "blue", "green")
PATHS: tuple[tuple[str, ...], ...] = ((), ("Food",), ("Food", "Bread"), ("Food", "Milk"), ("Tools",))
FACETS = ("brand", "category", "colour")

products = st.builds(
    Product,
    id=st.just(""),
    title=st.sampled_from(["", "a", "b"]),
    brand=st.sampled_from(("", *BRANDS)),
    category=st.sampled_from(PATHS),
    price_minor=st.one_of(st.none(), st.integers(0, 5)),
    group_id=st.sampled_from(["", "", "g", "h"]),
    attributes=st.lists(st.sampled_from(COLOURS), max_size=3).map(
        lambda colours: {"colour": tuple(dict.fromkeys(colours))} if colours else {}
    ),
)


def choices(field: str, values: tuple[str, ...]) -> st.SearchStrategy[Single]:
    some = st.lists(st.sampled_from((*values, "no such value")), min_size=1, max_size=2).map(tuple)
    return st.one_of(
        some.map(lambda chosen: AnyOf(field, chosen)),
        some.map(lambda chosen: AnyOf(field, chosen, fixed=True)),
        some.map(lambda chosen: NoneOf(field, chosen)),
    )


ranges = st.tuples(st.one_of(st.none(), st.integers(0, 3)), st.one_of(st.none(), st.integers(3, 5))).map(
    lambda sides: Between("price", *sides)
)
single = st.one_of(
    choices("brand", BRANDS), choices("colour", COLOURS), choices("category", ("Food", "Food > Bread", "Tools")), ranges
)
clauses = st.one_of(single, single, st.lists(single, min_size=1, max_size=3).map(lambda some: Either(tuple(some))))
filters = st.builds(Filter, st.lists(clauses, max_size=3).map(tuple), st.booleans())


@dataclass
class Sold:
    """A catalogue of random products, some of which left, and the words matched a random part of it."""

    products: list[Product]
    columns: Columns
    matched: list[bool]

    def total(self, wanted: Filter) -> int:
        rows = range(len(self.products))
        alive = self.columns.alive.tolist()
        return len({
            int(self.columns.groups[row])
            for row in rows
            if alive[row] and self.matched[row] and all(meets(self.products[row], c) for c in wanted.clauses)
        })  # fmt: skip


@st.composite
def shops(draw: st.DrawFn) -> Sold:
    """Every colour exists, so that no facet is unknown."""
    rows = [*draw(st.lists(products, max_size=14)), Product("", "c", brand="Acme", attributes={"colour": COLOURS})]
    named = [
        Product(f"p{i}", row.title, brand=row.brand, category=row.category, price_minor=row.price_minor,
                group_id=row.group_id, attributes=row.attributes)
        for i, row in enumerate(rows)
    ]  # fmt: skip
    split = draw(st.integers(0, len(named)))
    columns = Columns.of(named[:split], range(split)).with_products(named[split:], range(split, len(named)))
    columns = columns.without(draw(st.lists(st.sampled_from([p.id for p in named]), max_size=3)))
    return Sold(named, columns, draw(st.lists(st.booleans(), min_size=len(named), max_size=len(named))))


def values_of(product: Product, field: str) -> tuple[str, ...]:
    if field == "category":
        return tuple(" > ".join(product.category[: i + 1]) for i in range(len(product.category)))
    return tuple(filter(None, (product.brand,))) if field == "brand" else product.attributes.get(field, ())


def meets(product: Product, clause: Clause) -> bool:
    if isinstance(clause, Either):
        return any(meets(product, one) for one in clause.clauses)
    if isinstance(clause, Between):
        price = product.price_minor
        low, high = clause.low, clause.high
        return price is not None and (low is None or price >= low) and (high is None or price <= high)
    has = any(value in clause.values for value in values_of(product, clause.field))
    return has if isinstance(clause, AnyOf) else not has


@settings(max_examples=150)
@given(shops(), filters)
def test_a_filter_lets_through_what_counting_by_hand_lets_through(shop: Sold, wanted: Filter) -> None:
    index = FilterIndex(shop.columns)
    alive = shop.columns.alive.tolist()
    by_hand = [alive[i] and all(meets(p, c) for c in wanted.clauses) for i, p in enumerate(shop.products)]
    assert index.passing(wanted).tolist() == by_hand
    assert index.total(index.passing(wanted) & np.array(shop.matched)) == shop.total(wanted)


@settings(max_examples=150)
@given(shops(), filters)
def test_a_facet_value_counts_what_choosing_it_would_find(shop: Sold, wanted: Filter) -> None:
    index = FilterIndex(shop.columns)
    for facet in index.facets(FACETS, np.array(shop.matched), wanted):
        for value in facet.values:
            others = wanted.without_choices_of(facet.field)
            assert value.count == shop.total(others.and_also(AnyOf(facet.field, (value.value,)))), (facet.field, value)
            assert value.chosen == (value.value in wanted.choices_of(facet.field))


@given(shops(), filters)
def test_rows_with_very_many_labels_are_counted_alike(shop: Sold, wanted: Filter) -> None:
    matched = np.array(shop.matched)
    usual = FilterIndex(shop.columns).facets(FACETS, matched, wanted)
    with mock.patch("wares.retrieval.filters._SIDE_BY_SIDE", 0):
        assert FilterIndex(shop.columns).facets(FACETS, matched, wanted) == usual


@settings(max_examples=100)
@given(shops(), filters)
def test_no_value_with_a_hit_is_missing_from_its_facet(shop: Sold, wanted: Filter) -> None:
    found = {facet.field: facet for facet in FilterIndex(shop.columns).facets(FACETS, np.array(shop.matched), wanted)}
    for field in FACETS:
        listed = [value.value for value in found[field].values]
        assert len(set(listed)) == len(listed)
        others = wanted.without_choices_of(field)
        for value in {v for p in shop.products for v in values_of(p, field)} - set(listed):
            assert shop.total(others.and_also(AnyOf(field, (value,)))) == 0
        assert set(wanted.choices_of(field)) <= set(listed)
        counts = [value.count for value in found[field].values if value.count]
        assert counts == sorted(counts, reverse=True)


@given(shops(), st.lists(st.integers(0, 14), unique=True))
def test_the_rows_of_groups_are_found_without_looking_at_all(shop: Sold, asked: list[int]) -> None:
    groups = shop.columns.groups
    wanted = np.array([group for group in asked if group < shop.columns.n_groups], np.int32)
    index = FilterIndex(shop.columns)
    for _ in range(2):
        by_hand = [row for group in wanted.tolist() for row in np.flatnonzero(groups == group).tolist()]
        assert index.rows_of(wanted).tolist() == by_hand


@given(shops(), filters)
def test_the_ends_of_a_price_facet_leave_the_price_filter_out(shop: Sold, wanted: Filter) -> None:
    (facet,) = FilterIndex(shop.columns).facets(("price",), np.array(shop.matched), wanted)
    others = [
        clause for clause in wanted.clauses
        if wanted.narrows_facets or not (isinstance(clause, Between) and clause.field == "price")
    ]  # fmt: skip
    alive = shop.columns.alive.tolist()
    prices = [
        p.price_minor for i, p in enumerate(shop.products)
        if alive[i] and shop.matched[i] and p.price_minor is not None and all(meets(p, c) for c in others)
    ]  # fmt: skip
    assert (facet.low, facet.high) == ((min(prices), max(prices)) if prices else (None, None))


@given(shops(), filters)
def test_facets_kept_from_before_a_price_change_are_still_right(shop: Sold, wanted: Filter) -> None:
    before = FilterIndex(shop.columns)
    before.facets(FACETS, np.array(shop.matched), wanted)
    gone = list(shop.columns.row_of)[:2]
    columns = shop.columns.without(gone)
    kept = before.moved_to(columns).facets(FACETS, np.array(shop.matched), wanted)
    assert kept == FilterIndex(columns).facets(FACETS, np.array(shop.matched), wanted)


def small() -> FilterIndex:
    rows = [Product(f"p{i}", f"t{i}", brand=f"b{i:03d}", price_minor=100 * i) for i in range(150)]
    return FilterIndex(Columns.of(rows, range(150)))


def test_a_facet_lists_the_most_frequent_values_and_whatever_is_chosen() -> None:
    index = small()
    everything = np.ones(150, np.bool_)
    (facet,) = index.facets(("brand",), everything, Filter((AnyOf("brand", ("b149",)),)))
    assert len(facet.values) == 101
    assert facet.values[-1].value == "b149"
    assert facet.values[-1].chosen


def test_an_unknown_field_is_named_with_the_known_ones() -> None:
    index, everything = small(), np.ones(150, np.bool_)
    with pytest.raises(UnknownName, match=r"no filter 'brnd'. Did you mean 'brand'.*price"):
        index.passing(Filter((AnyOf("brnd", ("x",)),)))
    with pytest.raises(UnknownName, match="no facet 'colour'"):
        index.facets(("colour",), everything, Filter())
    with pytest.raises(UnknownName, match="no number to filter by 'brand'"):
        index.passing(Filter((Between("brand", 1, 2),)))
    with pytest.raises(InputError, match="at least 5 and at most 1"):
        index.passing(Filter((Between("price", 5, 1),)))


def test_the_field_id_means_the_product_itself() -> None:
    index = small()
    assert np.flatnonzero(index.passing(Filter((AnyOf("id", ("p3", "p7", "nobody")),)))).tolist() == [3, 7]
    assert index.passing(Filter((NoneOf("id", ("p3",)),))).sum() == 149


def test_an_empty_catalogue_has_empty_facets() -> None:
    index = FilterIndex(Columns.of([], []))
    facets = index.facets(("brand", "category", "price"), np.empty(0, np.bool_), Filter())
    assert [facet.values for facet in facets] == [(), (), ()]
    assert index.total(np.empty(0, np.bool_)) == 0

"""The textbooks' flat table: one row per purchase becomes products, shoppers and events."""

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.errors import InputError, UnknownName
from wares.feeds.dialects.flat_table import FlatTable
from wares.feeds.missing import Way, ways_of

NOW_MS = 1_780_000_000_000
DAY_MS = 86_400_000
HEADER = "user_id,age,gender,income,item_id,category,brand,price\n"


def table(tmp_path: Path, text: str, **options: Any) -> FlatTable:
    path = tmp_path / "flat.csv"
    path.write_text(HEADER + text, encoding="utf-8")
    return FlatTable(path, now_ms=NOW_MS, currency="EUR", **options)


def row(user: str | None = "u1", item: str | None = "tea", **others: Any) -> dict[str, Any]:
    return {"user_id": user, "item_id": item, **others}


def flat(*rows: dict[str, Any], ways: dict[str, str] | None = None) -> FlatTable:
    return FlatTable(rows, now_ms=NOW_MS, currency="EUR", ways=ways_of(ways or {}))


def test_a_row_becomes_a_product_a_shopper_and_a_purchase(tmp_path: Path) -> None:
    read = table(tmp_path, 'u1,34,female,25-49K,tea,Drinks > Tea,Leaf & Co,"6,50"\n')
    (shopper,), (product,), (event,) = read.shoppers(), read.products(), read.events()
    assert (shopper.id, dict(shopper.attributes)) == ("u1", {"age": "34", "gender": "female", "income": "25-49K"})
    assert (product.id, product.category, product.brand) == ("tea", ("Drinks", "Tea"), "Leaf & Co")
    assert (product.price_minor, product.currency, product.attributes) == (650, "EUR", {})
    assert (event.kind, event.shopper_id, event.product_id, event.value_minor) == ("purchase", "u1", "tea", 650)
    assert (read.report.read, read.report.kept) == (1, 1)


def test_products_without_titles_are_no_variants_of_one_another() -> None:
    alike = flat(row(item="a", brand="Alba"), row(item="b", brand="Alba"))
    assert [product.group_id for product in alike.products()] == ["a", "b"]
    (titled,) = flat(row(title="Green tea")).products()
    assert (titled.title, titled.group_id) == ("Green tea", "")


def test_a_row_without_a_user_or_an_item_is_rejected_with_its_line_and_the_reason(tmp_path: Path) -> None:
    rejects = tmp_path / "rejects.jsonl"
    read = table(tmp_path, "u1,,,,tea,,,\n,,,,tea,,,\nu2,,,,,,,\nu3,,,,NA,,,\n", rejects=rejects)
    report = read.report
    assert (report.read, report.kept) == (4, 1)
    assert report.rejected_by_reason == {"no product": 2, "no shopper": 1}
    assert [(e.line, e.field) for finding in report.rejections for e in finding.examples] == [
        (4, "item_id"),
        (5, "item_id"),
        (3, "user_id"),
    ]
    assert len(rejects.read_text(encoding="utf-8").splitlines()) == 3


def test_different_facts_of_one_shopper_or_product_are_reported_and_the_last_counts(tmp_path: Path) -> None:
    read = table(tmp_path, "u1,34,,,tea,,Leaf,2.00\nu1,35,,,tea,,Leaf,2.50\nu1,,,,tea,,Twig,\n")
    report = read.report
    assert report.repaired == {
        "shopper's age differs: the last counts": 1,
        "product's brand differs: the last counts": 1,
        "product's price differs: the last counts": 1,
    }
    example = next(finding for finding in report.repairs if "age" in finding.rule).examples[0]
    assert (example.line, example.field, example.value) == (3, "age", "35")
    assert "'u1' had '34' before" in example.fix
    assert [dict(shopper.attributes) for shopper in read.shoppers()] == [{"age": "35"}]
    assert [(product.brand, product.price_minor) for product in read.products()] == [("Twig", 250)]
    assert [event.value_minor for event in read.events()] == [200, 250, None]


def test_a_fact_that_one_row_lacks_is_taken_from_another() -> None:
    read = flat(row(age=None, price=3), row(age="51", price="?"))
    assert [dict(shopper.attributes) for shopper in read.shoppers()] == [{"age": "51"}]
    assert [product.price_minor for product in read.products()] == [300]
    assert not read.report.repairs


def test_a_price_that_is_none_is_unknown_and_reported() -> None:
    read = flat(row(price="2.00"), row(price="free"), row(price=-1))
    assert [product.price_minor for product in read.products()] == [200]
    assert [event.value_minor for event in read.events()] == [200, None, None]
    assert read.report.repaired == {"price is no amount: unknown": 2}


def shoppers_of_two_kinds(n: int = 40) -> list[dict[str, Any]]:
    """The young drink coffee, the old tea; the last of each kind keep their age to themselves."""
    rows = []
    for i in range(n):
        young = i % 2 == 0
        things = ("espresso", "Coffee") if young else ("green-tea", "Tea")
        age = "" if i >= n - 2 else str(20 + i % 5) if young else str(70 + i % 5)
        rows += [row(f"u{i}", things[0], category=things[1], age=age, gender="")] * 2
    return rows


def test_a_missing_age_is_filled_from_those_who_buy_alike_and_marked() -> None:
    people = {shopper.id: shopper.attributes for shopper in flat(*shoppers_of_two_kinds()).shoppers()}
    young, old = people["u38"], people["u39"]
    assert int(young["age"]) < 30
    assert int(old["age"]) >= 70
    assert young["age_filled"] == old["age_filled"] == "nearest"
    assert "age_filled" not in people["u0"]


def test_an_empty_column_stays_empty_and_the_report_says_so() -> None:
    read = flat(*shoppers_of_two_kinds())
    assert all("gender" not in shopper.attributes for shopper in read.shoppers())
    assert read.report.missing == {"age": 2, "gender": 40}
    assert "The column 'gender' is empty: there is nothing to fill it from." in read.report.notes
    assert "age: 2 of 40 shoppers filled by nearest." in read.report.notes


def test_each_column_is_filled_as_asked() -> None:
    rows = [row("a", "x", age="20", price=1), row("b", "y", age="40", price=3), row("c", "z", age="", price="")]
    (*_, last) = flat(*rows, ways={"age": "mean", "price": "constant:9"}).products()
    assert (last.price_minor, last.attributes) == (900, {"price_filled": ("constant",)})
    (*_, person) = flat(*rows, ways={"age": "mean"}).shoppers()
    assert person.attributes == {"age": "30", "age_filled": "mean"}
    assert [s.id for s in flat(*rows, ways={"age": "leave"}).shoppers()] == ["a", "b"]


def test_a_products_price_is_never_guessed_unless_asked_for() -> None:
    (*_, last) = flat(row(item="x", price=1), row(item="y", price="")).products()
    assert (last.price_minor, last.attributes) == (None, {})


def test_drop_rejects_the_rows_of_whoever_lacks_it() -> None:
    read = flat(row("a", "x", age="20"), row("b", "y", age=""), row("b", "x", age=None), ways={"age": "drop"})
    assert read.report.rejected_by_reason == {"shopper without age": 2}
    assert (read.report.read, read.report.kept) == (3, 1)
    assert [shopper.id for shopper in read.shoppers()] == ["a"]
    assert [product.id for product in read.products()] == ["x"]
    assert [event.shopper_id for event in read.events()] == ["a"]


def test_without_times_the_order_of_the_file_counts() -> None:
    times = [event.time_ms for event in flat(row(item="a"), row(item="b"), row(item="c")).events()]
    assert times == sorted(set(times))
    assert {time_ms // DAY_MS for time_ms in times} == {NOW_MS // DAY_MS - 1}


def test_a_table_that_has_grown_keeps_the_events_it_had() -> None:
    rows = [row(item="a"), row(item="a"), row(item="b")]
    first, second = list(flat(*rows).events()), list(flat(*rows, row(item="a")).events())
    assert second[:3] == first
    assert len({event.id for event in second}) == 4


def test_with_times_the_order_in_time_counts() -> None:
    read = flat(row(item="late", age="41", time="2026-01-02"), row(item="early", age="40", time="2026-01-01T10:00:00Z"))
    assert [event.product_id for event in read.events()] == ["early", "late"]
    assert [event.id for event in read.events()] == ["", ""]
    assert [dict(shopper.attributes) for shopper in read.shoppers()] == [{"age": "41"}]


def test_a_time_that_is_none_is_rejected() -> None:
    read = flat(row(time="2026-01-01"), row(time="soon"), row(time=""), row(time="2999-01-01"), row())
    assert read.report.rejected_by_reason == {
        "no time": 2,
        "unreadable time": 1,
        "before 1990 or in the future": 1,
    }
    assert (read.report.read, read.report.kept) == (5, 1)


def test_a_table_without_ids_is_refused_with_what_it_has(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="needs a column 'user_id'; it has name, item_id"):
        _ = FlatTable([{"name": "a", "item_id": "x"}], now_ms=NOW_MS).report


def test_a_column_that_is_no_part_of_it_is_named() -> None:
    assert "The column 'colour' is no part of a flat table and is not used." in flat(row(colour="red")).report.notes


def test_a_way_for_a_column_that_cannot_be_filled_is_refused() -> None:
    with pytest.raises(UnknownName, match="column to fill"):
        FlatTable([], now_ms=NOW_MS, ways={"user_id": Way.read("mode")})


@given(
    st.lists(
        st.fixed_dictionaries(
            {
                "user_id": st.sampled_from(["u1", "u2", "", None, 3]),
                "age": st.one_of(st.none(), st.text(max_size=5), st.integers(-5, 99)),
                "item_id": st.sampled_from(["a", "b", "", None]),
                "price": st.one_of(st.none(), st.floats(), st.text(max_size=5)),
                "category": st.one_of(st.none(), st.text(max_size=8)),
            }
        ),
        max_size=12,
    )
)
def test_nothing_is_silently_dropped(rows: list[dict[str, Any]]) -> None:
    read = FlatTable(rows, now_ms=NOW_MS)
    assert read.report.read == len(rows)
    assert len(list(read.events())) == read.report.kept
    bought = {event.product_id for event in read.events()}
    assert {product.id for product in read.products()} == bought

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import SHOP, N, assert_honest, ids, intent, slate, slates

from wares.domain.filter import AnyOf, Between, Filter, NoneOf
from wares.domain.intent import Intent
from wares.domain.request import Request
from wares.domain.result import Slate
from wares.domain.rule import NOTHING, Actions, Banner, Rule, Weighting, When, wanted
from wares.policies.rules import Rules


def arranged_by(actions: Actions, before: Slate, chosen: Filter | None = None) -> Slate:
    return Rules().arrange(before, intent(chosen=chosen, actions=actions), SHOP)


def holds(when: When, asked: Intent, attributes: Mapping[str, str] | None = None) -> bool:
    return when.holds(asked.request, asked.words, attributes or {})


def chosen(field: str, *values: str) -> Filter:
    return Filter((AnyOf(field, values),))


def test_a_pin_lands_at_its_position_and_nobody_else_is_touched() -> None:
    before = slate([9, 8, 7, 6], rows=[0, 1, 2, 3])
    arranged = arranged_by(Actions(pins=(("p3", 2),)), before)
    assert ids(arranged) == ["p0", "p3", "p1", "p2"]
    assert [[one.why for one in all_of] for all_of in arranged.adjustments] == [[], ["pin"], [], []]


def test_a_pin_lands_even_among_equal_scores() -> None:
    arranged = arranged_by(Actions(pins=(("p0", 3),)), slate([5, 5, 5, 5]))
    assert ids(arranged) == ["p1", "p2", "p0", "p3"]


def test_a_pinned_product_that_no_source_named_enters_with_score_nothing() -> None:
    arranged = arranged_by(Actions(pins=(("p8", 1),)), slate([9, 8], rows=[0, 1]))
    assert ids(arranged) == ["p8", "p0", "p1"]
    assert arranged.scores[0] == 0
    assert arranged.candidates.by_source.shape == (3, 1)


def test_a_pin_fills_an_empty_slate() -> None:
    assert ids(arranged_by(Actions(pins=(("p8", 3),)), slate([]))) == ["p8"]


def test_pins_that_cannot_be_kept_are_left_out() -> None:
    pins = (("p4", 1), ("gone", 1), ("p2", 1))  # p4 is sold out
    only_bread = chosen("category", "Food > Bread")  # p2 is a tool
    arranged = arranged_by(Actions(pins=pins), slate([9], rows=[0]), only_bread)
    assert ids(arranged) == ["p0"]


def test_a_pinned_variant_replaces_its_twin() -> None:
    arranged = arranged_by(Actions(pins=(("p21", 1),)), slate([9, 8], rows=[20, 0]))
    assert ids(arranged) == ["p21", "p0"]


def test_of_two_pins_for_one_place_the_earlier_rule_wins() -> None:
    rules = [Rule(When(), Actions(pins=((name, 1),))) for name in ("p2", "p1")]
    both = wanted(rules, intent().request, (), {})
    assert ids(arranged_by(both, slate([9, 8, 7]))) == ["p2", "p1", "p0"]


def test_what_is_hidden_and_pinned_is_hidden() -> None:
    actions = Actions(pins=(("p1", 1),), hide=("p1", "p2"))
    assert ids(arranged_by(actions, slate([9, 8, 7]))) == ["p0"]


def test_a_boost_lifts_and_says_so() -> None:
    lift = Weighting(chosen("brand", "Bolt"), 3)
    arranged = arranged_by(Actions(weightings=(lift,)), slate([9, 8, 7]))
    assert ids(arranged) == ["p2", "p0", "p1"]
    assert arranged.adjustments[0][0].why == "boost"


def test_a_bury_sends_the_best_to_the_end() -> None:
    down = Weighting(Filter((AnyOf("id", ("p0",)),)), 0.4)
    arranged = arranged_by(Actions(weightings=(down,)), slate([9, 8, 7]))
    assert ids(arranged) == ["p1", "p2", "p0"]
    assert arranged.adjustments[2][0].why == "bury"


def test_a_filter_keeps_only_what_passes_every_clause() -> None:
    wanted = Filter((NoneOf("colour", ("blue",)), Between("price", 100, 700), AnyOf("category", ("Food",))))
    arranged = arranged_by(Actions(filter=wanted), slate([1.0] * N))
    assert ids(arranged) == ["p1", "p3", "p4", "p6", "p7"]


def test_nothing_has_a_field_that_does_not_exist() -> None:
    assert len(arranged_by(Actions(filter=chosen("size", "XL")), slate([1.0]))) == 0


def test_a_rule_waits_for_its_query_however_it_is_written() -> None:
    when = When(queries=(("red", "gift"), ("present",)))
    assert holds(when, intent("Red GIFTS"))
    assert holds(when, intent("presents"))
    assert not holds(when, intent("red gifts for men"))
    assert not holds(when, intent())


def test_a_rule_may_wait_for_words_in_any_order_beside_others() -> None:
    when = When(containing=(("hair", "dryer"), ("fohn",)))
    assert holds(when, intent("dryers for curly hair"))
    assert holds(when, intent("Föhn"))
    assert not holds(when, intent("hair"))


def test_a_rule_for_a_segment_holds_for_no_stranger() -> None:
    when = When(segment=(("age", ("25-34", "35-44")), ("home", ("own",))))
    assert holds(when, intent(), {"age": "35-44", "home": "own", "income": "high"})
    assert not holds(when, intent(), {"age": "35-44"})
    assert not holds(when, intent(), {"age": "45-54", "home": "own"})
    assert not holds(when, intent())


def test_a_rule_for_a_market_holds_in_no_other() -> None:
    german, own = (intent().request, intent().request)
    german = replace(german, market="de")
    assert When(markets=("de", "at")).holds(german, (), {})
    assert not When(markets=("de", "at")).holds(own, (), {})
    assert When(markets=("",)).holds(own, (), {})


def test_of_two_rules_that_send_elsewhere_the_first_does() -> None:
    rules = [Rule(When(), Actions(redirect=to)) for to in ("/a", "/b")]
    assert wanted(rules, intent().request, (), {}).redirect == "/a"


def test_a_category_that_is_only_ticked_changes_the_order_and_nothing_else() -> None:
    actions = Actions(hide=("p1",), weightings=(Weighting(Filter(), 2),), redirect="/a", banners=(Banner("Hi"),))
    asked = intent(chosen=chosen("category", "Food"))
    found = wanted([Rule(When(category="Food"), actions)], asked.request, (), {})
    assert found == Actions(weightings=actions.weightings, banners=actions.banners)


@pytest.mark.parametrize(
    ("one", "other", "meet"),
    [
        (When(), When(queries=(("tea",),)), True),
        (When(queries=(("tea",), ("chai",))), When(queries=(("chai",),)), True),
        (When(queries=(("tea",),)), When(queries=(("milk",),)), False),
        (When(containing=(("tea",),)), When(queries=(("green", "tea"),)), True),
        (When(containing=(("tea",),)), When(queries=(("milk",),)), False),
        (When(containing=(("tea",),)), When(containing=(("milk",),)), True),
        (When(category="Food"), When(category="Food > Bread"), True),
        (When(category="Food"), When(category="Foodstuff"), False),
        (When(surfaces=("home",)), When(surfaces=("search", "home")), True),
        (When(surfaces=("home",)), When(surfaces=("search",)), False),
        (When(markets=("de",)), When(markets=("ch",)), False),
        (When(segment=(("age", ("1", "2")),)), When(segment=(("age", ("2",)), ("home", ("own",)))), True),
        (When(segment=(("age", ("1",)),)), When(segment=(("age", ("2",)),)), False),
        (When(from_ms=10), When(until_ms=10), False),
        (When(from_ms=9), When(until_ms=10), True),
    ],
)
def test_two_rules_meet_where_one_request_can_be_meant_by_both(one: When, other: When, meet: bool) -> None:
    assert one.meets(other) is other.meets(one) is meet


def test_a_rule_for_a_category_holds_below_it() -> None:
    when = When(category="Food")
    assert holds(when, intent(chosen=chosen("category", "Food > Bread")))
    assert not holds(when, intent(chosen=chosen("category", "Food and more")))
    assert not holds(when, intent())


def test_a_rule_for_a_surface_and_a_season_waits_for_both() -> None:
    when = When(surfaces=("home", "cart"), from_ms=10, until_ms=20)
    assert [holds(when, intent(surface="home", now_ms=now)) for now in (9, 10, 19, 20)] == [False, True, True, False]
    assert not holds(when, intent(surface="search", now_ms=10))


def test_a_rule_that_does_not_hold_changes_nothing() -> None:
    before, asked = slate([9, 8]), intent("bread")
    rules = [Rule(When(queries=(("gift",),)), Actions(hide=("p0",)))]
    assert wanted(rules, asked.request, asked.words, {}) == NOTHING
    assert arranged_by(NOTHING, before) is before


some_words = st.lists(st.sampled_from(["tea", "green", "milk"]), min_size=1, max_size=3).map(tuple)
phrases = st.lists(some_words, max_size=2).map(tuple)
moments = st.one_of(st.none(), st.integers(0, 4))
ages = st.sets(st.sampled_from(["young", "old"]), min_size=1).map(sorted).map(tuple)
whens = st.builds(
    When,
    queries=phrases,
    containing=phrases,
    category=st.sampled_from(["", "Food", "Food > Bread", "Tools"]),
    surfaces=st.sets(st.sampled_from(["home", "search"])).map(sorted).map(tuple),
    segment=st.one_of(st.just(()), ages.map(lambda values: (("age", values),))),
    markets=st.sets(st.sampled_from(["", "de"])).map(sorted).map(tuple),
    from_ms=moments,
    until_ms=moments,
)


@given(
    one=whens, other=whens, words=some_words, age=st.sampled_from(["young", "old"]), now_ms=st.integers(0, 4),
    surface=st.sampled_from(["home", "search"]), market=st.sampled_from(["", "de"]),
    category=st.sampled_from(["Food > Bread", "Tools"]),
)  # fmt: skip
def test_rules_that_never_meet_never_hold_together(
    one: When, other: When, words: tuple[str, ...], age: str, now_ms: int, surface: str, market: str, category: str
) -> None:
    request = Request(surface, now_ms, " ".join(words), filter=chosen("category", category), market=market)
    if all(when.holds(request, words, {"age": age}) for when in (one, other)):
        assert one.meets(other) and other.meets(one)


names = st.integers(0, N + 2).map(lambda i: f"p{i}")
fields = st.sampled_from([("brand", "Acme"), ("category", "Food"), ("colour", "red"), ("id", "p7")])
weightings = st.builds(lambda pair, factor: Weighting(chosen(*pair), factor), fields, st.floats(0, 5))
actions = st.builds(
    Actions,
    pins=st.lists(st.tuples(names, st.integers(1, 30)), max_size=5).map(tuple),
    hide=st.lists(names, max_size=5).map(tuple),
    weightings=st.lists(weightings, max_size=3).map(tuple),
    filter=st.one_of(st.just(Filter()), fields.map(lambda pair: Filter((NoneOf(pair[0], (pair[1],)),)))),
)


@given(before=slates(), wanted=actions)
def test_rules_keep_their_promises(before: Slate, wanted: Actions) -> None:
    arranged = arranged_by(wanted, before)
    assert_honest(before, arranged)
    assert not set(ids(arranged)) & set(wanted.hide)
    assert set(ids(arranged)) <= set(ids(before)) | {name for name, _ in wanted.pins}
    assert {one.why for all_of in arranged.adjustments for one in all_of} <= {"pin", "boost", "bury"}


@given(before=slates(), position=st.integers(1, 30), i=st.sampled_from([i for i in range(N) if i % 5 != 4]))
def test_a_lone_pin_always_lands(before: Slate, position: int, i: int) -> None:
    arranged = arranged_by(Actions(pins=((f"p{i}", position),)), before)
    assert ids(arranged)[min(position, len(arranged)) - 1] == f"p{i}"

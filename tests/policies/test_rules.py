from hypothesis import given
from hypothesis import strategies as st
from policy_shop import SHOP, N, assert_honest, ids, intent, slate, slates

from wares.domain.filter import AnyOf, Between, Filter, NoneOf
from wares.domain.result import Slate
from wares.policies.rules import Actions, Rule, Rules, Weighting, When


def always(actions: Actions) -> Rules:
    return Rules([Rule(When(), actions)])


def chosen(field: str, *values: str) -> Filter:
    return Filter((AnyOf(field, values),))


def test_a_pin_lands_at_its_position_and_nobody_else_is_touched() -> None:
    before = slate([9, 8, 7, 6], rows=[0, 1, 2, 3])
    arranged = always(Actions(pins=(("p3", 2),))).arrange(before, intent(), SHOP)
    assert ids(arranged) == ["p0", "p3", "p1", "p2"]
    assert [[one.why for one in all_of] for all_of in arranged.adjustments] == [[], ["pin"], [], []]


def test_a_pin_lands_even_among_equal_scores() -> None:
    arranged = always(Actions(pins=(("p0", 3),))).arrange(slate([5, 5, 5, 5]), intent(), SHOP)
    assert ids(arranged) == ["p1", "p2", "p0", "p3"]


def test_a_pinned_product_that_no_source_named_enters_with_score_nothing() -> None:
    arranged = always(Actions(pins=(("p8", 1),))).arrange(slate([9, 8], rows=[0, 1]), intent(), SHOP)
    assert ids(arranged) == ["p8", "p0", "p1"]
    assert arranged.scores[0] == 0
    assert arranged.candidates.by_source.shape == (3, 1)


def test_a_pin_fills_an_empty_slate() -> None:
    assert ids(always(Actions(pins=(("p8", 3),))).arrange(slate([]), intent(), SHOP)) == ["p8"]


def test_pins_that_cannot_be_kept_are_left_out() -> None:
    pins = (("p4", 1), ("gone", 1), ("p2", 1))  # p4 is sold out
    only_bread = chosen("category", "Food > Bread")  # p2 is a tool
    arranged = always(Actions(pins=pins)).arrange(slate([9], rows=[0]), intent(chosen=only_bread), SHOP)
    assert ids(arranged) == ["p0"]


def test_a_pinned_variant_replaces_its_twin() -> None:
    arranged = always(Actions(pins=(("p21", 1),))).arrange(slate([9, 8], rows=[20, 0]), intent(), SHOP)
    assert ids(arranged) == ["p21", "p0"]


def test_of_two_pins_for_one_place_the_earlier_rule_wins() -> None:
    rules = Rules([Rule(When(), Actions(pins=((name, 1),))) for name in ("p2", "p1")])
    assert ids(rules.arrange(slate([9, 8, 7]), intent(), SHOP)) == ["p2", "p1", "p0"]


def test_what_is_hidden_and_pinned_is_hidden() -> None:
    actions = Actions(pins=(("p1", 1),), hide=("p1", "p2"))
    assert ids(always(actions).arrange(slate([9, 8, 7]), intent(), SHOP)) == ["p0"]


def test_a_boost_lifts_and_says_so() -> None:
    lift = Weighting(chosen("brand", "Bolt"), 3)
    arranged = always(Actions(weightings=(lift,))).arrange(slate([9, 8, 7]), intent(), SHOP)
    assert ids(arranged) == ["p2", "p0", "p1"]
    assert arranged.adjustments[0][0].why == "boost"


def test_a_bury_sends_the_best_to_the_end() -> None:
    down = Weighting(Filter((AnyOf("id", ("p0",)),)), 0.4)
    arranged = always(Actions(weightings=(down,))).arrange(slate([9, 8, 7]), intent(), SHOP)
    assert ids(arranged) == ["p1", "p2", "p0"]
    assert arranged.adjustments[2][0].why == "bury"


def test_a_filter_keeps_only_what_passes_every_clause() -> None:
    wanted = Filter((NoneOf("colour", ("blue",)), Between("price", 100, 700), AnyOf("category", ("Food",))))
    arranged = always(Actions(filter=wanted)).arrange(slate([1.0] * N), intent(), SHOP)
    assert ids(arranged) == ["p1", "p3", "p4", "p6", "p7"]


def test_nothing_has_a_field_that_does_not_exist() -> None:
    assert len(always(Actions(filter=chosen("size", "XL"))).arrange(slate([1.0]), intent(), SHOP)) == 0


def test_a_rule_waits_for_its_query_however_it_is_written() -> None:
    when = When(words=("red", "gift"))
    assert when.holds(intent("Red GIFTS"))
    assert not when.holds(intent("red gifts for men"))
    assert not when.holds(intent())


def test_a_rule_for_a_category_holds_below_it() -> None:
    when = When(category="Food")
    assert when.holds(intent(chosen=chosen("category", "Food > Bread")))
    assert not when.holds(intent(chosen=chosen("category", "Food and more")))
    assert not when.holds(intent())


def test_a_rule_for_a_surface_and_a_season_waits_for_both() -> None:
    when = When(surfaces=("home", "cart"), from_ms=10, until_ms=20)
    assert [when.holds(intent(surface="home", now_ms=now)) for now in (9, 10, 19, 20)] == [False, True, True, False]
    assert not when.holds(intent(surface="search", now_ms=10))


def test_a_rule_that_does_not_hold_changes_nothing() -> None:
    before = slate([9, 8])
    rules = Rules([Rule(When(words=("gift",)), Actions(hide=("p0",)))])
    assert rules.arrange(before, intent("bread"), SHOP) is before


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
    arranged = always(wanted).arrange(before, intent(), SHOP)
    assert_honest(before, arranged)
    assert not set(ids(arranged)) & set(wanted.hide)
    assert set(ids(arranged)) <= set(ids(before)) | {name for name, _ in wanted.pins}
    assert {one.why for all_of in arranged.adjustments for one in all_of} <= {"pin", "boost", "bury"}


@given(before=slates(), position=st.integers(1, 30), i=st.sampled_from([i for i in range(N) if i % 5 != 4]))
def test_a_lone_pin_always_lands(before: Slate, position: int, i: int) -> None:
    arranged = always(Actions(pins=((f"p{i}", position),))).arrange(before, intent(), SHOP)
    assert ids(arranged)[min(position, len(arranged)) - 1] == f"p{i}"

"""Places that are sold: who gets them, what a click costs, and how little relevance that may cost."""

import math
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from policy_shop import SHOP, N, assert_honest, ids, intent, slate, slates

from wares.domain.filter import AnyOf, Filter
from wares.domain.intent import Intent
from wares.domain.result import Slate
from wares.domain.rule import Actions
from wares.domain.sponsored import Bid
from wares.policies.rules import Rules
from wares.policies.sponsored import SponsoredPlaces, price_of
from wares.policies.swaps import Swaps

FLAT = [1.0 - i / 1000 for i in range(N)]  # all nearly as relevant
SOLD_OUT = {f"p{i}" for i in range(N) if i % 5 == 4}
names = st.text("abcxyz", min_size=1, max_size=2)


def bid(name: str, *products: str, minor: int = 50, rate: float = 0.05, most: int = 9) -> Bid:
    return Bid(name, name.upper(), minor, rate, products, most=most)


def asked(*bids: Bid, actions: Actions = Actions()) -> Intent:  # noqa: B008 (it is frozen)
    return replace(intent(actions=actions), bids=bids)


def sold(arranged: Slate) -> dict[str, str]:
    """Product -> campaign."""
    return {f"p{row}": one.campaign for row, one in arranged.sponsored.items()}


@st.composite
def bids(draw: st.DrawFn) -> tuple[Bid, ...]:
    found = {}
    for name in draw(st.lists(names, unique=True, max_size=5)):
        products = tuple(f"p{i}" for i in draw(st.lists(st.integers(0, N - 1), max_size=6)))
        brand = draw(st.sampled_from([None, "Acme", "Apex"]))
        where = Filter((AnyOf("brand", (brand,)),)) if brand else Filter()
        minor, rate = draw(st.integers(1, 300)), draw(st.sampled_from([0.01, 0.02, 0.03, 0.3]))
        found[name] = Bid(name, name, minor, rate, products, where, draw(st.integers(0, 3)))
    return tuple(found.values())


@given(
    before=slates(), offered=bids(), floor=st.sampled_from([0.0, 0.7, 1.0]), cap=st.integers(0, 2), pin=st.booleans()
)
def test_places_are_sold_honestly(before: Slate, offered: tuple[Bid, ...], floor: float, cap: int, pin: bool) -> None:
    actions = Actions(pins=(("p3", 2), ("p6", 4))) if pin else Actions()
    wish = asked(*offered, actions=actions)
    before = Rules().arrange(before, wish, SHOP)
    after = SponsoredPlaces((2, 3, 6), floor, brand_cap=cap).arrange(before, wish, SHOP)
    assert_honest(before, after)
    assert set(ids(after)) == set(ids(before))
    assert not SOLD_OUT & set(sold(after))
    places = {name: place for place, name in enumerate(ids(after), 1)}
    assert {places[name] for name in sold(after)} <= {2, 3, 6}
    of = {one.campaign: one for one in offered}
    for campaign in set(sold(after).values()):
        assert list(sold(after).values()).count(campaign) <= of[campaign].most
    assert all(1 <= one.price_minor <= of[one.campaign].bid_minor for one in after.sponsored.values())
    pins = [name for name in ("p3", "p6") if pin and name not in SOLD_OUT]
    assert [ids(after).index(name) for name in pins] == [ids(before).index(name) for name in pins]
    told = {f"p{row}" for row, of_hit in zip(after.rows, after.adjustments, strict=True) if _why(of_hit, "sponsored")}
    assert told <= set(sold(after))


def _why(of_hit: tuple[object, ...], why: str) -> bool:
    return any(getattr(one, "why", "") == why for one in of_hit)


def test_only_what_was_found_further_down_and_is_nearly_as_relevant_gets_a_place() -> None:
    found = slate([1.0, 0.9, 0.8, 0.7, 0.6, 0.5, 0.4], [0, 1, 2, 3, 5, 6, 7])
    places = SponsoredPlaces((2,), floor=0.7)
    assert ids(places.arrange(found, asked(bid("a", "p3")), SHOP)) == ["p0", "p3", "p1", "p2", "p5", "p6", "p7"]
    assert not sold(places.arrange(found, asked(bid("a", "p5", "p10")), SHOP))  # .6 is less than .7 x .9
    assert not sold(places.arrange(found, asked(bid("a", "p1", "p0")), SHOP))  # they have their places for nothing
    (one,) = places.arrange(found, asked(bid("a", "p3")), SHOP).sponsored.values()
    assert one.lost == pytest.approx(1 - 0.7 / 0.9)


def test_bid_times_click_rate_wins_and_the_price_is_what_had_to_be_bid() -> None:
    rich, liked = bid("rich", "p10", minor=100, rate=0.01), bid("liked", "p11", minor=40, rate=0.05)
    after = SponsoredPlaces((1, 2)).arrange(slate(FLAT), asked(rich, liked), SHOP)
    assert list(sold(after).values()) == ["liked", "rich"]
    assert [one.price_minor for one in after.sponsored.values()] == [20, 1]


@given(
    winner=st.builds(bid, names, minor=st.integers(1, 500), rate=st.floats(0.001, 0.9)),
    others=st.lists(st.builds(bid, names, minor=st.integers(1, 500), rate=st.floats(0.001, 0.9)), max_size=4),
)
def test_with_the_price_the_place_is_kept_and_with_one_less_it_is_lost(winner: Bid, others: list[Bid]) -> None:
    def rank(one: Bid) -> tuple[float, str]:
        return -one.value, one.campaign

    others = [one for one in others if one.campaign != winner.campaign and rank(one) > rank(winner)]
    price = price_of(winner, others)
    assert all(rank(replace(winner, bid_minor=price)) < rank(one) for one in others)
    if price > 1:
        assert any(rank(replace(winner, bid_minor=price - 1)) > rank(one) for one in others)


def test_a_brand_gets_one_place_and_no_more_hits_than_the_cap_allows() -> None:
    whole = bid("a", *(f"p{i}" for i in range(12, 20, 4)))  # all of Acme, as is p20
    after = SponsoredPlaces((1, 2, 3)).arrange(slate(FLAT), asked(whole), SHOP)
    assert len(sold(after)) == 1
    assert not sold(SponsoredPlaces((1,), brand_cap=2).arrange(slate(FLAT), asked(whole), SHOP))  # p0, p4 (and p8)
    assert sold(SponsoredPlaces((1,), brand_cap=4).arrange(slate(FLAT), asked(whole), SHOP))


def test_an_ad_slot_leaves_out_what_nobody_pays_for() -> None:
    slot = SponsoredPlaces((1, 2), floor=0.5, only=True)
    assert ids(slot.arrange(slate(FLAT), asked(bid("a", "p0", "p8", "p12")), SHOP)) == ["p0", "p8"]
    assert ids(slot.arrange(slate(FLAT), asked(bid("a", "p0", "p8", most=1)), SHOP)) == ["p0"]
    assert len(slot.arrange(slate(FLAT), asked(), SHOP)) == 0


def test_what_is_paid_for_is_not_moved_by_chance() -> None:
    wish = asked(bid("a", "p20"))
    for moment in range(30):
        again = replace(wish, request=replace(wish.request, now_ms=moment))
        after = Swaps(0.5).arrange(SponsoredPlaces((3,)).arrange(slate(FLAT), again, SHOP), again, SHOP)
        assert ids(after)[2] == "p20" and sold(after) == {"p20": "a"}


def _dcg(gains: list[float]) -> float:
    return sum(gain / math.log2(place + 2) for place, gain in enumerate(gains[:10]))


def _bound(floor: float, places: tuple[int, ...] = (3, 9)) -> float:
    """The share of the discounted gain of ten hits that can be lost at most, whatever falling gains they have: it is
    most where all hits down to some place are alike and the others are worth nothing."""
    discounts = 1 / np.log2(np.arange(10) + 2)
    sold = [discounts[[place - 1 for place in places if place <= m]].sum() / discounts[:m].sum() for m in range(1, 11)]
    return float((1 - floor) * max(sold))


@given(
    gains=st.lists(st.floats(0.01, 1.0), min_size=N, max_size=N),
    offered=bids(),
    floor=st.sampled_from([0.5, 0.8, 0.9]),
)
def test_relevance_never_loses_more_than_the_floor_allows(
    gains: list[float], offered: tuple[Bid, ...], floor: float
) -> None:
    before = slate(sorted(gains, reverse=True))
    after = SponsoredPlaces((3, 9), floor).arrange(before, asked(*offered), SHOP)
    kept = _dcg(after.scores.tolist()) / _dcg(before.scores.tolist())
    assert kept >= 1 - _bound(floor) - 1e-6
    assert _bound(0.8) < 0.047


def test_without_a_floor_it_loses_more() -> None:
    gains = [1.0] * 12 + [0.01] * (N - 12)
    kept = [
        _dcg(SponsoredPlaces((3, 9), floor).arrange(slate(gains), asked(bid("a", "p20")), SHOP).scores.tolist())
        for floor in (0.0, 0.8)
    ]
    assert kept[0] / _dcg(gains) < 1 - _bound(0.8) < kept[1] / _dcg(gains)

"""Two orders drafted into one page: fair, without doubles, and telling which of the two shoppers prefer."""

import json
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.shopper import KIND_CODES
from wares.engine.impression import impression_json
from wares.engine.interleaving import team_draft
from wares.evaluation.click_simulator import click_by_position, plant, power_curve
from wares.evaluation.interleaved import Preference, credits_of, preference_of
from wares.shop import Shop, open_shop

ORDERS = st.lists(st.integers(0, 30), unique=True, max_size=12)


def rows(n: int) -> NDArray[np.int32]:
    return np.arange(n, dtype=np.int32)


@given(first=ORDERS, second=ORDERS, seed=st.integers(0, 99))
def test_a_draft_holds_everything_once_and_each_team_picks_its_best(
    first: list[int], second: list[int], seed: int
) -> None:
    teams, places = team_draft(np.array(first, np.int32), np.array(second, np.int32), np.random.default_rng(seed))
    merged = [(first, second)[team][place] for team, place in zip(teams.tolist(), places.tolist(), strict=True)]
    assert sorted(merged) == sorted({*first, *second})
    for at, (team, hit) in enumerate(zip(teams.tolist(), merged, strict=True)):
        left = [one for one in (first, second)[team] if one not in merged[:at]]
        assert hit == left[0]


@given(seed=st.integers(0, 10_000))
def test_after_every_round_both_teams_have_picked_equally_often(seed: int) -> None:
    teams, _ = team_draft(rows(10), rows(110)[100:], np.random.default_rng(seed))
    assert (teams.reshape(-1, 2).sum(axis=1) == 1).all()


def test_either_team_begins_as_often() -> None:
    begun = [team_draft(rows(3), rows(8)[5:], np.random.default_rng(seed))[0][0] for seed in range(2000)]
    assert abs(np.mean(begun) - 0.5) < 0.04


# -- a shop ------------------------------------------------------------------------------------------------------------

FILE = (
    'name = "x"\nsurface = "browse"\nkind = "interleave"\n[variants.new]\nformula = { popularity = 0, freshness = 9 }\n'
)


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    days = [f"2026-{1 + i % 9:02}-01" for i in range(30)]
    goods = [{"id": f"t{i}", "title": f"Tea {i}", "category": "Tea", "published": days[i]} for i in range(30)]
    goods.append({"id": "big", "title": "Tea 3 big", "category": "Tea", "group_id": "g"})
    goods.append({"id": "small", "title": "Tea 3 small", "category": "Tea", "group_id": "g"})
    with open_shop(tmp_path) as opened:
        opened.put(goods)
        opened.log_impressions()
        opened.experiments.start(FILE, "Anna", now=datetime.now(UTC))
        yield opened


def test_a_page_tells_the_team_of_each_hit_and_later_pages_go_on_with_the_draft(shop: Shop) -> None:
    page, seen = shop.browse("Tea", shopper="ann", k=7), list[Any]()
    assert (page.experiment, page.variant, page.total) == ("x", "interleaved", 31)
    while True:
        seen += page.hits
        if not page.cursor:
            break
        page = shop.browse("Tea", shopper="ann", k=7, cursor=page.cursor)
        assert (page.experiment, page.variant) == ("x", "interleaved")
    assert len({hit.product.group_id or hit.product.id for hit in seen}) == len(seen) == 31
    teams = Counter(hit.team for hit in seen)
    assert set(teams) == {"control", "new"} and abs(teams["control"] - teams["new"]) <= 1


def test_each_who_asks_gets_a_draft_of_their_own_of_answers_that_are_kept(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.shop._now_ms", lambda: 1_790_000_000_000)
    shop.keep_answers()
    assert shop.engine.answers is not None
    drafts = {tuple(hit.team for hit in shop.browse("Tea", shopper=f"ann{i}", k=8).hits) for i in range(12)}
    assert shop.engine.answers.found >= 20
    assert len(drafts) > 4


def test_who_has_no_id_or_wants_another_order_gets_the_surface_as_it_is(shop: Shop) -> None:
    for page in (shop.browse("Tea"), shop.browse("Tea", shopper="ann", sort="newest"), shop.search("tea", shopper="a")):
        assert page.experiment == "" and {hit.team for hit in page.hits} == {""}


def test_an_explained_answer_keeps_what_each_score_is_made_of(shop: Shop) -> None:
    page = shop.browse("Tea", shopper="ann", k=5, explain=True)
    for hit in page.hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-5)


def test_two_orders_that_rest_on_different_sources_share_a_page_and_its_log(shop: Shop) -> None:
    file = 'name = "y"\nsurface = "home"\nkind = "interleave"\n'
    file += '[variants.fresh]\nsources = ["new", "taste"]\nformula = { new = 1.0, taste = 1.0 }\n'
    shop.put([{"id": f"n{i}", "title": f"New {i}", "published": f"{datetime.now(UTC):%Y-%m-%d}"} for i in range(9)])
    shop.experiments.start(file, "Anna", now=datetime.now(UTC))
    firsts = set()
    for i in range(20):
        page = shop.recommend(f"ann{i}", k=6)
        assert len(page.hits) == 6 and page.variant == "interleaved"
        logged = json.loads(impression_json(page, Request("home", 0), 0))
        firsts.add(page.hits[0].team)
        for hit, told in zip(page.hits, logged["hits"], strict=True):
            assert len(told["values"]) == (len(logged["features"]) if hit.team == page.hits[0].team else 0)
    assert len(firsts) == 2


# -- shoppers whose wishes are known -----------------------------------------------------------------------------------


def simulated(n: int, noise: tuple[float, float], seed: int) -> Preference:
    """n shoppers look once each at a draft of two rankings, which know relevance but for this much noise."""
    rng = np.random.default_rng(seed)
    shop = plant(20, 30, rng)
    columns = Columns.of([Product(f"q{q}-{i}", title=f"q{q}-{i}") for q in range(20) for i in range(30)], range(1, 601))
    orders = [np.argsort(-(shop.relevance + rng.normal(0, spread, shop.relevance.shape))) for spread in noise]
    curve, shown, clicks = power_curve(10), list[tuple[int, dict[str, Any]]](), list[tuple[int, int, int]]()
    for shopper in range(1, n + 1):
        q = int(rng.integers(20))
        first, second = orders[0][q].astype(np.int32), orders[1][q].astype(np.int32)
        teams, places = team_draft(first, second, rng)
        page = np.where(teams == 0, first[places], second[places])[:10]
        hits = [
            {"product": f"q{q}-{i}", "position": at, "team": ("control", "new")[team]}
            for at, (i, team) in enumerate(zip(page.tolist(), teams.tolist(), strict=False))
        ]
        shown.append((shopper, {"id": "", "time_ms": shopper * 1000, "hits": hits}))
        clicked = click_by_position(shop.relevance[q, page], curve, rng)
        clicks += [(shopper, shopper * 1000 + 5, q * 30 + int(i) + 1) for i in page[clicked]]
    block = EventBlock(
        seqs=np.arange(1, len(clicks) + 1),
        times_ms=np.array([at for _, at, _ in clicks], np.int64),
        kinds=np.full(len(clicks), KIND_CODES[EventKind.CLICK], np.int8),
        shopper_keys=np.array([shopper for shopper, _, _ in clicks], np.int64),
        product_keys=np.array([product for _, _, product in clicks], np.int64),
        quantities=np.ones(len(clicks), np.float32),
        values_minor=np.full(len(clicks), np.nan),
        basket_keys=np.full(len(clicks), -1, np.int64),
        queries={},
    )
    return preference_of(credits_of(shown, block, columns, "control")[1])


def test_the_better_ranking_is_found_by_few_shoppers() -> None:
    found = simulated(1500, noise=(0.3, 0.03), seed=1)
    assert found.share.low > 0.5 and found.p < 0.01 and found.clicks.low > 0.5
    found = simulated(1500, noise=(0.03, 0.3), seed=2)
    assert found.share.high < 0.5 and found.p < 0.01


def test_two_equal_rankings_are_told_apart_in_about_five_of_a_hundred() -> None:
    assert sum(simulated(150, noise=(0.1, 0.1), seed=seed).p < 0.05 for seed in range(60)) <= 8


def test_a_tie_is_no_preference_and_a_product_chosen_twice_counts_once() -> None:
    found = preference_of(np.array([[1.0, 1.0], [0.0, 0.0], [0.0, 2.0]]))
    assert (found.wins, found.losses, found.ties) == (1, 0, 2)
    hits = [{"product": "a", "position": 0, "team": "new"}, {"product": "b", "position": 1, "team": "control"}]
    columns = Columns.of([Product("a", title="a"), Product("b", title="b")], [1, 2])
    twice = EventBlock(
        seqs=np.array([1, 2, 3]),
        times_ms=np.array([5, 6, 7]),
        kinds=np.full(3, KIND_CODES[EventKind.CLICK], np.int8),
        shopper_keys=np.array([9, 9, 9]),
        product_keys=np.array([1, 1, 2]),
        quantities=np.ones(3, np.float32),
        values_minor=np.full(3, np.nan),
        basket_keys=np.full(3, -1),
        queries={},
    )
    _, credited, pages = credits_of([(9, {"id": "", "time_ms": 1, "hits": hits})], twice, columns, "control")
    assert credited.tolist() == [[1.0, 1.0]] and pages == 1

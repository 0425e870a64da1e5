"""Answers of a moment are kept for all who ask the same, and for nobody else."""

import gc
import json
import weakref
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine.answers import Answers
from wares.engine.assembly import Engine
from wares.engine.impression import impression_of
from wares.engine.live import CatalogueState
from wares.engine.stages import Answer
from wares.shop import Shop, open_shop
from wares.store.impressions import ImpressionLog, read_impressions
from wares.training.child import train_here
from wares.training.progress import silent

NOW_MS = 1_790_000_000_000


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Shop]:
    monkeypatch.setattr("wares.shop._now_ms", lambda: NOW_MS)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    with open_shop(tmp_path / "shop") as shop:
        shop.put(
            {"id": f"p{i}", "title": f"Tea number {i}", "price": 2 + i, "category": "Food > Tea", "brand": "Leaf"}
            for i in range(40)
        )
        shop.record(_bought(f"u{i}", f"p{i % 7}", i) for i in range(30))
        train_here(shop.folder, silent)
        shop.engine.refresh()
        shop.keep_answers()
        yield shop


def _bought(shopper: str, product: str, number: int) -> dict[str, object]:
    return {
        "id": f"e{number}",
        "kind": "purchase",
        "time": NOW_MS - 60_000,
        "shopper_id": shopper,
        "product_id": product,
    }


def _answers(shop: Shop) -> Answers:
    assert shop.engine.answers is not None
    return shop.engine.answers


def _ids(page: Page) -> list[str]:
    return [hit.product.id for hit in page.hits]


def test_the_same_question_is_answered_alike_and_found_again(shop: Shop) -> None:
    first, again = (shop.search("tea", k=5, facets=["brand"]) for _ in range(2))
    assert _answers(shop).found == 1
    assert (first.hits, first.total, first.facets) == (again.hits, again.total, again.facets)
    assert shop.search("", cursor=first.cursor, k=5).hits == shop.search("", cursor=again.cursor, k=5).hits


def test_what_a_kept_answer_says_is_what_a_new_one_would_say(shop: Shop) -> None:
    kept = [shop.search("tea", k=k, offset=offset) for k, offset in ((3, 0), (5, 3), (3, 0), (5, 3))][2:]
    shop.engine.answers = None
    new = [shop.search("tea", k=k, offset=offset) for k, offset in ((3, 0), (5, 3))]
    assert [_ids(page) for page in kept] == [_ids(page) for page in new]


def test_a_price_shows_at_once(shop: Shop) -> None:
    shop.search("tea", k=5)
    shop.update([{"id": "p3", "price": 1}])
    page = shop.search("tea", k=40)
    assert next(hit.product.price_minor for hit in page.hits if hit.product.id == "p3") == 100


def test_what_is_sold_out_goes_at_once(shop: Shop) -> None:
    assert "p1" in _ids(shop.recommend(k=40))
    shop.update([{"id": "p1", "stock": 0}])
    assert "p1" not in _ids(shop.recommend(k=40))


def test_an_event_changes_its_own_shoppers_next_answer_and_nobody_elses(shop: Shop) -> None:
    mine, theirs = shop.recommend("u1", k=10), shop.recommend("u2", k=10)
    found = _answers(shop).found
    shop.record([{"id": "new", "kind": "hide", "time": NOW_MS, "shopper_id": "u1", "product_id": _ids(mine)[0]}])
    assert _ids(mine)[0] not in _ids(shop.recommend("u1", k=10))
    assert _ids(shop.recommend("u2", k=10)) == _ids(theirs)
    assert _answers(shop).found == found + 1


def test_what_others_buy_shows_at_once_in_a_small_shop_and_in_a_large_one_when_it_is_much(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    def buy(name: str) -> None:
        sold = {"id": name, "kind": "purchase", "time": NOW_MS, "shopper_id": "z", "product_id": "p1", "quantity": 1}
        shop.record([sold])

    shop.recommend("nobody", k=5)
    buy("first")
    shop.recommend("nobody", k=5)
    assert _answers(shop).found == 0
    monkeypatch.setattr("wares.engine.answers._EVENTS_PER_SALE", shop.engine.live.last_event // 2)
    for found, name in ((1, "second"), (2, "third"), (2, "fourth")):
        buy(name)
        shop.recommend("nobody", k=5)
        assert _answers(shop).found == found


def test_two_shoppers_of_whom_nothing_is_known_share_an_answer_and_each_hear_of_themselves(shop: Shop) -> None:
    one, other = shop.recommend("nobody", k=5), shop.recommend("somebody", k=5)
    assert _answers(shop).found == 1
    assert "nobody" in " ".join(one.notes)
    assert "somebody" in " ".join(other.notes)
    assert "nobody" not in " ".join(other.notes)


def _trained(shop: Shop) -> None:
    shop.record(_bought("z", "p9", 100 + i) for i in range(9))
    train_here(shop.folder, silent)


def test_behind_a_swap_what_was_asked_twice_is_there_already_and_says_what_the_new_snapshot_says(shop: Shop) -> None:
    for shopper, query in (("u1", "tea"), ("u1", "tea"), ("u2", "number")):
        shop.search(query, shopper=shopper, k=5)
        shop.recommend(shopper, k=5)
    _trained(shop)
    kept = _answers(shop)
    found, missed = kept.found, kept.missed
    assert shop.engine.exchange(NOW_MS)
    assert not shop.engine.exchange(NOW_MS)
    assert (kept.found, kept.missed) == (found, missed)  # nobody asked
    pages = shop.search("tea", shopper="u1", k=5), shop.recommend("u1", k=5)
    assert (kept.found, kept.missed) == (found + 2, missed)
    shop.search("number", shopper="u2", k=5)
    assert kept.missed == missed + 1
    shop.engine.answers = None
    anew = shop.search("tea", shopper="u1", k=5), shop.recommend("u1", k=5)
    assert [(one.snapshot, one.hits) for one in pages] == [(one.snapshot, one.hits) for one in anew]
    assert pages[0].snapshot == shop.engine.live.snapshot.name


def test_so_is_what_anybody_is_told_though_the_first_who_asked_is_known_by_now(shop: Shop) -> None:
    for shopper in ("new", "newer"):
        shop.search("tea", shopper=shopper, k=5)
    shop.record([_bought("new", "p3", 99)])
    _trained(shop)
    shop.engine.exchange(NOW_MS)
    missed = _answers(shop).missed
    shop.search("tea", shopper="newest", k=5)
    assert _answers(shop).missed == missed


def test_it_is_kept_no_longer_for_that(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    monkeypatch.setattr("wares.engine.answers.time.monotonic", lambda: now_s[0])
    shop.engine.answers = answers = Answers(lifetime_s=300.0, most_bytes=2**24)
    for _ in range(2):
        shop.recommend("u1", k=5)
    for now_s[0] in (100.0, 200.0, 299.0):
        _trained(shop)
        shop.engine.exchange(NOW_MS)
    assert answers.nbytes and len(answers.given_again(9)) == 1
    now_s[0] = 301.0
    _trained(shop)
    shop.engine.exchange(NOW_MS)
    assert not answers.nbytes


def test_one_that_cannot_be_worked_out_keeps_none_of_the_others_back(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query in ("tea", "number", "leaf"):
        for _ in range(2):
            shop.search(query, k=5)
    _trained(shop)
    work_out = Engine._worked_out

    def fails(engine: Engine, request: Request, *told: Any) -> Any:
        if request.query == "number":
            raise ValueError("nobody foresaw it")
        return work_out(engine, request, *told)

    monkeypatch.setattr(Engine, "_worked_out", fails)
    shop.engine.exchange(NOW_MS)
    assert [one.request.query for one in _answers(shop).given_again(9)] == ["leaf", "tea"]


def test_what_was_asked_for_last_is_worked_out_first_and_goes_last(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    queries = [f"tea {i}" for i in range(6)]
    for query in (*queries, *queries):
        shop.search(query, k=5)
    kept, work_out, now_s = _answers(shop), Engine._worked_out, [0.0]

    def takes_long(engine: Engine, request: Request, *told: Any) -> Any:
        now_s[0] += 0.4
        return work_out(engine, request, *told)

    _trained(shop)
    monkeypatch.setattr(Engine, "_worked_out", takes_long)
    monkeypatch.setattr("wares.engine.assembly.time.monotonic", lambda: now_s[0])
    shop.engine.exchange(NOW_MS)
    assert [one.request.query for one in kept.given_again(9)] == ["tea 5", "tea 4", "tea 3"]


def test_what_somebody_asks_meanwhile_stays_and_is_not_the_first_to_go(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for query in ("tea", "tea", "leaf", "leaf"):
        shop.search(query, k=5)
    _trained(shop)
    kept, work_out = _answers(shop), Engine._worked_out

    def meanwhile(engine: Engine, request: Request, *told: Any) -> Any:
        found = work_out(engine, request, *told)
        if request.query == "tea":
            monkeypatch.setattr(Engine, "_worked_out", work_out)
            for _ in range(2):
                shop.search("tea", k=7)
        return found

    monkeypatch.setattr(Engine, "_worked_out", meanwhile)
    shop.engine.exchange(NOW_MS)
    assert [one.request.query for one in kept.given_again(9)] == ["tea", "leaf"]
    assert kept.given_again(9)[0].request.k == 7  # what was asked, and not what was worked out for nobody


def test_once_the_past_is_folded_anew_no_more_is_kept_of_what_is_worked_out(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for shopper in ("u1", "u2", "u1", "u2"):
        shop.recommend(shopper, k=5)
    work_out, asked = Engine._worked_out, list[Request]()

    def meanwhile(engine: Engine, request: Request, *told: Any) -> Any:
        found = work_out(engine, request, *told)
        asked.append(request)
        engine.serving.refold()
        return found

    _trained(shop)
    monkeypatch.setattr(Engine, "_worked_out", meanwhile)
    shop.engine.exchange(NOW_MS)
    assert len(asked) == 1 and not _answers(shop).nbytes


def test_answers_are_forgotten_by_age_and_by_size(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> None:
    now_s = [0.0]
    monkeypatch.setattr("wares.engine.answers.time.monotonic", lambda: now_s[0])
    shop.engine.answers = answers = Answers(lifetime_s=5.0, most_bytes=2**20)
    shop.search("tea")
    now_s[0] = 5.1
    shop.search("tea")
    assert (answers.found, answers.missed) == (0, 2)
    for i in range(100):
        shop.search("tea", k=5, filters={"price": {"high": 10 + i}})
    assert 0 < answers.nbytes <= 2**20
    now_s[0] = 10.2
    answers.let_go(shop.engine.live.state)
    assert answers.nbytes == 0


def test_what_is_asked_a_second_time_keeps_its_pages_and_counts_for_them(shop: Shop) -> None:
    answers, sizes = _answers(shop), list[int]()
    for _ in range(3):
        shop.search("tea", k=5)
        sizes.append(answers.nbytes)
    assert 0 < sizes[0] < sizes[1] == sizes[2]
    (kept,) = answers._kept.values()
    assert [(k, offset) for offset, k, _ in kept.answer.pages or {}] == [(5, 0)]


def test_what_a_page_of_a_kept_answer_looks_up_is_not_kept(shop: Shop) -> None:
    """Words found in every product take ten times as much as all that is counted."""
    pages = [shop.search("tea number", k=k, offset=offset) for k, offset in ((5, 0), (5, 0), (6, 3), (5, 0))]
    for page in pages:
        shop.search("", cursor=page.cursor, k=4)
    kept = [one.answer for one in _answers(shop)._kept.values()]
    kept += [answer for _, answer in shop.engine.paging.cursors._kept.values() if isinstance(answer, Answer)]
    assert len(kept) > 3
    assert not [answer for answer in kept if answer.view._matches or answer.view._letters or answer.view._said]


def test_answers_of_a_catalogue_that_was_changed_since_are_let_go(shop: Shop) -> None:
    shop.search("tea", k=5)
    shop.engine.let_go()
    assert _answers(shop).nbytes > 0
    shop.update([{"id": "p3", "price": 1}])
    assert _answers(shop).nbytes == 0


def test_what_is_kept_is_looked_through_once_for_each_state_of_the_catalogue(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    for k in (3, 4, 5):
        shop.search("tea", k=k, filters={"price": {"high": k}})
    shop.engine.let_go()
    looked, seen_as = list[CatalogueState](), CatalogueState.is_seen_as

    def noted(state: CatalogueState, other: CatalogueState) -> bool:
        looked.append(other)
        return seen_as(state, other)

    monkeypatch.setattr(CatalogueState, "is_seen_as", noted)
    shop.engine.let_go()
    assert not looked
    shop.update([{"id": "p3", "price": 1}])
    assert len(looked) >= 3 and _answers(shop).nbytes == 0


def test_what_is_kept_of_a_market_whose_prices_were_forgotten_is_let_go(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.engine.live._LEAST_SEEN", 2)
    monkeypatch.setattr("wares.engine.live._MOST_SEEN", 2)
    markets = ("de", "fr", "it")
    settings = "".join(f'[markets.{one}]\ncurrency = "EUR"\n' for one in markets)
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n' + settings, encoding="utf-8")
    with open_shop(tmp_path) as shop:
        for market in markets:
            shop.put([{"id": "a", "title": "Tea", "price": 2}], market=market)
        shop.keep_answers()
        for market in markets[:2]:
            shop.search("tea", market=market)
        shop.engine.let_go()
        shop.search("tea", market="it")  # for which the others are forgotten
        shop.engine.let_go()
        assert [one.answer.intent.request.market for one in _answers(shop)._kept.values()] == ["it"]


def test_an_answer_that_was_begun_before_a_change_and_is_kept_after_it_is_let_go(shop: Shop) -> None:
    shop.search("tea", k=5)
    answers, before = _answers(shop), shop.engine.live.state
    ((question, kept),) = answers._kept.items()
    shop.update([{"id": "p3", "price": 1}])
    shop.engine.let_go()
    answers.keep(question, kept.answer, kept.answer.view)
    assert kept.state is before and answers.nbytes > 0
    shop.engine.let_go()
    assert answers.nbytes == 0


def test_no_answer_is_kept_that_an_erased_shopper_got(shop: Shop) -> None:
    shop.recommend("u1", k=5)
    assert _answers(shop).nbytes > 0
    shop.erase_shopper("u1")
    assert _answers(shop).nbytes == 0


def test_answers_of_every_market_of_the_catalogue_stay(tmp_path: Path) -> None:
    settings = '[encoder]\nsource = "none"\n[markets.de]\ncurrency = "EUR"\n'
    (tmp_path / "wares.toml").write_text(settings, encoding="utf-8")
    with open_shop(tmp_path) as shop:
        shop.put([{"id": "a", "title": "Tea", "price": 2}])
        shop.put([{"id": "a", "title": "Tee", "price": 3}], market="de")
        shop.keep_answers()
        for market in ("", "de"):
            shop.search("tea", market=market)
        shop.engine.let_go()
        for market in ("", "de"):
            shop.search("tea", market=market)
        assert _answers(shop).found == 2


def test_a_snapshot_that_was_replaced_is_let_go_when_no_page_can_be_asked_of_it(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    now_s = [0.0]
    monkeypatch.setattr("wares.engine.cursors.time.monotonic", lambda: now_s[0])  # and so of the answers
    first = shop.search("tea", k=5)
    old = weakref.ref(shop.engine.live)
    train_here(shop.folder, silent)
    now_s[0] = 599.0
    shop.engine.refresh()
    assert shop.search("", cursor=first.cursor, k=5).snapshot == first.snapshot
    now_s[0] = 599.0 + 601.0
    shop.engine.refresh()
    gc.collect()
    assert old() is None
    assert shop.search("tea", k=5).snapshot != first.snapshot


def test_of_a_kept_answer_few_hits_are_remembered_however_many_are_asked_for(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.engine.paging._MOST_HITS", 30)
    asked = [(40, 0), (20, 0), (5, 20), (6, 20), (5, 25)]
    shop.search("tea", k=40)
    shop.search("tea", k=5, offset=20)
    first = [shop.search("tea", k=k, offset=offset) for k, offset in asked]
    pages = [pages for kept in _answers(shop)._kept.values() if (pages := kept.answer.pages) is not None]
    assert [sorted((k, offset) for offset, k, _ in found) for found in pages] == [
        [(20, 0)],
        [(5, 20), (5, 25), (6, 20)],
    ]
    assert [_ids(shop.search("tea", k=k, offset=offset)) for k, offset in asked] == [_ids(page) for page in first]


def test_a_rule_holds_at_once(shop: Shop) -> None:
    assert _ids(shop.search("tea", k=3))[0] != "p39"
    rule = '[[rules]]\nname = "first"\nwhen = { query = ["tea"] }\npin = { "p39" = 1 }\n'
    shop.rules.publish("test", text=rule)
    assert _ids(shop.search("tea", k=3))[0] == "p39"


def test_the_settings_can_say_that_none_is_kept(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n[server]\nanswers_kept_s = 0\n')
    with open_shop(tmp_path) as shop:
        shop.keep_answers()
        assert shop.engine.answers is None


def test_the_next_page_of_a_shared_answer_says_nothing_of_who_asked_first(shop: Shop) -> None:
    first, other = (shop.search("tea", shopper=who, k=5) for who in ("secret", "somebody"))
    assert _answers(shop).found == 1
    assert "secret" in " ".join(first.notes)
    assert "secret" not in " ".join(shop.search("", shopper="somebody", cursor=other.cursor, k=5).notes)


def test_the_next_page_of_a_shared_answer_is_of_the_experiment_of_those_who_take_part(shop: Shop) -> None:
    shop.log_impressions()
    shop.experiments.start(_TRIAL, "Test", now=datetime.fromtimestamp(NOW_MS / 1000, UTC))
    of = {f"new{i}": shop.search("tea", shopper=f"new{i}", k=5) for i in range(40)}
    assert len({(page.experiment, page.variant) for page in of.values()}) == 3
    for shopper, page in of.items():
        following = shop.search("", shopper=shopper, cursor=page.cursor, k=5)
        assert (following.experiment, following.variant) == (page.experiment, page.variant)


def test_control_and_the_others_of_an_experiment_find_kept_answers_alike(shop: Shop) -> None:
    """Else control, which is what all others get, would look faster than it is."""
    shop.log_impressions()
    shop.experiments.start(_TRIAL, "Test", now=datetime.fromtimestamp(NOW_MS / 1000, UTC))
    for _ in range(3):
        shop.search("tea", k=5)  # nobody in particular
    found = dict[str, list[int]]()
    for i in range(80):  # so many that each variant has its two
        before = _answers(shop).found
        page = shop.search("tea", shopper=f"new{i}", k=5)
        found.setdefault(page.variant, []).append(_answers(shop).found - before)
    assert found["control"][:2] == found["capped"][:2] == [0, 1]


_TRIAL = """
name = "cap"
surface = "search"
share = 0.6
[variants.capped]
brand_cap = 3
"""


def test_a_question_for_what_is_further_down_is_another_one(shop: Shop) -> None:
    """Exploration leaves such pages alone, and must not do so for who asks for the first."""
    shop.recommend(k=5, offset=5)
    shop.recommend(k=5)
    assert _answers(shop).found == 0


def test_a_kept_answer_is_logged_as_a_new_one_each_time_under_its_own_name(shop: Shop) -> None:
    """What is written once of its hits is what would be written of it alone."""
    shop.log_impressions()
    pages = [shop.search("tea", shopper=who, k=4, offset=offset) for who in ("a", "b") for offset in (0, 4)]
    assert _answers(shop).found == 2
    engine = shop.engine
    assert isinstance(engine.impressions, ImpressionLog)
    engine.impressions.flush()
    logged = [told for _, told in read_impressions(shop.folder)]
    assert [told["id"] for told in logged] == [page.impression_id for page in pages]
    for told, page, offset in zip(logged, pages, (0, 4, 0, 4), strict=True):
        request = Request("search", NOW_MS, query="tea", k=4, offset=offset)
        whole = json.loads(json.dumps(impression_of(page, request, offset, told["took_ms"])))
        assert told == whole and list(told) == list(whole)
        assert len(told["hits"]) == 4 and any(hit["values"] for hit in told["hits"])


_CHANCES = """
[encoder]
source = "none"
[profiles.home]
exploration = { share = 0.4, first = 1, last = 3 }
[profiles.search]
swaps = 0.5
"""


def test_what_is_left_to_chance_is_drawn_for_each_who_asks_with_the_chances_that_a_new_answer_would_have(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = datetime.fromtimestamp(NOW_MS / 1000 - 86_400, UTC).isoformat()
    shop.update({"id": one.product.id, "published": day} for one in shop.recommend(k=12).hits[3:])
    (shop.folder / "wares.toml").write_text(_CHANCES, encoding="utf-8")
    with open_shop(shop.folder) as risky:
        risky.log_impressions()

        def ask(moment: int) -> list[Page]:
            monkeypatch.setattr("wares.shop._now_ms", lambda: NOW_MS + moment)
            return [risky.recommend(k=12), risky.search("tea", k=12), risky.search("tea", k=6, offset=6)]

        risky.keep_answers()
        kept = [ask(moment) for moment in range(20)]
        assert _answers(risky).found == 3 * 19
        risky.engine.answers = None
        new = [ask(moment) for moment in range(20)]
    for shown, whole in zip(kept, new, strict=True):
        for page, alone in zip(shown, whole, strict=True):
            assert page.hits == alone.hits  # chances, features and adjustments of each hit among them
            assert (page.total, page.facets, page.notes) == (alone.total, alone.facets, alone.notes)
    homes, searches = ([tuple(_ids(pages[i])) for pages in kept] for i in (0, 1))
    assert len(set(homes)) > 5 and len(set(searches)) > 5
    assert all(any(hit.chances for hit in pages[i].hits) for pages in kept for i in (0, 1))

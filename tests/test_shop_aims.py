"""Business aims from the outside: a shop that earns more on some things than on others."""

import json
import shutil
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from wares.app.web.http import make_app
from wares.domain.result import Page
from wares.engine.settings import load_settings
from wares.errors import RulesError
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

SETTINGS = '[shop]\ncurrency = "EUR"\nfacets = ["brand", "price"]\n[encoder]\nsource = "none"\n'
N = 30


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty gift boxes that cost the shop between almost nothing and almost all of their price."""
    folder = tmp_path_factory.mktemp("aims") / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS)
    with open_shop(folder) as shop:
        shop.put([
            {"id": f"p{i}", "title": f"Gift box {'gift ' * (i % 5)}{i}", "brand": f"b{i}", "price": 10,
             **({"cost": (7 * i % N) / 3} if i != 11 else {}), "stock": 1 + i, "published": "2026-01-01"}
            for i in range(N)
        ])  # fmt: skip
        shop.record([
            {"kind": "purchase", "time": "2026-02-01", "shopper_id": f"s{i % 7}", "product_id": f"p{i * i % N}"}
            for i in range(200)
        ])  # fmt: skip
        train_here(folder, silent)
    return folder


@pytest.fixture
def folder(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of it, asked at one moment: scores know how new a product is."""
    now_ms = int(time.time() * 1000)
    monkeypatch.setattr("wares.shop._now_ms", lambda: now_ms)
    return Path(shutil.copytree(trained, tmp_path / "shop"))


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder, create=False) as opened:
        yield opened


def aims(**weights: float) -> str:
    return "[aims]\n" + "".join(f"{aim} = {weight}\n" for aim, weight in weights.items())


def cost(shop: Shop, page: Page, k: int = 10) -> float:
    """What the first hits cost the shop; all have one price. 5 where it is not known."""
    known = [shop.store.catalogue.get([hit.product.id])[hit.product.id].cost_minor for hit in page.hits[:k]]
    return sum(500 if one is None else one for one in known) / len(known)


def seen(page: Page) -> list[tuple[str, float, float]]:
    return [(hit.product.id, hit.score, hit.priority) for hit in page.hits]


def why(page: Page) -> set[tuple[str, str]]:
    return {(one.policy, one.why) for hit in page.hits for one in hit.adjustments}


# -- what shoppers get -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("ask", ["search", "home"])
def test_more_weight_on_margin_means_more_margin_on_the_page_and_never_another_score(shop: Shop, ask: str) -> None:
    def page() -> Page:
        return shop.search("gift box", k=N) if ask == "search" else shop.recommend(k=N)

    before = page()
    scores, costs = {name: score for name, score, _ in seen(before)}, [cost(shop, before)]
    for weight in (0.05, 0.2, 0.5, 1):
        shop.rules.publish("Ann", text=aims(margin=weight))
        after = page()
        assert {name: score for name, score, _ in seen(after)} == scores
        assert ("aims", "margin") in why(after)
        costs.append(cost(shop, after))
    assert costs == sorted(costs, reverse=True)
    assert costs[-1] < costs[0] - 50


def test_no_aims_no_change_and_an_undo_brings_the_former_order_back(shop: Shop) -> None:
    before = seen(shop.search("gift box", k=N)), seen(shop.recommend("s1", k=N))
    shop.rules.publish("Ann", text=aims(margin=0, stock_cover=0, stock_age=0), anyway=True)
    assert (seen(shop.search("gift box", k=N)), seen(shop.recommend("s1", k=N))) == before
    shop.rules.publish("Ann", text=aims(margin=0.5))
    assert (seen(shop.search("gift box", k=N)), seen(shop.recommend("s1", k=N))) != before
    shop.rules.undo("Ann", to=0)
    assert (seen(shop.search("gift box", k=N)), seen(shop.recommend("s1", k=N))) == before


def test_the_policy_alone_changes_nothing_bit_for_bit(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "wares.shop._now_ms", lambda: 1_785_000_000_000
    )  # what is new fades from one moment to the next

    def answers() -> list[Page]:
        with open_shop(folder, create=False) as shop:
            pages = [shop.search("gift box", k=N), shop.browse(k=N), shop.recommend("s1", k=N), shop.recommend(k=N)]
            return [replace(page, took_ms=0.0, cursor="") for page in pages]

    with_aims = answers()
    lists = "".join(
        f"[profiles.{name}]\npolicies = {json.dumps([one for one in profile.policies if one != 'aims'])}\n"
        for name, profile in load_settings(folder).profiles.items()
    )
    (folder / "wares.toml").write_text(SETTINGS + lists)
    assert not any("aims" in profile.policies for profile in load_settings(folder).profiles.values())
    assert answers() == with_aims


def test_a_product_whose_cost_nobody_knows_keeps_its_priority(shop: Shop) -> None:
    shop.rules.publish("Ann", text=aims(margin=0.8))
    hit = next(hit for hit in shop.search("gift box", k=N).hits if hit.product.id == "p11")
    assert hit.adjustments == () and hit.priority == hit.score


def test_what_is_paid_now_counts_so_a_sale_makes_the_margin_smaller(shop: Shop) -> None:
    shop.rules.publish("Ann", text=aims(margin=0.5))
    lifted = next(hit for hit in shop.search("gift box", k=N).hits if hit.product.id == "p0")
    shop.update([{"id": "p0", "cost": 5, "sale_price": 5.5}])
    on_sale = next(hit for hit in shop.search("gift box", k=N).hits if hit.product.id == "p0")
    assert lifted.adjustments[0].amount > 0 > on_sale.adjustments[0].amount


def test_a_new_stock_counts_at_once(shop: Shop) -> None:
    shop.rules.publish("Ann", text=aims(stock_cover=0.5))

    def amount() -> float:
        hit = next(hit for hit in shop.search("gift box", k=N).hits if hit.product.id == "p3")
        return sum(one.amount for one in hit.adjustments if one.why == "stock_cover")

    before = amount()
    shop.update([{"id": "p3", "stock": 10_000}])
    assert amount() > before


def test_a_rule_says_how_much_an_aim_counts_for_its_requests(shop: Shop) -> None:
    home = '[[rules]]\nname = "Start page"\nwhen = { surface = "home" }\naims = { margin = 0, stock_age = 0.1 }\n'
    shop.rules.publish("Ann", text=aims(margin=0.3) + home, anyway=True)
    assert why(shop.search("gift box", k=N)) == {("aims", "margin")}
    assert ("aims", "margin") not in why(shop.recommend(k=N))


def test_a_hit_that_aims_have_lifted_says_that_the_shop_recommends_it(shop: Shop) -> None:
    before = shop.search("gift box", k=N)
    assert not any(reason.code == "boosted" for hit in before.hits for reason in hit.reasons)
    shop.rules.publish("Ann", text=aims(margin=0.5))
    after = shop.search("gift box", k=N)
    places = {hit.product.id: place for place, hit in enumerate(before.hits)}
    told = [hit for hit in after.hits if any(reason.code == "boosted" for reason in hit.reasons)]
    assert told
    assert all(sum(one.amount for one in hit.adjustments) > 0 for hit in told)
    first = after.hits[0]
    assert places[first.product.id] == 0 or first in told


def test_nobody_outside_learns_what_a_product_costs(folder: Path) -> None:
    with open_shop(folder, create=False) as shop:
        shop.update([{"id": "p1", "cost": 3.21, "stock_since": "2026-01-09"}])
        shop.rules.publish("Ann", text=aims(margin=0.1))
        client = TestClient(make_app({"default": shop}))
        answers = [
            client.post("/v1/search", json={"query": "gift box", "k": 30, "facets": ["brand", "price"]}),
            client.get("/v1/products/p1"),
        ]
        for answer in answers:
            assert answer.status_code == 200
            assert not {"cost", "cost_minor", "stock_since", "margin_share"} & set(keys(answer.json()))
        assert [one["why"] for one in answers[0].json()["hits"][0]["adjustments"]] == ["margin"]
        assert shop.search("321").total == 0
        assert client.post("/v1/search", json={"query": "gift", "filters": {"cost": {"low": 1}}}).status_code >= 400


def keys(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, inner in value.items():
            yield name
            yield from keys(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from keys(inner)


# -- what a merchandiser is told ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "place", "told"),
    [
        ("[aims]\nmargin = 1.5\n", "aims.margin", "less than or equal to 1; got 1.5"),
        ("[aims]\nmargin = -0.1\n", "aims.margin", "greater than or equal to 0; got -0.1"),
        ("[aims]\nmargin = nan\n", "aims.margin", "got nan"),
        ("[aims]\nmargin = true\n", "aims.margin", "got True"),
        ('[aims]\nstock_age = "much"\n', "aims.stock_age", "got 'much'"),
        ("[aims]\nmargins = 0.1\n", "aims.margins", "Did you mean 'margin'?"),
        ("[[rules]]\naims = { cover = 2 }\n", "rule 1, aims.cover", "Known: margin, stock_age, stock_cover"),
        ("[[rules]]\naims = {}\n", "rule 1", "at least one of"),
    ],
)
def test_a_weight_out_of_range_and_an_unknown_aim_are_named(shop: Shop, text: str, place: str, told: str) -> None:
    with pytest.raises(RulesError) as error:
        shop.rules.publish("Ann", text=text)
    assert place in str(error.value) and told in str(error.value)
    assert shop.rules.published.number == 0


def test_log_and_diff_tell_of_aims(shop: Shop) -> None:
    shop.rules.publish("Ann", text=aims(margin=0.1))
    shop.rules.publish("Bob", text=aims(margin=0.2, stock_age=0.1))
    shop.rules.publish("Ann", text='[[rules]]\nhide = ["p1"]\n')
    told = [[(one.kind, one.title) for one in entry.changes] for entry in shop.rules.log()]
    assert told[1:] == [[("changed", "[aims]")], [("added", "[aims]")]]
    assert ("removed", "[aims]") in told[0] and ("added", "rule 1") in told[0]
    (change,) = shop.rules.diff(1, 2)
    assert change.before == ("margin = 0.1",) and change.after == ("margin = 0.2", "stock_age = 0.1")


def test_a_preview_shows_what_aims_would_move(shop: Shop) -> None:
    found = shop.rules.preview(text=aims(margin=0.6))
    assert {one.question.request.surface for one in found} == {"browse", "home"}
    assert any(one.changes for one in found)
    assert all(one.before.total == one.after.total for one in found)
    assert not any(one.changes for one in shop.rules.preview(text=aims(margin=0)))


def test_an_aim_that_nothing_is_known_of_and_a_shop_without_the_policy_are_told_before(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text(SETTINGS + '[profiles.home]\npolicies = ["rules"]\n')
    with open_shop(tmp_path) as shop:
        shop.put([{"id": "a", "title": "Tea", "price": 1}])
        found = shop.rules.check(aims(margin=0.1, stock_cover=0.1, stock_age=0.1)).conflicts
        assert [(one.kind, one.text.split(",")[0]) for one in found] == [
            ("unknown", "aims: no product tells its cost"),
            ("unknown", "aims: no product tells its stock"),
            ("unknown", "aims: no product tells its stock_since"),
        ]
        with pytest.raises(RulesError, match=r"\[aims\]: aims: no product tells its cost"):
            shop.rules.publish("Ann", text=aims(margin=0.1))
        at_home = '[[rules]]\nwhen = { surface = "home" }\naims = { margin = 0.1 }\n'
        assert "'home' does not have the policy `aims`" in " ".join(
            one.text for one in shop.rules.check(at_home).conflicts
        )


def test_a_published_version_keeps_its_aims(folder: Path) -> None:
    with open_shop(folder, create=False) as shop:
        shop.rules.publish("Ann", text=aims(margin=0.25))
    with open_shop(folder, create=False) as shop:
        assert dict(shop.rules.published.file.aims.value()) == {"margin": 0.25}
        assert why(shop.search("gift box", k=N)) == {("aims", "margin")}
        shown = json.loads(shop.rules.published.file.model_dump_json(exclude_none=True))
        assert shown["aims"] == {"margin": 0.25}


# -- what a feed says --------------------------------------------------------------------------------------------------


def test_a_feed_tells_the_cost_or_the_margin_in_many_ways(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text(SETTINGS)
    with open_shop(tmp_path) as shop:
        report = shop.put([
            {"id": "a", "price": 10, "cost": 6},
            {"id": "b", "price": "10,00 €", "cost": "6,50 €"},
            {"id": "c", "price": 10, "margin": 0.4},
            {"id": "d", "price": 10, "margin": "35%"},
            {"id": "e", "price": 10, "cost": "much"},
            {"id": "f", "price": 10, "cost": "6 USD"},
            {"id": "g", "margin": 0.4},
            {"id": "h", "price": 10, "margin": 40},
        ])  # fmt: skip
        known = shop.store.catalogue.get([*"abcdefgh"])
        assert [known[name].cost_minor for name in "abcdefgh"] == [600, 650, 600, 650, None, None, None, None]
        assert not any("cost" in one.attributes or "margin" in one.attributes for one in known.values())
        told = {finding.rule: finding.count for finding in report.repairs}
        assert told["cost is no such amount: unknown"] == 2
        assert told["margin is no share of a price: unknown"] == 2

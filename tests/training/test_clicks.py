"""From what was shown and what shoppers then did to judgements: through a shop's own log and store."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wares.domain.event import Event, EventKind
from wares.domain.judgement import Judgement
from wares.domain.product import Product
from wares.domain.request import Request, Sort
from wares.domain.result import Page
from wares.engine.assembly import Engine
from wares.engine.learnt import SNAPSHOTS
from wares.engine.rules.book import RuleBook
from wares.engine.settings import load_settings
from wares.engine.snapshot import write_snapshot
from wares.errors import SettingsError
from wares.evaluation.examination import Examination
from wares.policies.swaps import draw_order, place_chances
from wares.store.impressions import ImpressionLog, read_impressions, read_known_impressions
from wares.store.sqlite import Store
from wares.training.build import build_snapshot
from wares.training.clicks import DEPTH, WINDOW_MS, Exposures, beside, clicks_of, gains, join, keyed

NOW_MS = 1_790_000_000_000
DRAWN = "[profiles.search]\nswaps = 0.5\n"
PINNED = '[[rules]]\nwhen = { query = "tea" }\npin = { "p7" = 3 }\n'
TEAS = ("green", "black", "white", "mint", "rooibos", "oolong", "fennel", "ginger", "lemon", "apple", "rose", "nettle")


class ServedShop:
    """Twelve teas, answering into an impression log; time is what a test says it is."""

    def __init__(self, built: Path, folder: Path, toml: str = "", logging: bool = True, rules: str = "") -> None:
        self.folder = Path(shutil.copytree(built, folder))
        with (folder / "wares.toml").open("a") as file:
            file.write(toml)
        if rules:
            RuleBook(folder).publish(rules, "Ann")
        self.settings = load_settings(folder)
        self.store = Store.open(folder, "write")
        self.engine = Engine(folder, self.settings, self.store, None)
        self.log = ImpressionLog(folder, flush_s=60)
        if logging:
            self.engine.impressions = self.log

    def train(self) -> Mapping[str, Any]:
        return trained(self.store, self.folder)

    def ask(self, shopper: str | None = "ann", at_ms: int = 0, query: str = "tea", **more: Any) -> Page:
        return self.engine.ask(Request("search", NOW_MS + at_ms, query=query, shopper_id=shopper, **more))

    def click(
        self, shopper: str, product: str, at_ms: int, query: str = "", kind: EventKind = EventKind.CLICK, met: str = ""
    ) -> None:
        self.store.events.append([Event(kind, NOW_MS + at_ms, shopper, product, query=query, impression_id=met)])

    def logged(self) -> list[Mapping[str, Any]]:
        self.log.flush()
        return [impression for _, impression in read_impressions(self.folder)]

    def exposures(self) -> Exposures:
        self.log.flush()
        shown = keyed(read_known_impressions(self.folder), self.store.shoppers.keys())
        named = {seq: name for seq, (name, _) in self.store.events.shown().items()}
        return join(shown, self.store.events.read(), self.engine.live.snapshot.columns, named)

    def clicked(self) -> list[tuple[str, str]]:
        """(query, product) of every line that an event was told to belong to."""
        found = self.exposures()
        pairs = found.shown.pairs[found.shown.clicked].tolist()
        return [(found.queries[pair], found.products[pair]) for pair in pairs]

    def close(self) -> None:
        self.log.close()
        self.store.close()


def trained(store: Store, folder: Path) -> Mapping[str, Any]:
    snapshot = build_snapshot(store, load_settings(folder), None, folder / SNAPSHOTS, NOW_MS)
    write_snapshot(snapshot, folder / SNAPSHOTS)
    return snapshot.facts


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shop that every test gets a copy of."""
    folder = tmp_path_factory.mktemp("built") / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text('[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n')
    with Store.open(folder, "write") as store:
        teas = [Product(f"p{i}", f"{name} tea", "", f"brand {i}") for i, name in enumerate(TEAS)]
        store.catalogue.put([*teas, Product("cup", "white cup")])
        trained(store, folder)
    return folder


@pytest.fixture
def shop(built: Path, tmp_path: Path) -> Iterator[ServedShop]:
    opened = ServedShop(built, tmp_path / "shop")
    yield opened
    opened.close()


@pytest.fixture
def drawing(built: Path, tmp_path: Path) -> Iterator[ServedShop]:
    opened = ServedShop(built, tmp_path / "drawing", DRAWN, rules=PINNED)
    yield opened
    opened.close()


def shown(page: Page) -> list[str]:
    return [hit.product.id for hit in page.hits]


# -- served exchanges --------------------------------------------------------------------------------------------------


def test_a_shop_with_the_default_settings_draws_nothing(shop: ServedShop) -> None:
    pages = [shop.ask(at_ms=at) for at in range(20)]
    assert len({tuple(shown(page)) for page in pages}) == 1
    hits = [hit for impression in shop.logged() for hit in impression["hits"]]
    assert all(hit["propensity"] == 1.0 and "chances" not in hit for hit in hits)


def test_exchanges_change_neither_totals_nor_pins_nor_the_rest_of_the_order(drawing: ServedShop) -> None:
    pages = [drawing.ask(at_ms=at) for at in range(40)]
    assert len({tuple(shown(page)) for page in pages}) > 10
    assert len({page.total for page in pages}) == 1
    assert len({frozenset(shown(page)[:DEPTH]) for page in pages}) == 1
    assert len({tuple(shown(page)[DEPTH:]) for page in pages}) == 1
    assert {shown(page)[2] for page in pages} == {"p7"}


def test_later_pages_go_on_in_the_order_that_was_drawn(drawing: ServedShop) -> None:
    for at in range(20):
        whole = shown(drawing.ask(at_ms=at, k=20))
        page = drawing.ask(at_ms=at, k=3)
        found = shown(page)
        while page.cursor:
            page = drawing.ask(at_ms=at + 5, k=3, cursor=page.cursor)
            found += shown(page)
        assert found == whole


def test_the_logged_propensity_is_how_often_it_happens(drawing: ServedShop) -> None:
    for at in range(250):
        drawing.ask(at_ms=at, k=5)
    logged = drawing.logged()
    told: dict[tuple[str, int], float] = {}
    came: dict[tuple[str, int], int] = {}
    for impression in logged:
        for hit in impression["hits"]:
            place = (hit["product"], hit["position"])
            came[place] = came.get(place, 0) + 1
            assert told.setdefault(place, hit["propensity"]) == hit["propensity"]
            assert hit.get("chances", {str(hit["position"]): 1.0})[str(hit["position"])] == hit["propensity"]
    assert told["p7", 2] == 1.0
    for place, chance in told.items():
        assert abs(came[place] / len(logged) - chance) <= 5 * np.sqrt(chance * (1 - chance) / len(logged)), place


def test_nothing_is_drawn_where_nobody_keeps_what_was_shown(built: Path, tmp_path: Path) -> None:
    shop = ServedShop(built, tmp_path / "quiet", DRAWN, logging=False)
    assert len({tuple(shown(shop.ask(at_ms=at))) for at in range(20)}) == 1
    shop.close()


def test_another_order_than_relevance_is_left_alone(drawing: ServedShop) -> None:
    pages = [drawing.ask(at_ms=at, sort=Sort.NEWEST) for at in range(20)]
    assert len({tuple(shown(page)) for page in pages}) == 1
    assert drawing.exposures().impressions == 0  # and teaches nothing


def test_exchanges_must_come_last_and_be_named(tmp_path: Path) -> None:
    for toml, said in (
        ('[profiles.search]\npolicies = ["swaps", "rules"]\n', "must come last"),
        ('[profiles.search]\npolicies = ["rules"]\nswaps = 0.1\n', "Put it last"),
        ("[profiles.search]\nswaps = 0.7\n", "swaps"),
    ):
        (tmp_path / "wares.toml").write_text(toml)
        with pytest.raises(SettingsError, match=said):
            load_settings(tmp_path)


# -- what belongs to what was shown ------------------------------------------------------------------------------------


def test_a_click_belongs_to_the_page_that_showed_the_product(shop: ServedShop) -> None:
    shop.ask("ann")
    shop.ask("bob")
    shop.click("ann", "p3", 60_000)
    assert shop.clicked() == [("tea", "p3")]
    found = shop.exposures()
    assert found.impressions == 2
    assert found.clicks == 1
    assert len(found.shown) == 2 * len(TEAS)


def test_a_click_that_names_its_page_belongs_to_that_and_not_to_a_later_one(shop: ServedShop) -> None:
    first = shop.ask("ann", query="green tea")
    shop.ask("ann", at_ms=1000, query="tea")
    shop.click("ann", "p0", WINDOW_MS * 3, met=first.impression_id)  # long after, in another visit
    assert shop.clicked() == [("green tea", "p0")]


@pytest.mark.parametrize(("shopper", "at_ms"), [("bob", 1000), ("ann", -1)])
def test_a_click_that_names_a_page_of_another_shopper_or_of_later_belongs_to_none(
    shop: ServedShop, shopper: str, at_ms: int
) -> None:
    page = shop.ask("ann")
    shop.ask("bob", at_ms=-5000)  # who saw the product, too, but says that it was not there
    shop.click(shopper, "p3", at_ms, met=page.impression_id)
    assert shop.clicked() == []


def test_a_click_from_elsewhere_belongs_to_no_search_that_showed_the_product_too(shop: ServedShop) -> None:
    shop.ask("ann")
    shop.click("ann", "p3", 1000, met="of-the-home-page")
    assert shop.clicked() == []


@pytest.mark.parametrize(
    ("shopper", "product", "at_ms", "query"),
    [
        ("ann", "p3", WINDOW_MS + 1, ""),  # too late
        ("ann", "p3", -1, ""),  # before it was shown
        ("bob", "p3", 60_000, ""),  # who saw nothing
        ("ann", "cup", 60_000, ""),  # which was not shown
        ("ann", "p3", 60_000, "coffee"),  # found by other words
    ],
)
def test_what_has_nothing_to_do_with_the_page_does_not_count(
    shop: ServedShop, shopper: str, product: str, at_ms: int, query: str
) -> None:
    shop.ask("ann")
    shop.click(shopper, product, at_ms, query)
    assert shop.clicked() == []


def test_the_last_page_before_the_click_gets_it_once(shop: ServedShop) -> None:
    shop.ask("ann", 0)
    shop.ask("ann", 1000, query=" Green  TEA")
    shop.click("ann", "p0", 2000, query="green tea")
    shop.click("ann", "p0", 3000, kind=EventKind.PURCHASE)
    assert shop.clicked() == [(" Green  TEA", "p0")]


def test_a_view_of_a_variant_counts_and_a_refund_does_not(shop: ServedShop) -> None:
    shop.store.catalogue.put([Product(name, "green tea", group_id="g") for name in ("p0", "p0-large")])
    shop.train()
    shop.engine.refresh()
    shop.ask("ann")
    shop.click("ann", "p0-large", 1000, kind=EventKind.VIEW)
    shop.click("ann", "p3", 1000, kind=EventKind.REFUND)
    assert [product in ("p0", "p0-large") for _, product in shop.clicked()] == [True]


def test_anonymous_pages_teach_nothing_and_a_forgotten_shopper_leaves_nothing(shop: ServedShop) -> None:
    shop.ask(None)
    shop.ask("ann")
    shop.click("ann", "p3", 1000)
    assert shop.exposures().impressions == 1
    shop.log.erase(shop.store.shoppers.hash("ann"))
    shop.store.events.erase("ann")
    assert shop.exposures().impressions == 0


# -- judgements --------------------------------------------------------------------------------------------------------


def test_a_good_product_far_below_is_worth_more_than_a_dull_one_on_top(shop: ServedShop) -> None:
    """Every sixth shopper clicks what stands first, every tenth what stands tenth: who looks there wants it."""
    first, tenth = (shown(shop.ask())[place] for place in (0, 9))
    for i in range(60):
        shop.ask(f"s{i}", at_ms=i)
        if i % 6 == 0:
            shop.click(f"s{i}", first, i + 1000)
        if i % 10 == 1:
            shop.click(f"s{i}", tenth, i + 2000)
    curve = Examination(1 / np.arange(1, 11), np.zeros(10), "known")
    worth = {one.product_id: one.relevance for one in gains(shop.exposures(), curve, highest=3.0)}
    flat = Examination(np.ones(10), np.zeros(10), "none")
    plain = {one.product_id: one.relevance for one in gains(shop.exposures(), flat, highest=3.0)}
    assert plain[first] == 3.0 > plain[tenth]
    assert worth[tenth] == 3.0 > worth[first]
    assert all(0 <= gain <= 3 for gain in worth.values())


def test_what_was_seldom_shown_is_not_judged(shop: ServedShop) -> None:
    for i in range(19):
        shop.ask(f"s{i}", at_ms=i)
    flat = Examination(np.ones(10), np.zeros(10), "none")
    assert gains(shop.exposures(), flat) == ()
    assert gains(shop.exposures(), flat, least_shows=10, least_looks=20.0) == ()


def test_what_a_person_said_of_a_query_counts_alone() -> None:
    said = [Judgement("Green tea", "p0", 3.0)]
    learnt = [Judgement("green  tea", "p1", 1.0), Judgement("tea", "p1", 1.0)]
    assert beside(said, learnt) == [said[0], learnt[1]]


def test_no_clicks_no_exchanges_no_log_teach_nothing(shop: ServedShop, tmp_path: Path) -> None:
    columns, block = shop.engine.live.snapshot.columns, shop.store.events.read()
    lessons = clicks_of(shop.store, tmp_path / "nowhere", block, columns)
    assert (lessons.judgements, lessons.examination, lessons.impressions) == ((), None, 0)
    shop.ask("ann")
    shop.log.flush()
    shop.click("ann", "p3", 1000)
    lessons = clicks_of(shop.store, shop.folder, shop.store.events.read(), columns)
    assert (lessons.judgements, lessons.examination, lessons.clicks) == ((), None, 1)


def test_training_learns_from_clicks_where_exchanges_are_on(drawing: ServedShop) -> None:
    """Looks fall by a fifth with each place. Everybody wants the fifth tea and likes the others alike."""
    drawing.ask()
    (like,) = drawing.logged()
    teas = [hit["product"] for hit in like["hits"][:6]]
    rng, clicks = np.random.default_rng(0), list[Event]()
    for i in range(5000):
        order = draw_order(6, 0.3, 3, rng)
        hits = [
            {"product": teas[old], "position": place, "values": [], "chances": drawn}
            for place, old in enumerate(order)
            if (drawn := {str(at): float(p) for at, p in enumerate(place_chances(6, 0.3, 3)[old]) if p > 0})
        ]
        impression = {**like, "time_ms": NOW_MS + 10_000 + i, "features": [], "hits": hits}
        drawing.log.record(impression, drawing.store.shoppers.hash(f"s{i}"))
        wanted = np.where(order == 4, 0.9, 0.4) * 0.8 ** np.arange(6)
        for place in np.flatnonzero(rng.random(6) < wanted).tolist():
            clicks.append(Event(EventKind.CLICK, NOW_MS + 10_500 + i, f"s{i}", teas[order[place]]))
    drawing.store.events.append(clicks)
    drawing.log.flush()
    told = drawing.train()
    columns, block = drawing.engine.live.snapshot.columns, drawing.store.events.read()
    lessons = clicks_of(drawing.store, drawing.folder, block, columns)
    assert lessons.examination is not None
    assert lessons.examination.curve == pytest.approx(0.8 ** np.arange(6), rel=0.15)
    worth = {one.product_id: one.relevance for one in lessons.judgements}
    assert worth.pop(teas[4]) == 1.0
    assert list(worth.values()) == pytest.approx([0.4 / 0.9] * 5, abs=0.08)  # wherever they stood
    assert told["clicks"] == {"impressions": 5001, "clicks": len(clicks), "judgements": 6}

"""Shoppers who are played: the same seed does the same, they are polite, and what was planted in them is found."""

import json
import os
import signal
import subprocess
import sys
import time
from binascii import crc32
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from wares.app.cli import app as commands
from wares.app.simulation.bias import Bias
from wares.app.simulation.counts import Counts
from wares.app.simulation.habits import Habits
from wares.app.simulation.run import Plan, Simulation
from wares.app.simulation.service import Answer, Gone, HttpLine, Service
from wares.app.simulation.wants import Life, Want, lives_of_log, planted_life
from wares.app.simulation.words import misspelt, worded
from wares.app.web.http import make_app
from wares.domain.request import Request
from wares.shop import Shop, open_shop
from wares.store.impressions import read_impressions, read_known_impressions
from wares.training.clicks import Lessons, keyed, learn_from_clicks

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n[profiles.search]\nswaps = 0.5\n'
LETTERS = "ABCDEFGHIJ"
DAY_S, ETA = 86_400, 0.8


class Desk:
    """The service in this process, as one line to it. `answers` may stand in for it."""

    def __init__(self, client: TestClient, answers: Sequence[Answer] = ()) -> None:
        self.client, self.answers, self.asked = client, list(answers), list[tuple[str, str, Any]]()

    def send(self, method: str, path: str, body: object) -> Answer:
        self.asked.append((method, path, body))
        if self.answers:
            return self.answers.pop(0)
        answer = self.client.request(method, path, json=body) if body is not None else self.client.request(method, path)
        return Answer(answer.status_code, answer.json() if answer.content else None)

    def close(self) -> None:
        """Nothing to hang up."""


def make_shop(folder: Path, goods: Sequence[dict[str, Any]], events: Sequence[dict[str, Any]] = ()) -> Shop:
    folder.mkdir(exist_ok=True)
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    shop = open_shop(folder)
    shop.put(goods)
    shop.record(events)
    return shop


def bought(who: str, product: str, days_ago: float) -> dict[str, Any]:
    return {"kind": "purchase", "shopper_id": who, "product_id": product, "time": time.time() - days_ago * DAY_S}


def tea(letter: str) -> dict[str, Any]:
    return {"id": letter, "title": f"Tea {letter}", "category": "Drinks > Tea", "brand": "Acme", "price": 2}


CORNER = [*map(tea, LETTERS), {"id": "pan", "title": "Frying pan", "category": "Home > Kitchen", "price": 20}]


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with make_shop(tmp_path / "corner", CORNER) as opened:
        opened.log_impressions()
        yield opened


@pytest.fixture
def desk(shop: Shop) -> Iterator[Desk]:
    with TestClient(make_app({"default": shop})) as client:
        yield Desk(client)


def play(lives: Sequence[Life], line: Desk, **plan: Any) -> Simulation:
    """One visit of each after the other, without any pause."""
    simulation = Simulation(Plan(**{"visits": 1, "speed": 1e12} | plan), lives, lambda: line)
    for n, life in enumerate(lives):
        simulation.live(n, life, line)
    return simulation


# -- what was planted is found -----------------------------------------------------------------------------------------

ONLY_SEARCH = Habits(
    home=0,
    searches=1,
    suggested=0,
    narrows=0,
    rewords=0,
    opens=0,
)


@pytest.fixture(scope="module")
def planted(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[list[str], Lessons, dict[str, float], Counts]]:
    """The first order, what clicks taught, click rates as they are, and the simulation's own counts.

    Nine of ten shoppers want one of the three teas that stand last at first: bias and wishes pull apart.
    """
    with pytest.MonkeyPatch.context() as patch, make_shop(tmp_path_factory.mktemp("planted"), CORNER) as shop:
        patch.setattr("wares.policies.swaps.generator_of", _by_shopper)  # else chance follows the clock
        order = [hit.product.id for hit in shop.search("tea").hits]
        shop.log_impressions()
        drawn = np.random.default_rng(5).choice(order, 300, p=[0.1 / 7] * 7 + [0.3] * 3)
        lives = [Life(((Want(str(one), f"Tea {one}", ("Drinks", "Tea"), "Acme"),),)) for one in drawn]
        with TestClient(make_app({"default": shop})) as client:
            bias = Bias(eta=ETA, wanted=0.95, alike=0.3)
            counts = play(lives, Desk(client), bias=bias, habits=ONLY_SEARCH).counts
        shop.close()
        with open_shop(shop.folder, create=False) as again:
            columns, events = again.engine.live.state.columns, again.store.events
            assert not list(read_impressions(shop.folder)) and not len(events.read()), "nothing of it is real"
            shown = keyed(read_known_impressions(shop.folder, simulated=True), again.store.shoppers.keys())
            named = {seq: name for seq, (name, _) in events.shown(simulated=True).items()}
            block = events.read(simulated=True)
            lessons = learn_from_clicks(shown, block, columns, named=named)
            id_of = dict(zip(columns.keys.tolist(), columns.ids, strict=True))
            clicks = Counter(id_of[key] for key in block.product_keys.tolist() if key >= 0)
        yield order, lessons, {one: clicks[one] / len(lives) for one in order}, counts


def _by_shopper(request: Request) -> np.random.Generator:
    return np.random.default_rng(crc32((request.shopper_id or "").encode()))


def favour(worth: dict[str, float], order: Sequence[str]) -> float:
    """How many times as much the three favourites are worth as the others."""
    return float(np.mean([worth[one] for one in order[7:]]) / np.mean([worth[one] for one in order[:7]]))


def test_clicks_as_they_are_follow_the_places_and_hide_what_was_planted(planted: Any) -> None:
    order, _, rates, counts = planted
    places = counts.places()
    assert places[0]["rate"] > 1.5 * places[6]["rate"]
    assert favour(rates, order) < 0.8, "what most shoppers want is clicked less than what stands above it"
    assert max(rates, key=lambda one: rates[one]) not in order[7:]


def test_the_planted_position_bias_is_estimated_from_exchanges(planted: Any) -> None:
    _, lessons, _, _ = planted
    assert lessons.examination is not None and lessons.examination.method == "swaps"
    curve = lessons.examination.curve
    assert len(curve) >= 6
    assert np.abs(np.log(curve[:6] / np.arange(1, 7) ** -ETA)).max() < 0.45


def test_what_was_planted_comes_back_once_the_bias_is_taken_out(planted: Any) -> None:
    order, lessons, *_ = planted
    gains = {one.product_id: one.relevance for one in lessons.judgements}
    assert set(gains) == set(order)
    assert favour(gains, order) > 1.25
    assert max(gains, key=lambda one: gains[one]) in order[7:]


def test_the_summary_sees_the_bias_that_was_stated(planted: Any) -> None:
    *_, counts = planted
    for row in counts.places()[:5]:
        assert row["clicks"] == pytest.approx(row["expected"], rel=0.35)


# -- how they walk -----------------------------------------------------------------------------------------------------


def test_the_same_seed_lives_the_same_life_and_another_seed_another(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.policies.swaps.generator_of", _by_shopper)  # chance in the shop is not the shoppers'

    def asked(seed: int) -> list[tuple[str, str, Any]]:
        desk.asked.clear()
        rng = np.random.default_rng(seed)
        shelves = [[Want.of_json({**tea(letter), "category": ["Drinks", "Tea"]}) for letter in LETTERS]]
        play([planted_life(shelves, rng) for _ in range(2)], desk, seed=seed, visits=2)
        desk.client.delete("/v1/simulated")
        return [(method, path, _without_names(body)) for method, path, body in desk.asked]

    first = asked(1)
    assert len(first) > 15 and first == asked(1)
    assert first != asked(2)


def _without_names(body: Any) -> Any:
    """What is sent, without the names of impressions, which the server draws."""
    if not isinstance(body, dict) or "events" not in body:
        return body
    return [{name: value for name, value in event.items() if name != "impression_id"} for event in body["events"]]


def test_a_shopper_only_speaks_through_the_public_api_and_marks_all_they_do(
    desk: Desk, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.policies.swaps.generator_of", _by_shopper)
    shelves = [
        [
            Want.of_json({**tea(letter), "title": f"Green tea {letter}", "category": ["Drinks", "Tea"]})
            for letter in LETTERS
        ]
    ]
    rng = np.random.default_rng(0)
    simulation = play(
        [planted_life(shelves, rng) for _ in range(6)], desk, visits=2, habits=Habits(suggested=1, buys=1, rates=1)
    )
    routes = {path.partition("?")[0].split("/")[2] for _, path, _ in desk.asked}
    assert routes == {"recommend", "search", "browse", "products", "similar", "suggest", "events"}
    acts = simulation.counts.acts
    assert acts["visits"] == 12 and acts["found"] and acts["baskets bought"] and acts["ratings"]
    assert not simulation.counts.errors
    assert not len(shop.store.events.read())
    played = shop.store.events.read(simulated=True)
    assert len(played) == sum(len(body["events"]) for _, path, body in desk.asked if path == "/v1/events")
    shop._impressions.flush()  # type: ignore[union-attr]
    assert not list(read_impressions(shop.folder))
    shown = list(read_impressions(shop.folder, simulated=True))
    assert len(shown) == sum(
        path in ("/v1/search", "/v1/browse", "/v1/recommend", "/v1/similar") for _, path, _ in desk.asked
    )


def test_shoppers_of_the_log_want_what_was_really_bought_next(tmp_path: Path) -> None:
    events = [bought("ann", "A", 60), bought("ann", "B", 50), bought("ann", "C", 3), bought("ann", "D", 3)]
    events += [bought("ann", "E", 1), bought("bob", "F", 70), bought("cy", "gone", 2)]
    with make_shop(tmp_path / "log", CORNER, events) as shop:
        lives = lives_of_log(shop.store, 4, 3, np.random.default_rng(0))
        assert len(lives) == 3 and len(set(lives)) == 1, "one shopper bought in the last weeks; others live their life"
        assert [{want.product for want in visit} for visit in lives[0].visits] == [{"C", "D"}, {"E"}]
        assert [product for product, _ in lives[0].before] == ["A", "B"]
        assert lives_of_log(shop.store, 0.0001, 3, np.random.default_rng(0)) == [] or lives[0].visits
    with make_shop(tmp_path / "new", CORNER) as shop:
        assert lives_of_log(shop.store, 4, 3, np.random.default_rng(0)) == []


@pytest.mark.parametrize("title", ["Organic green tea 500g", "有机绿茶礼盒", "Tea", "7 x 9", "Ärzte-Öl für Füße", ""])
def test_a_query_says_something_of_what_is_wanted_or_nothing(title: str) -> None:
    for seed in range(30):
        query = worded(title, np.random.default_rng(seed))
        assert len(query) <= len(title) + 2 and query == query.strip()
        assert bool(query) == (title not in ("", "7 x 9"))
        assert len(query.split()) <= 3
    assert all(misspelt("tea", np.random.default_rng(seed)) == "tea" for seed in range(9))
    assert all(misspelt("marmalade", np.random.default_rng(seed))[0] == "m" for seed in range(9))


# -- manners -----------------------------------------------------------------------------------------------------------


def test_a_busy_server_is_waited_for_as_long_as_it_says(desk: Desk) -> None:
    pauses, counts = list[float](), Counts()
    line = Desk(desk.client, [Answer(429, {"code": "too-many-requests"}, 7.0), Answer(503, None, 2.0)])
    page = Service(line, counts, pauses.append).ask("search", {"query": "tea", "simulated": True})
    assert page["total"] == 10 and pauses == [7.0, 2.0]
    assert counts.waited_s == 9.0 and not counts.errors
    line = Desk(desk.client, [Answer(429, None, 1.0)] * 9)
    assert Service(line, counts, pauses.append).ask("search", {}) is None
    assert counts.errors == {"too busy": 1}


def test_what_the_server_refuses_is_counted_by_its_code_and_one_that_is_gone_is_given_up(desk: Desk) -> None:
    counts = Counts()
    assert Service(desk, counts, _no_pause).ask("search", {"surface": "nowhere"}) is None
    assert sum(counts.errors.values()) == 1 and next(iter(counts.errors)).startswith("422 ")
    gone = HttpLine("http://127.0.0.1:9")
    with pytest.raises(Gone):
        Service(gone, counts, _no_pause).ask("search", {})
    assert counts.errors["no answer"] == 3


def _no_pause(seconds: float) -> None:
    pass


# -- the command -------------------------------------------------------------------------------------------------------


def run(*words: str) -> Any:
    return CliRunner().invoke(commands, ["simulate", *words])


def test_the_command_serves_the_shop_plays_tells_and_forgets(tmp_path: Path) -> None:
    events = [bought(f"s{i}", LETTERS[(i + week) % 10], 7 * week + 0.5) for i in range(4) for week in range(8)]
    with make_shop(tmp_path / "shop", CORNER, events) as shop:
        folder = str(shop.folder)
    result = run(folder, "--shoppers", "3", "--visits", "1", "--speed", "100000", "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    assert told["acts"]["visits"] == 3 and told["driven"].startswith("by the last 4 weeks") and not told["errors"]
    assert told["latencies"]["search"]["p99_ms"] >= told["latencies"]["search"]["p50_ms"] > 0
    with open_shop(folder, create=False) as shop:
        played, real = shop.store.events.count(simulated=True), shop.store.events.count()
        assert played > 3 and real == len(events)
    told = json.loads(run(folder, "--remove", "--json").stdout)
    assert told["events"] == played and told["impressions"] > 3
    assert "Forgotten: 0 simulated events and 0 simulated impressions." in run(folder, "--remove").output


@pytest.mark.parametrize(
    ("goods", "words", "said"),
    [
        ([], [], "sells nothing yet"),
        (CORNER, ["--url", "http://127.0.0.1:9"], "No server answers"),
        (CORNER, ["--url", "x"], "no address"),
    ],
)
def test_the_command_says_why_it_cannot_play(tmp_path: Path, goods: Any, words: list[str], said: str) -> None:
    with make_shop(tmp_path / "shop", goods) as shop:
        folder = str(shop.folder)
    result = run(folder, *words)
    assert result.exit_code == 1 and said in result.output


@pytest.mark.skipif(sys.platform == "win32", reason="Ctrl-C is a signal elsewhere")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_ctrl_c_ends_it_with_what_there_is_and_leaves_no_server_behind(tmp_path: Path, how: signal.Signals) -> None:
    with make_shop(tmp_path / "shop", CORNER) as shop:
        folder = str(shop.folder)
    command = [sys.executable, "-m", "wares", "simulate", folder, "--minutes", "5", "--shoppers", "2", "--speed", "200"]
    signal.signal(
        signal.SIGINT, signal.default_int_handler
    )  # a job in the background ignores it, and so do its children
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=os.environ
    ) as process:
        try:
            _wait_until(lambda: _played(folder) > 5)
            process.send_signal(how)
            said, noted = process.communicate(timeout=120)
        finally:
            process.terminate()
    assert process.returncode == 0, noted
    assert "searches" in said and "Errors: none." in said and "Stopped early." in noted
    with open_shop(folder, create=False) as shop:
        assert shop.writer(), "nobody holds the shop any more"


def _played(folder: str) -> int:
    with open_shop(folder, create=False) as shop:
        return shop.store.events.count(simulated=True)


def _wait_until(is_so: Callable[[], bool]) -> None:
    deadline_s = time.monotonic() + 120
    while not is_so():
        assert time.monotonic() < deadline_s
        time.sleep(0.3)

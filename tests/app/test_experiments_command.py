"""`wares experiments`: begun and ended at the command line, taken up by what serves, and stopped where it does harm."""

import json
import time
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from served_shop import Server
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.app.counting import count
from wares.app.web.http import make_app
from wares.engine.experiments.book import ExperimentBook
from wares.evaluation.experiments import Experiments
from wares.shop import Shop, open_shop

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'
FILE = 'name = "cheap-first"\nsurface = "search"\n[variants.cheap]\nformula = { lexical = 0.1, price = -1.0 }\n'


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("COLUMNS", "200")
    place = tmp_path / "shop"
    place.mkdir()
    (place / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(place) as shop:
        shop.put(
            [{"id": f"t{i}", "title": f"绿茶 Green tea {i}", "category": "Tea", "price": 40 - i} for i in range(30)]
        )
    (tmp_path / "x.toml").write_text(FILE, encoding="utf-8")
    return place


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder) as opened:
        opened.log_impressions()
        yield opened


def wares(*words: object) -> Result:
    return CliRunner().invoke(app, ["experiments", *map(str, words)])


def start(folder: Path, text: str = FILE, name: str = "x.toml") -> Result:
    (folder.parent / name).write_text(text, encoding="utf-8")
    return wares("start", folder, folder.parent / name, "--by", "Anna", "--note", "why not")


def given(shop: Shop, surface: str, n: int) -> dict[str, str]:
    """The variants of n shoppers on a surface that an experiment has for itself."""
    told = {}
    for who in (f"s{i}" for i in range(n)):
        whose = shop.store.shoppers.hash(who)
        running = shop.engine.experiments.experiment_of(surface, whose)
        assert running is not None
        told[who] = running.variant_of(whose)
    return told


def test_a_shopper_keeps_their_variant_and_variants_are_parted_as_stated(folder: Path, shop: Shop) -> None:
    assert (
        start(folder, FILE.replace("[variants.cheap]", "[variants.control]\nweight = 3\n[variants.cheap]")).exit_code
        == 0
    )
    shop.engine.refresh()
    people = [f"s{i}" for i in range(60)]
    first = {who: shop.search("green tea", shopper=who, k=1).variant for who in people}
    assert {who: shop.search("绿茶", shopper=who, k=1).variant for who in people} == first
    assert given(shop, "search", 60) == first
    assert 0.2 < Counter(given(shop, "search", 2000).values())["cheap"] / 2000 < 0.3
    cheap = next(who for who, variant in first.items() if variant == "cheap")
    assert shop.search("green tea", shopper=cheap, k=1).hits[0].product.id == "t29"
    assert {shop.search("tea").variant, shop.browse("Tea", shopper="s1").variant} == {""}  # no id; another surface


def test_where_nothing_is_logged_everybody_gets_control(folder: Path) -> None:
    start(folder)
    with open_shop(folder) as reader:
        plain = reader.search("green tea", k=5).hits
        pages = [reader.search("green tea", shopper=f"s{i}", k=5) for i in range(20)]
    assert {page.variant for page in pages} == {""}
    assert all([hit.product.id for hit in page.hits] == [hit.product.id for hit in plain] for page in pages)


def test_the_variant_of_one_experiment_says_nothing_of_that_of_another(folder: Path, shop: Shop) -> None:
    start(folder)
    start(folder, FILE.replace("cheap-first", "cheap-shelf").replace('"search"', '"browse"'))
    shop.engine.refresh()
    search, browse = given(shop, "search", 1000), given(shop, "browse", 1000)
    assert 0.4 < sum(search[who] == browse[who] for who in search) / 1000 < 0.6


def test_two_experiments_of_one_surface_never_share_a_shopper(folder: Path, shop: Shop) -> None:
    half = "share = 0.5\n" + FILE
    assert start(folder, half).exit_code == 0
    refused = start(folder, half.replace("cheap-first", "b").replace("0.5", "0.6"), "b.toml")
    assert refused.exit_code == 1 and "0.5 are free: cheap-first (50%) has the others" in refused.output
    assert start(folder, half.replace("cheap-first", "b"), "b.toml").exit_code == 0
    shop.engine.refresh()
    met = Counter(shop.search("tea", shopper=f"s{i}", k=1).experiment for i in range(200))
    assert set(met) == {"cheap-first", "b"} and min(met.values()) > 60


def test_what_stands_in_the_way_is_said_and_nothing_is_started(folder: Path) -> None:
    for text, said in (
        (FILE.replace("search", "serch", 1), "There is no surface 'serch'. Did you mean 'search'?"),
        (FILE.replace("formula", "formla"), "variants.cheap.formla: there is no such setting. Did you mean 'formula'?"),
        (FILE.replace("price", "prise"), "There is no feature 'prise'. Did you mean 'price'?"),
        (FILE + 'profile = "hom"\n', "Did you mean 'home'?"),
        ("days = 200\n" + FILE, "outlast what the shop remembers"),
        ("[", "not valid TOML"),
        (FILE.replace("[variants.cheap]", "[variants.control]"), "control is the surface as it is"),
    ):
        found = start(folder, text)
        assert found.exit_code == 1 and said in " ".join(found.output.split()), text
    (folder.parent / "x.toml").write_text(FILE, encoding="utf-8")
    assert "Who does it?" in wares("start", folder, folder.parent / "x.toml").output
    assert "No experiment was started yet" in wares("list", folder).output


def test_a_name_is_used_once_and_the_ledger_tells_who_and_why(folder: Path) -> None:
    start(folder)
    assert wares("stop", folder, "cheap-first", "--by", "Bob", "--note", "enough").exit_code == 0
    assert "a name is used once" in start(folder).output
    assert "does not run" in wares("stop", folder, "cheap-first", "--by", "Bob").output
    assert "Did you mean 'cheap-first'?" in wares("show", folder, "cheap-frist").output
    listed = json.loads(wares("list", folder, "--json").stdout)["experiments"]
    assert [(one["by"], one["note"], one["stopped_by"], one["why"]) for one in listed] == [
        ("Anna", "why not", "Bob", "enough")
    ]


def test_a_damaged_ledger_gives_everybody_control(folder: Path, shop: Shop) -> None:
    start(folder)
    entry = folder / "experiments" / "0001.toml"
    entry.chmod(0o644)
    entry.write_text(entry.read_text(encoding="utf-8").replace("-1.0", "-2.0"), encoding="utf-8")
    shop.engine.refresh()
    assert {shop.search("tea", shopper=f"s{i}", k=1).experiment for i in range(20)} == {""}
    assert "cut or altered" in shop.engine.warnings[0]


def test_settings_that_no_longer_fit_give_control_and_a_warning(folder: Path) -> None:
    start(
        folder,
        FILE.replace("[variants.cheap]", '[variants.cheap]\nprofile = "mine"').replace("formula", "swaps = 0\nformula"),
    )
    (folder / "wares.toml").write_text(
        SETTINGS + '[profiles.mine]\nsources = ["lexical"]\nall_matches = true\n', encoding="utf-8"
    )
    assert start(folder, FILE.replace("[variants.cheap]", '[variants.cheap]\nprofile = "mine"')).exit_code == 0
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.log_impressions()
        assert shop.search("tea", shopper="s1").experiment == ""
        assert "all get control" in shop.engine.warnings[0]


def harm(shop: Shop, n: int = 500) -> None:
    """Who gets control clicks; who gets the other variant hardly ever does."""
    clicks = []
    for i in range(n):
        page = shop.search("tea", shopper=f"s{i}", k=2)
        if page.variant == "control" or i % 20 == 0:
            seen = {"shopper_id": f"s{i}", "product_id": page.hits[0].product.id, "impression_id": page.impression_id}
            clicks.append({"kind": "click", "time": time.time() + 2, **seen})
    shop._impressions.flush()  # type: ignore[union-attr]
    shop.record(clicks)


def test_an_experiment_that_does_harm_is_stopped_and_the_service_tells_why(folder: Path, shop: Shop) -> None:
    start(folder)
    shop.engine.refresh()
    harm(shop)
    shown = json.loads(wares("show", folder, "cheap-first", "--json").stdout)
    assert shown["verdict"] == "too early" and shown["broken"].startswith("success of cheap fell by more than 10%")
    told = count(folder, datetime.now(UTC))
    assert told["stopped"] == ["cheap-first"]
    shop.engine.refresh()
    assert {shop.search("tea", shopper=f"s{i}", k=1).experiment for i in range(20)} == {""}
    with TestClient(make_app({"default": shop}), base_url="http://localhost") as client:
        (one,) = client.get("/v1/experiments").json()["experiments"]
        page = client.post("/v1/search", json={"query": "tea", "shopper": "s1"}).json()
    assert (one["running"], one["stopped_by"]) == (False, "wares")
    assert one["why"].startswith("Guardrail: success of cheap fell")
    assert one["result"]["verdict"] == "stopped" and len(one["result"]["variants"]) == 2
    assert (page["experiment"], page["variant"], page["hits"][0]["team"]) == ("", "", "")
    assert count(folder, datetime.now(UTC))["read"] == []  # it is over: nobody reads it again
    html = folder.parent / "x.html"
    assert wares("show", folder, "cheap-first", "--html", html).exit_code == 0
    assert "<svg" in html.read_text(encoding="utf-8") and "What differs from control" in html.read_text(
        encoding="utf-8"
    )


def test_simulated_shoppers_count_only_where_that_is_asked(folder: Path, shop: Shop) -> None:
    start(folder)
    shop.engine.refresh()
    for i in range(40):
        shop.search("tea", shopper=f"s{i}", k=1, simulated=i >= 10)
    shop._impressions.flush()  # type: ignore[union-attr]
    answers = [
        sum(
            one["answers"]
            for one in json.loads(wares("show", folder, "cheap-first", "--json", *more).stdout)["variants"]
        )
        for more in ((), ("--simulated",))
    ]
    assert answers == [10, 30]


def test_a_running_server_takes_a_start_and_a_stop_up_by_itself(folder: Path) -> None:
    server = Server(folder)
    try:

        def met(wanted: str) -> bool:
            for _ in range(100):
                _, page = server.ask("POST", "/v1/search", {"query": "tea", "shopper": "ann"})
                if page["experiment"] == wanted:
                    return True
                time.sleep(0.1)
            return False

        assert met("")
        start(folder)
        assert met("cheap-first")
        wares("stop", folder, "cheap-first", "--by", "Bob")
        assert met("")
    finally:
        server.end()


def test_assignment_costs_next_to_nothing(folder: Path, shop: Shop) -> None:
    start(folder)
    shop.engine.refresh()
    hashed = shop.store.shoppers.hash

    def once(i: int) -> float:
        started_s = time.perf_counter()
        running = shop.engine.experiments.experiment_of("search", hashed(f"s{i}"))
        assert running is not None and running.variant_of(hashed(f"s{i}"))
        return time.perf_counter() - started_s

    assert min(once(i) for i in range(500)) < 1e-3  # some microseconds here; a file that is read would take longer


def test_new_products_on_the_home_page_are_counted_and_reported(folder: Path, shop: Shop) -> None:
    yesterday = (datetime.now(UTC) - timedelta(days=1)).isoformat()
    shop.put(
        [
            {"id": f"n{i}", "title": f"Cup {i}", "category": "Cups", "price": 5, "published": yesterday}
            for i in range(20)
        ]
    )
    shop.record([
        {"kind": "purchase", "shopper_id": f"o{i}", "product_id": f"t{i % 30}", "time": time.time() - 90_000 * (i % 9)}
        for i in range(200)
    ])  # fmt: skip
    shop.train()
    clicks = []
    for i in range(80):
        page = shop.recommend(f"s{i}", k=30)
        seen = {"shopper_id": f"s{i}", "product_id": page.hits[5].product.id, "time": time.time() + 1}
        clicks.append({"kind": "click", **seen})
    shop.record(clicks)
    shop._impressions.flush()  # type: ignore[union-attr]
    result = CliRunner().invoke(app, ["exposure", str(folder), "--json"])
    (home,) = json.loads(result.stdout)
    assert home["surface"] == "home" and home["pages"] == 80 and home["explored"] > 20
    assert home["explored_share"] == pytest.approx(0.05, abs=0.02)
    assert home["clicks_per_page"]["mean"] == pytest.approx(1.0)
    without = home[
        "clicks_per_page_without"
    ]  # its 95% interval misses the truth now and then; twice as wide it does not
    width = without["high"] - without["low"]
    assert without["low"] - width < 1.0 < without["high"] + width
    assert count(folder, datetime.now(UTC))["products"] >= 40
    shop.engine.refresh()
    known = shop.engine.exposures.current().of
    assert sum(clicks for _, _, clicks in known.values()) == 80


def test_two_starts_at_once_take_different_shoppers(folder: Path) -> None:
    with open_shop(folder, create=False) as shop:
        several = [Experiments(folder, shop.settings, shop.store, lambda: None) for _ in range(2)]
        for i, one in enumerate(several):
            one.start("share = 0.5\n" + FILE.replace("cheap-first", f"e{i}"), "Anna", now=datetime.now(UTC))
    first, second = ExperimentBook(folder).read()[0]
    assert (first.buckets, second.buckets) == (((0, 500),), ((500, 1000),))

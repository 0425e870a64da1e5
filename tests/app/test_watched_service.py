"""How the service is watched: request ids, its log, what Prometheus reads, and whether it says truly how it is."""

import io
import json
import logging
import re
import signal
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_shop import GOODS, Server, build
from starlette.testclient import TestClient

from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.keys import Keys
from wares.app.web.access.scopes import NEEDS
from wares.app.web.access.tokens import Claims, make_token
from wares.app.web.http import make_app
from wares.app.web.load import Load
from wares.app.web.watching import logs
from wares.app.web.watching.gauges import Gauges
from wares.app.web.watching.logs import begin_log
from wares.app.web.watching.metrics import Metrics
from wares.app.web.watching.readiness import DEGRADED, WHY_NOT, Service
from wares.engine.serving_encoder import ServingEncoder
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

NAMED = re.compile(r"^(wares_\w+|process_\w+?)(?:_bucket|_sum|_count)?(?:\{(.*)\})? (\S+)$", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return build(tmp_path / "shop")


@pytest.fixture
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder) as opened:
        assert opened.engine
        yield opened


@pytest.fixture
def asker(shop: Shop) -> Iterator[TestClient]:
    with TestClient(make_app({"default": shop})) as client:
        yield client


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    """The service's log, as JSON; all loggers are as before in the end."""
    names = ("wares", *logs._OTHERS)
    before = [(one := logging.getLogger(name), one.handlers, one.propagate, one.level) for name in names]
    told = io.StringIO()
    begin_log("json", told)
    yield told
    logging.captureWarnings(False)
    for one, handlers, propagate, level in before:
        one.handlers, one.propagate = handlers, propagate
        one.setLevel(level)


def lines(log: io.StringIO, event: str = "") -> list[dict[str, Any]]:
    found = [json.loads(line) for line in log.getvalue().splitlines()]
    return [line for line in found if line["event"] == event] if event else found


def value(asker: TestClient, name: str, /, **labels: str) -> float:
    """Of the series with these labels, summed; 0 = there is none."""
    total = 0.0
    for line in asker.get("/metrics").text.splitlines():
        if re.match(rf"{name}[ {{]", line):
            told = dict(re.findall(r'(\w+)="([^"]*)"', line))
            if labels.items() <= told.items():
                total += float(line.rsplit(" ", 1)[1])
    return total


# -- request ids -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/shop", "/v1/products/nobody", "/nothing", "/storefront/x"])
def test_every_answer_names_its_request(asker: TestClient, path: str) -> None:
    first, second = (asker.get(path).headers["x-request-id"] for _ in range(2))
    assert first != second and re.fullmatch("[0-9a-f]{16}", first)


def test_an_id_that_was_sent_is_kept_and_a_problem_repeats_it(asker: TestClient) -> None:
    answer = asker.get("/v1/products/nobody", headers={"x-request-id": "shop-7.a_b~c"})
    assert answer.headers["x-request-id"] == answer.json()["request_id"] == "shop-7.a_b~c"
    refused = asker.post("/v1/search", content=b"{", headers={"x-request-id": "r2", "content-type": "application/json"})
    assert refused.json()["request_id"] == "r2"


@pytest.mark.parametrize(
    "sent", ["", "a b", 'x"y', "a" * 65, "é".encode(), "-x", "a\tb", "wares_0123", "wt1.abc", "{}"]
)
def test_an_id_that_is_none_is_replaced(asker: TestClient, sent: Any) -> None:
    assert re.fullmatch("[0-9a-f]{16}", asker.get("/healthz", headers={"x-request-id": sent}).headers["x-request-id"])


def test_what_the_gate_refuses_and_what_fails_names_its_request_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed = TestClient(make_app({"default": shop}, key="k" * 40))
    refused = closed.get("/v1/shop", headers={"x-request-id": "r1"})
    assert (refused.status_code, refused.json()["request_id"]) == (401, "r1")

    def fails(*args: Any, **options: Any) -> Any:
        raise RuntimeError

    monkeypatch.setattr(shop, "ask", fails)
    fault = TestClient(make_app({"default": shop})).post("/v1/search", json={"query": "x"})
    assert fault.status_code == 500 and fault.json()["request_id"] == fault.headers["x-request-id"]


# -- the log -----------------------------------------------------------------------------------------------------------


def test_a_request_is_one_line_with_all_that_may_be_told(shop: Shop, log: io.StringIO) -> None:
    server = shop.settings.server.model_copy(update={"access_log": True})
    shop.settings = shop.settings.model_copy(update={"server": server})
    with TestClient(make_app({"default": shop})) as asker:
        answer = asker.post("/v1/search", json={"query": "milk"}, headers={"x-request-id": "r1"})
        asker.get("/v1/products/p1")
    search, product = lines(log, "request")
    assert search.pop("time") == pytest.approx(time.time(), abs=60) and search.pop("ms") >= 0
    assert search == {
        "level": "info", "event": "request", "id": "r1", "method": "POST", "route": "POST /v1/search", "status": 200,
        "key": "", "surface": "search", "degraded": "", "bytes": len(answer.content),
    }  # fmt: skip
    assert (product["route"], product["surface"]) == ("GET /v1/products/{product_id:path}", "")
    assert [line["event"] for line in lines(log)] == ["start", "request", "request", "stop"]


def test_a_fault_names_its_request_its_kind_and_its_place_but_not_what_it_said(
    shop: Shop, log: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        raise RuntimeError("SECRET words")

    monkeypatch.setattr(shop, "ask", fails)
    TestClient(make_app({"default": shop})).post("/v1/search", json={"query": "x"}, headers={"x-request-id": "r9"})
    (fault,) = lines(log, "fault")
    assert (fault["level"], fault["id"]) == ("error", "r9")
    assert "RuntimeError" in fault["places"] and "test_watched_service.py" in fault["places"]
    assert "SECRET" not in log.getvalue()


def test_a_new_snapshot_and_why_it_serves_are_told(shop: Shop, log: io.StringIO) -> None:
    with TestClient(make_app({"default": shop})) as asker:
        name = train_here(shop.folder, silent)
        shop.engine.refresh()
        assert value(asker, "wares_snapshot_swaps_total", shop="default") == 1
        assert value(asker, "wares_snapshot_info", shop="default", name=name) == 1
    (swap,), (promoted,) = lines(log, "snapshot"), lines(log, "promoted")
    assert (swap["shop"], swap["before"], swap["now"]) == ("default", "", name)
    assert promoted["snapshot"] == name and promoted["compared"] is False and promoted["why"]


def test_lines_of_other_libraries_have_the_same_form_and_lose_what_their_faults_say(log: io.StringIO) -> None:
    logging.getLogger("wares").warning("A file\nis odd")
    try:
        raise ValueError("SECRET")
    except ValueError:
        logging.getLogger("uvicorn.error").exception("Exception in ASGI application")
    odd, theirs = lines(log)
    assert (odd["event"], odd["text"]) == ("warning", "A file\nis odd")
    assert theirs["text"] == "Exception in ASGI application" and theirs["places"].startswith("ValueError < ")
    assert "SECRET" not in log.getvalue()


def test_people_read_the_log_as_text(log: io.StringIO) -> None:
    told = io.StringIO()
    begin_log("text", told)
    logs.tell_access(id="r1", method="GET", route="GET /v1/shop", status=200, key="", surface="", bytes=7, ms=1.25)
    logging.getLogger("wares").warning("Odd \x1b[31m things")
    first, second = told.getvalue().splitlines()
    assert re.fullmatch(r"\d\d:\d\d:\d\d 200 +1\.2 ms +GET /v1/shop +id=r1 +method=GET +bytes=7", first), first
    assert second.endswith("WARNING: Odd  [31m things")


def test_no_line_and_no_metric_holds_a_secret_whatever_carries_it(folder: Path) -> None:
    with (folder / "wares.toml").open("a", encoding="utf-8") as file:
        file.write('[server]\naccess_log = true\nlog_format = "json"\n')
    text, key = Keys(folder).new(["search", "events", "metrics"])
    token = make_token(key, Claims(shopper="zzshopperzz", expires=int(time.time()) + 600))
    server = Server(folder)
    try:
        for given in (text, token, "zzwrongzz"):
            for sent in (f"zzidzz {given}", text, text[:60], token, token[:60], ""):
                asked = {"query": "zzqueryzz", "shopper": "zzshopperzz"}
                server.ask("POST", "/v1/search", asked, given, **{"x-request-id": sent})
            server.ask("POST", "/v1/search", {"query": "zzqueryzz", "surface": "zzsurfacezz"}, given)
            server.ask("GET", "/v1/products/zzproductzz?key=" + given, key=given)
            server.ask("GET", f"/zzpathzz/{given}", key=given)
        metrics = server.ask("GET", "/metrics", key=text)[1]
    finally:
        said = server.end(signal.SIGTERM)
    assert "wares_requests_total" in metrics
    for told in (said, metrics):
        assert not re.search(r"zz\w+zz", told), told
        assert text.split("_")[2][:20] not in told and token.split(".")[2][:20] not in told
    logged = [json.loads(line) for line in said.splitlines()[1:]]  # the first says where it serves
    assert {"start", "request", "stop"} <= {line["event"] for line in logged}
    assert {line["key"] for line in logged if line["event"] == "request"} >= {key.id, ""}


# -- metrics -----------------------------------------------------------------------------------------------------------


def test_questions_are_counted_by_route_and_timed_by_surface_and_stage(asker: TestClient) -> None:
    asker.post("/v1/search", json={"query": "milk"})
    asker.post("/v1/search", json={"query": "bread"})
    asker.post("/v1/recommend", json={})
    asker.get("/v1/products/nobody")
    assert value(asker, "wares_requests_total", route="POST /v1/search", status="200") == 2
    assert value(asker, "wares_requests_total", route="GET /v1/products/{product_id:path}", status="404") == 1
    assert value(asker, "wares_request_seconds_count", route="POST /v1/search") == 2
    assert value(asker, "wares_answer_seconds_count", surface="search") == 2
    assert value(asker, "wares_answer_seconds_count", surface="home") == 1
    for stage in ("understand", "retrieve", "describe", "score", "arrange", "count", "present"):
        assert value(asker, "wares_stage_seconds_count", stage=stage) == 3, stage
    whole, parts = value(asker, "wares_answer_seconds_sum"), value(asker, "wares_stage_seconds_sum")
    assert whole == pytest.approx(parts) and whole < value(asker, "wares_request_seconds_sum")
    assert value(asker, "wares_requests_running") == 1  # this one
    assert value(asker, "wares_sent_bytes_total") > 1000


def test_further_pages_take_only_the_last_stage(asker: TestClient) -> None:
    first = asker.post("/v1/browse", json={"k": 1}).json()
    asker.post("/v1/browse", json={"k": 1, "cursor": first["cursor"]})
    assert value(asker, "wares_stage_seconds_count", stage="present") == 2
    assert value(asker, "wares_stage_seconds_count", stage="retrieve") == 1


def test_events_are_counted_as_new_repeated_and_refused_and_how_soon_they_are_known(asker: TestClient) -> None:
    event = {"kind": "view", "product_id": "p1", "shopper_id": "ann", "id": "e1"}
    asker.post("/v1/events", json={"events": [event, event, {"kind": "nonsense"}]})
    for outcome in ("new", "repeated", "refused"):
        assert value(asker, "wares_events_total", outcome=outcome) == 1, outcome
    assert value(asker, "wares_event_visible_seconds_count") == 1
    assert 0 < value(asker, "wares_event_visible_seconds_sum") < 10
    assert value(asker, "wares_log_lag_events", shop="default") == 0
    assert value(asker, "wares_live_events", shop="default") == 1
    assert value(asker, "wares_live_shoppers", shop="default") == 1


def test_events_that_another_process_wrote_are_told_as_lag_until_they_are_folded_in(shop: Shop) -> None:
    app = TestClient(make_app({"default": shop}))
    shop.writer().close()
    with open_shop(shop.folder) as other:
        other.record([{"kind": "view", "product_id": "p1", "time": 1_700_000_000_000}])
    assert value(app, "wares_log_lag_events") == 1
    shop.engine.refresh()
    assert value(app, "wares_log_lag_events") == 0


def test_what_was_shown_and_could_not_be_kept_is_counted(shop: Shop) -> None:
    asker = TestClient(make_app({"default": shop}))
    assert "wares_impressions_dropped_total{" not in asker.get("/metrics").text
    shop.log_impressions()
    impressions = shop.engine.impressions
    assert impressions is not None
    impressions.dropped += 3
    assert value(asker, "wares_impressions_dropped_total", shop="default") == 3


def test_the_process_the_files_and_the_disk_are_told(asker: TestClient, folder: Path) -> None:
    assert value(asker, "wares_store_bytes", file="wares.sqlite") == (folder / "wares.sqlite").stat().st_size
    assert value(asker, "wares_disk_free_bytes") > 0
    assert value(asker, "process_resident_memory_bytes") > 1e7
    assert value(asker, "process_cpu_seconds_total") > 0
    assert value(asker, "wares_info", version="0.1.0") == 1


def test_what_is_asked_makes_no_new_series(asker: TestClient) -> None:
    def series() -> set[str]:
        return {line.rsplit(" ", 1)[0] for line in asker.get("/metrics").text.splitlines() if line[0] != "#"}

    asker.get("/v1/nothing")
    first = asker.post("/v1/browse", json={"k": 1}).json()["cursor"]
    asker.post("/v1/search", json={"query": "x", "surface": "nowhere"})
    asker.post("/v1/recommend", json={"surface": "odd", "k": 1, "cursor": first})
    asker.request("BREW", "/v1/search")
    asker.get("/v1/products/a")
    series()
    before = series()
    for n in range(20):
        asker.get(f"/v1/nothing/{n}")
        asker.post("/v1/search", json={"query": "x", "surface": f"s{n}"})
        asker.post("/v1/recommend", json={"surface": f"odd{n}", "k": 1, "cursor": first})
        asker.request("BREW", f"/v1/{n}")
        asker.get(f"/v1/products/a{n}")
    assert series() == before
    assert any('surface="other"' in one for one in before)


def test_an_encoders_work_and_memory_are_counted(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text('[models]\ntrain = ["popular"]\n', encoding="utf-8")
    with open_shop(tmp_path) as shop:
        shop.put(GOODS)
        with TestClient(make_app({"default": shop})) as asker:
            while asker.get("/readyz").status_code == 503:
                time.sleep(0.05)
            for query in ("milk", "milk", "tea"):
                asker.post("/v1/search", json={"query": query})
            assert value(asker, "wares_encoder_seconds_count") == 2
            assert value(asker, "wares_encoder_cache_hits_total") >= 1
            assert value(asker, "wares_encoder_cache_misses_total") == 2


def test_metrics_need_their_own_scope_or_admin_and_can_be_switched_off(shop: Shop) -> None:
    keys = Keys(shop.folder)
    given = {scope: keys.new([scope])[0] for scope in ("metrics", "admin", "search")}
    asker = TestClient(make_app({"default": shop}, ring=KeyRing(shop.folder)))
    statuses = {
        scope: asker.get("/metrics", headers={"authorization": f"Bearer {key}"}).status_code
        for scope, key in given.items()
    }
    assert statuses == {"metrics": 200, "admin": 200, "search": 403}
    assert asker.get("/metrics").status_code == 401
    assert asker.get("/v1/shop", headers={"authorization": f"Bearer {given['metrics']}"}).status_code == 403
    off = shop.settings.server.model_copy(update={"metrics": False})
    shop.settings = shop.settings.model_copy(update={"server": off})
    answer = TestClient(make_app({"default": shop})).get(
        "/metrics", headers={"authorization": f"Bearer {given['admin']}"}
    )
    assert (answer.status_code, answer.json()["code"]) == (404, "not-found")


def test_the_form_is_the_one_that_prometheus_asks_for(asker: TestClient) -> None:
    assert asker.get("/metrics").headers["content-type"].startswith("text/plain; version=")
    open_form = asker.get("/metrics", headers={"accept": "application/openmetrics-text; version=1.0.0"})
    assert open_form.headers["content-type"].startswith("application/openmetrics-text")
    assert open_form.text.endswith("# EOF\n") and open_form.headers["cache-control"] == "no-store"


def test_the_queue_is_told_where_something_sheds_load(shop: Shop) -> None:
    metrics, load = Metrics(), Load.of()
    metrics.add(Gauges(Service({"default": shop}, load)))
    lane = load.lane("POST /v1/search")
    assert lane is not None
    lane.shed = 9
    text = metrics.text()[0].decode()
    assert "wares_queue_length 0.0" in text and "wares_requests_shed_total 9.0" in text


def test_counting_a_request_costs_next_to_nothing(shop: Shop) -> None:
    metrics = Metrics()
    watched = metrics.watch("default", shop)
    seconds = dict.fromkeys(("understand", "retrieve", "describe", "score", "arrange", "count", "present"), 0.001)

    def one() -> None:
        metrics.begin()
        watched.answered("search", seconds)
        watched.encoded(0.002)
        metrics.end("POST /v1/search", 200, 0.004, 5_000)

    def cost_us() -> float:
        started_s = time.thread_time()
        for _ in range(200):
            one()
        return (time.thread_time() - started_s) / 200 * 1e6

    assert min(cost_us() for _ in range(20)) < 500  # of its own time, about 30 here


# -- health ------------------------------------------------------------------------------------------------------------


def test_a_shop_that_can_answer_is_ready_and_says_what_it_lacks(asker: TestClient) -> None:
    answer = asker.get("/readyz")
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json()["status"] == "ready" and answer.json()["shops"]["default"]["ready"] is True
    (lacking,) = answer.json()["shops"]["default"]["degraded"]
    assert lacking["code"] == "no-snapshot" and lacking["meaning"]
    assert value(asker, "wares_ready", shop="default") == 1
    assert value(asker, "wares_degraded", shop="default", reason="no-snapshot") == 1


def refusal(asker: TestClient) -> tuple[int, str, str]:
    answer = asker.get("/readyz")
    return answer.status_code, answer.json()["status"], answer.json()["shops"]["default"]["code"]


def test_while_the_snapshot_is_loading_the_service_is_alive_and_not_ready(folder: Path) -> None:
    with open_shop(folder) as shop:
        asker = TestClient(make_app({"default": shop}))  # without its lifespan nothing loads
        assert asker.get("/healthz").status_code == 200
        assert refusal(asker) == (503, "not-ready", "loading")
        with asker:
            end_s = time.monotonic() + 10
            while refusal(asker)[0] == 503 and time.monotonic() < end_s:
                time.sleep(0.02)
            assert refusal(asker) == (200, "ready", "")


def test_a_service_that_is_ending_is_not_ready(shop: Shop) -> None:
    app = make_app({"default": shop})
    asker = TestClient(app)
    app.state.service.draining = True
    assert refusal(asker) == (503, "not-ready", "draining")
    assert asker.get("/healthz").status_code == 200


def test_a_store_that_cannot_be_read_is_told_and_one_that_does_not_answer_too(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    asker = TestClient(make_app({"default": shop}))
    name = shop.engine.live.snapshot.name

    def broken(seq: int) -> int:
        with sqlite3.connect(":memory:") as connection, shop.store.events._connections.reading():
            connection.execute("SELECT nothing")
        return 0

    monkeypatch.setattr(shop.store.events, "count_after", broken)
    assert refusal(asker) == (503, "not-ready", "store-unreadable")
    assert asker.get("/readyz").json()["snapshots"] == {"default": name}
    assert value(asker, "wares_ready", shop="default") == 0
    assert "wares_products{" in asker.get("/metrics").text  # the others are told all the same

    def stuck(seq: int) -> int:
        time.sleep(0.5)
        return 0

    monkeypatch.setattr(shop.store.events, "count_after", stuck)
    monkeypatch.setattr("wares.app.web.watching.health._PATIENCE_S", 0.1)
    assert refusal(asker) == (503, "not-ready", "store-slow")


def test_an_older_snapshot_that_serves_for_a_damaged_one_is_told(folder: Path) -> None:
    with open_shop(folder) as shop:
        train_here(folder, silent)
        shop.put([{"id": "p9", "title": "New tea", "price": 3}])
        name = train_here(folder, silent)
    (folder / "snapshots" / name / "columns.npz").write_bytes(b"cut")
    with open_shop(folder) as shop:
        assert shop.engine
        (lacking,) = TestClient(make_app({"default": shop})).get("/readyz").json()["shops"]["default"]["degraded"]
        assert lacking["code"] == "older-snapshot"


def test_every_route_that_needs_no_key_is_still_one_of_these() -> None:
    opened = {name for name, need in NEEDS.items() if need.scope == "open"}
    assert {"GET /healthz", "GET /readyz"} <= opened and "GET /metrics" not in opened


# -- docs --------------------------------------------------------------------------------------------------------------


def test_every_metric_is_documented_with_its_labels_and_every_state_of_the_service_too(shop: Shop) -> None:
    metrics, service = Metrics(), Service({"default": shop}, Load.of())
    metrics.add(Gauges(service))
    docs = Path(__file__).resolve().parents[2] / "docs"
    rows: dict[str, str] = dict(
        re.findall(r"^\| `(\w+)` \| (.*) \|", (docs / "reference" / "metrics.md").read_text(), re.MULTILINE)
    )
    served = set(re.findall(r"^# TYPE (\w+)", metrics.text()[0].decode(), re.MULTILINE))
    assert {"wares_requests_total", "wares_stage_seconds", "wares_queue_length"} <= served
    assert served == {name for name in rows if not name.startswith("process_")} | {
        name for name in served if name.startswith("process_")
    }
    assert {name for name in served if name.startswith("process_")} <= set(rows)
    for family in metrics.registry.collect():
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        assert all(f"`{label}`" in rows.get(family.name, rows.get(f"{family.name}_total", "")) for label in labels)
    health = (docs / "how-to" / "watch-it.md").read_text()
    assert all(f"`{code}`" in health for code in {*WHY_NOT, *DEGRADED})


class _NoEncoder:
    """Was there once."""

    fingerprint, dimension = "gone", 8

    def encode(self, texts: Any, kind: str, on_progress: Any = None) -> Any:
        raise OSError("SECRET place")


def test_an_encoder_that_is_gone_costs_no_answer_and_the_page_the_log_and_the_metrics_tell_it(
    folder: Path, log: io.StringIO
) -> None:
    with open_shop(folder) as shop:
        server = shop.settings.server.model_copy(update={"access_log": True})
        shop.settings = shop.settings.model_copy(update={"server": server})
        shop.log_impressions()
        shop.engine._encoder = ServingEncoder(_NoEncoder())
        with TestClient(make_app({"default": shop})) as asker:
            page = asker.post("/v1/search", json={"query": "milk"}).json()
            assert page["total"] == 1 and "goes by its words alone" in page["notes"][0]
            assert value(asker, "wares_degraded_answers_total", reason="no-encoder") == 1
            assert value(asker, "wares_degraded", reason="no-encoder") == 1
            assert "no-encoder" in asker.get("/readyz").text
            assert asker.get("/readyz").status_code == 200
    assert lines(log, "request")[0]["degraded"] == "no-encoder" and "SECRET" not in log.getvalue()

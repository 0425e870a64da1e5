"""The console's figures, the searches that went badly, errands beside serving, and the imports that are kept."""

import json
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from served_shop import GOODS, build
from starlette.testclient import TestClient
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.commands.import_log import FOLDER, KEPT, keep_reports, kept_imports
from wares.app.web.console import journal
from wares.app.web.console.errand import run
from wares.app.web.console.errands import ErrandFailed, Errands, Told
from wares.app.web.http import make_app
from wares.feeds.report import ImportReport
from wares.shop import Shop, open_shop

DAY_MS = 86_400_000


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    with open_shop(build(tmp_path / "shop")) as opened:
        opened.log_impressions()
        yield opened


def overview(shop: Shop, days: int = 28) -> dict[str, Any]:
    """As the child works it out; what waits is written first."""
    if shop._impressions is not None:
        shop._impressions.flush()
    found: dict[str, Any] = run(("overview", str(shop.folder), str(days)))
    return found


def does(shop: Shop, who: str, what: str, product: str, after_s: float = 5, **more: Any) -> None:
    now_s = time.time() + after_s
    shop.record([{"kind": what, "shopper_id": who, "product_id": product, "time": now_s, **more}])


# -- figures -----------------------------------------------------------------------------------------------------------


def test_events_and_answers_are_counted_by_day_and_further_pages_are_the_same_answer(shop: Shop) -> None:
    page = shop.browse(shopper="ann", k=1)
    shop.browse(shopper="ann", k=1, cursor=page.cursor)
    shop.search("milk", shopper="bob")
    does(shop, "bob", "purchase", "p0", -3 * 86_400)
    does(shop, "bob", "view", "p0", -3 * 86_400)
    does(shop, "bob", "view", "p1", -200 * 86_400)
    found = overview(shop, 7)
    assert len(found["days_ms"]) == 7 and found["days_ms"][1] - found["days_ms"][0] == DAY_MS
    assert {name: sum(values) for name, values in found["events"].items()} == {"purchase": 1, "view": 1}
    assert {name: values[-1] for name, values in found["answers"].items()} == {"browse": 1, "search": 1}
    assert found["counts"]["shoppers_in_span"] == 1 and found["counts"]["products"] == 3


def test_what_became_of_answers_is_told_by_day_and_days_without_any_are_unknown(shop: Shop) -> None:
    for who in ("ann", "bob"):
        shop.search("milk", shopper=who)
    shop.search("bicycle")
    does(shop, "ann", "cart", "p0")
    found = overview(shop, 7)
    assert found["outcomes"]["success"] == [None] * 6 + [0.5]
    assert found["outcomes"]["cart"][-1] == 0.5 and found["outcomes"]["bought"][-1] == 0
    assert found["no_result"][-1] == pytest.approx(1 / 3, abs=1e-6)
    assert found["took_ms"]["p50"][0] is None and 0 < found["took_ms"]["p50"][-1] <= found["took_ms"]["p95"][-1]


def test_a_shop_without_any_answer_has_an_overview_all_the_same(tmp_path: Path) -> None:
    found = run(("overview", str(build(tmp_path / "shop")), "28"))
    assert found["satisfaction"] == [] and found["answers"] == {} and found["queries"]["no_result"] == []


def test_a_weak_search_is_shown_once_five_shoppers_made_it_and_never_one_that_names_somebody(shop: Shop) -> None:
    for who in range(5):
        shop.search("Bicycle ", shopper=f"s{who}")
        shop.search("anna@example.com", shopper=f"s{who}")
        shop.search("oat milk", shopper=f"s{who}")
        if who < 4:
            shop.search("kite", shopper=f"s{who}")
            shop.search("kite", shopper=f"s{who}")
    does(shop, "s1", "click", "p0")
    told = overview(shop)["queries"]
    assert [(one["query"], one["asks"], one["empty"], one["shoppers"]) for one in told["no_result"]] == [
        ("bicycle", 5, 5, 5)
    ]
    assert [(one["query"], one["asks"], one["chosen"]) for one in told["low_click"]] == [("oat milk", 5, 1)]
    assert told["hidden"] == 2


# -- errands -----------------------------------------------------------------------------------------------------------


def waited(errands: Errands, *words: str, anew: bool = False) -> Told:
    told, until_s = errands.ask(*words, anew=anew), time.monotonic() + 30
    while told.running:
        assert time.monotonic() < until_s
        time.sleep(0.005)
        told = errands.ask(*words)
    return told


def test_an_errand_runs_once_however_many_ask_and_is_kept_while_it_is_fresh() -> None:
    now_s, go, runs = [1_000.0], threading.Event(), list[tuple[str, ...]]()

    def work(words: tuple[str, ...]) -> int:
        go.wait(20)
        runs.append(words)
        return len(runs)

    errands = Errands(work, lambda: now_s[0], fresh_s=60)
    assert all(errands.ask("a") == Told(running=True) for _ in range(5))
    go.set()
    assert waited(errands, "a") == Told(1, 1_000_000)
    now_s[0] += 59
    assert errands.ask("a") == Told(1, 1_000_000)
    now_s[0] += 2
    go.clear()
    assert errands.ask("a") == Told(1, 1_000_000, running=True), "the old one is shown meanwhile"
    go.set()
    assert waited(errands, "a").value == 2
    assert waited(errands, "a", anew=True).value == 3


def test_an_errand_that_fails_says_why_keeps_what_was_known_and_is_not_tried_again_unasked() -> None:
    outcome, tries = ["fine"], list[int]()

    def work(words: tuple[str, ...]) -> str:
        tries.append(1)
        if outcome[0] == "bad":
            raise ErrandFailed("no disk")
        return outcome[0]

    errands = Errands(work, lambda: 5.0, fresh_s=0)
    assert waited(errands, "a").value == "fine"
    outcome[0] = "bad"
    assert waited(errands, "a", anew=True) == Told("fine", 5_000, problem="no disk")
    before = len(tries)
    assert not errands.ask("a").running and len(tries) == before
    outcome[0] = "better"
    assert waited(errands, "a", anew=True) == Told("better", 5_000)


def test_a_closed_house_begins_no_errand() -> None:
    errands = Errands(lambda words: 1)
    errands.close()
    assert errands.ask("a") == Told()


def test_overview_and_health_are_worked_out_in_a_child_while_the_shop_answers(shop: Shop) -> None:
    with TestClient(make_app({"default": shop})) as client:
        told, until_s = client.get("/v1/console/health").json(), time.monotonic() + 60
        assert told["running"] and told["value"] is None
        assert client.post("/v1/search", json={"query": "milk"}).status_code == 200
        while told["running"]:
            assert time.monotonic() < until_s
            time.sleep(0.05)
            told = client.get("/v1/console/health").json()
        assert {"settings", "store", "disk"} <= {finding["what"] for finding in told["value"]}, told
        assert told["problem"] == "" and told["at_ms"] > 1_700_000_000_000


# -- imports and the journal -------------------------------------------------------------------------------------------


def imported(folder: Path, *options: str) -> None:
    result = CliRunner().invoke(app, ["import", str(folder), *options])
    assert result.exit_code == 0, result.output


def test_an_import_leaves_its_report_and_a_dry_run_none(tmp_path: Path) -> None:
    goods, log = tmp_path / "goods.jsonl", tmp_path / "log.jsonl"
    goods.write_text("\n".join(json.dumps(row) for row in [*GOODS, {"id": "", "title": "none"}]), encoding="utf-8")
    long = "someone-" + "x" * 600
    events = [{"kind": "view", "time": 1_700_000_000, "shopper_id": long, "product_id": "p0"}, {"kind": "dance"}]
    log.write_text("\n".join(map(json.dumps, events)), encoding="utf-8")
    folder = build(tmp_path / "shop")
    imported(folder, "--products", str(goods), "--dry-run")
    assert kept_imports(folder) == []
    imported(folder, "--products", str(goods), "--events", str(log))
    with open_shop(folder) as shop, TestClient(make_app({"default": shop})) as client:
        (one,) = client.get("/v1/console/imports").json()["imports"]
        first = one["reports"][0]
        assert (first["read"], first["kept"], first["rejected"]) == (4, 3, 1)
        whole = client.get(f"/v1/console/imports/{one['name']}").json()["reports"]
        assert whole[0]["rejections"][0]["examples"][0]["line"] == 4
        assert client.get("/v1/console/imports/..%2Fwares").status_code in (404, 422)
        assert client.get("/v1/console/imports/20260101T000000.000Z-abcdef").json()["code"] == "unknown-name"
    kept = "".join(path.read_text(encoding="utf-8") for path in (folder / FOLDER).iterdir())
    assert "dance" in kept and "someone-" not in kept, "what names a shopper is left out"


def test_only_the_newest_imports_are_kept_and_a_damaged_one_hides_no_other(tmp_path: Path) -> None:
    names = [keep_reports(tmp_path, [ImportReport("goods.csv", at, at)], at * 1000) for at in range(1, KEPT + 4)]
    (tmp_path / FOLDER / f"{names[-1]}.json").write_text("{", encoding="utf-8")
    kept = kept_imports(tmp_path)
    assert [one.name for one in kept] == names[3:-1][::-1]
    assert kept[0].reports[0]["read"] == KEPT + 2


def test_the_journal_survives_a_cut_line_and_forgets_the_older_half_when_it_grows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(journal, "_MOST_BYTES", 2_000)
    for number in range(100):
        journal.note_change(tmp_path, number, "Anna", "rules-published", {"version": number})
    with (tmp_path / journal.FILE).open("a", encoding="utf-8") as file:
        file.write('{"at_ms": 1, "by"')
    noted = journal.changes_noted(tmp_path)
    assert [one["version"] for one in noted] == list(range(99, 99 - len(noted), -1))
    assert 10 < len(noted) < 60 and (tmp_path / journal.FILE).stat().st_size < 4_000


def test_however_much_is_asked_few_errands_wait_and_none_is_begun_twice() -> None:
    go, begun = threading.Event(), list[tuple[str, ...]]()

    def work(words: tuple[str, ...]) -> int:
        begun.append(words)
        go.wait(10)
        return 1

    errands = Errands(work, lambda: 5.0)
    for _ in range(2):
        told = [errands.ask("overview", str(days)) for days in range(40)]
        assert [one.running for one in told] == [True] * 4 + [False] * 36
        assert "Ask again" in told[-1].problem
    go.set()
    for days in range(4):
        assert waited(errands, "overview", str(days)).value == 1
    assert sorted(begun) == [("overview", str(days)) for days in range(4)]
    assert errands.ask("overview", "39").running


def test_an_errand_that_fails_in_a_way_nobody_foresaw_may_be_asked_for_again() -> None:
    def work(words: tuple[str, ...]) -> int:
        raise ValueError("odd bytes")

    errands = Errands(work, lambda: 5.0)
    assert waited(errands, "health").problem == "ValueError"
    assert errands.ask("health", anew=True).running

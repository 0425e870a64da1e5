"""The command line, over a shop of a dozen products."""

import csv
import json
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

import wares.errors
from wares.app.cli import app
from wares.app.commands.remote import batches, event_row
from wares.domain.event import Event, EventKind
from wares.feeds.events import read_events
from wares.store.lock import holder
from wares.store.sqlite import Store

SOURCE = str(Path(wares.errors.__file__).parents[1])
COMMANDS = (
    *("demo", "import", "train", "search", "browse", "recommend", "similar", "judge", "eval", "serve", "doctor"),
    "bench",
)
DAY_S = 86_400
SETTINGS = """
[shop]
title = "Corner shop"
[encoder]
source = "none"
[models]
train = ["popular", "popular_lately", "buy_again", "co_bought", "item_knn"]
"""
NAMES = (
    "milk",
    "oat milk",
    "bread",
    "rye bread",
    "butter",
    "cheese",
    "tea",
    "green tea",
    "coffee",
    "jam",
    "eggs",
    "salt",
)


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="wares")


def answer(*words: object) -> Any:
    """What a command says with --json, which is JSON and nothing else."""
    result = wares_(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def _no_shop_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WARES_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("PYTHONPATH", SOURCE)


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("files")
    with (folder / "products.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(("id", "title", "brand", "category", "price"))
        for i, name in enumerate(NAMES):
            rows.writerow((f"p{i}", name.capitalize(), ("Acme", "Apex")[i % 2], "Food", 1 + i / 4))
    start = int(time.time()) - 60 * DAY_S
    with (folder / "events.jsonl").open("w") as file:
        for day in range(58):
            for shopper in range(6):
                for product in (shopper, (shopper + day) % 12):
                    event = {"kind": "purchase", "time": start + day * DAY_S, "shopper_id": f"s{shopper}"}
                    basket = {"product_id": f"p{product}", "basket_id": f"{shopper}-{day}", "value": 2.5}
                    file.write(json.dumps(event | basket) + "\n")
    (folder / "shoppers.csv").write_text("shopper_id,age\ns0,19-24\ns1,65+\n")
    return folder


@pytest.fixture(scope="module")
def shop(files: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Imported and trained through the command line."""
    folder = tmp_path_factory.mktemp("shops") / "corner"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS)
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", SOURCE)
    done = wares_(
        *("import", folder, "--products", files / "products.csv", "--events", files / "events.jsonl"),
        *("--shoppers", files / "shoppers.csv"),
    )
    assert done.exit_code == 0, done.output
    done = wares_("train", folder)
    assert done.exit_code == 0, done.output
    yield folder
    patch.undo()


def test_help_names_every_command() -> None:
    told = wares_("--help")
    assert told.exit_code == 0
    assert all(f" {command} " in told.stdout for command in COMMANDS)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_help_and_json(command: str) -> None:
    told = wares_(command, "shop", "--help") if command == "bench" else wares_(command, "--help")
    assert told.exit_code == 0
    assert "--json" in told.stdout


def test_help_loads_no_engine() -> None:
    heavy = ("numpy", "polars", "pydantic", "onnxruntime")
    code = f"import sys, wares.app.cli; print([m for m in {heavy} if m in sys.modules])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "[]\n"


def test_import_reports_each_file_and_counts_a_file_once(shop: Path, files: Path) -> None:
    reports = answer("import", shop, "--events", files / "events.jsonl")
    assert [(report["read"], report["kept"]) for report in reports] == [(696, 696)]
    assert any("696 events were known already" in note for note in reports[0]["notes"])
    assert "kept 12" in wares_("import", shop, "--products", files / "products.csv").stdout


def test_a_broken_feed_is_reported_line_by_line_and_the_rest_is_kept(tmp_path: Path) -> None:
    feed = tmp_path / "feed.jsonl"
    feed.write_text('{"id": "a", "title": "A"}\n{"id": "b", \n{"title": "no id"}\n')
    told = wares_("import", tmp_path / "shop", "--products", feed, "--rejects", tmp_path / "rejects")
    assert told.exit_code == 0
    assert "read 3, kept 1, repaired 0, rejected 2" in told.stdout
    assert "broken JSON" in told.stdout and "Give each product its own 'id'." in told.stdout
    rejected = (tmp_path / "rejects" / "feed.jsonl.rejects.jsonl").read_text().splitlines()
    assert [json.loads(line)["line"] for line in rejected] == [2, 3]


def test_import_of_a_missing_file_makes_no_shop(tmp_path: Path) -> None:
    told = wares_("import", tmp_path / "shop", "--products", tmp_path / "none.csv")
    assert told.exit_code == 1
    assert "There is no file" in told.stderr
    assert not (tmp_path / "shop").exists()


def test_import_of_nothing_is_wrong_usage(tmp_path: Path) -> None:
    assert wares_("import", tmp_path / "shop").exit_code == 2


def test_search_finds_words_with_filters_facets_and_sort(shop: Path) -> None:
    page = answer("search", shop, "milk", "--facet", "brand", "--sort", "-price")
    assert [hit["product"]["id"] for hit in page["hits"]] == ["p1", "p0"]
    assert page["total"] == 2
    assert page["facets"][0]["field"] == "brand"
    assert answer("search", shop, "milk", "--filter", "brand=Acme")["total"] == 1
    assert answer("search", shop, "milk", "--filter", "brand!=Acme")["total"] == 1
    assert answer("search", shop, "milk", "--filter", "brand=Acme", "--filter", "brand=Apex")["total"] == 2
    assert answer("search", shop, "milk", "--price", "..1")["total"] == 1
    told = wares_("search", shop, "milk", "--explain")
    assert "Oat milk" in told.stdout and "2 hits in" in told.stdout and "score" in told.stdout


def test_the_environment_can_name_the_shop(shop: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARES_SHOP", str(shop))
    assert answer("search", "milk")["total"] == 2
    assert answer("browse")["total"] == 12
    assert answer("browse", "Food")["total"] == 12
    assert answer("browse", shop)["total"] == 12


def test_recommend_says_why(shop: Path) -> None:
    page = answer("recommend", shop, "--shopper", "s2", "-k", "3")
    assert len(page["hits"]) == 3
    assert page["hits"][0]["product"]["id"] == "p2"
    told = wares_("recommend", shop, "--shopper", "s2")
    assert "times before" in told.stdout
    assert "not known yet" in wares_("recommend", shop, "--shopper", "nobody").stderr


def test_similar_and_bought_together(shop: Path) -> None:
    for surface in ("similar", "bought_together"):
        page = answer("similar", shop, "p0", "--surface", surface)
        assert "p0" not in [hit["product"]["id"] for hit in page["hits"]]
    assert answer("recommend", shop, "--surface", "cart", "--seed", "p0", "--seed", "p4")["hits"]


def test_eval_prints_the_table_and_writes_report_and_run(shop: Path, tmp_path: Path) -> None:
    report, run = tmp_path / "r" / "report.html", tmp_path / "run.csv"
    table = answer("eval", shop, "--days", "14", "-k", "3", "--report", report, "--run", run)
    assert {"wares", "popular"} <= {line["system"] for line in table["systems"]}
    assert report.read_text().startswith("<!")
    lines = list(csv.DictReader(run.read_text().splitlines()))
    assert lines[0].keys() == {"system", "shopper", "product", "rank", "score"}
    assert all(line["product"].startswith("p") for line in lines)
    assert "difference" in wares_("eval", shop, "--days", "14", "-k", "3").stdout


def test_doctor_is_content_with_a_good_shop_and_exits_1_for_a_bad_one(shop: Path, tmp_path: Path) -> None:
    findings = answer("doctor", shop)
    assert {finding["state"] for finding in findings} <= {"ok", "warning"}
    assert any(f["what"] == "store" and "12 products, 696 events" in f["found"] for f in findings)
    broken = tmp_path / "broken"
    shutil.copytree(shop, broken)
    parts = sorted(broken.glob("snapshots/*/columns.npz"))
    parts[-1].write_bytes(b"cut")
    told = wares_("doctor", broken)
    assert told.exit_code == 1
    assert "columns.npz was cut or altered" in told.stdout and "wares train" in told.stdout


def test_bench_finds_no_disagreement(shop: Path) -> None:
    figures = answer("bench", "shop", shop, "--only", "agreement,search", "--queries", "60")
    assert figures["agreement"]["disagreements"] == []
    assert figures["agreement"]["questions"] == 60
    assert figures["search"]["p50_ms"] > 0


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["search", "{none}", "milk"], "There is no shop in"),
        (["recommend", "{shop}", "--surface", "hmoe"], "Did you mean 'home'?"),
        (["search", "{shop}", "milk", "--filter", "colour=red"], "There is no filter 'colour'"),
        (["search", "{shop}", "milk", "--facet", "brnad"], "Did you mean 'brand'?"),
        (["search", "{shop}", "milk", "-k", "-1"], "k is -1; it must lie in 0..1000"),
        (["search", "{shop}", "milk", "--sort", "size"], "There is no sort 'size'"),
        (["search", "{shop}", "milk", "--cursor", "abc"], "is not a cursor"),
        (["similar", "{shop}", "p99"], "There is no product 'p99'"),
        (["bench", "shop", "{shop}", "--only", "serach"], "Did you mean 'search'?"),
        (["demo", "--shop", "gift", "--folder", "{none}"], "Did you mean 'gifts'?"),
        (["demo", "--folder", "{shop}"], "that is no demo"),
    ],
)
def test_faults_are_one_line_on_stderr_and_exit_code_1(shop: Path, tmp_path: Path, words: list[str], told: str) -> None:
    result = wares_(*(word.format(shop=shop, none=tmp_path / "none") for word in words))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert told in result.stderr
    assert "Traceback" not in result.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["search"],
        ["serch"],
        ["search", "{shop}"],
        ["search", "{shop}", "milk", "--filter", "red"],
        ["similar", "{shop}"],
        ["search", "{shop}", "milk", "--price", "cheap"],
        ["search", "{shop}", "milk", "-k", "many"],
    ],
)
def test_wrong_usage_exits_2(shop: Path, words: list[str]) -> None:
    assert wares_(*(word.format(shop=shop) for word in words)).exit_code == 2


def test_control_characters_of_a_feed_do_not_reach_the_terminal(tmp_path: Path) -> None:
    (tmp_path / "feed.jsonl").write_text('{"id": "a", "title": "tea [red] \\u001b[2J"}\n')
    wares_("import", tmp_path / "shop", "--products", tmp_path / "feed.jsonl")
    told = wares_("browse", tmp_path / "shop")
    assert "tea [red]" in told.stdout
    assert "\x1b[2J" not in told.stdout


def test_import_goes_through_the_server_that_holds_the_lock(shop: Path, files: Path, tmp_path: Path) -> None:
    served = tmp_path / "served"
    shutil.copytree(shop, served)
    (tmp_path / "more.csv").write_text("id,title\np99,Pepper\n")
    command = [sys.executable, "-m", "wares", "serve", str(served), "--port", "0", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ}) as server:
        try:
            assert server.stdout is not None
            url = json.loads(server.stdout.readline())["url"]
            by = holder(served)
            assert by is not None and by.url == url
            more = ("--products", tmp_path / "more.csv", "--events", files / "events.jsonl")
            reports = answer("import", served, *more)
            assert "696 events were known already" in reports[1]["notes"][-1]
            assert answer("search", served, "pepper")["total"] == 1
            told = wares_("import", served, "--shoppers", files / "shoppers.csv")
            assert told.exit_code == 1 and "is being written by process" in told.stderr
        finally:
            server.terminate()


def test_equal_events_stay_several_when_a_feed_is_sent_in_batches(tmp_path: Path) -> None:
    event = Event(EventKind.PURCHASE, 1_700_000_000_000, "s", "p")
    other = Event(EventKind.VIEW, 1_700_000_000_000, "s", "p")
    feed = [event, event, other, event, other, other, event]
    with Store.open(tmp_path, "write") as store:
        for batch, _ in batches(feed, most=2):
            store.events.append(batch)
        assert store.events.append(feed) == (0, len(feed))


def test_equal_events_that_were_met_in_different_places_stay_several_too(tmp_path: Path) -> None:
    event = Event(EventKind.CLICK, 1_700_000_000_000, "s", "p", impression_id="first", position=1)
    feed = [
        event,
        replace(event, position=2),
        replace(event, impression_id="second"),
        event,
        replace(event, position=3),
    ]
    with Store.open(tmp_path, "write") as store:
        for batch, _ in batches(feed, most=2):
            store.events.append(batch)
        assert store.events.append(feed) == (0, len(feed))
        shown = [store.events.shown()[seq] for seq in sorted(store.events.shown())]
        assert shown == [(one.impression_id, one.position) for one in feed]


def test_an_event_that_is_sent_to_a_server_keeps_all_that_it_says() -> None:
    event = Event(EventKind.PURCHASE, 1_700_000_000_000, "s", "p", 2.0, 1250, "b", "red tea", "e1", "shown-1", 3, True)
    plain = Event(EventKind.VIEW, 0)
    assert not [one.name for one in fields(Event) if getattr(event, one.name) == getattr(plain, one.name)]
    assert list(read_events([event_row(event, "EUR")], now_ms=1_800_000_000_000, currency="EUR")) == [event]

"""Feeds made by rule: as many rows and faults as are told, the same from the same seed, and imports that add up."""

import csv
from pathlib import Path
from typing import Any

import pytest

from wares.app.bench import feed_changes, feeds
from wares.app.bench.feed_changes import build, measure
from wares.app.bench.made_up_feeds import write_events, write_products
from wares.errors import InputError
from wares.feeds.event_feed import read_event_feed
from wares.feeds.products import read_products

NOW_MS = 1_800_000_000_000


def test_the_faults_of_a_made_up_feed_are_those_that_it_tells(tmp_path: Path) -> None:
    goods, log = tmp_path / "p.csv", tmp_path / "e.csv"
    assert (write_products(goods, 2_500, 1), write_events(log, 3_500, 2_500, 1)) == (3, 4)
    products = read_products(goods, now_ms=NOW_MS)
    assert len({product.id for product in products}) == 2_500
    assert products.report.rejected_by_reason == {"no id": 3}
    events = read_event_feed(log, now_ms=NOW_MS)
    times = [event.time_ms for event in events]
    assert len(times) == 3_500 and times == sorted(times)
    assert events.report.rejected_by_reason == {"unknown kind": 4}
    assert not events.report.repairs and not products.report.repairs


def test_the_same_seed_writes_the_same_feeds(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        write_events(tmp_path / name, 1_000, 50, seed)
    a, b, c = ((tmp_path / name).read_bytes() for name in "abc")
    assert a == b != c
    with (tmp_path / "a").open() as file:
        kinds = [row["kind"] for row in csv.DictReader(file)]
    assert 600 < kinds.count("view") < 850 and kinds.count("purchase") > 80


def test_an_import_is_measured_and_adds_nothing_again(tmp_path: Path) -> None:
    log, shop = tmp_path / "e.csv", tmp_path / "shop"
    faulty = write_events(log, 2_000, 100, 1)
    told = feeds._imported(shop, "events", log, 2_000, faulty + 1)  # one fault that is not there
    assert (told["rows"], told["kept"], told["rejected"]) == (2_003, 2_000, 2)
    assert (told["unexplained"], told["added_again"]) == (1, 0)
    assert told["rows_per_s"] == pytest.approx(2_003 / told["seconds"], rel=0.1)


def test_a_killed_import_is_completed_by_its_repetition(tmp_path: Path) -> None:
    told = feeds._killed_import(tmp_path, 60_000, 1)
    assert told["kept_at_the_kill"] in (50_000, 60_000)
    assert (told["lost"], told["counted_twice"]) == (0, 0)


def test_changes_and_new_products_are_shown_by_the_next_answer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed_changes, "_SHOWN", 5)
    monkeypatch.setattr(feed_changes, "_LETTERS", "abc")
    build(tmp_path / "shop", 1_000, 1)
    told: dict[str, Any] = measure(tmp_path / "shop", 1_000, 1_000, 1)
    assert told["changes"] == 1_000 and told["changes_per_s"] > 0
    assert told["shown_after_ms"]["never"] == 0
    assert 0 < told["shown_after_ms"]["p50"] <= told["shown_after_ms"]["max"]
    assert told["new_product_s"]["found_by_search"]["never"] == 0
    assert told["new_product_s"]["has_recommendations"]["never"] == 0


def test_sizes_too_small_to_tell_anything_are_refused() -> None:
    with pytest.raises(InputError, match="events is 10; it must be at least 1,000"):
        feeds.feed_figures(
            products=1_000, events=10, answering=1_000, changes=1_000, seed=0, tell=lambda stage, done, total: None
        )

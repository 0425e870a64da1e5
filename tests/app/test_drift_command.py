"""`wares drift` on made-up logs: twelve weeks of one shop, in the last of which something has changed, or nothing."""

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from served_shop import SETTINGS
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.shop import open_shop
from wares.store.impressions import ImpressionLog

END = datetime(2026, 6, 1, tzinfo=UTC)
END_MS, DAY_MS = int(END.timestamp() * 1000), 86_400_000
WEEKS = 8


@dataclass(frozen=True)
class Week:
    """How a week of the made-up shop is."""

    events: int = 300
    purchases: float = 0.3
    unknown: float = 0.05
    anonymous: float = 0.2
    valued: float = 0.9
    price: float = 1.0
    chinese: float = 0.1
    answers: int = 150
    empty: float = 0.08
    clicked: float = 0.4
    broad: int = 40
    score: float = 0.6


USUAL = Week()


def made_up(folder: Path, last: Week, seed: int = 0) -> Path:
    """A shop whose weeks are all usual but the last."""
    rng = np.random.default_rng(seed)
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    first_ms = END_MS - WEEKS * 7 * DAY_MS
    events: list[dict[str, Any]] = [{"kind": "view", "product_id": "p1", "time": first_ms}]
    with open_shop(folder) as shop:
        shop.put([{"id": f"p{i}", "title": f"Thing {i}", "price": 5 + i} for i in range(40)])
        with ImpressionLog(folder, keep_days=100_000) as log:
            for week in range(WEEKS):
                how = last if week == WEEKS - 1 else USUAL
                start_ms = END_MS - (WEEKS - week) * 7 * DAY_MS
                how = replace(how, events=int(how.events * rng.uniform(0.95, 1.05)))
                events += _events(how, start_ms, rng)
                events += _answers(how, start_ms, rng, log, shop.store.shoppers.hash)
        shop.record(sorted(events, key=lambda event: event["time"]))
    return folder


def _events(how: Week, start_ms: int, rng: np.random.Generator) -> list[dict[str, Any]]:
    events = []
    for _ in range(how.events):
        event: dict[str, Any] = {"time": int(start_ms + rng.integers(7 * DAY_MS))}
        if rng.random() > how.anonymous:
            event["shopper_id"] = f"s{rng.integers(60)}"
        kind = rng.choice(["purchase", "search", "view"], p=[how.purchases, 0.3, 0.7 - how.purchases])
        event["kind"] = str(kind)
        if kind == "search":
            event["query"] = "牛奶" if rng.random() < how.chinese else "oat milk"
        else:
            event["product_id"] = "gone" if rng.random() < how.unknown else f"p{rng.integers(40)}"
        if kind == "purchase" and rng.random() < how.valued:
            event["value"] = round(float(rng.lognormal(2.0, 0.5) * how.price), 2)
        events.append(event)
    return events


def _answers(
    how: Week, start_ms: int, rng: np.random.Generator, log: ImpressionLog, hash_of: Callable[[str], bytes]
) -> list[dict[str, Any]]:
    clicks = []
    for n in range(how.answers):
        time_ms, who = int(start_ms + rng.integers(7 * DAY_MS - 3_600_000)), f"s{rng.integers(60)}"
        shown = [] if rng.random() < how.empty else rng.permutation(how.broad)[:8].tolist()
        hits = [
            {"product": f"p{row}", "position": place, "score": how.score + float(rng.normal(0, 0.1))}
            for place, row in enumerate(shown)
        ]
        said = {"id": f"{start_ms}-{n}", "time_ms": time_ms, "surface": "search", "query": "milk", "filtered": False}
        log.record({**said, "total": len(hits), "hits": hits}, hash_of(who))
        if hits and rng.random() < how.clicked:
            chosen = hits[min(int(rng.geometric(0.5)) - 1, 7)]["product"]
            clicks.append({"kind": "click", "shopper_id": who, "product_id": chosen, "time": time_ms + 5_000})
    return clicks


def drift(folder: Path, *options: str) -> Result:
    return CliRunner().invoke(app, ["drift", str(folder), "--until", "2026-06-01", *options], prog_name="wares")


def watched(folder: Path, *options: str) -> dict[str, dict[str, Any]]:
    result = drift(folder, "--json", *options)
    assert result.exit_code == 0, result.output
    return {one["what"]: one for one in json.loads(result.stdout)["watched"]}


@pytest.mark.parametrize("seed", range(3))
def test_where_nothing_has_changed_nothing_is_said_to(tmp_path: Path, seed: int) -> None:
    result = drift(made_up(tmp_path, USUAL, seed), "--json", "--check")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["moved"], told["periods"]) == (0, [], WEEKS)
    by_name = {one["what"]: one for one in told["watched"]}
    assert {one["verdict"] for one in by_name.values()} == {"steady"}
    assert by_name["searches without a hit"]["usual"] == pytest.approx(0.08, abs=0.03)
    assert by_name["unknown products"]["usual"] == pytest.approx(0.05, abs=0.03)
    assert by_name["success"]["usual"] == pytest.approx(0.37, abs=0.08)
    assert by_name["breadth of what is shown"]["usual"] == pytest.approx(1.0, abs=0.02)


CHANGES = [
    (
        {"unknown": 0.5, "anonymous": 0.7, "chinese": 0.7, "empty": 0.45, "score": 0.8},
        {
            "unknown products",
            "events without a shopper",
            "writing of queries",
            "searches without a hit",
            "scores on search",
        },
        {"events", "kinds of events", "prices paid", "purchases without a value", "breadth of what is shown"},
    ),
    (
        {"purchases": 0.65, "clicked": 0.02, "broad": 12},
        {"kinds of events", "success", "clicks on the first ten", "breadth of what is shown"},
        {"events", "unknown products", "events without a shopper", "writing of queries", "searches without a hit"},
    ),
    ({"valued": 0.2}, {"purchases without a value"}, {"kinds of events", "success", "writing of queries"}),
    ({"price": 2.5}, {"prices paid"}, {"kinds of events", "prices looked at", "purchases without a value"}),
    ({"events": 120}, {"events"}, {"answers", "scores on search", "searches without a hit"}),
]


@pytest.mark.parametrize(("planted", "moved", "steady"), CHANGES)
def test_what_has_changed_is_named_and_nothing_else(
    tmp_path: Path, planted: dict[str, Any], moved: set[str], steady: set[str]
) -> None:
    found = watched(made_up(tmp_path, replace(USUAL, **planted), seed=1))
    named = {name for name, one in found.items() if one["verdict"] in ("alarm", "moved")}
    assert moved <= named and not named & steady, named


def test_the_terminal_and_the_page_tell_what_has_moved_and_the_exit_code_too(tmp_path: Path) -> None:
    folder = made_up(tmp_path, replace(USUAL, chinese=0.9, empty=0.6))
    page = tmp_path / "drift.html"
    result = drift(folder, "--html", str(page), "--check")
    assert result.exit_code == 1
    said = " ".join(result.output.split())
    assert "writing of queries: ALARM" in said and "Chinese characters" in said and "searches without a hit" in said
    html = page.read_text(encoding="utf-8")
    assert "riting of queries (ALARM)" in html and html.count("<svg") > 15
    assert "writing of queries: shares" in html and "clicks by place" in html
    assert "<script" not in html


def test_days_can_be_compared_and_too_little_is_said_to_be_too_little(tmp_path: Path) -> None:
    folder = made_up(tmp_path, USUAL)
    by_day = json.loads(drift(folder, "--by", "day", "--weeks", "2", "--json").stdout)
    assert (by_day["periods"], by_day["days_each"]) == (14, 1)
    assert {one["verdict"] for one in by_day["watched"]} <= {"steady", "too few"}
    early = CliRunner().invoke(app, ["drift", str(folder), "--until", "2026-04-20"])
    assert early.exit_code == 1 and "2 whole weeks, and 4 are needed" in " ".join(early.output.split())
    assert "neither week nor day" in drift(folder, "--by", "month").output


def test_simulated_shoppers_are_left_out(tmp_path: Path) -> None:
    folder = made_up(tmp_path, USUAL)
    before = watched(folder)
    with open_shop(folder) as shop:
        shop.record(
            [
                {"kind": "purchase", "product_id": "gone", "time": END_MS - n - 1, "simulated": True}
                for n in range(2_000)
            ]
        )
    assert watched(folder) == before

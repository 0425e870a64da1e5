"""A made-up log of an experiment: answers of its variants, and clicks that are planted."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import numpy as np

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.shopper import KIND_CODES
from wares.engine.experiments.book import Experiment
from wares.engine.experiments.settings import read_experiment

START = datetime(2026, 5, 1, tzinfo=UTC)
MINUTE, DAY = 60_000, 86_400_000
PRODUCTS = [Product(f"p{i}", title=f"Tea {i}") for i in range(20)]
COLUMNS = Columns.of(PRODUCTS, range(1, 21))
FILE = 'name = "x"\nsurface = "home"\ndays = 14\n[variants.new]\ndiversity = 0.5\n'


def experiment(more: str = "", stopped: datetime | None = None) -> Experiment:
    file = read_experiment(more + FILE, "x.toml")
    return Experiment(1, file, "Anna", START, ((0, 1000),), stopped=stopped, stopped_by="Bob" if stopped else "")


def answer(variant: str, day: float, **more: Any) -> dict[str, Any]:
    """Three hits on the home page."""
    time_ms = round(START.timestamp() * 1000 + day * DAY)
    hits = [{"product": f"p{i}", "position": i} for i in range(3)]
    told = {"id": "", "time_ms": time_ms, "surface": "home", "query": "", "total": 3, "took_ms": 5.0, "hits": hits}
    return told | {"experiment": "x", "variant": variant} | more


def events(*told: tuple[int, float, int, EventKind, float]) -> EventBlock:
    """(shopper, day, product's number, kind, what was paid)"""
    n = len(told)
    order = sorted(told, key=lambda one: one[1])
    return EventBlock(
        seqs=np.arange(1, n + 1),
        times_ms=np.array([round(START.timestamp() * 1000 + day * DAY) for _, day, *_ in order], np.int64),
        kinds=np.array([KIND_CODES[kind] for *_, kind, _ in order], np.int8),
        shopper_keys=np.array([shopper for shopper, *_ in order], np.int64),
        product_keys=np.array([product + 1 for _, _, product, *_ in order], np.int64),
        quantities=np.ones(n, np.float32),
        values_minor=np.array([paid for *_, paid in order], np.float64),
        basket_keys=np.full(n, -1, np.int64),
        queries={},
    )


def log(
    rates: Mapping[str, float], n: int, seed: int = 0, **more: Any
) -> tuple[list[tuple[int, dict[str, Any]]], EventBlock]:
    """n shoppers of each variant with three answers each, from which they choose something at these rates."""
    rng = np.random.default_rng(seed)
    shown, done, shopper = list[tuple[int, dict[str, Any]]](), list[tuple[int, float, int, EventKind, float]](), 0
    for variant, rate in rates.items():
        for _ in range(n):
            shopper += 1
            for day in sorted(rng.uniform(0, 13.9, 3).tolist()):
                shown.append((shopper, answer(variant, day, **more)))
                if rng.random() < rate:
                    done.append((shopper, day + 0.001, int(rng.integers(3)), EventKind.CLICK, float("nan")))
    shown.sort(key=lambda one: one[1]["time_ms"])
    return shown, events(*done)


def later(days: float) -> datetime:
    return START + timedelta(days=days)

"""`wares bench shop`: the figures of the README's table, each from the part that measures it."""

import os
import platform
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.bench.agreement import check_agreement
from wares.app.bench.answering import recommend_times, search_times
from wares.app.bench.building import build_figures, import_figures, start_figures
from wares.app.bench.kills import kill_figures
from wares.app.demo.build import built_of, evaluation
from wares.errors import UnknownName
from wares.shop import Shop, open_shop
from wares.version import VERSION

Tell = Callable[[str, int, int], None]

PARTS = ("import", "build", "start", "search", "recommend", "next_basket", "agreement", "kills")
_NEED_A_SHOP = {"start", "search", "recommend", "next_basket", "agreement"}
_SHOPPERS = 520


def bench_figures(
    folder: Path | None,
    *,
    only: Sequence[str],
    data: Path | None,
    queries: int,
    kills: int,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    """Every chosen part; without a `folder` a demo shop is built in a temporary one."""
    for name in only:
        if name not in PARTS:
            raise UnknownName("part", name, PARTS)
    chosen = [part for part in PARTS if not only or part in only]
    with tempfile.TemporaryDirectory(prefix="wares-bench-") as scratch:
        return _figures(folder, chosen, Path(scratch), data, queries, kills, seed, tell)


def _figures(
    folder: Path | None,
    chosen: Sequence[str],
    scratch: Path,
    data: Path | None,
    queries: int,
    kills: int,
    seed: int,
    tell: Tell,
) -> dict[str, Any]:
    figures: dict[str, Any] = {"machine": _machine()}

    def measured(part: str, measure: Callable[[], Any]) -> None:
        if part in chosen:
            tell(part, 0, 1)
            figures[part] = measure()
            tell(part, 1, 1)

    measured("import", lambda: import_figures(data, scratch / "feed"))
    built = scratch / "groceries"
    if "build" in chosen or (folder is None and _NEED_A_SHOP & set(chosen)):
        chosen = [*chosen, "build"]
        measured("build", lambda: build_figures(built, data))
    place = folder or built
    measured("start", lambda: start_figures(place))
    if (_NEED_A_SHOP - {"start"}) & set(chosen):
        with open_shop(place, create=False) as shop:
            rng = np.random.default_rng(seed)
            measured("search", lambda: search_times(shop, rng))
            measured("recommend", lambda: recommend_times(shop, _shoppers(shop, data, rng)))
            measured("next_basket", lambda: evaluation(shop))
            measured("agreement", lambda: asdict(check_agreement(shop, queries, rng, tell)))
    measured("kills", lambda: kill_figures(kills, np.random.default_rng(seed), tell))
    return figures


def _shoppers(shop: Shop, data: Path | None, rng: np.random.Generator) -> list[str]:
    """Ids of shoppers with a history; the shop keeps only hashes of them, so a demo shop's own data is asked."""
    source = built_of(shop.folder, data)
    if source is None:
        return list(shop.settings.shop.shoppers)
    ids = sorted({str(row["shopper_id"]) for row in source.dialect.event_rows() if row["shopper_id"] is not None})
    return [str(one) for one in rng.permutation(ids)[:_SHOPPERS]]


def _machine() -> dict[str, Any]:
    return {
        "cores": os.cpu_count(),
        "load": [round(load, 1) for load in os.getloadavg()] if hasattr(os, "getloadavg") else None,
        "platform": platform.platform(terse=True),
        "python": platform.python_version(),
        "wares": VERSION,
    }

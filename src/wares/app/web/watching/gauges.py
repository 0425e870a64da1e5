"""What is looked up at the moment when Prometheus asks: snapshots, logs, files, the encoder's memory, the queue."""

import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from wares.app.web.watching.readiness import DEGRADED, Service
from wares.shop import Shop

_FILES = ("wares.sqlite", "wares.sqlite-wal", "impressions.sqlite", "impressions.sqlite-wal")


class Gauges(Collector):
    """Reads on each scrape; what cannot be read is left out."""

    def __init__(self, service: Service, now_s: Callable[[], float] = time.time) -> None:
        self._service, self._now_s = service, now_s

    def describe(self) -> list[Metric]:
        """None beforehand, so that registering reads nothing."""
        return []

    def collect(self) -> Iterator[Metric]:
        """Every family, of all shops."""
        for name, documentation, kind, read in _OF_SHOPS:
            family = kind(name, documentation, labels=["shop"])
            for shop_name, shop in self._service.shops.items():
                if shop.is_loaded and (value := self._value(read, shop)) is not None:
                    family.add_metric([shop_name], value)
            yield family
        yield from self._counted()
        yield from self._snapshots()
        yield self._files()
        yield from self._readiness()
        load = self._service.load
        yield GaugeMetricFamily("wares_queue_length", "Requests that wait for their turn", load.waiting)
        yield CounterMetricFamily("wares_requests_shed", "Requests refused for want of room", load.shed)

    def _value(self, read: Callable[[Shop], float | None], shop: Shop) -> float | None:
        try:
            return read(shop)
        except Exception:  # one that cannot be read must not hide the others
            return None

    def _counted(self) -> Iterator[Metric]:
        """What this process and those that answer for it count, each shop's together."""
        families = [CounterMetricFamily(name, documentation, labels=["shop"]) for name, documentation in _COUNTED]
        for name, shop in self._service.shops.items():
            if not shop.is_loaded:
                continue
            answers, crew = shop.engine.answers, self._service.crew_of(shop)
            kept = (answers.found, answers.missed) if answers is not None else (0, 0)
            theirs = crew.counts() if crew is not None else (0, 0, 0, 0)
            mine = (*kept, *shop.engine.encoder_cache())
            for i, family in enumerate(families):
                if i > 1 or answers is not None:
                    family.add_metric([name], mine[i] + theirs[i])
        yield from families
        workers = GaugeMetricFamily("wares_workers", "Processes that answer, beside this one", labels=["shop", "state"])
        for name, shop in self._service.shops.items():
            if (crew := self._service.crew_of(shop)) is not None:
                workers.add_metric([name, "ready"], crew.ready)
                workers.add_metric([name, "starting"], max(crew.most - crew.ready, 0))
        yield workers

    def _snapshots(self) -> Iterator[Metric]:
        named = GaugeMetricFamily("wares_snapshot_info", "1, with the snapshot that serves", labels=["shop", "name"])
        age = GaugeMetricFamily("wares_snapshot_age_seconds", "Since it was made", labels=["shop"])
        for name, shop in self._service.shops.items():
            if shop.is_loaded and (snapshot := shop.engine.live.snapshot).name:
                named.add_metric([name, snapshot.name], 1)
                if made_ms := snapshot.facts.get("made_ms"):
                    age.add_metric([name], self._now_s() - float(made_ms) / 1000)
        yield named
        yield age

    def _files(self) -> Metric:
        sizes = GaugeMetricFamily("wares_store_bytes", "Size of a file of the store", labels=["shop", "file"])
        for name, shop in self._service.shops.items():
            for file in _FILES:
                if (size := _size(shop.folder / file)) is not None:
                    sizes.add_metric([name, file], size)
        return sizes

    def _readiness(self) -> Iterator[Metric]:
        ready = GaugeMetricFamily("wares_ready", "1 = the shop can answer", labels=["shop"])
        degraded = GaugeMetricFamily("wares_degraded", "1 = this is less than it should be", labels=["shop", "reason"])
        for name in self._service.shops:
            found = self._service.look(name)
            ready.add_metric([name], found.ready)
            for code in DEGRADED:
                degraded.add_metric([name, code], code in found.degraded)
        yield ready
        yield degraded


def _behind(shop: Shop) -> float:
    return float(shop.store.events.count_after(shop.engine.live.last_event))


def _impressions(shop: Shop, what: str) -> float | None:
    log = shop.engine.impressions
    return None if log is None else float(getattr(log, what))


_COUNTED = (
    ("wares_answers_kept", "Answers that were given again"),
    ("wares_answers_made", "Answers that were worked out, where some are kept"),
    ("wares_encoder_cache_hits", "Queries whose vector was remembered"),
    ("wares_encoder_cache_misses", "Queries that had to be encoded"),
)
_Kind = type[GaugeMetricFamily] | type[CounterMetricFamily]
_OF_SHOPS: tuple[tuple[str, str, _Kind, Callable[[Shop], float | None]], ...] = (
    (
        "wares_products",
        "Products that the shop sells",
        GaugeMetricFamily,
        lambda s: float(s.engine.live.state.columns.alive.sum()),
    ),
    (
        "wares_live_products",
        "New or rewritten since the snapshot",
        GaugeMetricFamily,
        lambda s: s.engine.live.size()[0],
    ),
    ("wares_live_events", "Since the snapshot, folded in", GaugeMetricFamily, lambda s: s.engine.live.size()[1]),
    ("wares_live_shoppers", "With events since the snapshot", GaugeMetricFamily, lambda s: s.engine.live.size()[2]),
    ("wares_log_lag_events", "In the log and not yet folded in", GaugeMetricFamily, _behind),
    ("wares_impressions_waiting", "Not yet on disk", GaugeMetricFamily, lambda s: _impressions(s, "waiting")),
    (
        "wares_impressions_dropped",
        "Lost because the disk refused",
        CounterMetricFamily,
        lambda s: _impressions(s, "dropped"),
    ),
    (
        "wares_disk_free_bytes",
        "Where the shop lies",
        GaugeMetricFamily,
        lambda s: float(shutil.disk_usage(s.folder).free),
    ),
)


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None

"""What Prometheus may read of the service: what came in, how long it took, and how the shops are. No words, no ids.

Labels have few values, whatever is asked: routes are those of the table in `scopes`, surfaces those of the settings.
"""

from collections.abc import Mapping
from threading import Lock
from typing import Any

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, disable_created_metrics
from prometheus_client.exposition import choose_encoder
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from wares.app.web.watching.logs import tell
from wares.app.web.watching.record import current
from wares.engine.observer import STAGES
from wares.engine.shelf import kept_snapshots
from wares.shop import Shop
from wares.version import VERSION

_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
_FINE = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0)
OTHER = "other"  # the surface that no setting knows


class Metrics:
    """Counts for one service. Each process has its own numbers. Safe to use from any number of threads."""

    def __init__(self) -> None:
        disable_created_metrics()  # type: ignore[no-untyped-call]  # when counting began is when the process did
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        into: dict[str, Any] = {"registry": self.registry}
        by_route, by_surface = ["route"], ["shop", "surface"]
        Gauge("wares_info", "1, with the version as a label", ["version"], **into).labels(VERSION).set(1)
        self._requests = Counter("wares_requests_total", "Answered requests", ["route", "status"], **into)
        self._seconds = Histogram("wares_request_seconds", "Whole requests", by_route, buckets=_SECONDS, **into)
        self._answers = Histogram(
            "wares_answer_seconds", "A page, inside the engine", by_surface, buckets=_SECONDS, **into
        )
        self._stages = Histogram("wares_stage_seconds", "Stages of a page", ["stage"], buckets=_FINE, **into)
        self._encoder = Histogram("wares_encoder_seconds", "A query into a vector", buckets=_FINE, **into)
        self._degraded = Counter(
            "wares_degraded_answers_total", "Answers that are less than they should be", ["shop", "reason"], **into
        )
        self._events = Counter("wares_events_total", "Events that were sent", ["shop", "outcome"], **into)
        self._visible = Histogram(
            "wares_event_visible_seconds", "From taking events until answers know of them", buckets=_SECONDS, **into
        )
        self._swaps = Counter("wares_snapshot_swaps_total", "Snapshots taken up while serving", ["shop"], **into)
        self._faults = Counter("wares_faults_total", "Requests that failed inside wares", **into)
        self._bytes = Counter("wares_sent_bytes_total", "Bodies of answers", **into)
        self._running = 0
        self._lock = Lock()
        Gauge("wares_requests_running", "Requests that are being answered", **into).set_function(lambda: self._running)
        self._known: dict[tuple[int, str, str], Any] = {}  # finding a label's numbers takes longer than counting

    def add(self, collector: Collector) -> None:
        """What is looked up when it is asked for, as `gauges.Gauges`."""
        self.registry.register(collector)

    def begin(self) -> None:
        """A request came."""
        with self._lock:
            self._running += 1

    def end(self, route: str, status: int, seconds: float, sent_bytes: int) -> None:
        """It was answered; `route` is an entry of the table, never the path."""
        with self._lock:
            self._running -= 1
        self._of(self._requests, route, str(status)).inc()
        self._of(self._seconds, route).observe(seconds)
        self._bytes.inc(sent_bytes)

    def failed(self) -> None:
        self._faults.inc()

    def watch(self, name: str, shop: Shop) -> "Watched":
        """What the engine of this shop is to tell."""
        return Watched(self, name, shop)

    def text(self, accept: str = "") -> tuple[bytes, str]:
        """(the page, its media type) in the form that the reader takes."""
        encode, media_type = choose_encoder(accept)
        return encode(self.registry), media_type

    def _of(self, metric: Any, first: str, second: str = "") -> Any:
        key = (id(metric), first, second)
        if (child := self._known.get(key)) is None:
            child = self._known[key] = metric.labels(first, second) if second else metric.labels(first)
        return child


class Watched:
    """The `Observer` of one shop."""

    def __init__(self, metrics: Metrics, name: str, shop: Shop) -> None:
        self._metrics, self._name, self._shop = metrics, name, shop
        self._surfaces = frozenset(shop.settings.profiles)
        self._stages = {stage: metrics._stages.labels(stage) for stage in STAGES}

    def answered(self, surface: str, seconds: Mapping[str, float]) -> None:
        surface = surface if surface in self._surfaces else OTHER
        current().answered(surface)
        self._metrics._of(self._metrics._answers, self._name, surface).observe(sum(seconds.values()))
        for stage, took_s in seconds.items():
            self._stages[stage].observe(took_s)

    def encoded(self, seconds: float) -> None:
        self._metrics._encoder.observe(seconds)

    def degraded(self, why: str) -> None:
        current().degraded = why
        self._metrics._of(self._metrics._degraded, self._name, why).inc()

    def recorded(self, new: int, repeated: int, refused: int, visible_s: float) -> None:
        for outcome, count in (("new", new), ("repeated", repeated), ("refused", refused)):
            if count:
                self._metrics._of(self._metrics._events, self._name, outcome).inc(count)
        self._metrics._visible.observe(visible_s)

    def swapped(self, before: str, now: str) -> None:
        self._metrics._of(self._metrics._swaps, self._name).inc()
        tell("snapshot", shop=self._name, before=before, now=now)
        report = next((kept.report for kept in kept_snapshots(self._shop.folder / "snapshots") if kept.name == now), {})
        if report:
            why = [str(one) for one in report.get("why", ())]
            tell("promoted", shop=self._name, snapshot=now, compared=bool(report.get("compared")), why=why)

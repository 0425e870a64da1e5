"""Whether each shop can answer, and what is less than it should be: what `/readyz` says, and the metrics."""

from collections.abc import Mapping
from dataclasses import dataclass

from wares.app.web.load import Load
from wares.app.web.workers.crew import Crew
from wares.engine.learnt import SNAPSHOTS
from wares.engine.observer import NO_ENCODER
from wares.engine.shelf import current_name
from wares.errors import WaresError
from wares.shop import Shop

LOADING, DRAINING, UNREADABLE, SLOW = "loading", "draining", "store-unreadable", "store-slow"
WHY_NOT = {
    LOADING: "The snapshot is being loaded.",
    DRAINING: "The service is ending: ask another one.",
    UNREADABLE: "The shop's store cannot be read.",
    SLOW: "The shop's store did not answer in time.",
}
DEGRADED = {
    "no-snapshot": "Nothing was learnt yet: answers go by words and meaning alone.",
    "older-snapshot": "The current snapshot is damaged: an older one answers.",
    "no-learned-order": "The learned order cannot be loaded: the declared formula ranks.",
    NO_ENCODER: "The text encoder fails: answers go by words alone.",
    "impressions-wait": "What was shown cannot be written at the moment; beyond 20,000 it is lost.",
    "behind": "Answers do not know the newest events yet.",
    "overloaded": "Answers leave something out, or are refused, because too many ask.",
}
_MANY_WAITING = 2_000  # impressions; a healthy log writes every second
_MANY_EVENTS = 1_000  # not folded in


@dataclass(frozen=True, slots=True)
class Readiness:
    """Of one shop: why it cannot answer ("" = it can; a key of WHY_NOT), what is less than it should be (of DEGRADED),
    and the snapshot that answers."""

    why_not: str = ""
    degraded: tuple[str, ...] = ()
    snapshot: str = ""

    @property
    def ready(self) -> bool:
        return not self.why_not


class Service:
    """The state of the whole process. `draining` is set when it begins to end."""

    def __init__(self, shops: Mapping[str, Shop], load: Load) -> None:
        self.shops, self.load, self.draining = shops, load, False
        self.crew: Crew | None = None  # the processes that answer for the shop "default"

    def crew_of(self, shop: Shop) -> Crew | None:
        """The processes that answer for this shop; None = threads of this one do."""
        return self.crew if self.crew is not None and self.crew.shop is shop else None

    def look(self, name: str) -> Readiness:
        """At one shop, now: it reads from the store."""
        shop = self.shops[name]
        if self.draining:
            return Readiness(DRAINING)
        if not shop.is_loaded:
            return Readiness(LOADING)
        live, crew = shop.engine.live, self.crew_of(shop)
        try:
            behind = shop.store.events.count_after(live.last_event)
        except (WaresError, OSError):
            return Readiness(UNREADABLE, snapshot=live.snapshot.name)
        waiting = shop.engine.impressions.waiting if shop.engine.impressions is not None else 0
        found = {
            "no-snapshot": not live.snapshot.name,
            "older-snapshot": live.snapshot.name != current_name(shop.folder / SNAPSHOTS) and bool(live.snapshot.name),
            "no-learned-order": bool(live.snapshot.unavailable),
            NO_ENCODER: shop.engine.encoder_fails or (crew is not None and crew.encoder_fails),
            "impressions-wait": waiting > _MANY_WAITING,
            "behind": behind > _MANY_EVENTS,
            "overloaded": self.load.overloaded,
        }
        return Readiness("", tuple(name for name, holds in found.items() if holds), live.snapshot.name)


def ready_json(found: Mapping[str, Readiness]) -> tuple[int, dict[str, object]]:
    """(status, body) of `/readyz`: 200 where every shop can answer."""
    ready = all(one.ready for one in found.values())
    shops = {
        name: {
            "ready": one.ready,
            "why": WHY_NOT.get(one.why_not, ""),
            "code": one.why_not,
            "degraded": [{"code": code, "meaning": DEGRADED[code]} for code in one.degraded],
        }
        for name, one in found.items()
    }
    snapshots = {name: one.snapshot for name, one in found.items()}
    return (200 if ready else 503), {
        "status": "ready" if ready else "not-ready",
        "snapshots": snapshots,
        "shops": shops,
    }

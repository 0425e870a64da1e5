"""Who asks over HTTP, and what they may do. Every route that answers or changes something asks its caller first."""

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from typing import Any, Literal, get_args

from fastapi import Request

from wares.app.web.access.rates import Buckets
from wares.app.web.told.refusals import Refused
from wares.feeds.events import NAMES, read_events

ScopeName = Literal["search", "events", "catalogue", "metrics", "admin"]
SCOPES: tuple[ScopeName, ...] = get_args(ScopeName)
ADMIN = "admin"  # stands for the id of the environment's key
OF_TOKENS = frozenset(("search", "events"))  # more than a shopper needs no token ever gives
IN_SCOPE = "wares.caller"  # where the gate leaves the caller, in the ASGI scope


@dataclass(frozen=True, slots=True)
class Meters:
    """What counts the questions of callers, by the minute. `address`: where this one is, "" = it is not counted."""

    per_key: Buckets
    per_address: Buckets
    per_shopper: Buckets
    address: str = ""

    def admit(self, caller: "Caller") -> None:
        """Count a request as one question, before it is read."""
        self._spend(caller, 1, 0)

    def count(self, caller: "Caller", shoppers: Sequence[str | None]) -> None:
        """Count the questions of an admitted request. One who may ask for everybody cannot use up what tokens have:
        shoppers are counted for each key."""
        if len(shoppers) > 1:
            self._spend(caller, len(shoppers), 1)
        if not caller.shopper:
            for shopper, many in Counter(filter(None, shoppers)).items():
                spend(self.per_shopper, f"{caller.key}\0{shopper}", "shopper", many=many)

    def _spend(self, caller: "Caller", many: int, counted: int) -> None:
        if self.address:
            spend(self.per_address, self.address, "address", many=many, counted=counted)
        if caller.key != ADMIN:
            spend(self.per_key, caller.key, "key", caller.rate_per_minute, many=many, counted=counted)
        if caller.shopper:
            spend(self.per_shopper, f"token\0{caller.shopper}", "shopper", many=many, counted=counted)


@dataclass(frozen=True, slots=True)
class Caller:
    """`key`: the id of the key, "admin" for the environment's, "" where none is needed.

    `shopper`: of a token, the only one it acts for. `surfaces` and `markets`: the only ones it may ask; empty = all.
    """

    key: str = ""
    scopes: frozenset[str] = frozenset(SCOPES)
    shopper: str = ""
    surfaces: tuple[str, ...] = ()
    markets: tuple[str, ...] = ()
    origins: tuple[str, ...] = ()  # of web pages that may use the key
    rate_per_minute: int = 0  # of the key; 0 = as the settings say
    meters: Meters | None = field(default=None, compare=False)

    def may(self, scope: str) -> bool:
        """Whether it has this scope; `admin` has all."""
        return scope in self.scopes or "admin" in self.scopes

    def count(self, shoppers: Sequence[str | None]) -> "Caller":
        """Count the questions of one batch, each with the shopper whom it names, before any is answered.

        Returns the caller that asks them: it counts none of them again.
        """
        if self.meters is not None:
            self.meters.count(self, shoppers)
        return replace(self, meters=None)

    def ask(self, surface: str, shopper: str | None = None, market: str = "") -> tuple[str | None, str]:
        """The shopper and the market that a question on this surface is to be answered for.

        What the question leaves open is filled with what the caller is confined to; what lies beyond is refused. Counts
        the question to its shopper.
        """
        if self.surfaces and surface not in self.surfaces:
            raise Refused(403, "confined", f"This key or token asks on these surfaces only: {_listed(self.surfaces)}.")
        if self.shopper:
            shopper = self.act_for(shopper)
        elif shopper and self.meters is not None:
            self.meters.count(self, [shopper])
        return shopper, self.in_market(market)

    def to_plain(self) -> dict[str, Any]:
        """What `ask` goes by, as plain values for another process; its questions are counted in this one."""
        return {"shopper": self.shopper, "surfaces": self.surfaces, "markets": self.markets}

    @staticmethod
    def of_plain(told: Mapping[str, Any]) -> "Caller":
        """The caller that `to_plain` told of."""
        return Caller(shopper=told["shopper"], surfaces=tuple(told["surfaces"]), markets=tuple(told["markets"]))

    @property
    def fills_in(self) -> str:
        """What `ask` fills in where a question leaves it open: the same question of two who differ here is not one."""
        return "\0".join((self.shopper, *self.markets[:1]))

    def act_for(self, shopper: str | None) -> str | None:
        """The shopper that is meant; of a token its own and no other."""
        if self.shopper and (shopper or self.shopper) != self.shopper:
            raise Refused(403, "confined", "This token acts for one shopper, and the request names another.")
        return self.shopper or shopper

    def in_market(self, market: str) -> str:
        """The market that is meant; where the caller is confined to some, none = the first of them."""
        if self.markets and (market or self.markets[0]) not in self.markets:
            raise Refused(403, "confined", f"This key or token asks in these markets only: {_listed(self.markets)}.")
        return market or (self.markets[0] if self.markets else "")

    def simulate(self) -> None:
        """Refused unless this caller may play shoppers: a key of a page could hide real ones from the figures."""
        if not self.may("catalogue"):
            detail = "What is simulated needs the scope catalogue or admin; leave `simulated` out for real shoppers."
            raise Refused(403, "scope-missing", detail)

    def own_events(self, rows: Sequence[Mapping[str, Any]], **reading: Any) -> list[dict[str, Any]]:
        """The rows as this caller may send them: of a token all about its shopper. `reading`: as of `read_events`.

        They are read as the store will read them, so that no other name and no nesting of a shopper's id passes.
        """
        marks = [name for name in {name for row in rows for name in row} if _folded(name) in NAMES["simulated"]]
        if any(row.get(mark) for mark in marks for row in rows):
            self.simulate()
        if not self.shopper:
            return [dict(row) for row in rows]
        own = [
            {name: cell for name, cell in row.items() if _folded(name) not in NAMES["shopper_id"]}
            | {"shopper_id": self.shopper}
            for row in rows
        ]
        for event in chain(read_events(map(dict, rows), **reading), read_events(own, **reading)):
            self.act_for(event.shopper_id)
        return own


async def caller_of(request: Request) -> Caller:
    """Who asks, as the gate has found out. The one answer to it: routes never read keys themselves."""
    found: Caller = request.scope[IN_SCOPE]
    return found


def spend(buckets: Buckets, who: str, what: str, per_minute: int = 0, *, many: int = 1, counted: int = 0) -> None:
    """Count `many` questions; Refused with the time to wait where there were too many. Arguments as of `take`."""
    wait_s = buckets.take(who, per_minute, many, counted)
    if wait_s == math.inf:
        rate = per_minute or buckets.per_minute
        detail = (
            f"{many} questions in one request are more than the {rate} a minute of this {what}. Send fewer at once."
        )
        raise Refused(429, "too-many-requests", detail)
    if wait_s > 0:
        after_s = str(math.ceil(wait_s))
        detail = f"Too many requests of this {what}. Ask again in {after_s} s."
        raise Refused(429, "too-many-requests", detail, {"retry-after": after_s})


def _folded(name: object) -> str:
    return str(name).strip().lower().replace(" ", "_")


def _listed(names: Sequence[str]) -> str:
    return ", ".join(names)

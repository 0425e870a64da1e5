"""An event log of any known dialect -> events, with returns matched to their purchases.

The dialect is recognised from the first rows. An entry of the foreign log with several items counts as that many
rows, a refund of a whole order as many as the order has lines; what is left out counts as rejected, by name.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, islice
from pathlib import Path

from wares.domain.event import Event, EventKind
from wares.errors import UnknownName
from wares.feeds.dialects.algolia import ALGOLIA
from wares.feeds.dialects.entry import Dialect, Entry, is_bot, stable_id
from wares.feeds.dialects.ga4 import GA4
from wares.feeds.dialects.google_retail import GOOGLE_RETAIL
from wares.feeds.dialects.segment import SEGMENT
from wares.feeds.equal_lines import told_equal
from wares.feeds.events import Maker, events_of
from wares.feeds.logins import Logins
from wares.feeds.readers import Row, Source, name_of, read_rows
from wares.feeds.report import LeftOut, Reading, RowFault, Tally
from wares.feeds.returns import settled
from wares.feeds.robots import without_robots
from wares.feeds.values import DAY_MS, clock

OWN = "wares"  # the dialect of wares' own columns
DIALECTS: dict[str, Dialect] = {dialect.name: dialect for dialect in (GA4, SEGMENT, GOOGLE_RETAIL, ALGOLIA)}
PEEKED = 20  # rows by which a dialect is recognised


def read_event_feed(
    source: Source,
    *,
    now_ms: int,
    currency: str = "",
    timezone: str = "UTC",
    dialect: str = "",
    rejects: Path | None = None,
    examples: int = 5,
    keep_robots: bool = False,
    drop_equal_lines: bool = False,
    logins: Logins | None = None,
) -> Reading[Event]:
    """Events of a path, table or iterable of dicts, in the order of the source, as a stream; refunds of whole orders
    come last. `dialect` "" = recognise it. `keep_robots`: neither programs that say so nor what `feeds.robots` finds is
    left out. `drop_equal_lines`: of lines that say the same only the first counts (`feeds.equal_lines`). `logins` hears
    of anonymous shoppers who turn out to be known. The rest is as in `feeds.events.read_events`.

    Raises UnknownName for a dialect that is none, InputError for a source that cannot be read at all.
    """
    check_dialect(dialect)
    tally = Tally(name_of(source), rejects, examples)
    maker = Maker(tally, now_ms + DAY_MS, currency.upper(), clock(timezone))
    heard = _Heard(Logins(wanted=False) if logins is None else logins, keep_robots)
    events = _events(read_rows(source, tally), maker, tally, dialect, heard)
    people = without_robots(events, tally, keep=keep_robots)
    return Reading(told_equal(settled(people, tally), tally, drop=drop_equal_lines), tally)


def check_dialect(name: str) -> None:
    """Raises UnknownName for a dialect that is none; "" is fine."""
    if name and name not in (OWN, *DIALECTS):
        raise UnknownName("dialect of events", name, (OWN, *DIALECTS))


def recognise(rows: Iterable[Row]) -> Dialect | None:
    """The dialect that most of the rows are written in; None = wares' own columns, of which `kind` is the sign."""
    seen = list(rows)
    votes = {name: sum(map(dialect.recognises, seen)) for name, dialect in DIALECTS.items()}
    best = max(votes, key=lambda name: votes[name])
    own = sum("kind" in row and not DIALECTS[best].recognises(row) for row in seen)
    return DIALECTS[best] if votes[best] > own else None


@dataclass(frozen=True, slots=True)
class _Heard:
    """What is asked of a foreign log besides its events."""

    logins: Logins
    keep_robots: bool


def _events(rows: Iterator[tuple[int, Row]], maker: Maker, tally: Tally, named: str, heard: _Heard) -> Iterator[Event]:
    if named:
        chosen = DIALECTS.get(named)
    else:
        first = list(islice(rows, PEEKED))
        rows = chain(first, rows)
        chosen = recognise(row for _, row in first)
    if chosen is None:
        yield from events_of(rows, maker, tally)
        return
    if not named:
        tally.note(f"Read as {chosen.title} ({chosen.name}), by its first rows; --dialect names another.")
    yield from _foreign(rows, maker, tally, chosen, heard)


def _foreign(
    rows: Iterator[tuple[int, Row]], maker: Maker, tally: Tally, dialect: Dialect, heard: _Heard
) -> Iterator[Event]:
    orders = _Orders()
    waiting: list[tuple[int, Row, Entry, Event]] = []  # refunds of whole orders
    for line, row in rows:
        tally.line, tally.names, tally.place = line, {}, 0
        heard.logins.hear(row, dialect, tally)
        for entry in _entries_of(row, dialect):
            tally.names, tally.place = (entry.names, entry.place) if isinstance(entry, Entry) else ({}, 0)
            try:
                event = _event(entry, maker, tally, heard.keep_robots)
            except RowFault as fault:
                tally.reject(fault, row)
                continue
            if isinstance(entry, Entry) and entry.whole_order:
                waiting.append((line, row, entry, event))
                continue
            orders.hear(event)
            tally.kept += 1
            yield event
    for line, row, entry, event in waiting:
        tally.line, tally.names, tally.place = line, entry.names, entry.place
        lines = orders.take_rest(event.basket_id)
        if not lines:
            fix = (
                "List what was returned, or import the order in the same file; what was returned already is not again."
            )
            tally.reject(RowFault("no such order left to refund", "basket_id", event.basket_id, fix), row)
        for place, bought in enumerate(lines):
            tally.kept += 1
            id_ = stable_id(dialect.name, event.id, place, bought.product_id) if event.id else ""
            yield replace(bought, kind=EventKind.REFUND, time_ms=event.time_ms, id=id_)


def _entries_of(row: Row, dialect: Dialect) -> Iterable[Entry | RowFault]:
    try:
        return dialect.entries(row)
    except RowFault as fault:
        return (fault,)


def _event(entry: Entry | RowFault, maker: Maker, tally: Tally, keep_robots: bool) -> Event:
    """Raises RowFault for an entry that is no event."""
    if isinstance(entry, RowFault):
        raise entry
    if is_bot(entry.agent):
        if not keep_robots:
            raise LeftOut("bots", "user agent", entry.agent, "Nothing to do: programs choose no products.")
        tally.remark("bots", "user agent", entry.agent, "Kept, as was asked for.")
    for repair in entry.repairs:
        tally.repair(*repair)
    if not entry.whole_order:
        return maker.make(entry.row, maker.layout_of(entry.row))
    row = {**entry.row, "product_id": "the order"}  # a stand-in until the order is known
    return maker.make(row, maker.layout_of(row))


class _Orders:
    """The lines of orders, for refunds that name only the order."""

    def __init__(self) -> None:
        self._bought: dict[str, dict[str, Event]] = {}
        self._returned: dict[str, list[Event]] = {}

    def hear(self, event: Event) -> None:
        if not event.basket_id:
            return
        if event.kind is EventKind.PURCHASE:
            lines = self._bought.setdefault(event.basket_id, {})
            lines[event.id or str(len(lines))] = event
        elif event.kind is EventKind.REFUND:
            self._returned.setdefault(event.basket_id, []).append(event)

    def take_rest(self, basket_id: str) -> list[Event]:
        """What of the order was not returned yet, line by line; from now on it is."""
        lines = list(self._bought.pop(basket_id, {}).values())
        for returned in {
            event.id or str(n): event for n, event in enumerate(self._returned.pop(basket_id, ()))
        }.values():
            units = returned.quantity
            for place, line in enumerate(lines):
                if line.product_id == returned.product_id and units > 0:
                    taken = min(units, line.quantity)
                    lines[place] = _less(line, taken)
                    units -= taken
        return [line for line in lines if line.quantity > 0]


def _less(line: Event, units: float) -> Event:
    rest = line.quantity - units
    value = None if line.value_minor is None else round(line.value_minor * rest / line.quantity) if rest > 0 else 0
    return replace(line, quantity=rest, value_minor=value)

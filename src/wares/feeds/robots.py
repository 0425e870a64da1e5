"""Robots by what they do: nobody looks at hundreds of products an hour. Counted while a log streams by.

A look is a view, a click or a search; a row of the log with several items is one. Purchases never count: a wholesale
buyer's order may have hundreds of lines at one moment (in UCI's Online Retail up to 422 in an hour).
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from wares.domain.event import Event, EventKind
from wares.feeds.report import LeftOut, Tally
from wares.feeds.values import DAY_MS

HOUR_MS = 3_600_000
PER_HOUR = 300  # looks; one every 12 seconds for a whole hour is more than people do
PER_DAY = 1_500  # looks; five such hours
MOST_COUNTED = 1_000_000  # hours and days of shoppers that are counted at a time: about 150 MB
RULES = (f"more than {PER_HOUR:,} looks in an hour", f"more than {PER_DAY:,} looks in a day")
_LOOKS = frozenset((EventKind.VIEW, EventKind.CLICK, EventKind.SEARCH))
_PAID = frozenset((EventKind.PURCHASE, EventKind.REFUND))


def without_robots(events: Iterator[Event], tally: Tally, *, keep: bool = False) -> Iterator[Event]:
    """The same events without those of robots, from the look on that was one too many; `keep`: with them, remarked.

    Purchases and refunds stay, whoever's they are: who pays is a customer. Hours and days are those of UTC, in any
    order. Events of nobody count for nobody.
    """
    robots = Robots()
    for event in events:
        rule = robots.rule_of(event, tally.line)
        if not rule or event.kind in _PAID:
            yield event
        elif keep:
            tally.remark(f"robots, {rule}", "shopper_id", event.kind.value, "Kept, as was asked for.")
            yield event
        else:
            fix = "Nothing to do: programs choose no products. If these are people, keep them with --keep-robots."
            tally.kept -= 1
            tally.reject(LeftOut(f"robots, {rule}", "shopper_id", event.kind.value, fix), None)
    robots.tell(tally, keep)


@dataclass(slots=True)
class Robots:
    """Which shoppers of one log are robots so far, by which rule, and since which line."""

    _found: dict[str, tuple[str, int]] = field(default_factory=dict)
    _looks: dict[int, int] = field(default_factory=dict)  # by the hash of a shopper and an hour, or a day
    _last: tuple[int, str] = (-1, "")  # line and shopper of the last look

    def rule_of(self, event: Event, line: int) -> str:
        """Count this event; the rule by which its shopper is a robot, "" = they are none."""
        shopper = event.shopper_id
        if shopper is None:
            return ""
        if (known := self._found.get(shopper)) is not None:
            return known[0]
        if event.kind not in _LOOKS or (line, shopper) == self._last:
            return ""
        self._last = (line, shopper)
        in_hour = self._count(hash((shopper, event.time_ms // HOUR_MS)))
        in_day = self._count(hash((shopper, -1 - event.time_ms // DAY_MS)))
        if in_hour <= PER_HOUR and in_day <= PER_DAY:
            return ""
        rule = RULES[in_hour <= PER_HOUR]
        self._found[shopper] = (rule, line)
        return rule

    def tell(self, tally: Tally, keep: bool) -> None:
        """How many shoppers each rule found, and where first; into the tally."""
        for rule, most in zip(RULES, (PER_HOUR, PER_DAY), strict=True):
            lines = [line for by, line in self._found.values() if by == rule]
            if not lines:
                continue
            tally.robots[rule] = len(lines)
            whose = "1 shopper" if len(lines) == 1 else f"{len(lines):,} shoppers"
            told = f"Robots: {whose} with {rule}, first in line {min(lines):,}."
            rest = f" What they did from then on is left out, but for purchases; their first {most:,} looks had passed."
            tally.note(f"{told} They are kept." if keep else f"{told}{rest} --keep-robots keeps all.")

    def _count(self, key: int) -> int:
        n = self._looks[key] = self._looks.get(key, 0) + 1
        if len(self._looks) > MOST_COUNTED:
            self._forget()
        return n

    def _forget(self) -> None:
        """The quietest hours and days are counted from 0 again: a robot may be missed so, nobody is taken for one."""
        least = 1
        while len(self._looks) > MOST_COUNTED // 2:
            self._looks = {key: n for key, n in self._looks.items() if n > least}
            least *= 2

"""Logins in a log: rows that name both the anonymous and the known shopper."""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from wares.domain.shopper import Joined, Login
from wares.feeds.dialects.entry import Dialect, is_absent
from wares.feeds.events import MAX_ID
from wares.feeds.readers import Row
from wares.feeds.report import ImportReport, Tally
from wares.feeds.values import read_text

AMBIGUOUS = "one anonymous shopper, several known ones"


@dataclass(slots=True)
class Logins:
    """Who turned out to be whom in one log. `wanted` False: it is only noted that there are some."""

    wanted: bool
    consent: bool = True  # whether whoever imports the log says that there is consent
    _known_of: dict[str, str] = field(default_factory=dict)  # "" = several
    _listening: bool = True

    def hear(self, row: Row, dialect: Dialect, tally: Tally) -> None:
        """What a row of a foreign log says of a login; mostly nothing."""
        if not self._listening:
            return
        anonymous, known = map(_text, dialect.login(row))
        if not anonymous or not known or anonymous == known:
            return
        if not self.wanted:
            self._listening = False
            tally.note(
                "Rows name an anonymous and a known shopper at once. Their histories stay apart; with the shoppers' "
                "consent, --join-logins joins them."
            )
            return
        before = self._known_of.setdefault(anonymous, known)
        if before and before != known:
            self._known_of[anonymous] = ""
            fix = "They stay apart: several people seem to share this device."
            tally.remark(f"login of {AMBIGUOUS}", "shopper_id", "another one than before", fix)

    def __iter__(self) -> Iterator[Login]:
        """Those that are of one known shopper."""
        return (Login(anonymous, known, self.consent) for anonymous, known in self._known_of.items() if known)

    @property
    def ambiguous(self) -> int:
        return sum(not known for known in self._known_of.values())


def with_logins(report: ImportReport, logins: Logins, joined: Joined) -> ImportReport:
    """The report with how many anonymous shoppers were joined to known ones, in figures and a sentence. Unasked, a log
    without logins is not told to have none."""
    ambiguous = logins.ambiguous + len(joined.refused)
    told = {"joined": joined.new, "known_already": joined.repeated, "ambiguous": ambiguous}
    if not logins.consent and not any(told.values()):
        return report
    note = (
        f"Logins: anonymous shoppers newly joined to known ones: {joined.new:,}; joined before: {joined.repeated:,}; "
        f"refused as ambiguous ({AMBIGUOUS}): {ambiguous:,}."
    )
    return replace(report, logins=told, notes=(*report.notes, note))


def _text(raw: object) -> str:
    """As an event's shopper is read; "" = nobody."""
    text = "" if is_absent(raw) else str(raw) if type(raw) is int else read_text(raw)
    return text if len(text) <= MAX_ID else ""

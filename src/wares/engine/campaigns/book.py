"""The campaigns of a shop as a ledger: each entry says that one was added, paused, resumed or ended, by whom and why.

What runs follows from reading the entries in order. Where one cannot be read, everything that began before it counts as
ended: it may have been the end.
"""

import json
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

from wares.engine.campaigns.settings import CampaignFile, read_campaign
from wares.engine.ledger import Ledger, signature
from wares.errors import CampaignError, InputError, UnknownName, WaresError

FOLDER = "campaigns"
_FILE_BEGINS = "# -- the campaign, as it was added --\n"
_DONE = {"pause": "paused", "resume": "resumed", "end": "ended"}


@dataclass(frozen=True)
class Change:
    """One entry of the ledger about a campaign: add, pause, resume or end."""

    what: str
    by: str
    at: datetime
    note: str = ""


@dataclass(frozen=True)
class Campaign:
    """One campaign with its history. `spans` are [from, to) in Unix milliseconds; None = it goes on."""

    number: int
    file: CampaignFile
    changes: tuple[Change, ...]
    spans: tuple[tuple[int, int | None], ...]

    @property
    def name(self) -> str:
        return self.file.name

    @property
    def state(self) -> str:
        """What was said of it last: "running", "paused" or "ended"; its dates and its budget are another question."""
        return {"add": "running", "resume": "running", "pause": "paused", "end": "ended"}[self.changes[-1].what]

    def ran_at(self, time_ms: int) -> bool:
        """Whether it was running at this moment, as far as it was told to."""
        return any(begin <= time_ms and (end is None or time_ms < end) for begin, end in self.spans)

    def then(self, change: Change) -> "Campaign":
        """With one more change."""
        at_ms, spans = ms_of(change.at), list(self.spans)
        if change.what == "resume":
            spans.append((at_ms, None))
        elif spans and spans[-1][1] is None:
            spans[-1] = (spans[-1][0], at_ms)
        return replace(self, changes=(*self.changes, change), spans=tuple(spans))


class CampaignBook:
    """The ledger of one shop."""

    def __init__(self, shop_folder: Path) -> None:
        self.place = shop_folder / FOLDER
        self._ledger = Ledger(self.place, _FILE_BEGINS)

    def last(self) -> int:
        """The number of the newest entry; 0 = none."""
        return self._ledger.last()

    def read(self) -> tuple[list[Campaign], list[str]]:
        """Every campaign in the order of adding, and warnings about entries that cannot be used."""
        found, warnings = dict[str, Campaign](), list[str]()
        for number in self._ledger.numbers():
            path = self._ledger.path_of(number)
            try:
                head, text = self._ledger.entry(number)
                change = Change(head["what"], head["by"], head["at"], head["note"])
                if change.what == "add":
                    file = read_campaign(json.loads(text), str(path))
                    found[file.name] = Campaign(number, file, (change,), ((ms_of(change.at), None),))
                elif (one := found.get(head["name"])) is not None and change.what in _DONE:
                    found[one.name] = one.then(change)
            except (WaresError, KeyError, TypeError, ValueError) as error:
                why = f"{path}: cannot be used ({error})"
                warnings.append(f"{why}: every campaign that was added before it is taken as ended.")
                for name, one in found.items():
                    if one.state != "ended":
                        ended = one.then(Change("end", "wares", one.changes[-1].at, why))
                        found[name] = replace(ended, spans=one.spans[:-1] if one.state == "running" else one.spans)
        return list(found.values()), warnings

    def find(self, name: str) -> Campaign:
        """UnknownName where none was ever called so."""
        campaigns = {one.name: one for one in self.read()[0]}
        if name not in campaigns:
            raise UnknownName("campaign", name, campaigns)
        return campaigns[name]

    def add(self, file: CampaignFile, by: str, note: str, where: str, now: datetime) -> Campaign:
        """Begin it, on disk when it returns. CampaignError where its name was used before; InputError without a name
        of who does it."""
        by, note = signature(by, note)
        while True:
            number = self.last() + 1
            if any(one.name == file.name for one in self.read()[0]):
                raise CampaignError([
                    f"{where}: name: there was a campaign {file.name!r} already; a name is used once, so that every "
                    "click in the log belongs to one campaign. Give it another."
                ])  # fmt: skip
            told = {"what": "add", "name": file.name, "by": by, "note": note}
            if self._ledger.write(number, told, now, file.to_json()):
                return self.find(file.name)

    def change(self, what: str, name: str, by: str, note: str, now: datetime) -> Campaign:
        """Pause, resume or end it. UnknownName; InputError where that is not possible or nobody is named."""
        if what not in _DONE:
            raise UnknownName("action", what, ("add", *_DONE))
        by, note = signature(by, note)
        while True:
            number, one = self.last() + 1, self.find(name)
            if one.state == "ended" or one.state == {"pause": "paused", "resume": "running"}.get(what):
                last = one.changes[-1]
                raise InputError(
                    f"Campaign {name!r} cannot be {_DONE[what]}: it is {one.state} ({last.what}, {last.by}, {last.at})."
                )
            if self._ledger.write(number, {"what": what, "name": name, "by": by, "note": note}, now, ""):
                return self.find(name)


def ms_of(moment: datetime) -> int:
    """Unix milliseconds."""
    return round(moment.timestamp() * 1000)

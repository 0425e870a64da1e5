"""The running campaigns as a process that answers follows them: who bids for a place in which answer."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from threading import Lock

from wares.domain.filter import Filter
from wares.domain.request import Request
from wares.domain.result import Page
from wares.domain.rule import When
from wares.domain.sponsored import Bid
from wares.engine.campaigns.accounts import Accounts, Shown, open_accounts
from wares.engine.campaigns.book import Campaign, CampaignBook, ms_of
from wares.engine.campaigns.settled import DAY_MS, Sums, write_settled
from wares.errors import StoreError
from wares.retrieval.understanding import words_of
from wares.store.sqlite import Store

_AHEAD = 1 / 24  # of a day's budget, that may be spent before its time
_SAME = 20.0  # impressions' worth of the mean rate that every campaign's click rate starts with
_FIRST_RATE = (1.0, 50.0)  # clicks of impressions that the mean starts with
_AFTER_MS = 3 * DAY_MS  # so long an ended campaign may still be clicked, and its days be settled


@dataclass(frozen=True, slots=True)
class Standing:
    """What a campaign has got so far, and what it cost: all days together, and each day in UTC."""

    shown: int = 0
    clicks: int = 0
    spent: int = 0
    spent_on: Mapping[int, int] | None = None

    def on(self, day: int) -> int:
        """What was spent on a day."""
        return (self.spent_on or {}).get(day, 0)


class ServingCampaigns:
    """`warn` is told of what cannot be used. Nothing is read of the logs before the first `fold`, and nobody bids."""

    def __init__(self, shop_folder: Path, store: Store, warn: Callable[[str], None]) -> None:
        self._folder, self._store, self._warn = shop_folder, store, warn
        self._book = CampaignBook(shop_folder)
        self.campaigns: tuple[Campaign, ...] = ()
        self._running: tuple[tuple[Campaign, When, Filter], ...] = ()
        self.looked_for = 0
        self._accounts: Accounts | None = None
        self._known = -1  # how much of the accounts the standing tells
        self._standing: Mapping[str, Standing] | None = None  # None = nobody knows yet
        self._prior = _FIRST_RATE[0] / _FIRST_RATE[1]
        self._folding, self._counting = Lock(), Lock()
        self._seen: Counter[tuple[bytes, str]] = Counter()  # (shopper, campaign) -> times shown on the day
        self._seen_day = -1
        self.follow()

    def follow(self) -> None:
        """Take up what was added, paused, resumed or ended since."""
        if (last := self._book.last()) == self.looked_for:
            return
        campaigns, warnings = self._book.read()
        for warning in warnings:
            self._warn(warning)
        self.campaigns = tuple(campaigns)
        running = [one for one in campaigns if one.state == "running"]
        self._running = tuple((one, one.file.when.value(), one.file.filter) for one in running)
        self.looked_for = last

    @property
    def running(self) -> bool:
        """Whether any may bid; it may have no money left."""
        return bool(self._running)

    def fold(self, now_ms: int) -> None:
        """Take in what was shown and clicked since; at most one thread at a time does, others go on. `now_ms`: a steady
        time (`ImpressionLog.steady_ms`), for days that are settled stay so, however wrong the clock was."""
        if not self.campaigns or not self._folding.acquire(blocking=False):
            return
        try:
            ends = (now_ms if one.state != "ended" else ms_of(one.changes[-1].at) for one in self.campaigns)
            if max(ends) > now_ms - _AFTER_MS:
                self._fold(now_ms)
        except StoreError as error:
            self._warn(str(error))
            self._standing = self._accounts = None
        except OSError as error:
            told = f"{error.filename}: cannot be written ({error.strerror})"
            self._warn(f"{told}; what campaigns spent is settled later.")
        finally:
            self._folding.release()

    def forget(self) -> None:
        """Read the accounts anew: some of the logs is no more."""
        with self._folding:
            self._accounts = None

    def standing(self, name: str) -> Standing:
        """As of the last `fold`."""
        return (self._standing or {}).get(name, Standing())

    def bids(self, request: Request, whose: bytes) -> tuple[Bid, ...]:
        """What campaigns offer for a place in the answer to this request of the shopper with this hash."""
        standing = self._standing
        if not self._running or standing is None:
            return ()
        now_ms, words = request.now_ms, words_of(request.query)
        day = now_ms // DAY_MS
        found = list[Bid]()
        for one, when, where in self._running:
            file = one.file
            if not when.holds(request, words, {}):
                continue
            own = standing.get(file.name, Standing())
            left = file.budget - own.spent
            if file.budget_per_day is not None:
                due = file.budget_per_day * min(1.0, now_ms % DAY_MS / DAY_MS + _AHEAD)
                left = min(left, int(due) - own.on(day))
            most = file.per_shopper_per_day - (self._seen[whose, file.name] if day == self._seen_day else 0)
            if left > 0 and most > 0:
                rate = min((own.clicks + _SAME * self._prior) / (own.shown + _SAME), 0.9)
                found.append(Bid(file.name, file.label, min(file.bid, left), rate, file.products, where, most))
        return tuple(found)

    def showed(self, page: Page, whose: bytes, now_ms: int) -> None:
        """This page was shown to the shopper with this hash."""
        campaigns = [hit.sponsored.campaign for hit in page.hits if hit.sponsored is not None]
        if campaigns:
            self._saw(whose, campaigns, now_ms // DAY_MS)

    def _saw(self, whose: bytes, campaigns: list[str], day: int) -> None:
        with self._counting:
            if day > self._seen_day:
                self._seen, self._seen_day = Counter(), day
            if day == self._seen_day:
                self._seen.update((whose, campaign) for campaign in campaigns)

    def _fold(self, now_ms: int) -> None:
        first = self._standing is None
        if self._accounts is None:
            self._accounts, self._known = open_accounts(self._folder, self.campaigns), -1
        accounts = self._accounts
        accounts.campaigns = {one.name: one for one in self.campaigns}
        pages = accounts.read(self._folder, self._store)
        if first:  # later ones are counted as they are shown
            self._remember(pages)
        if (settled := accounts.settle(now_ms)) is not None:
            write_settled(self._folder, settled)
            self._accounts, self._known = open_accounts(self._folder, self.campaigns), -1
            accounts = self._accounts
            accounts.read(self._folder, self._store)
        if accounts.changes == self._known and not first:
            return
        standing = standing_of(accounts.sums())
        shown = sum(one.shown for one in standing.values())
        clicks = sum(one.clicks for one in standing.values())
        self._prior = (clicks + _FIRST_RATE[0]) / (shown + _FIRST_RATE[1])
        self._standing, self._known = standing, accounts.changes

    def _remember(self, pages: list[Shown]) -> None:
        for page in pages:
            if page.whose is not None:
                self._saw(page.whose, [campaign for campaign, _, _ in page.hits.values()], page.time_ms // DAY_MS)


def standing_of(sums: Sums) -> dict[str, Standing]:
    """Campaign -> what it has got so far."""
    totals: dict[str, list[int]] = {}
    by_day: dict[str, dict[int, int]] = {}
    for (name, day), values in sums.items():
        total = totals.setdefault(name, [0, 0, 0])
        for i, value in enumerate(values):
            total[i] += value
        by_day.setdefault(name, {})[day] = values[2]
    return {name: Standing(shown, clicks, spent, by_day[name]) for name, (shown, clicks, spent) in totals.items()}

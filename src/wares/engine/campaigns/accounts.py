"""What campaigns have got and what it cost them: a fold over the log of what was shown and the log of what was clicked.

A click counts where a real shopper, told by an id, clicked a hit within a day of being shown it as sponsored, once for
each page and product. It costs what the page's log says, as far as the budgets reach. Days that are over are settled;
the others follow from the logs, whoever reads them and however often.
"""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wares.engine.campaigns.book import Campaign, ms_of
from wares.engine.campaigns.settled import DAY_MS, Settled, Sums, read_settled
from wares.feeds.robots import HOUR_MS, PER_DAY, PER_HOUR
from wares.store.events import Look
from wares.store.impressions import last_page, read_pages
from wares.store.sqlite import Store

WINDOW_MS = DAY_MS  # in which a click may follow
_AHEAD_MS = 60_000  # by which a shopper's clock may be behind
HOLDING = '"sponsored":'  # in the log's text of a page with such hits


@dataclass(frozen=True, slots=True)
class Shown:
    """A page with sponsored hits: product -> (campaign, price of a click, share of relevance lost)."""

    time_ms: int
    whose: bytes | None
    hits: Mapping[str, tuple[str, int, float]]


@dataclass(frozen=True, slots=True)
class Charge:
    """A click that counts. `spent` may be less than the price, where a budget ended."""

    campaign: str
    product: str
    whose: bytes
    time_ms: int
    spent: int


class Accounts:
    """Those of one shop, from `settled` on. Not for several threads at once."""

    def __init__(self, settled: Settled, campaigns: Mapping[str, Campaign]) -> None:
        self.settled, self.campaigns = settled, campaigns
        self.pages: dict[str, Shown] = {}
        self.charges: list[Charge] = []
        self._first_day = settled.until_ms // DAY_MS
        self._shown: Counter[tuple[str, int]] = Counter()
        self._clicks: dict[tuple[str, str, bytes], Look] = {}  # (impression, product, shopper) -> the first
        self._waiting: defaultdict[str, list[Look]] = defaultdict(list)  # impression that is not in the log yet
        self._looks: Counter[tuple[bytes, int]] = Counter()  # of an hour, or -1 - day
        self._robots: set[tuple[bytes, int]] = set()  # (shopper, day)
        self._first_seq: dict[int, int] = {}  # day -> the lowest number of its events
        self._last_seq, self._last_page = settled.after_seq, 0
        self.changes = 0  # how often something was taken in
        self._totals: dict[str, list[int]] = defaultdict(lambda: [0, 0])  # campaign -> clicks, spent; settled ones too
        self._by_day: dict[tuple[str, int], list[int]] = defaultdict(lambda: [0, 0])
        self._begin()

    def read(self, shop_folder: Path, store: Store) -> list[Shown]:
        """Take in what came since; the pages among it."""
        pages = list[Shown]()
        since_ms, last = self.settled.until_ms - WINDOW_MS, last_page(shop_folder)
        for seq, whose, impression in read_pages(shop_folder, self._last_page, since_ms=since_ms, holding=HOLDING):
            self._last_page = seq
            if (page := self.show(whose, impression)) is not None:
                pages.append(page)
        self._last_page = max(self._last_page, last)  # most pages have no such hit, and are not read again
        looks = store.events.looks(self._last_seq, since_ms)
        for look in looks:
            self._last_seq = look.seq
            self.look(look)
        self.changes += bool(pages or looks)
        return pages

    def show(self, whose: bytes | None, impression: Mapping[str, Any]) -> Shown | None:
        """What one page showed; None = nothing of it was sponsored."""
        hits = {
            hit["product"]: (str(paid["campaign"]), int(paid["price"]), float(paid["lost"]))
            for hit in impression["hits"]
            if (paid := hit.get("sponsored"))
        }
        if not hits:
            return None
        page = Shown(int(impression["time_ms"]), whose, hits)
        self.pages[str(impression["id"])] = page
        if (day := page.time_ms // DAY_MS) >= self._first_day:
            self._shown.update((campaign, day) for campaign, _, _ in hits.values())
        for look in self._waiting.pop(str(impression["id"]), ()):
            self._count(look)
        return page

    def look(self, look: Look) -> None:
        """One view, click or search."""
        day = look.time_ms // DAY_MS
        self._first_seq.setdefault(day, look.seq)
        if look.whose is None:
            return
        click = (look.impression, look.product, look.whose)
        if day < self._first_day:  # settled, but whoever clicks again today is not charged again
            if look.is_click and look.impression:
                self._clicks.setdefault(click, look)
            return
        if look.is_click and look.impression and self._clicks.setdefault(click, look) is look:
            if look.impression in self.pages:
                self._count(look)
            else:
                self._waiting[look.impression].append(look)
        if (look.whose, day) not in self._robots:
            hour = look.time_ms // HOUR_MS
            self._looks[look.whose, hour] += 1
            self._looks[look.whose, -1 - day] += 1
            if self._looks[look.whose, hour] > PER_HOUR or self._looks[look.whose, -1 - day] > PER_DAY:
                self._robots.add((look.whose, day))
                self._recount()

    def sums(self) -> Sums:
        """Of every campaign and day: times shown, clicks that count, spent."""
        days = dict(self.settled.sums)
        for key in {*self._shown, *self._by_day}:
            shown, clicks, spent = days.get(key, (0, 0, 0))
            more = self._by_day.get(key, (0, 0))
            days[key] = (shown + self._shown[key], clicks + more[0], spent + more[1])
        return days

    def settle(self, now_ms: int) -> Settled | None:
        """Close the days before yesterday; None = they are closed already. To be written before anything else is read;
        these accounts are to be read anew from it."""
        until = max(now_ms // DAY_MS - 1, self._first_day)
        if until == self._first_day and self.settled.after_seq:
            return None
        seqs = [seq for day, seq in self._first_seq.items() if until - 1 <= day <= until + 3]
        after = min(seqs, default=self._last_seq + 1) - 1
        sums = {key: value for key, value in self.sums().items() if key[1] < until}
        if until == self._first_day and not after:
            return None
        return Settled(until * DAY_MS, after, sums)

    def _begin(self) -> None:
        for (campaign, _), (_, clicks, spent) in self.settled.sums.items():
            self._totals[campaign][0] += clicks
            self._totals[campaign][1] += spent

    def _count(self, look: Look) -> None:
        page, day = self.pages[look.impression], look.time_ms // DAY_MS
        paid = page.hits.get(look.product)
        late_ms = look.time_ms - page.time_ms
        if paid is None or look.whose is None or look.whose != page.whose or (look.whose, day) in self._robots:
            return
        campaign = self.campaigns.get(paid[0])
        if campaign is None or not campaign.ran_at(page.time_ms) or not -_AHEAD_MS <= late_ms <= WINDOW_MS:
            return
        total, of_day = self._totals[campaign.name], self._by_day[campaign.name, day]
        left = campaign.file.budget - total[1]
        if campaign.file.budget_per_day is not None:
            left = min(left, campaign.file.budget_per_day - of_day[1])
        spent = max(0, min(paid[1], left))
        for sums in (total, of_day):
            sums[0] += 1
            sums[1] += spent
        self.charges.append(Charge(campaign.name, look.product, look.whose, look.time_ms, spent))

    def _recount(self) -> None:
        """Somebody turned out to be a robot."""
        self._totals.clear()
        self._by_day.clear()
        self.charges.clear()
        self._begin()
        for look in self._clicks.values():
            if look.impression in self.pages and look.time_ms // DAY_MS >= self._first_day:
                self._count(look)


def open_accounts(shop_folder: Path, campaigns: Iterable[Campaign]) -> Accounts:
    """The accounts of these campaigns as of the last settled day, to be read on. Raises StoreError."""
    known = {one.name: one for one in campaigns}
    first_ms = min((ms_of(one.changes[0].at) for one in known.values()), default=0)
    settled = read_settled(shop_folder) or Settled(first_ms // DAY_MS * DAY_MS)
    return Accounts(settled, known)

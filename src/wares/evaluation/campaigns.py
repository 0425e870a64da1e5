"""What a shop does with its campaigns: add, pause, resume, end; and what each has brought, and cost the shop."""

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.shopper import KIND_CODES
from wares.engine.campaigns.accounts import HOLDING, Accounts, Charge, open_accounts
from wares.engine.campaigns.book import Campaign, CampaignBook, ms_of
from wares.engine.campaigns.serving import Standing, standing_of
from wares.engine.campaigns.settings import CampaignFile, faults_in, parse_campaign, read_campaign
from wares.engine.campaigns.settled import DAY_MS, Settled
from wares.engine.settings import Settings
from wares.errors import CampaignError, InputError
from wares.evaluation.attribution import attributed
from wares.evaluation.intervals import Floats, Interval, ratio_intervals
from wares.evaluation.satisfaction import BOUGHT_MS, LEAST
from wares.evaluation.shown import ShownLog
from wares.store.sqlite import Store

_LEAST_DAYS = 3  # that what was shown must be remembered, for clicks to be accounted for


@dataclass(frozen=True)
class Result:
    """What one campaign has brought. `standing` and `days` count everything; the intervals are by shopper, of what the
    log of impressions still remembers. `days`: (first ms of the day in UTC, shown, clicks, spent)."""

    campaign: Campaign
    standing: Standing
    days: tuple[tuple[int, int, int, int], ...]
    shoppers: int
    click_rate: Interval
    lost: Interval  # of a shown hit: how much less its score is than that of the hit it displaced, as a share
    buyers: int  # clicks after which the product was bought within a day, by whom it was clicked
    sales_minor: float  # what was paid for it then
    sales_per_click: Interval  # in the smallest unit

    def to_dict(self) -> dict[str, Any]:
        """Plain values; nan as None."""
        file, standing = self.campaign.file, self.standing
        return campaign_facts(self.campaign, standing) | {
            "shoppers": self.shoppers,
            "click_rate": _three(self.click_rate),
            "cost_per_click": round(standing.spent / standing.clicks, 2) if standing.clicks else None,
            "relevance_lost": _three(self.lost),
            "clicks_that_sold": self.buyers,
            "sales_minor": round(self.sales_minor),
            "sales_per_click_minor": _three(self.sales_per_click),
            "days": [
                {"day_ms": day, "shown": shown, "clicks": clicks, "spent_minor": spent}
                for day, shown, clicks, spent in self.days
            ],
            "campaign": json.loads(file.to_json()),
        }


class Campaigns:
    """The campaigns of one shop, without any lock. `columns` gives the products, `caught_up` is called when there is a
    new entry in the ledger."""

    def __init__(
        self,
        folder: Path,
        settings: Settings,
        store: Store,
        columns: Callable[[], Columns],
        caught_up: Callable[[], None],
    ) -> None:
        self._folder, self._settings, self._store = folder, settings, store
        self._columns, self._caught_up = columns, caught_up
        self._book = CampaignBook(folder)

    def all(self) -> tuple[list[Campaign], list[str]]:
        """Every campaign in the order of adding, and warnings about entries that cannot be used."""
        return self._book.read()

    def find(self, name: str) -> Campaign:
        """UnknownName where none was ever called so."""
        return self._book.find(name)

    def add(
        self, told: str | Mapping[str, Any], by: str, note: str = "", *, where: str = "the campaign", now: datetime
    ) -> Campaign:
        """Begin the campaign that TOML or plain values tell: at once here, within a second in a server. CampaignError
        with every fault; nothing is changed then."""
        file: CampaignFile = parse_campaign(told, where) if isinstance(told, str) else read_campaign(told, where)
        if (days := self._settings.privacy.impressions_retention_days) < _LEAST_DAYS:
            raise InputError(
                f"privacy.impressions_retention_days is {days}: clicks are accounted for from what was shown, which "
                f"must be remembered for {_LEAST_DAYS} days at least."
            )
        if faults := faults_in(file, self._settings, self._columns(), where):
            raise CampaignError(faults)
        added = self._book.add(file, by, note, where, now)
        self._caught_up()
        return added

    def change(self, what: str, name: str, by: str, note: str = "", *, now: datetime) -> Campaign:
        """Pause, resume or end it. UnknownName; InputError where that is not possible or nobody is named."""
        changed = self._book.change(what, name, by, note, now)
        self._caught_up()
        return changed

    def standings(self) -> dict[str, Standing]:
        """What each campaign has got and what it cost, as the logs on disk tell it. Raises StoreError."""
        return standing_of(self._accounts().sums())

    def result(self, name: str, rng: np.random.Generator) -> Result:
        """All that is known of one campaign. UnknownName, StoreError."""
        campaign = self._book.find(name)
        sums = self._accounts().sums()
        days = tuple((day * DAY_MS, *values) for (of, day), values in sorted(sums.items()) if of == name)
        standing = standing_of(sums).get(name, Standing())
        began_ms = ms_of(campaign.changes[0].at)
        remembered = Accounts(Settled(began_ms // DAY_MS * DAY_MS), {name: campaign})
        remembered.read(self._folder, self._store)
        whose, shown, lost = _by_shopper(remembered, name)
        place = {one: i for i, one in enumerate(whose)}
        clicks, buyers, sales = np.zeros(len(whose)), 0, np.zeros(len(whose))
        bought = self._bought(remembered.charges, began_ms)
        for charge, amount in zip(remembered.charges, bought.tolist(), strict=True):
            clicks[place[charge.whose]] += 1
            buyers += not math.isnan(amount)
            sales[place[charge.whose]] += 0.0 if math.isnan(amount) else amount
        rates = ratio_intervals(np.stack([clicks, lost], axis=1), np.stack([shown, shown], axis=1), rng)
        of_clicks = clicks > 0
        (per_click,) = ratio_intervals(sales[of_clicks, None], clicks[of_clicks, None], rng)
        if len(whose) < LEAST:
            rates = [Interval(one.mean) for one in rates]
        if of_clicks.sum() < LEAST:
            per_click = Interval(per_click.mean)
        return Result(campaign, standing, days, len(whose), rates[0], rates[1], buyers, float(sales.sum()), per_click)

    def _accounts(self) -> Accounts:
        accounts = open_accounts(self._folder, self._book.read()[0])
        accounts.read(self._folder, self._store)
        return accounts

    def _bought(self, charges: list[Charge], since_ms: int) -> Floats:
        """(n,) what was paid for the clicked product, or a variant of it, within a day of each click; nan = it was not
        bought."""
        paid = np.full(len(charges), math.nan)
        log, keys = ShownLog(self._folder, self._store), self._store.shoppers.keys()
        columns = log.columns(log.answers(since_ms, HOLDING))
        block = log.block
        row_of_key = np.full(int(max(columns.keys.max(initial=0), block.product_keys.max(initial=0))) + 1, -1)
        row_of_key[columns.keys] = np.arange(len(columns))
        rows = np.where(block.product_keys >= 0, row_of_key[block.product_keys], -1)
        meant = (block.kinds == KIND_CODES[EventKind.PURCHASE]) & (block.shopper_keys >= 0) & (rows >= 0)
        events = np.flatnonzero(meant)
        known = [i for i, one in enumerate(charges) if one.product in columns.row_of and one.whose in keys]
        clicked = [charges[i] for i in known]
        groups = columns.groups[[columns.row_of[one.product] for one in clicked]] if clicked else np.empty(0, np.int32)
        lines = attributed(
            (_longs(keys[one.whose] for one in clicked), groups.astype(np.int64), _longs(c.time_ms for c in clicked)),
            (block.shopper_keys[events], columns.groups[rows[events]].astype(np.int64), block.times_ms[events]),
            BOUGHT_MS,
            columns.n_groups,
        )
        for line, value in zip(lines.tolist(), block.values_minor[events].tolist(), strict=True):
            if line >= 0:
                at = known[line]
                paid[at] = (0.0 if math.isnan(paid[at]) else paid[at]) + (0.0 if math.isnan(value) else value)
        return paid


def campaign_facts(campaign: Campaign, standing: Standing) -> dict[str, Any]:
    """What a list tells of a campaign, as plain values."""
    file, added = campaign.file, campaign.changes[0]
    return {
        "name": file.name,
        "label": file.label,
        "state": campaign.state,
        "bid": file.bid,
        "budget": file.budget,
        "budget_per_day": file.budget_per_day,
        "shown": standing.shown,
        "clicks": standing.clicks,
        "spent_minor": standing.spent,
        "left_minor": file.budget - standing.spent,
        "by": added.by,
        "note": added.note,
        "added": added.at.isoformat(),
        "changes": [
            {"what": one.what, "by": one.by, "at": one.at.isoformat(), "note": one.note} for one in campaign.changes
        ],
    }


def _by_shopper(accounts: Accounts, name: str) -> tuple[list[bytes], Floats, Floats]:
    """(shoppers, (n,) hits of the campaign that each was shown, (n,) the shares of relevance lost of these)."""
    shown: dict[bytes, list[float]] = {}
    for page in accounts.pages.values():
        for campaign, _, lost in page.hits.values():
            if campaign == name and page.whose is not None:
                of = shown.setdefault(page.whose, [0.0, 0.0])
                of[0] += 1
                of[1] += lost
    table = np.array(list(shown.values())).reshape(-1, 2)
    return list(shown), table[:, 0], table[:, 1]


def _longs(values: Any) -> NDArray[np.int64]:
    return np.fromiter(values, np.int64)


def _three(value: Interval) -> dict[str, float | None]:
    told = {"mean": value.mean, "low": value.low, "high": value.high}
    return {name: round(number, 6) if math.isfinite(number) else None for name, number in told.items()}

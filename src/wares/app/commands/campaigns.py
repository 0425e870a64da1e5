"""The commands about campaigns: add, list, show, pause, resume, end."""

import math
from datetime import UTC, datetime
from pathlib import Path

import numpy as np

from wares.app.commands import screen
from wares.app.commands.profile_charts import table, text
from wares.app.commands.tables import new_table
from wares.domain.money import scale_of
from wares.engine.campaigns.serving import Standing
from wares.errors import InputError
from wares.evaluation.campaigns import Result, campaign_facts
from wares.evaluation.charts import columns
from wares.evaluation.intervals import Interval
from wares.evaluation.web_page import figure, side_by_side, web_page
from wares.shop import open_shop

_DONE = {"pause": "is paused", "resume": "runs again", "end": "has ended"}


def add_campaign(folder: Path, path: Path, by: str, note: str, *, as_json: bool) -> None:
    """Begin what the file describes, or say what stands in its way."""
    try:
        described = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InputError(f"{path}: must be UTF-8 text; byte {error.start} is not.") from None
    with open_shop(folder, create=False) as shop:
        one = shop.campaigns.add(described, by, note, where=str(path), now=datetime.now(UTC))
        currency = shop.settings.shop.currency
    if as_json:
        screen.print_json(campaign_facts(one, Standing()))
        return
    file = one.file
    daily = f", {_money(file.budget_per_day, currency)} a day" if file.budget_per_day is not None else ""
    print(
        f"{one.name} runs for {screen.shown(file.label)}: up to {_money(file.bid, currency)} a click, "
        f"{_money(file.budget, currency)} in all{daily}. A running server takes it up by itself."
    )


def change_campaign(folder: Path, what: str, name: str, by: str, note: str, *, as_json: bool) -> None:
    """Pause, resume or end it."""
    with open_shop(folder, create=False) as shop:
        one = shop.campaigns.change(what, name, by, note, now=datetime.now(UTC))
    if as_json:
        screen.print_json(campaign_facts(one, Standing()))
        return
    print(f"{one.name} {_DONE[what]}. A running server takes it up by itself.")


def list_campaigns(folder: Path, *, as_json: bool) -> None:
    """Every campaign, the newest first, with what it has got and spent."""
    with open_shop(folder, create=False) as shop:
        found, warnings = shop.campaigns.all()
        standings = shop.campaigns.standings()
        currency = shop.settings.shop.currency
    told = [campaign_facts(one, standings.get(one.name, Standing())) for one in reversed(found)]
    if as_json:
        screen.print_json({"campaigns": told, "warnings": warnings})
        return
    for warning in warnings:
        screen.note(warning)
    if not told:
        print("No campaign was added yet. `wares campaigns add FOLDER FILE` begins one.")
        return
    shown = new_table("name", "label", "state", "bid", "spent", "budget", "shown", "clicks", "by", right=range(3, 8))
    for one in told:
        money = (_money(one[key], currency) for key in ("bid", "spent_minor", "budget"))
        cells = one["name"], one["label"], one["state"], *money, f"{one['shown']:,}", f"{one['clicks']:,}", one["by"]
        shown.add_row(*map(screen.shown, cells))
    screen.stdout().print(shown)


def show_campaign(folder: Path, name: str, *, html: Path | None, as_json: bool) -> None:
    """What it has brought, and what it cost the shop."""
    with open_shop(folder, create=False) as shop:
        found = shop.campaigns.result(name, np.random.default_rng(0))
        currency, title = shop.settings.shop.currency, shop.settings.shop.title
    if html is not None:
        html.write_text(campaign_html(found, title, currency), encoding="utf-8")
    if as_json:
        screen.print_json(found.to_dict())
        return
    shown = new_table("figure", "", "meaning")
    for row in _rows(found, currency):
        shown.add_row(*map(screen.shown, row))
    screen.stdout().print(screen.shown(f"{found.campaign.name}: {found.campaign.file.label}"))
    screen.stdout().print(shown)
    if html is not None:
        screen.note(f"Charts: {html}")


def campaign_html(found: Result, title: str, currency: str) -> str:
    """The page: the figures, and what was spent, shown and clicked day by day."""
    heading, scale = f"{title}: campaign {found.campaign.name}", scale_of(currency)
    days = [datetime.fromtimestamp(day / 1000, UTC).strftime("%m-%d") for day, *_ in found.days]

    def by_day(place: int, unit: float = 1) -> list[tuple[str, float]]:
        return [(day, values[place] / unit) for day, values in zip(days, found.days, strict=True)]

    drawn = [
        figure("spent", f"By day (UTC), in {currency}.", columns("spent", by_day(3, scale))),
        figure("clicks", "Clicks that count, by day.", columns("clicks", by_day(2))),
        figure("shown", "Times that a hit of it was shown, by day.", columns("shown", by_day(1))),
    ]
    rows = table("What it has brought, and cost", ("figure", "", "meaning"), _rows(found, currency))
    return web_page(heading, [f"<h1>{text(heading)}</h1>", rows, side_by_side(drawn)])


def _rows(found: Result, currency: str) -> list[tuple[str, str, str]]:
    standing, file = found.standing, found.campaign.file
    scale = scale_of(currency)
    per_click = standing.spent / standing.clicks if standing.clicks else math.nan
    last = found.campaign.changes[-1]
    return [
        (
            "state",
            found.campaign.state,
            f"{last.what}, by {last.by}, {last.at:%Y-%m-%d %H:%M} UTC. {last.note}".strip(),
        ),
        ("spent", _money(standing.spent, currency), f"of {_money(file.budget, currency)}"),
        ("shown", f"{standing.shown:,}", "times that a hit of it was shown as sponsored"),
        ("clicks", f"{standing.clicks:,}", "of real shoppers, each once for a page and product"),
        ("cost per click", _dash(per_click / scale, 2), f"in {currency}; the bid is {_money(file.bid, currency)}"),
        ("click rate", _interval(found.click_rate, 100, "%"), f"clicks of hits shown, {found.shoppers:,} shoppers"),
        ("sold", f"{found.buyers:,}", "clicks after which the product was bought within a day"),
        ("sales", _money(round(found.sales_minor), currency), "what was paid for it then"),
        ("sales per click", _interval(found.sales_per_click, 1 / scale), f"in {currency}"),
        ("relevance lost", _interval(found.lost, 100, "%"), "of the score of the hit that was displaced"),
    ]


def _money(minor: float | None, currency: str) -> str:
    scale = scale_of(currency)
    return "–" if minor is None else f"{minor / scale:,.{0 if scale == 1 else len(str(scale)) - 1}f} {currency}"


def _interval(value: Interval, scale: float, unit: str = "") -> str:
    if math.isnan(value.mean):
        return "–"
    mean = f"{value.mean * scale:,.2f}{unit}"
    return mean if math.isnan(value.low) else f"{mean} [{value.low * scale:,.2f}, {value.high * scale:,.2f}]"


def _dash(value: float, digits: int) -> str:
    return "–" if math.isnan(value) else f"{value:,.{digits}f}"

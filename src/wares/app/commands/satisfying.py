"""The command that says whether shoppers were served: satisfaction."""

import math
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.commands import screen
from wares.app.commands.profile_charts import text
from wares.app.commands.tables import new_table
from wares.errors import InputError, UnknownName
from wares.evaluation.charts import Bar, Curve, bars, curves
from wares.evaluation.intervals import Interval
from wares.evaluation.satisfaction import (
    ALL,
    DAY_MS,
    FIGURES,
    SECONDS,
    STARS,
    Line,
    Satisfaction,
    asks_of,
    outcomes,
    satisfaction,
)
from wares.evaluation.web_page import figure, side_by_side, web_page
from wares.shop import Shop, open_shop
from wares.store.impressions import read_shown

_WITHOUT_KEY = 2**40  # above every key of the store
MEANING = {
    "success": "Answers from which a product was chosen (clicked, viewed, put aside, bought) within half an hour.",
    "reworded": "Searches without success that were followed by another one within two minutes.",
    "abandoned": "Searches with hits after which nothing was done.",
    "empty": "Searches without a hit after which nothing was done.",
    "cart": "Answers from which something went into the cart within half an hour.",
    "bought": "Answers from which something was bought within a day.",
    "liked": "Answers from which something was liked or wished for.",
    "hidden": "Answers from which something was hidden: not for me.",
    SECONDS: "From the answer to the first choice, in seconds.",
    STARS: "Mean rating, 1 to 5, that products of the answers were given within 30 days.",
}
_UNIT = {SECONDS: 1, STARS: 2}  # figures that are no share -> their digits
SIMULATED = "Simulated: nobody did any of this. It shows how things work, and nothing about real shoppers."


def satisfaction_of(
    folder: Path, *, days: float, by: str, seed: int, report: Path | None, as_json: bool, simulated: bool = False
) -> Satisfaction:
    """Measure, show, and write the page; of real shoppers, or of `simulated` ones alone. InputError where nothing was
    shown to anybody who is known."""
    with open_shop(folder, create=False) as shop:
        found = measured(shop, int(time.time() * 1000), days=days, by=by, seed=seed, simulated=simulated)
        title = shop.settings.shop.title
    if report is not None:
        command = f"wares satisfaction {folder} --days {days:g}{f' --by {by}' if by else ''} --seed {seed}"
        command += " --simulated" * simulated
        title = f"{title} (simulated shoppers)" if simulated else title
        report.write_text(satisfaction_html(found, title, command), encoding="utf-8")
    if as_json:
        screen.print_json(found.to_dict())
        return found
    if simulated:
        screen.note(SIMULATED)
    console = screen.stdout()
    for lines, name in ((found.lines, "surface"), (found.groups, by)):
        if lines:
            labels = [screen.shown(line.label) for line in lines]
            table = new_table(name, *labels, right=range(1, len(lines) + 1))
            table.add_row("asks", *(f"{line.asks:,}" for line in lines))
            table.add_row("shoppers", *(f"{line.shoppers:,}" for line in lines))
            for one in FIGURES:
                table.add_row(one, *(_cell(line.figures[one], one) for line in lines))
            console.print(table)
    if found.others:
        screen.note(f"{found.others:,} more answers went to nobody who is known: what came of them cannot be told.")
    if report is not None:
        screen.note(f"Charts: {report}")
    return found


def measured(
    shop: Shop, now_ms: int, *, days: float, by: str = "", seed: int = 0, simulated: bool = False
) -> Satisfaction:
    """Of the answers of the last `days`, to real shoppers or to `simulated` ones alone; `by` is an attribute of
    shoppers that makes groups."""
    columns, after_ms = shop.engine.live.state.columns, int(now_ms - days * DAY_MS)
    asks = asks_of(shown_answers(shop, simulated=simulated), columns, after_ms)
    if not len(asks) and simulated:
        raise InputError(f"No simulated shopper was shown anything in the last {days:g} days. See wares simulate.")
    if not len(asks) and not asks.others:
        raise InputError(
            f"No answer was logged in the last {days:g} days: `wares serve` keeps what it shows, unless "
            "privacy.impressions_retention_days is 0."
        )
    if not len(asks):
        raise InputError(
            f"All {asks.others:,} answers of the last {days:g} days went to nobody in particular, so that it cannot be "
            "told what came of them. Name the shopper in each question."
        )
    group_of = _groups(shop, by) if by else None
    named = {seq: name for seq, (name, _) in shop.store.events.shown(simulated=simulated).items()}
    found = outcomes(asks, shop.store.events.read(simulated=simulated), columns, named)
    facts = {"simulated": True} if simulated else {}
    return replace(satisfaction(asks, found, np.random.default_rng(seed), group_of), facts=facts)


def shown_answers(shop: Shop, *, simulated: bool = False) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """Every impression with its shopper's key. Who was shown something and did nothing at all has no key yet, and still
    counts: as somebody of their own."""
    key_of = shop.store.shoppers.keys()
    known = dict[bytes, int]()
    for whose, impression in read_shown(shop.folder, simulated=simulated):
        shopper = -1 if whose is None else key_of.get(whose) or known.setdefault(whose, _WITHOUT_KEY + len(known))
        yield shopper, impression


def _groups(shop: Shop, name: str) -> dict[int, str]:
    """Shopper key -> what the attribute says of them. UnknownName for one that nobody has."""
    told = dict(shop.store.shoppers.all_attributes())
    groups = {key: attributes[name] for key, attributes in told.items() if name in attributes}
    if not groups:
        raise UnknownName("attribute of shoppers", name, sorted({one for row in told.values() for one in row}))
    return groups


def satisfaction_html(found: Satisfaction, title: str, command: str) -> str:
    """The page: each figure by surface (and group), and success by day."""
    heading = f"{title}: were shoppers served?"
    whole = next(line for line in found.lines if line.label == ALL)
    parts = [
        f"<h1>{text(heading)}</h1>",
        f"<p>{whole.asks:,} asks of {whole.shoppers:,} shoppers. An ask is one question on one surface, with its "
        "further pages. Whiskers are 95% bootstrap intervals over shoppers.</p>",
        f"<pre><code>{text(command)}</code></pre>",
        side_by_side(figure(name, MEANING[name], _bars(name, found.lines)) for name in FIGURES),
    ]
    if len(found.days) > 1:
        first = found.days[0][0]
        x = [(day - first) / DAY_MS for day, _, _ in found.days]
        since = datetime.fromtimestamp(first / 1000, UTC).date().isoformat()
        drawn = curves("Success by day", [Curve("success", x, [share for _, _, share in found.days])], "day", "share")
        parts += ["<h2>Day by day</h2>", side_by_side([figure("success", f"Share of asks; day 0 is {since}.", drawn)])]
    if found.groups:
        parts += ["<h2>Groups of shoppers</h2>", side_by_side(
            figure(name, MEANING[name], _bars(name, found.groups)) for name in FIGURES
        )]  # fmt: skip
    return web_page(heading, parts)


def _bars(name: str, lines: tuple[Line, ...]) -> str:
    digits = _UNIT.get(name, 3)
    return bars(name, [Bar(line.label, line.figures[name], line.label == ALL) for line in lines], digits)


def _cell(value: Interval, name: str) -> str:
    if math.isnan(value.mean):
        return "–"
    if name == SECONDS:
        return f"{value.mean:,.0f}"
    if name in _UNIT:
        return f"{value.mean:,.{_UNIT[name]}f}"
    mean = f"{value.mean:.1%}"
    return mean if math.isnan(value.low) else f"{mean}\n{100 * value.low:.1f}–{100 * value.high:.1f}"

"""The command that says whether a shop's world has moved: drift."""

import math
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from wares.app.commands import screen
from wares.app.commands.profile_charts import text
from wares.app.commands.satisfying import shown_answers
from wares.app.commands.tables import new_table
from wares.domain.money import scale_of
from wares.errors import InputError
from wares.evaluation.charts import Bar, Curve, bars, curves
from wares.evaluation.intervals import Interval
from wares.evaluation.moved import LEAST_PERIODS, Shift
from wares.evaluation.shop_drift import INPUTS, MEANING, SCORES, Drifts, Periods, shop_drift
from wares.evaluation.web_page import figure, side_by_side, web_page
from wares.shop import Shop, open_shop

DAY_MS = 86_400_000
_LENGTH_DAYS = {"week": 7, "day": 1}
_WORDS = {"steady": "as usual", "moved": "moved", "alarm": "ALARM", "too few": "too few to tell"}
_RULE = (
    "Usual is what the earlier periods make likely: of shares and numbers their mean, plus or minus Student's t "
    "(99.9%) times their own spread; of distributions a stability index below 0.1, and below one and a half times "
    "chance (99%) and any earlier period. An alarm is twice as far out, or an index from 0.25 on."
)


def drift_of(
    folder: Path, *, weeks: int, by: str, until: datetime | None, html: Path | None, check: bool, as_json: bool
) -> int:
    """Measure, show, write the page; the exit code: 1 where `check` holds and something has moved."""
    with open_shop(folder, create=False) as shop:
        end_ms = int(time.time() * 1000) if until is None else int(until.timestamp() * 1000)
        found, periods = measured(shop, end_ms, weeks=weeks, by=by)
        title = shop.settings.shop.title
    if html is not None:
        command = f"wares drift {folder} --weeks {weeks} --by {by}"
        html.write_text(drift_html(found, periods, title, command), encoding="utf-8")
    if as_json:
        screen.print_json(drift_json(found, periods))
    else:
        _show(found, periods, by)
        if html is not None:
            screen.note(f"Charts: {html}")
    return int(check and bool(found.alarms))


def measured(shop: Shop, end_ms: int, *, weeks: int, by: str) -> tuple[Drifts, Periods]:
    """Of whole periods up to `end_ms`, not before the first event. InputError where these are too few."""
    block, columns = shop.store.events.read(), shop.engine.live.state.columns
    length_ms = _LENGTH_DAYS[by] * DAY_MS
    past = block.times_ms[block.times_ms < end_ms]
    age_ms = end_ms - int(past.min()) if len(past) else 0
    periods = Periods(end_ms, length_ms, min(weeks * 7 * DAY_MS, age_ms) // length_ms)
    if periods.n < LEAST_PERIODS:
        raise InputError(
            f"The events before {_day(end_ms)} reach {age_ms / DAY_MS:.0f} days back: that is {periods.n} whole {by}s, "
            f"and {LEAST_PERIODS} are needed to tell what is usual. Wait, or look by day (--by day), or at another "
            "time (--until)."
        )
    named = {seq: name for seq, (name, _) in shop.store.events.shown().items()}
    scale = scale_of(shop.settings.shop.currency)
    return shop_drift(block, columns, shown_answers(shop), periods, named, scale), periods


def drift_json(found: Drifts, periods: Periods) -> dict[str, Any]:
    """Plain values; nan as None."""
    return {
        "until": datetime.fromtimestamp(periods.end_ms / 1000, UTC).isoformat(),
        "periods": periods.n,
        "days_each": periods.length_ms // DAY_MS,
        "moved": [one.what for one in found.alarms],
        "watched": [
            {
                "what": one.what,
                "kind": "input" if one.what in INPUTS else "quality",
                "verdict": one.verdict,
                "unit": one.unit,
                "now": _plain(float(one.values[-1])),
                "usual": _plain(one.usual),
                "low": _plain(one.low),
                "high": _plain(one.high),
                "ks": _plain(one.ks),
                "rows": one.rows,
                "values": [_plain(value) for value in one.values.tolist()],
                "shares_before": one.before,
                "shares_now": one.now,
            }
            for one in found.shifts
        ],
        "clicks_by_place": {
            "before": [_plain(value) for value in found.clicks_before.tolist()],
            "now": [_plain(value) for value in found.clicks_now.tolist()],
        },
    }


def drift_html(found: Drifts, periods: Periods, title: str, command: str) -> str:
    """The page: what has moved first, then everything that is watched."""
    heading = f"{title}: has the world moved?"
    each = f"{periods.length_ms // DAY_MS} days" if periods.length_ms > DAY_MS else "a day"
    told = "; ".join(f"{one.what} ({_WORDS[one.verdict]})" for one in found.alarms) or "nothing has moved"
    parts = [
        f"<h1>{text(heading)}</h1>",
        f"<p><strong>{text(told[0].upper() + told[1:])}.</strong> The last of {periods.n} periods of {each} up to "
        f"{_day(periods.end_ms)}, beside those before it.</p>",
        f'<p class="quiet">{text(_RULE)}</p>',
        f"<pre><code>{text(command)}</code></pre>",
    ]
    inputs = [one for one in found.shifts if one.what in INPUTS]
    quality = [one for one in found.shifts if one.what not in INPUTS]
    for name, shifts in (("What comes in", inputs), ("How good the answers are", quality)):
        drawn = [part for one in shifts for part in _charts(one)]
        if shifts is quality and (clicks := _clicks(found)):
            drawn.append(clicks)
        parts += [f"<h2>{name}</h2>", side_by_side(drawn)]
    return web_page(heading, parts)


def _charts(one: Shift) -> list[str]:
    """Its course beside what is usual; of a distribution that has moved, the shares before and now as well."""
    known = [(i - len(one.values) + 1, value) for i, value in enumerate(one.values.tolist()) if not math.isnan(value)]
    about = f"{_meaning(one.what)} Now {_value(one, float(one.values[-1]))}: {_WORDS[one.verdict]}."
    if len(known) < 2:
        return [figure(one.what, about, bars(one.what, [Bar("now", Interval(float(one.values[-1])))], 3))]
    x = [float(at) for at, _ in known]
    lines = [Curve("measured", x, [value for _, value in known])]
    if not math.isnan(one.high):
        lines.append(Curve("usual, at most", [x[0], x[-1]], [one.high] * 2))
        if one.unit != "index":
            lines.append(Curve("usual, at least", [x[0], x[-1]], [one.low] * 2))
    charts = [figure(one.what, about, curves(one.what, lines, "periods before the last", one.unit))]
    if one.before and one.verdict in ("moved", "alarm"):
        shares = [
            bar
            for name, share in one.before.items()
            for bar in (
                Bar(screen.shown(name), Interval(100 * share), other=True),
                Bar("now", Interval(100 * one.now.get(name, 0.0))),
            )
        ]
        about = "Percent, before (second colour) and now."
        charts.append(figure(f"{one.what}: shares", about, bars(one.what, shares, 1)))
    return charts


def _clicks(found: Drifts) -> str:
    lines = []
    for label, shares in (("before", found.clicks_before), ("now", found.clicks_now)):
        known = np.flatnonzero(~np.isnan(shares))
        if len(known) > 1:
            lines.append(Curve(label, (known + 1.0).tolist(), shares[known].tolist()))
    if not lines:
        return ""
    drawn = curves("Clicks by place", lines, "place on the page", "share of hits chosen")
    return figure("clicks by place", "Of hits shown to known shoppers at each place, those chosen.", drawn)


def _show(found: Drifts, periods: Periods, by: str) -> None:
    table = new_table("watched", "now", "usual", "from", "to", "", right=range(1, 5))
    for one in found.shifts:
        cells = (float(one.values[-1]), one.usual, one.low, one.high)
        table.add_row(screen.shown(one.what), *(_value(one, cell) for cell in cells), _WORDS[one.verdict])
    screen.stdout().print(table)
    screen.note(f"The last of {periods.n} {by}s up to {_day(periods.end_ms)}, beside those before it.")
    for one in found.alarms:
        screen.note(f"{one.what}: {_WORDS[one.verdict]}. {_meaning(one.what)}{_most_moved(one)}")


def _most_moved(one: Shift) -> str:
    """Of a distribution, the bin that changed most."""
    if not one.before:
        return ""
    name = max(one.before, key=lambda name: abs(one.now.get(name, 0.0) - one.before[name]))
    ks = f" (KS {one.ks:.2f})" if not math.isnan(one.ks) else ""
    return f" Most of all {screen.shown(name)}: {one.before[name]:.1%} before, {one.now.get(name, 0.0):.1%} now{ks}."


def _meaning(what: str) -> str:
    return MEANING.get(what, SCORES)


def _value(one: Shift, value: float) -> str:
    if math.isnan(value):
        return "–"
    if one.unit == "share":
        return f"{value:.1%}"
    return f"{value:.3f}" if one.unit == "index" or abs(value) < 10 else f"{value:,.0f}"


def _day(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d}"


def _plain(value: float) -> float | None:
    return None if math.isnan(value) else round(value, 6)

"""`wares rules aims`: what business aims bring and what they cost in relevance, as a table and as a page of charts."""

import math
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rich.console import Console

from wares.app.commands import screen
from wares.app.commands.profile_charts import table, text
from wares.app.commands.tables import new_table
from wares.domain.aims import AIMS, NEEDS
from wares.domain.money import scale_of
from wares.errors import InputError
from wares.evaluation.charts import Step, path
from wares.evaluation.intervals import Interval
from wares.evaluation.web_page import figure, side_by_side, web_page
from wares.shop import open_shop
from wares.training.aims import OWN, WEIGHTS, AimsCost, Line, cost_in_search, cost_on_home

_UNITS = {"margin": "margin, %", "stock_cover": "days of cover", "stock_age": "days of age"}
_HEADS = {"margin": "margin", "stock_cover": "cover", "stock_age": "age"}
_MEANS = {
    "margin": "Margin: (price - cost) / price of today.",
    "stock_cover": "Stock cover: days until it is sold; a year or more counts as a year.",
    "stock_age": "Age of stock: days since it came; a year or more counts as a year.",
}


def aims_of(
    folder: Path, *, days: float, weights: str, questions: int, seed: int, report: Path | None, as_json: bool
) -> None:
    """Replay the home page, ask search where there are judgements, and show both."""
    chosen, now_ms = weights_of(weights), int(time.time() * 1000)
    with open_shop(folder, create=False) as shop, screen.progress() as tell:
        draft = shop.rules.draft is not None
        rules = shop.rules.file().values()
        told: dict[str, Any] = {"weights": chosen, "questions": questions, "seed": seed, "tell": tell}
        home = cost_on_home(folder, shop.store, shop.settings, rules, now_ms, days=days, **told)
        search = cost_in_search(shop.engine, rules, now_ms, **told)
        title, scale = shop.settings.shop.title, scale_of(shop.settings.shop.currency)
        currency = shop.settings.shop.currency
    found = [home] if search is None else [home, search]
    given = ",".join(f"{weight:g}" for weight in chosen)
    command = f"wares rules aims {folder} --days {days:g} --weights {given} --questions {questions} --seed {seed}"
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        report.write_text(aims_html(found, title, command), encoding="utf-8")
    if as_json:
        screen.print_json({"command": command, "draft": draft, "surfaces": [plain(one, scale) for one in found]})
    else:
        for one in found:
            print_cost(screen.stdout(), one, scale, currency)
        if not draft:
            screen.note("There is no draft: `yours` would be what serves.")
        if search is None:
            screen.note("Search is not shown: the shop has no judgements (`wares judge` imports some).")
    if report is not None:
        screen.note(f"Written: {report}")


def weights_of(given: str) -> tuple[float, ...]:
    """ "0.1,0.2" -> growing weights above 0; "" -> the usual ones. InputError for anything outside 0 to 1."""
    found = set[float]()
    for part in given.split(",") if given else ():
        try:
            weight = float(part)
        except ValueError:
            weight = math.nan
        if not 0 <= weight <= 1:
            raise InputError(f"--weights {given[:80]!r}: {part[:20]!r} is no weight. Valid: 0 to 1, as 0.05,0.1,0.2")
        found.add(weight)
    return tuple(sorted(found - {0.0})) if given else WEIGHTS


def print_cost(console: Console, one: AimsCost, scale: int, currency: str) -> None:
    """One line for each way to weigh the aims."""
    shown = [aim for aim in AIMS if aim not in one.unknown]
    money = ("found", "profit") if _has_money(one) else ()
    console.print(f"\n{one.surface}: {one.asked:,} questions", style="bold")
    heads = ("aims", *(_HEADS[aim] for aim in shown), one.measure, "change", "95%", *money)
    grid = new_table(*heads, right=range(1, len(heads)))
    grid.columns[0].no_wrap = True
    for line in one.lines:
        found = (_aim(line.found_margin, "margin"), _number(line.found_profit_minor / scale, ",.2f"))
        cells = (f"{line.relevance.mean:.4f}", *_change(line, one), *(found if money else ()))
        grid.add_row(line.label, *(_aim(line.means[aim], aim) for aim in shown), *cells)
    console.print(grid)
    if own := _own(one):
        console.print(f"{OWN}: {_told(own)}", soft_wrap=True)
    told = "Margin, cover, age: means of the first 10 hits (d = days). Change: of relevance against none, paired."
    if money:
        told += f" Found: the margin of what was found; profit: that margin in {currency} for 100 pages."
    console.print(told, style="dim")
    for aim in one.unknown:
        screen.note(f"No product tells what {aim} needs ({NEEDS[aim]}), so it was not tried.")


def plain(one: AimsCost, scale: int) -> dict[str, Any]:
    """For JSON; None = not known."""
    return {
        "surface": one.surface,
        "measure": one.measure,
        "asked": one.asked,
        "unknown": list(one.unknown),
        "ways": [
            {
                "label": line.label,
                "aims": dict(line.mix),
                "means": {aim: _known(mean) for aim, mean in line.means.items()},
                "relevance": _interval(line.relevance),
                "difference": _interval(line.difference),
                "found_margin": _known(line.found_margin),
                "found_profit_per_100_pages": _known(line.found_profit_minor / scale),
            }
            for line in one.lines
        ],
    }


def aims_html(found: Sequence[AimsCost], title: str, command: str) -> str:
    """One page: of each surface a chart per aim and all figures."""
    parts = [
        f"<h1>{text(title)}: what aims bring and cost</h1>",
        "<p>Each point is one weight of one aim: to the right what the first 10 hits have of it, upwards the change of "
        "relevance against no aims, in percent, with the 95% interval of the paired difference. In the second colour: "
        "the mix of the rules.</p>",
        f"<pre><code>{text(command)}</code></pre>",
    ]
    for one in found:
        shown = [aim for aim in AIMS if aim not in one.unknown]
        charts = [figure(_UNITS[aim], _MEANS[aim], _chart(one, aim)) for aim in shown]
        rows = [
            (
                f"{OWN}: {_told(line)}" if line.label == OWN else line.label,
                *(_aim(line.means[aim], aim) for aim in shown),
                f"{line.relevance.mean:.4f}",
                *_change(line, one),
                _aim(line.found_margin, "margin"),
            )
            for line in one.lines
        ]
        names = (
            "aims",
            *(_UNITS[aim] for aim in shown),
            one.measure,
            "change",
            "95% interval",
            "margin of what was found",
        )
        parts += [
            f"<h2>{text(one.surface)}: {one.asked:,} questions</h2>",
            side_by_side(charts),
            "<h3>All figures</h3>",
            table(f"All figures of {one.surface}", names, rows),
        ]
    return web_page(f"{title}: aims", parts)


def relative(line: Line, none: Line) -> Interval:
    """The difference as percent of the relevance without aims."""
    base = none.relevance.mean
    if not base > 0:
        return Interval(math.nan)
    gap = line.difference
    return Interval(*(100 * value / base for value in (gap.mean, gap.low, gap.high)))


def _chart(one: AimsCost, aim: str) -> str:
    """The weights of one aim, and beside them no aims and the shop's own mix."""
    none, unit = one.lines[0], 100 if aim == "margin" else 1
    steps = [Step("no aims", unit * none.means[aim], Interval(0.0))]
    for line in one.lines[1:]:
        own = line.label == OWN
        if own or dict(line.mix).keys() == {aim}:
            label = OWN if own else f"{dict(line.mix)[aim]:g}"
            steps.append(Step(label, unit * line.means[aim], relative(line, none), other=own))
    return path(
        f"{one.surface}: {aim}", steps, f"{_UNITS[aim]}, mean of the first 10", f"{one.measure}, % against none"
    )


def _aim(value: float, aim: str) -> str:
    return f"{100 * value:.1f}%" if aim == "margin" and not math.isnan(value) else _number(value, ".0f") + " d"


def _change(line: Line, one: AimsCost) -> tuple[str, str]:
    gap = relative(line, one.lines[0])
    return ("", "") if not line.mix else (_number(gap.mean, "+.1f") + "%", _between(gap))


def _between(gap: Interval) -> str:
    return "–" if math.isnan(gap.low) else f"{gap.low:+.1f}…{gap.high:+.1f}"


def _told(line: Line) -> str:
    return ", ".join(f"{aim} {weight:g}" for aim, weight in line.mix)


def _own(one: AimsCost) -> Line | None:
    return next((line for line in one.lines if line.label == OWN), None)


def _has_money(one: AimsCost) -> bool:
    return any(not math.isnan(line.found_margin) for line in one.lines)


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)


def _interval(value: Interval) -> Mapping[str, float | None]:
    return {"mean": _known(value.mean), "low": _known(value.low), "high": _known(value.high)}


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)

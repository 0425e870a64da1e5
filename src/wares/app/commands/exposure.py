"""The command that tells how new products fare: exposure."""

import math
import time
from pathlib import Path

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.app.counting import answers_of, exploring
from wares.errors import InputError
from wares.evaluation.exposure import Exposed, exposed, exposures_of, lines_of, new_lines
from wares.evaluation.intervals import Interval
from wares.evaluation.satisfaction import DAY_MS
from wares.evaluation.shown import ShownLog
from wares.shop import Shop, open_shop


def show_exposure(folder: Path, *, days: float, simulated: bool, as_json: bool) -> list[Exposed]:
    """Measure and show. InputError where no surface explores, or nothing was shown."""
    with open_shop(folder, create=False) as shop:
        found = exposure_of(shop, int(time.time() * 1000), days=days, simulated=simulated)
    if as_json:
        screen.print_json([one.to_dict() for one in found])
        return found
    table = new_table("", *(screen.shown(one.surface) for one in found), right=range(1, len(found) + 1))
    rows = {
        "pages": [f"{one.pages:,}" for one in found],
        "shoppers": [f"{one.shoppers:,}" for one in found],
        "hits at the places given away": [f"{one.slots:,}" for one in found],
        "of new products": [f"{one.new:,} ({_percent(one.share)})" for one in found],
        "brought up by exploration": [
            f"{one.explored:,} ({_percent(one.explored / one.slots if one.slots else math.nan)} of {one.wanted:.0%})"
            for one in found
        ],
        "new products shown": [f"{one.products:,}" for one in found],
        "clicks per hit brought up": [_cell(one.explored_rate) for one in found],
        "clicks per other hit there": [_cell(one.other_rate) for one in found],
        "clicks per page": [_cell(one.clicks) for one in found],
        "without exploration (estimated)": [_cell(one.clicks_without) for one in found],
    }
    for label, cells in rows.items():
        table.add_row(label, *cells)
    screen.stdout().print(table)
    screen.note("Clicks: everything by which a product is chosen, within half an hour. Intervals hold 95% by shopper.")
    return found


def exposure_of(shop: Shop, now_ms: int, *, days: float, simulated: bool = False) -> list[Exposed]:
    """The figures of every surface that explores, of the last `days`."""
    surfaces = exploring(shop.settings)
    if not surfaces:
        raise InputError("No surface explores: set profiles.NAME.exploration.share above 0 in wares.toml.")
    log, since_ms = ShownLog(shop.folder, shop.store, simulated=simulated), int(now_ms - days * DAY_MS)
    columns = log.columns(pair for one in surfaces for pair in answers_of(log, one, since_ms))
    found = [lines_of(one, answers_of(log, one, since_ms), log.block, columns, log.named) for one in surfaces]
    found = [lines for lines in found if len(lines)]
    if not found:
        raise InputError(
            f"Nothing was shown to a shopper with an id on {', '.join(surfaces)} in the last {days:g} days: "
            "`wares serve` keeps what it shows."
        )
    exposures = exposures_of(found, columns)
    told = []
    for lines in found:
        asked = shop.settings.profile(lines.surface).exploration
        is_new = new_lines(lines, columns, exposures, now_ms, asked.days, asked.impressions)
        told.append(exposed(lines, is_new, asked.first, asked.last, asked.share))
    return told


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.1%}"


def _cell(value: Interval) -> str:
    if math.isnan(value.mean):
        return "–"
    mean = f"{value.mean:.4f}"
    return mean if math.isnan(value.low) else f"{mean}\n{value.low:.4f}–{value.high:.4f}"

"""The data of an import as charts and tables: what is missing, how values spread, what is far off, what has moved."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from html import escape

from wares.app.commands.screen import shown
from wares.evaluation.charts import Bar, bars, columns
from wares.evaluation.intervals import Interval
from wares.feeds.counts import PER_DOUBLING, ZERO, Spread
from wares.feeds.drift import Drift
from wares.feeds.profile import Outliers, Profile

_NAMES = 15  # most frequent ones that are drawn
_COLUMNS = 60  # days up to which each has a column; then weeks, then months
_MOVED = 12  # distributions whose drift is told
_UNITS = {"products": "products", "events": "events"}


@dataclass(frozen=True, slots=True)
class Compared:
    """A profile, that of the import before, if any, and how far each distribution has moved since."""

    profile: Profile
    before: Profile | None = None
    drifts: tuple[Drift, ...] = ()


def profile_section(compared: Compared) -> str:
    """The part of the page about one kind of rows. Everything that came from a feed is escaped."""
    now, before = compared.profile, compared.before
    about = f"{now.rows:,} {_UNITS.get(now.kind, 'rows')}"
    if before is not None:
        about += f"; {before.rows:,} at the last import with a report, drawn in the second colour"
    charts = [_missing(now, before)]
    charts += [_spread(name, spread, before) for name, spread in now.spreads.items()]
    notes = "".join(f"<li>{text(note)}</li>" for note in now.notes)
    return "\n".join(
        part
        for part in (
            f"<h2>{text(now.kind.capitalize())}: what the data look like</h2>",
            f"<p>{text(about)}.</p>",
            f'<ul class="quiet">{notes}</ul>' if notes else "",
            f'<div class="charts">{"".join(charts)}</div>',
            *(_outliers(one) for one in now.outliers),
            _drift(compared),
        )
        if part
    )


def text(value: object) -> str:
    """As HTML: without control characters, nothing in it is markup."""
    return escape(shown(str(value)))


def table(caption: str, head: Sequence[str], rows: Sequence[Sequence[object]]) -> str:
    """A table whose cells are texts; numbers stand to the right, all else to the left."""
    names = "".join(f'<th scope="col" style="text-align: left">{text(name)}</th>' for name in head)
    body = "".join(f"<tr>{''.join(map(_cell, row))}</tr>" for row in rows)
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{text(caption)}"><table><thead><tr>{names}</tr>'
        f"</thead><tbody>{body}</tbody></table></div>"
    )


def figure(name: str, meaning: str, svg: str) -> str:
    """One chart with its caption."""
    return f"<figure><figcaption><strong>{text(name)}</strong><span>{text(meaning)}</span></figcaption>{svg}</figure>"


def _cell(value: object) -> str:
    if isinstance(value, int):
        return f"<td>{value:,}</td>"
    return f'<td style="text-align: left; white-space: normal; overflow-wrap: anywhere">{text(value)}</td>'


def _missing(now: Profile, before: Profile | None) -> str:
    lines = []
    for name, (n, of) in now.missing.items():
        lines.append(Bar(name, Interval(100 * n / max(1, of))))
        if before is not None and name in before.missing:
            n, of = before.missing[name]
            lines.append(Bar("at the last import", Interval(100 * n / max(1, of)), other=True))
    return figure("Missing values", "Percent of the rows that could have the field.", bars("Missing values", lines, 1))


def _spread(name: str, spread: Spread, before: Profile | None) -> str:
    earlier = before.spreads.get(name) if before is not None else None
    if earlier is not None and earlier.scale != spread.scale:
        earlier = None
    if spread.scale == "day":
        values, step = _days(spread.counts)
        each = f"One column a {step}; {len(spread.counts):,} days with events."
        return figure(name, each, columns(name, values))
    if spread.scale == "size":
        sizes = (spread.quantile(share) for share in (0.5, 0.25, 0.75))
        median, low, high = (_number(size) if spread.unit else f"{size:,.0f}" for size in sizes)
        unit = f" {spread.unit}" if spread.unit else ""
        told = f"Median {median}{unit}, half of all from {low} to {high}. Each column is twice the one before."
        counted, known = _doublings(spread.counts), _doublings(earlier.counts) if earlier is not None else {}
        places = _all_between({*counted, *known})
        scaled = _scaled(spread, earlier)
        drawn = columns(
            name,
            [(_doubling_label(place), counted.get(place, 0)) for place in places],
            [known.get(place, 0) * scaled for place in places] if earlier is not None else (),
        )
        return figure(name, told, drawn)
    first = list(spread.counts.items())[:_NAMES]
    others = spread.total - sum(n for _, n in first)
    told = (
        f"{len(spread.counts):,} different ones{'; the most frequent' if others else ''}. Percent of all that have one."
    )
    shares = [Bar(shown(label), Interval(100 * n / spread.total)) for label, n in first]
    if others:
        shares.append(Bar("all others", Interval(100 * others / spread.total)))
    return figure(name, told, bars(name, shares, 1))


def _scaled(spread: Spread, earlier: Spread | None) -> float:
    """Earlier counts are drawn as if there had been as many rows as now."""
    return spread.total / earlier.total if earlier is not None and earlier.total else 0.0


def _doublings(counts: Mapping[int, int]) -> dict[int, int]:
    found: dict[int, int] = {}
    for place, n in counts.items():
        doubling = ZERO if place == ZERO else place // PER_DOUBLING
        found[doubling] = found.get(doubling, 0) + n
    return found


def _all_between(places: set[int]) -> list[int]:
    above = [place for place in places if place != ZERO]
    between = list(range(min(above), max(above) + 1)) if above else []
    return [ZERO, *between] if ZERO in places else between


def _doubling_label(place: int) -> str:
    """Where the column begins; it ends where the next one does."""
    return "0" if place == ZERO else f"{_number(2.0**place)}+"


def _days(counts: Mapping[str, int]) -> tuple[list[tuple[str, float]], str]:
    """Columns of equally long times without gaps, and how long each is."""
    if not counts:
        return [], "day"
    first, last = date.fromisoformat(min(counts)), date.fromisoformat(max(counts))
    length = next((one for one in (1, 7, 28) if (last - first).days < one * _COLUMNS), 364)
    summed = [0.0] * ((last - first).days // length + 1)
    for day, n in counts.items():
        summed[(date.fromisoformat(day) - first).days // length] += n
    labels = ((first + timedelta(days=i * length)).isoformat() for i in range(len(summed)))
    return list(zip(labels, summed, strict=True)), {1: "day", 7: "week", 28: "4 weeks", 364: "year"}[length]


def _outliers(one: Outliers) -> str:
    if not one.judged:
        return ""
    head = (
        f"<h3>Far from the others: {text(one.what)}</h3><p>{text(one.rule)}</p><p>{one.found:,} of {one.judged:,}.</p>"
    )
    if not one.examples:
        return head
    rows = [
        (far.id, far.label, _number(far.value), far.group, f"{_number(far.low)} to {_number(far.high)}")
        for far in one.examples
    ]
    return head + table(f"Far from the others: {one.what}", ("id", "", one.what, "among", "usual there"), rows)


def _drift(compared: Compared) -> str:
    head = "<h3>What has moved since the last import</h3>"
    if compared.before is None:
        return (
            f'{head}<p class="quiet">This is the first import with a report: there is nothing to compare it with.</p>'
        )
    rows = [
        (one.what, one.verdict, f"{one.psi:.3f}", f"{one.by_chance:.3f}", one.before, one.now)
        for one in compared.drifts[:_MOVED]
    ]
    rule = (
        "Population stability index (Siddiqi 2006): below 0.1 steady, from 0.25 on moved much; what stays below the "
        "value in the column 'by chance' (99%, Yurdakul 2018) counts as steady. Sizes are compared in tenths of the "
        "earlier import, names by its 20 most frequent."
    )
    names = ("what", "", "index", "by chance", "before", "now")
    return f'{head}<p class="quiet">{text(rule)}</p>' + table("What has moved", names, rows)


def _number(value: float) -> str:
    """Three digits that tell; whole from 1,000 on.

    >>> _number(0.5), _number(12.345), _number(123456.0)
    ('0.5', '12.3', '123,456')
    """
    if math.isnan(value):
        return "–"
    return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}"

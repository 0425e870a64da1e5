"""The report of an import as one HTML file, and the last profile beside the shop that the next one is compared with."""

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from wares.app.commands.profile_charts import Compared, figure, profile_section, table, text
from wares.app.commands.screen import shown
from wares.domain.event import Event
from wares.domain.product import Product
from wares.engine.durable import replace_bytes
from wares.evaluation.charts import Bar, bars
from wares.evaluation.intervals import Interval
from wares.evaluation.web_page import web_page
from wares.feeds.drift import drifts
from wares.feeds.profile import EventProfiler, ProductProfiler, Profile
from wares.feeds.report import Finding, ImportReport

Lead = Callable[[Sequence[ImportReport]], tuple[str, str]]  # title and first section of the page
PROFILES = "profiles"  # the folder beside the shop's other files


class Watch:
    """Sees all products and all events of one import as they pass, whatever files they come from."""

    def __init__(self, currency: str) -> None:
        self._products, self._events = ProductProfiler(), EventProfiler(currency)

    def products(self, products: Iterable[Product]) -> Iterable[Product]:
        return self._products.watching(products)

    def events(self, events: Iterable[Event]) -> Iterable[Event]:
        return self._events.watching(events)

    def profiles(self) -> list[Profile]:
        """Of the kinds of which there was something."""
        return [profile for one in (self._products, self._events) if (profile := one.profile()).rows]


def write_import_report(
    path: Path,
    reports: Sequence[ImportReport],
    watch: Watch | None,
    folder: Path,
    *,
    keep: bool,
    lead: Lead | None = None,
) -> None:
    """Write the page; with `keep`, also what the next import of the same kind is compared with. `lead` gives the title
    and what stands first on the page, as HTML."""
    compared = []
    for profile in watch.profiles() if watch is not None else ():
        before = last_profile(folder, profile.kind)
        compared.append(Compared(profile, before, drifts(before, profile) if before is not None else ()))
    _written(path, import_html(reports, compared, *(lead(reports) if lead is not None else ())))
    if keep:
        for one in compared:
            keep_profile(folder, one.profile)


def last_profile(folder: Path, kind: str) -> Profile | None:
    """Of the last import with a report; None where there was none, or the file is damaged."""
    try:
        return Profile.from_dict(json.loads((folder / PROFILES / f"{kind}.json").read_text(encoding="utf-8")))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def keep_profile(folder: Path, profile: Profile) -> None:
    """Whole or not at all."""
    (folder / PROFILES).mkdir(parents=True, exist_ok=True)
    _written(folder / PROFILES / f"{profile.kind}.json", json.dumps(profile.to_dict()))


def import_html(
    reports: Sequence[ImportReport], compared: Sequence[Compared] = (), title: str = "", first: str = ""
) -> str:
    """The whole page. Everything that came from a feed is escaped; `first` is HTML."""
    title = title or f"Import of {', '.join(Path(report.source).name for report in reports)}"
    parts = [f"<h1>{text(title)}</h1>", first, *map(_report_section, reports), *map(profile_section, compared)]
    return web_page(title, parts)


def _report_section(report: ImportReport) -> str:
    repaired = sum(report.repaired.values())
    told = (
        f"{report.read:,} rows read: {report.kept:,} kept, {report.rejected:,} rejected. {repaired:,} repairs, "
        f"{sum(one.count for one in report.remarks):,} remarks."
    )
    if report.repeated:
        told += f" {report.repeated:,} were known already and count once."
    notes = "".join(f"<li>{text(note)}</li>" for note in report.notes)
    returns = ", ".join(f"{name} {n:,}" for name, n in report.returns.items())
    missing = ", ".join(f"{name} {n:,}" for name, n in report.missing.items())
    counts = [("read", report.read), ("kept", report.kept), ("repairs", repaired), ("rejected", report.rejected)]
    drawn = [Bar(name, Interval(float(n)), other=name == "rejected") for name, n in counts]
    drawn += [Bar(shown(f"rejected: {one.rule}"), Interval(float(one.count)), other=True) for one in report.rejections]
    rows = figure("What became of the rows", "", bars("What became of the rows", drawn, 0))
    return "\n".join(
        part
        for part in (
            f"<h2>{text(report.source)}</h2>",
            f"<p>{text(told)}</p>",
            f"<ul>{notes}</ul>" if notes else "",
            f"<p>Returns: {text(returns)}.</p>" if returns else "",
            f'<p class="quiet">Missing: {text(missing)}.</p>' if missing else "",
            f'<div class="charts" style="max-width: 42rem">{rows}</div>',
            _findings("Rejected: these rows were not imported", report.rejections),
            _findings("Repaired: kept, with something put right or set to unknown", report.repairs),
            _findings("Remarks: kept as they are, though they look odd", report.remarks),
        )
        if part
    )


def _findings(title: str, findings: Sequence[Finding]) -> str:
    if not findings:
        return ""
    rows: list[tuple[object, ...]] = []
    for finding in findings:
        for place, e in enumerate(finding.examples):
            first = (finding.count, finding.rule) if place == 0 else ("", "")
            rows.append((*first, e.file, e.line or "", e.field, e.value, e.fix))
        if not finding.examples:
            rows.append((finding.count, finding.rule, "", "", "", "", ""))
    head = ("times", "what", "file", "line", "field", "value", "what to do")
    return f"<h3>{text(title)}</h3>" + table(title, head, rows)


def _written(path: Path, content: str) -> None:
    """Whole or not at all; halves of surrogate pairs become "?"."""
    replace_bytes(path, content.encode("utf-8", "replace"))

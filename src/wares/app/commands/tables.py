"""Results as tables for a terminal."""

import shlex
from collections.abc import Iterable, Mapping
from typing import Any

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from wares.app.commands.phrases import phrase, price_text, wish_phrase
from wares.app.commands.screen import shown
from wares.domain.product import Product
from wares.domain.result import Facet, Hit, Page
from wares.feeds.report import ImportReport

_FACET_VALUES = 8  # of a facet that are shown
_WIDE = 150  # characters from which a terminal shows every figure
_MOST_TELLING = ("recall", "ndcg", "new recall", "coverage")
_EXAMPLES = 3  # of a finding that are shown


def print_page(console: Console, page: Page, currency: str) -> None:
    """How the query was read; hits with their reasons, where they have some; then totals and facets."""
    if page.correction:
        console.print(f"Showing results for {shown(page.correction)!r} (as typed: --as-typed)", soft_wrap=True)
    if page.redirect:
        console.print(f"Sent on to: {shown(page.redirect)}", soft_wrap=True)
    for banner in page.banners:
        links = "".join(f" <{shown(link)}>" for link in (banner.url, banner.image_url) if link)
        console.print(f"Banner: {shown(banner.text)}{links}", soft_wrap=True)
    for wish in page.wishes:
        key = shlex.quote(shown(wish.key))
        console.print(f"Read as: {shown(wish_phrase(wish, currency))} (--without {key})", soft_wrap=True)
    if page.hits:
        reasons = [shown("\n".join(map(phrase, hit.reasons))) for hit in page.hits]
        why = ["why"] if any(reasons) else []
        table = new_table("#", "product", currency, *why, right=(0, 2))
        for place, (hit, reason) in enumerate(zip(page.hits, reasons, strict=True), 1):
            price = _price(hit.product, hit.product.currency or currency)
            table.add_row(str(place), _product(hit), price, *([reason] if why else []))
        console.print(table)
    console.print(f"{page.total:,} {'hit' if page.total == 1 else 'hits'} in {page.took_ms:.1f} ms", style="bold")
    for facet in page.facets:
        console.print(f"{facet.field}: {_facet(facet, currency)}", style="dim")


def _price(product: Product, currency: str) -> str:
    now = price_text(product.price_minor, currency)
    before = product.regular_price_minor
    return now if before is None else f"{now} (was {price_text(before, currency)})"


def print_report(console: Console, report: ImportReport) -> None:
    """What became of the rows of one file, with examples of what was wrong."""
    repaired = sum(report.repaired.values())
    console.print(
        f"{shown(report.source)}: read {report.read:,}, kept {report.kept:,}, repaired {repaired:,}, "
        f"rejected {report.rejected:,}",
        style="bold",
    )
    if report.rejections or report.repairs or report.remarks:
        table = new_table("", "times", "what", "line", "field", "value", "what to do", right=(1, 3))
        found = (("rejected", report.rejections), ("repaired", report.repairs), ("odd", report.remarks))
        for outcome, findings in found:
            for finding in findings:
                for i, e in enumerate(finding.examples[:_EXAMPLES]):
                    first = (outcome, f"{finding.count:,}", finding.rule) if i == 0 else ("", "", "")
                    line = str(e.line) if e.line else ""
                    table.add_row(*first, line, shown(e.field), shown(e.value), shown(e.fix))
        console.print(table)
    if report.missing:
        console.print("missing: " + ", ".join(f"{name} {count:,}" for name, count in report.missing.items()))


def print_evaluation(console: Console, table: Mapping[str, Any]) -> None:
    """`EvaluationTable.to_dict()`: figures over their 95% intervals, and the paired difference to the reference."""
    systems, wide = table["systems"], console.width >= _WIDE
    first, *others = [name for name in systems[0]["metrics"] if wide or name.split("@")[0] in _MOST_TELLING]
    named = [name.split("@")[0] for name in (first, *others)]
    lines = new_table("system", named[0], "difference", *named[1:], right=range(1, len(others) + 3))
    for column in lines.columns[1:]:
        column.no_wrap = True
    for line in systems:
        cells = [_interval(line["metrics"].get(name), bounds=wide) for name in others]
        difference = _interval(line["differences"].get(first), sign="+") if line["differences"] else "reference"
        lines.add_row(line["system"], _interval(line["metrics"][first]), difference, *cells)
    console.print(lines)
    told = f"{table['asked']:,} shoppers, the first {table['k']} places. Below a mean: its 95% interval."
    console.print(f"{told} Difference: of {first}, paired, to {table['reference']!r}.", style="dim")


def print_figures(console: Console, figures: Mapping[str, object], indent: int = 0) -> None:
    """Named figures, one a line; groups of them indented."""
    for name, value in figures.items():
        if isinstance(value, Mapping):
            console.print(" " * indent + name, style="bold")
            print_figures(console, value, indent + 2)
        else:
            console.print(f"{' ' * indent}{name}: {value}")


def new_table(*columns: str, right: Iterable[int] = ()) -> Table:
    """An empty table with these columns; those at the places `right` are flush right."""
    table, right = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True), set(right)
    for i, column in enumerate(columns):
        table.add_column(column, justify="right" if i in right else "left", overflow="fold")
    return table


def _product(hit: Hit) -> Text:
    """The title; below it, id, brand and how many variants."""
    product = hit.product
    variants = f"+{len(hit.variants)} variant{'s' * (len(hit.variants) > 1)}" if hit.variants else ""
    below = " · ".join(part for part in (product.id, product.brand, variants) if part)
    return Text.assemble(shown(product.title or product.id), ("\n" + shown(below), "dim"))


def _facet(facet: Facet, currency: str) -> str:
    if facet.low is not None and facet.high is not None:
        if facet.field == "price":
            return f"{price_text(facet.low, currency)} .. {price_text(facet.high, currency)}"
        return f"{facet.low:g} .. {facet.high:g}"
    values = [
        f"{'[x] ' if value.chosen else ''}{shown(value.value)} {value.count:,}"
        for place, value in enumerate(facet.values)
        if place < _FACET_VALUES or value.chosen
    ]
    more = len(facet.values) - len(values)
    return " · ".join(values) + (f" · {more} more" if more > 0 else "") if values else "nothing to choose"


def _interval(three: Mapping[str, float | None] | None, sign: str = "", *, bounds: bool = True) -> str:
    """The mean, over its interval; a dash where it is not defined."""
    if three is None or (mean := three["mean"]) is None:
        return "–"
    digits = 4 if abs(mean) < 2 else 2
    text, low, high = f"{mean:{sign}.{digits}f}", three["low"], three["high"]
    if not bounds or low is None or high is None:
        return text
    between = " to " if sign else "–"
    return f"{text}\n{low:{sign}.{digits - 1}f}{between}{high:{sign}.{digits - 1}f}"

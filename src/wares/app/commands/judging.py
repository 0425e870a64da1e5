"""`wares judge`: judgements into the shop; how well its search answers them now, and where it fails most."""

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from wares.app.commands import screen
from wares.app.commands.importing import counted
from wares.domain.result import Page
from wares.errors import InputError
from wares.evaluation.intervals import Interval
from wares.evaluation.judgements import DEPTH, NO_RESULTS, Judged, Measured, measure, summary, worst
from wares.feeds.judgements import read_judgements
from wares.feeds.report import ImportReport
from wares.shop import Shop, open_shop

if TYPE_CHECKING:
    from rich.console import Console

    from wares.training.progress import Tell

_SHOWN = 3  # products that the table of the worst queries names on each side
_TITLE = 60  # characters of a title in that table
_SEED = 0  # of the bootstrap: the same judgements and answers give the same intervals
_LEARN = "`wares train` learns the order from these judgements."
_HEADS = ("query", "wanted first", "came first")


@dataclass(frozen=True, slots=True)
class _Answers:
    """What the shop answered to each query, in the order of the queries."""

    rankings: list[NDArray[np.int64]]  # groups of variants, distinct
    first: list[tuple[str, ...]]  # ids of the first hits
    snapshot: str
    took_s: float


def judge_shop(
    folder: Path,
    file: Path | None,
    *,
    lowest: float,
    k: int,
    relevant: float | None,
    worst_n: int,
    clear: bool,
    as_json: bool,
) -> None:
    """Import the file where one is given, ask every judged query, print what came of it.

    Raises InputError where there is nothing to judge by.
    """
    if relevant is not None and not relevant > 0:
        raise InputError(f"Recall is to count products from a gain of {relevant:g}. Valid is a number above 0.")
    told: dict[str, Any] = {"imported": None}
    with open_shop(folder, create=False) as shop:
        if file is not None:
            report = _import(shop, file, lowest, clear)
            told["imported"] = report.to_dict()
            if not as_json:
                _print_report(report)  # now: it is done, whatever becomes of the rest
        if clear and file is None:
            told["forgotten"] = shop.writer().judgements.clear()
        else:
            told |= _judge(shop, k, relevant, worst_n)
    if as_json:
        screen.print_json(told)
    elif "forgotten" in told:
        screen.stdout().print(f"Forgot {told['forgotten']:,} judgements.", style="bold")
    else:
        _print(screen.stdout(), told)


def _import(shop: Shop, file: Path, lowest: float, clear: bool) -> ImportReport:
    reading = read_judgements(file, lowest=lowest)
    with screen.progress() as tell:
        judgements = list(counted(reading, file.name, None, tell))
    if not judgements:
        fault = _first_fault(reading.report)
        raise InputError(f"{file} holds no judgement that can be used; nothing was changed. {fault}")
    shop.writer().judgements.put(judgements, instead=clear)
    return reading.report


def _print_report(report: ImportReport) -> None:
    from wares.app.commands.tables import print_report

    print_report(screen.stdout(), report)
    for text in report.notes:
        screen.note(text)


def _first_fault(report: ImportReport) -> str:
    examples = [(finding.rule, finding.examples[0]) for finding in report.rejections if finding.examples]
    return " ".join(f"Line {e.line}: {rule}. {e.fix}" for rule, e in examples[:1]) or " ".join(report.notes)


def _judge(shop: Shop, k: int, relevant: float | None, worst_n: int) -> dict[str, Any]:
    judgements = shop.store.judgements.read()
    if not judgements:
        raise InputError(f"The shop in {shop.folder} has no judgements. Import some: wares judge {shop.folder} FILE")
    columns = shop.engine.live.state.columns
    group_of = {product_id: int(columns.groups[row]) for product_id, row in columns.row_of.items()}
    judged = Judged.of(judgements, group_of)
    if not judged.gains.any():
        raise InputError(
            f"The catalogue has none of the products that the {len(judgements):,} judgements want. "
            "Import the products, or judgements whose product ids are the shop's."
        )
    for warning in shop.engine.warnings:
        screen.note(warning)
    with screen.progress() as tell:
        answers = _ask(shop, judged.queries, group_of, tell)
    measured = measure(judged, answers.rankings, k=k, relevant_from=relevant)
    asked = {
        "queries": len(judged),
        "judgements": len(judgements),
        "products_missing": len(judged.missing),
        "queries_left_out": int(np.isnan(measured.ndcg).sum()),
        "relevant_from": judged.relevant_from if relevant is None else relevant,
        "snapshot": answers.snapshot,
        "took_s": round(answers.took_s, 2),
    }
    figures = {name: _plain(found) for name, found in summary(measured, np.random.default_rng(_SEED)).items()}
    return {**asked, "figures": figures, "worst": _worst(shop, judged, measured, answers, worst_n)}


def _ask(shop: Shop, queries: Sequence[str], group_of: Mapping[str, int], tell: "Tell") -> _Answers:
    rankings, first, snapshot, started = [], [], "", time.perf_counter()
    tell("Asking the shop", 0, len(queries))
    for done, query in enumerate(queries, 1):
        page = shop.search(query, k=DEPTH)
        rankings.append(_groups(page, group_of))
        first.append(tuple(hit.product.id for hit in page.hits[:_SHOWN]))
        snapshot = page.snapshot
        tell("Asking the shop", done, len(queries))
    return _Answers(rankings, first, snapshot, time.perf_counter() - started)


def _groups(page: Page, group_of: Mapping[str, int]) -> NDArray[np.int64]:
    """The hits as groups of variants: whichever of them was judged, it stands at the place of its hit."""
    found = dict.fromkeys(group_of[hit.product.id] for hit in page.hits if hit.product.id in group_of)
    return np.array(list(found), np.int64)


def _worst(shop: Shop, judged: Judged, measured: Measured, answers: _Answers, n: int) -> list[dict[str, Any]]:
    places = worst(measured, n)
    wanted = {i: _wanted(judged, i) for i in places}
    products = shop.store.catalogue.get([one for i in places for one in (*wanted[i], *answers.first[i])])

    def named(ids: Sequence[str]) -> list[dict[str, str]]:
        return [{"id": one, "title": products[one].title if one in products else ""} for one in ids]

    first, second, _ = measured.names
    return [
        {
            "query": measured.queries[i],
            first: _number(measured.ndcg[i]),
            second: _number(measured.recall[i]),
            "wanted": named(wanted[i]),
            "came": named(answers.first[i]),
        }
        for i in places
    ]


def _wanted(judged: Judged, place: int) -> tuple[str, ...]:
    """Ids of the best judged products of a query, best first, none that is worth nothing."""
    of_query = judged.of_query(place)
    worth = int((judged.gains[of_query] > 0).sum())
    return judged.ids[of_query][: min(worth, _SHOWN)]


def _plain(interval: Interval) -> dict[str, float | None]:
    return {name: _number(getattr(interval, name)) for name in ("mean", "low", "high")}


def _number(value: float) -> float | None:
    return None if math.isnan(value) else round(float(value), 6)


def _print(console: "Console", told: Mapping[str, Any]) -> None:
    from rich import box
    from rich.table import Table

    for name, found in told["figures"].items():
        mean, low, high = (_shown(found[part], share=name == NO_RESULTS) for part in ("mean", "low", "high"))
        console.print(f"{name:<12} {mean:>8}   {low} to {high}", style="bold")
    console.print(
        f"{told['queries']:,} queries, {told['judgements']:,} judgements, asked in {told['took_s']} s. Variants are "
        f"one hit; what nobody judged counts as 0; recall counts gains from {told['relevant_from']:.3g}.",
        style="dim",
    )
    if left_out := told["queries_left_out"]:
        screen.note(f"Queries that want nothing the catalogue has: {left_out:,}. nDCG and recall leave them out.")
    if missing := told["products_missing"]:
        screen.note(f"Judged products that the catalogue lacks: {missing:,}. They are left out.")
    if told["worst"]:
        measured = list(told["worst"][0])[1]
        table = Table(box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
        for head in (_HEADS[0], measured, *_HEADS[1:]):
            table.add_column(head, overflow="fold", justify="right" if head == measured else "left")
        for line in told["worst"]:
            came = _titles(line["came"]) if line["came"] else "nothing"
            table.add_row(screen.shown(line["query"]), _shown(line[measured]), _titles(line["wanted"]), came)
        console.print(table)
    screen.note(_LEARN)


def _titles(products: Sequence[Mapping[str, str]]) -> str:
    titles = [one["title"] or one["id"] for one in products]
    return screen.shown("\n".join(f"{title[: _TITLE - 1]}…" if len(title) > _TITLE else title for title in titles))


def _shown(value: float | None, *, share: bool = False) -> str:
    return "–" if value is None else f"{value:.1%}" if share else f"{value:.4f}"

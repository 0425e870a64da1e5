"""`--explain`: how the query was read, and what the score of each hit is made of."""

import math

from rich.console import Console
from rich.table import Table

from wares.app.commands.screen import shown
from wares.app.commands.tables import new_table
from wares.domain.intent import Term
from wares.domain.result import Explanation, Hit, Page

_PARTS = 8  # of a score that are shown; the others are summed
_READINGS = 6  # of a term that are shown
_BASE = "(base)"  # what no feature tells: in the learned order the mean of all candidates it was learnt from


def print_explanation(console: Console, page: Page) -> None:
    """The query as it was read, then each hit taken apart."""
    explained = page.explanation
    assert explained is not None
    if explained.text:
        console.print(f"\nSearched for: {shown(explained.text.strip())}", style="bold")
    if explained.terms:
        console.print(_terms(explained.terms))
    if explained.excluded:
        console.print(f"left out: products with {', '.join(map(shown, explained.excluded))}")
    if explained.rules:
        console.print(f"rules of the shop that hold: {', '.join(map(shown, explained.rules))}", soft_wrap=True)
    console.print(_how(explained))
    for place, hit in enumerate(page.hits, 1):
        console.print(
            f"\n{place}. {shown(hit.product.title or hit.product.id)} ({shown(hit.product.id)})", style="bold"
        )
        console.print(_hit(hit) if hit.parts else _without_parts(hit, explained))


def _how(explained: Explanation) -> str:
    ranked = f"ranked by {explained.ranker}" if explained.ranker else "in another order than the best match"
    if explained.matched is None:
        return f"proposed by the sources, {ranked}"
    relaxed = f", after asking less strictly for the {explained.relaxed}" if explained.relaxed else ""
    return f"match set: {explained.matched:,} products{relaxed}, before filters, rules and variants; {ranked}"


def _terms(terms: tuple[Term, ...]) -> Table:
    """Each term with what it may stand for; the weight says how far that is as good as said."""
    table = new_table("term", "read as", "weight", "why", right=(2,))
    for term in terms:
        if not term.readings:
            table.add_row(shown(term.said), "–", "", "in no product")
        for i, reading in enumerate(term.readings[:_READINGS]):
            words = shown(" + ".join(reading.words))
            table.add_row(shown(term.said) if i == 0 else "", words, f"{reading.weight:.2f}", reading.why or "as said")
        if (more := len(term.readings) - _READINGS) > 0:
            table.add_row("", f"{more} more", "", "")
    return table


def _hit(hit: Hit) -> Table:
    """The greatest parts of the score, the rest, their sum; then what policies made of it."""
    table = new_table("feature", "value", "adds", right=(1, 2))
    telling = {name: part for name, part in hit.parts.items() if part}
    names = sorted(telling, key=lambda name: -abs(telling[name]))
    for name in names[:_PARTS]:
        table.add_row(shown(name) or _BASE, _value(hit.features.get(name)), f"{telling[name]:+.4f}")
    if rest := [telling[name] for name in names[_PARTS:]]:
        table.add_row(f"{len(rest)} more", "", f"{sum(rest):+.4f}")
    table.add_row("score", "", f"{hit.score:.4f}", style="bold")
    for one in hit.adjustments:
        table.add_row(": ".join(filter(None, (shown(one.policy), shown(one.why)))), "", f"{one.amount:+.4f}")
    if hit.adjustments:
        table.add_row("priority", "", f"{hit.priority:.4f}", style="bold")
    return table


def _value(value: float | None) -> str:
    if value is None:
        return ""
    return "missing" if math.isnan(value) else f"{value:.4g}"


def _without_parts(hit: Hit, explained: Explanation) -> str:
    if not explained.ranker:
        return "not scored: the order is another one than the best match"
    if not hit.features:
        return "not scored: it stands behind the first `search.rank_depth` ones, in order of relevance"
    return f"score {hit.score:.4f}, priority {hit.priority:.4f}; {explained.ranker} does not tell what it is made of"

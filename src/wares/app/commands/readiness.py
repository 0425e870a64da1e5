"""`wares ready`: is there enough in this shop to learn from? In the words of a shopkeeper."""

import math
from collections.abc import Iterator
from pathlib import Path

from rich.console import Console

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.shop import open_shop
from wares.training.build import known
from wares.training.readiness import LEAST_ASKED, Comparison, Readiness, readiness

_HEADLINES = {
    "yes": "Ready: what shoppers did before foretells what they buy next better than a list of popular products.",
    "not yet": "Not yet: on this shop's past, nothing learnt beat a list of popular products for sure.",
    "cannot tell": "Cannot be told yet.",
}
_MODELS = {"buy_again": "what a shopper bought before", "item_knn": "what like-minded shoppers bought"}
_METRICS = {"recall@10": "of the next basket", "new recall@10": "of what was bought for the first time"}
_LEAST_RETURNING, _LEAST_COVERED, _MOST_ANONYMOUS, _MOST_HEAD, _LEAST_DAYS = 0.2, 0.5, 0.5, 0.5, 56.0


def ready_shop(folder: Path, *, seed: int, as_json: bool) -> None:
    """Look, compare, say."""
    with open_shop(folder, create=False) as shop, screen.progress() as tell:
        tell("Reading the events", 0, 1)
        products, _, interactions = known(shop.store)
        tell("Reading the events", 1, 1)
        found = readiness(products, interactions, shop.settings, seed=seed, tell=tell)
    if as_json:
        screen.print_json({**found.to_dict(), "advice": list(advice(found))})
    else:
        print_readiness(screen.stdout(), found)


def print_readiness(console: Console, found: Readiness) -> None:
    """The verdict and what it rests on, the figures, and what would help."""
    console.print(_HEADLINES[found.verdict], style="bold")
    if found.why:
        console.print(found.why)
    for one in found.comparisons:
        console.print(f"  {sentence(one)}")
    if found.comparisons:
        told = f"Asked: {found.asked} shoppers, about the last {found.days_aside:.0f} days. Intervals hold at 95%, all"
        console.print(f"  {told} comparisons together.", style="dim")
    table = new_table("what the shop knows", "", "what that means", right=(1,))
    for row in _rows(found):
        table.add_row(*row)
    console.print(table)
    for text in advice(found):
        console.print(f"-> {text}")


def sentence(one: Comparison) -> str:
    """Two lists of ten and the share of what was wanted that each held."""
    d = one.difference
    sure = "better" if d.above_zero else "worse" if d.below_zero else "no sure difference"
    return (
        f"Ten products by {_MODELS[one.model]} held {one.learnt:.1%} {_METRICS[one.metric]}, ten popular ones "
        f"{one.popular:.1%}: {sure} ({100 * d.mean:+.1f} points, {100 * d.low:+.1f} to {100 * d.high:+.1f})."
    )


def advice(found: Readiness) -> Iterator[str]:
    """What would help, the most useful first."""
    if found.verdict == "not yet":
        yield "Show popular and new products, and products like the one being looked at; ask again in some weeks."
    if found.verdict == "cannot tell":
        yield f"Go on recording events with a shopper's id. From {LEAST_ASKED} returning buyers on, this can be told."
    if found.anonymous > _MOST_ANONYMOUS:
        yield "Most events name no shopper. Send an id with each event: of the account, or else of the browser."
    if found.returning < _LEAST_RETURNING:
        yield "Few shoppers come twice. Product pages and the cart will gain more than a personal home page."
    if found.head > _MOST_HEAD:
        yield "A few products make most of the events: popular products are hard to beat, so judge by new products."
    if 0 < found.days < _LEAST_DAYS:
        yield f"The log spans {found.days:.0f} days; from {_LEAST_DAYS:.0f} on, seasons and habits begin to show."
    thin = [name for name in ("title", "category", "price", "description") if found.coverage[name] < _LEAST_COVERED]
    if thin:
        yield f"Fewer than half of the products have: {', '.join(thin)}. New products are found by these alone."


def _rows(found: Readiness) -> Iterator[tuple[str, str, str]]:
    yield "products", f"{found.products:,}", f"{found.products_met:,} of them have at least one event"
    yield "events", f"{found.events:,}", f"{found.purchases:,} purchases, over {found.days:,.0f} days"
    yield "shoppers", f"{found.shoppers:,}", f"{_percent(found.anonymous)} of the events name nobody"
    yield "come back", _percent(found.returning), "of the shoppers were there on two days or more"
    yield "buy again", _percent(found.repeats), "of what they bought later they had bought before"
    yield "best-known 1%", _percent(found.head), f"of the events; {found.half:,} products make half of them"
    for name, share in found.coverage.items():
        yield name, _percent(share), "of the products have it"


def _percent(share: float) -> str:
    return "–" if math.isnan(share) else f"{share:.0%}"

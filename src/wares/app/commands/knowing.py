"""The command that shows what the shop knows of one shopper: shopper."""

from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path

from rich.table import Table

from wares.app.commands import screen
from wares.errors import UnknownName
from wares.features.interests import ShopperSummary, Tag
from wares.shop import open_shop


def show_shopper(folder: Path, shopper_id: str, *, as_json: bool) -> None:
    """Open the shop and show its summary of a shopper. UnknownName for one it has never heard of, or has erased."""
    with open_shop(folder, create=False) as shop:
        summary = shop.shopper(shopper_id)
        for warning in shop.engine.warnings:
            screen.note(warning)
    if not summary.known:
        raise UnknownName("shopper", shopper_id, ())
    if as_json:
        from wares.app.web.wire import interests_json

        figures = {
            "products": summary.products,
            "by_kind": dict(summary.by_kind),
            "first_ms": summary.first_ms,
            "last_ms": summary.last_ms,
            "attributes": dict(summary.attributes),
        }
        screen.print_json(interests_json(summary) | figures)
        return
    console = screen.stdout()
    console.print(_history(summary), style="bold", soft_wrap=True)
    for name, value in summary.attributes.items():
        console.print(f"{screen.shown(name)}: {screen.shown(value)}", soft_wrap=True)
    console.print(_interests(summary) or "No interest stands out against what everybody does.")


def _history(summary: ShopperSummary) -> str:
    if summary.first_ms is None or summary.last_ms is None:
        return "No event on a product yet."
    kinds = ", ".join(f"{kind} {count:,}" for kind, count in summary.by_kind.items())
    events, products = f"{summary.events:,} event{'s' * (summary.events != 1)}", f"{summary.products:,}"
    noun = "product" if summary.products == 1 else "products"
    return f"{events} on {products} {noun}, {_day(summary.first_ms)} to {_day(summary.last_ms)}: {kinds}"


def _interests(summary: ShopperSummary) -> Table | None:
    """One line per interest; None where there is none."""
    from wares.app.commands.tables import new_table

    interests = summary.interests
    kinds: dict[str, Iterable[Tag]] = {
        "department": interests.departments,
        "category": interests.categories,
        "brand": interests.brands,
        "price": interests.prices,
    }
    table = new_table("interest", "", "share", "against all", "last", right=(2, 3))
    for kind, tags in kinds.items():
        for place, tag in enumerate(tags):
            figures = (f"{tag.share:.0%}", f"{tag.lift:.1f}x", _day(tag.last_ms))
            table.add_row("" if place else kind, screen.shown(tag.value), *figures)
    return table if table.row_count else None


def _day(time_ms: int) -> str:
    return f"{datetime.fromtimestamp(time_ms / 1000, UTC):%Y-%m-%d}"

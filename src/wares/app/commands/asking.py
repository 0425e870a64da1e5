"""The commands that ask a shop: search, browse, recommend, similar."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import typer

from wares.app.commands import screen
from wares.domain.result import Page
from wares.shop import Shop, open_shop


def ask(folder: Path, question: Callable[[Shop], Page], *, market: str = "", as_json: bool) -> None:
    """Open the shop, put the question to it, show the page; behind it how it came about, where that was asked."""
    with open_shop(folder, create=False) as shop:
        currency = shop.settings.market(market).currency
        engine = shop.engine  # loaded first: the time shown is the answer's own
        page = question(shop)
        for warning in engine.warnings:
            screen.note(warning)
    if as_json:
        from wares.app.web.wire import page_json

        screen.print_json(page_json(page, currency))
        return
    from wares.app.commands.tables import print_page

    console = screen.stdout()
    print_page(console, page, currency)
    if page.explanation is not None:
        from wares.app.commands.explaining import print_explanation

        print_explanation(console, page)
    for text in page.notes:
        screen.note(text)


def filters_of(chosen: Sequence[str], price: str) -> dict[str, Any]:
    """What --filter and --price say, as the facade takes it: several values of one field are any of them.

    >>> filters_of(["brand=A", "brand=B", "category!=C"], "2..5")
    {'brand': {'any': ['A', 'B']}, 'category': {'not': ['C']}, 'price': {'low': 2.0, 'high': 5.0}}
    """
    filters: dict[str, Any] = {}
    for text in chosen:
        name, equals, value = text.partition("=")
        kind = "not" if name.endswith("!") else "any"
        name, value = name.rstrip("!").strip(), value.strip()
        if not equals or not name or not value:
            hint = 'Write field=value or field!=value, like brand="Store brand".'
            raise typer.BadParameter(f"{text!r} cannot be read. {hint}", param_hint="--filter")
        filters.setdefault(name, {}).setdefault(kind, []).append(value)
    return filters | ({"price": _range(price)} if price else {})


def _range(text: str) -> dict[str, float]:
    low, dots, high = text.partition("..")
    try:
        bounds = {name: float(part) for name, part in (("low", low), ("high", high)) if part.strip()}
    except ValueError:
        bounds = {}
    if not dots or not bounds:
        hint = "Write LOW..HIGH, LOW.. or ..HIGH, like 2.50..10."
        raise typer.BadParameter(f"{text!r} cannot be read. {hint}", param_hint="--price")
    return bounds

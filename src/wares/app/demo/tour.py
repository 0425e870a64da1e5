"""The tour of a demo shop: one answer of each kind."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from wares.app.commands.tables import print_evaluation, print_page
from wares.app.web.wire import page_json
from wares.domain.result import Page
from wares.shop import Shop

_K = 5
_QUERIES = {"Groceries": "choclate ice cream", "Gifts": "red heart decoration"}
_PRODUCTS = {"Groceries": "tortilla chips", "Gifts": "lunch box"}  # the best-selling one of these is looked at
_OTHERWISE = "gift"


@dataclass(frozen=True)
class Stop:
    """One answer, and what was asked as one would type it."""

    name: str
    about: str
    command: str
    page: Page


@dataclass(frozen=True)
class Tour:
    stops: tuple[Stop, ...]
    currency: str

    def to_dict(self) -> dict[str, Any]:
        return {stop.name: {"command": stop.command, **page_json(stop.page, self.currency)} for stop in self.stops}


def take_tour(shop: Shop) -> Tour:
    """Ask one question of each kind."""
    settings, _ = shop.settings.shop, shop.engine  # loaded first: the times shown are the answers' own
    query = _QUERIES.get(settings.title, _OTHERWISE)
    found = shop.search(query, facets=settings.facets, k=_K)
    stops = [Stop("search", f"Search: {query!r}, with facets", f"search FOLDER {query!r}", found)]
    for shopper in settings.shoppers[:1]:
        told = shop.store.shoppers.get(shopper)
        known = (
            ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in told.attributes.items()) if told else ""
        )
        about = f"Recommended to shopper {shopper}" + (f" ({known})" if known else "")
        page = shop.recommend(shopper, k=_K)
        stops.append(Stop("recommend", about, f"recommend FOLDER --shopper {shopper}", page))
    for hit in shop.search(_PRODUCTS.get(settings.title, query), sort="best_selling", k=1).hits:
        for surface, words in (("similar", "Similar to"), ("bought_together", "Bought together with")):
            page = shop.similar(hit.product.id, surface=surface, k=_K)
            command = f"similar FOLDER {hit.product.id} --surface {surface}"
            stops.append(Stop(surface, f"{words} {hit.product.title!r}", command, page))
    return Tour(tuple(stops), settings.currency)


def print_tour(console: Console, tour: Tour, evaluation: dict[str, Any], folder: Path) -> None:
    """Every stop with the command that gives it, then the evaluation."""
    for stop in tour.stops:
        console.print()
        console.rule(stop.about, align="left")
        console.print(f"wares {stop.command.replace('FOLDER', str(folder))}", style="dim")
        print_page(console, stop.page, tour.currency)
        for note in stop.page.notes:
            console.print(note, style="yellow")
    console.print()
    console.rule("How well would the last four weeks have been foreseen?", align="left")
    console.print(f"wares eval {folder}", style="dim")
    print_evaluation(console, evaluation)

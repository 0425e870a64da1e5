"""The tour of a demo shop: one answer of each kind."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.console import Console

from wares.app.commands.screen import shown
from wares.app.commands.tables import new_table, print_evaluation, print_page
from wares.app.web.wire import page_json
from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine.assembly import Engine
from wares.engine.profile import Profile
from wares.shop import Shop

_K = 5
_QUERIES = {"Groceries": "choclate ice cream", "Gifts": "red heart decoration"}
_PRODUCTS = {"Groceries": "tortilla chips", "Gifts": "lunch box"}  # the best-selling one of these is looked at
_OTHERWISE = "gift"
_MODEL = "sequence"
_HEADINGS = {"formula": "by the formula", "learned": "as learnt", "shopper model": "by the shopper model alone"}


@dataclass(frozen=True)
class Stop:
    """One answer, and what was asked as one would type it."""

    name: str
    about: str
    command: str
    page: Page


@dataclass(frozen=True)
class Learned:
    """What was learnt makes of the home page of a shopper: the first hits by each way of ordering, best first, and how
    the learned order did on shoppers that it was not grown on."""

    shopper: str
    pages: dict[str, Page]  # what ordered -> its page
    trial: dict[str, Any]

    def to_dict(self) -> dict[str, Any]:
        hits = {
            by: [{"id": hit.product.id, "title": hit.product.title} for hit in page.hits]
            for by, page in self.pages.items()
        }
        return {"shopper": self.shopper, "hits": hits, "trial": self.trial}


@dataclass(frozen=True)
class Tour:
    stops: tuple[Stop, ...]
    currency: str
    learned: Learned | None = None  # shown after what is recommended

    def to_dict(self) -> dict[str, Any]:
        told = {stop.name: {"command": stop.command, **page_json(stop.page, self.currency)} for stop in self.stops}
        return told | ({"learned_order": self.learned.to_dict()} if self.learned else {})


def take_tour(shop: Shop) -> Tour:
    """Ask one question of each kind."""
    settings, _ = shop.settings.shop, shop.engine  # loaded first: the times shown are the answers' own
    learned = None
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
        learned = what_learning_changed(shop, shopper)
    for hit in shop.search(_PRODUCTS.get(settings.title, query), sort="best_selling", k=1).hits:
        for surface, words in (("similar", "Similar to"), ("bought_together", "Bought together with")):
            page = shop.similar(hit.product.id, surface=surface, k=_K)
            command = f"similar FOLDER {hit.product.id} --surface {surface}"
            stops.append(Stop(surface, f"{words} {hit.product.title!r}", command, page))
    return Tour(tuple(stops), settings.currency, learned)


def what_learning_changed(shop: Shop, shopper: str) -> Learned | None:
    """The same home page ordered by the declared formula, by the learned order and by the shopper model alone, as far
    as there are such; None where there is neither."""
    snapshot, home = shop.engine.live.snapshot, shop.settings.profile("home")
    by_formula, learned = (home.model_copy(update={"ranker": ranker}) for ranker in ("formula", "learned"))
    ways: dict[str, Profile] = {"formula": by_formula}
    if snapshot.home_order is not None:
        ways["learned"] = learned
    if _MODEL in snapshot.models:
        alone = {"ranker": "formula", "sources": (_MODEL,), "formula": {_MODEL: 1.0}}
        ways["shopper model"] = Profile.model_validate(home.model_dump() | alone)
    if len(ways) == 1:
        return None
    pages = {}
    for by, profile in ways.items():
        settings = shop.settings.model_copy(update={"profiles": {**shop.settings.profiles, "home": profile}})
        engine = Engine(shop.folder, settings, shop.store, None, snapshot)
        pages[by] = engine.ask(Request("home", int(time.time() * 1000), shopper_id=shopper, k=_K))
    return Learned(shopper, pages, dict(snapshot.facts.get("home_order", {})))


def print_tour(console: Console, tour: Tour, evaluation: dict[str, Any], folder: Path) -> None:
    """Every stop with the command that gives it, then the evaluation."""
    for stop in tour.stops:
        console.print()
        console.rule(stop.about, align="left")
        console.print(f"wares {stop.command.replace('FOLDER', str(folder))}", style="dim")
        print_page(console, stop.page, tour.currency)
        for note in stop.page.notes:
            console.print(note, style="yellow")
        if stop.name == "recommend" and tour.learned is not None:
            _print_learned(console, tour.learned)
    console.print()
    console.rule("How well would the last four weeks have been foreseen?", align="left")
    console.print(f"wares eval {folder}", style="dim")
    print_evaluation(console, evaluation)


def _print_learned(console: Console, change: Learned) -> None:
    """The pages beside each other, then what a learned order gains on shoppers that it was not grown on."""
    console.print()
    console.rule(f"The home page of shopper {change.shopper}, ordered in other ways", align="left")
    table = new_table("#", *(_HEADINGS[by] for by in change.pages), right=(0,))
    titles = [[shown(hit.product.title) for hit in page.hits] for page in change.pages.values()]
    for place in range(max(map(len, titles), default=0)):
        table.add_row(str(place + 1), *(own[place] if place < len(own) else "" for own in titles))
    console.print(table)
    if "gain" in change.trial:
        asked, learned, formula = (change.trial[name] for name in ("shoppers", "recall_learned", "recall_formula"))
        gain, low, high = change.trial["gain"]
        console.print(
            f"Of {asked:,} shoppers' next baskets the first 10 held {learned:.1%} as learnt, {formula:.1%} by formula: "
            f"{gain:+.2%} [{low:+.2%}, {high:+.2%}]. Nobody was asked with trees that were grown on them.",
            style="dim",
        )

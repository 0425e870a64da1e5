"""`wares simulate`: shoppers who are played walk through the shop, over its public HTTP API alone; or are forgotten."""

import os
import secrets
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

from wares.app.commands import screen
from wares.app.commands.remote import server_of
from wares.app.commands.tables import new_table
from wares.app.simulation.counts import Counts
from wares.app.simulation.own_server import own_server
from wares.app.simulation.run import Plan, Simulation
from wares.app.simulation.service import Answer, HttpLine
from wares.app.simulation.wants import Want, lives_of_log, planted_life
from wares.app.web.access.key_ring import KeyRing
from wares.errors import InputError, StoreError
from wares.shop import Shop, open_shop
from wares.store.lock import holder

_SHELVES, _ON_A_SHELF = 40, 60  # categories and products of each that planted shoppers may like
HONEST = "Simulated shoppers: what they do is marked, and counts for no figure of the real shop. Forget it: --remove."


def simulate_shoppers(
    folder: Path,
    plan: Plan,
    *,
    shoppers: int,
    url: str = "",
    weeks: float = 4.0,
    as_json: bool = False,
    console: Console | None = None,
) -> None:
    """Play, then say how it went, on `console` (stdout if None).

    InputError for a shop without products or a server that does not let us.
    """
    with open_shop(folder, create=False) as shop, _served(shop, url) as (address, key):
        with closing(HttpLine(address, key)) as line:
            about = _first_answer(line, address, shop.settings.server.admin_key_env)
            rng = np.random.default_rng(plan.seed)
            lives = lives_of_log(shop.store, weeks, shoppers, rng) if weeks > 0 else []
            driven = f"by the last {weeks:g} weeks of the log" if lives else "by wishes planted for each"
            if not lives:
                shelves = shelves_of(line, about)
                lives = [planted_life(shelves, rng) for _ in range(shoppers)]
        screen.note(f"{len(lives):,} simulated shoppers, driven {driven}, on {address}. Ctrl-C ends it early.")
        simulation = Simulation(plan, lives, lambda: HttpLine(address, key))
        took_s = _run(simulation, plan)
    told = summary(simulation, plan, took_s, len(lives), driven)
    if as_json:
        screen.print_json(told)
    else:
        _show(console or screen.stdout(), told)
        screen.note(HONEST)
    if simulation.lost:
        raise InputError(f"The server at {address} stopped answering ({simulation.lost}): the simulation ended there.")


def play_in_demo(folder: Path) -> None:
    """Two minutes of it, told on stderr: stdout belongs to the demo."""
    simulate_shoppers(folder, Plan(run=secrets.token_hex(4)), shoppers=20, console=screen.stderr())


def remove_simulated(folder: Path, *, as_json: bool) -> None:
    """Through the server where one holds the lock."""
    with open_shop(folder, create=False) as shop:
        server = server_of(folder, shop.settings)
        events, shown = server.erase_simulated() if server is not None else shop.erase_simulated()
    if as_json:
        screen.print_json({"events": events, "impressions": shown})
    else:
        typer.echo(f"Forgotten: {events:,} simulated events and {shown:,} simulated impressions.")


def shelves_of(line: HttpLine, about: dict[str, Any]) -> list[list[Want]]:
    """The best products of the shop's narrowest categories that `GET /v1/shop` names, of the largest first."""
    named = [child for root in about["categories"] for child in (root["children"] or [root])]
    named = sorted(named, key=lambda one: (-one["count"], one["value"]))[:_SHELVES]
    shelves = []
    for category in [one["value"] for one in named] or [""]:
        asked = {"k": _ON_A_SHELF, "simulated": True} | ({"category": category} if category else {})
        page = line.send("POST", "/v1/browse", asked)
        if page.is_good and page.body["hits"]:
            shelves.append([Want.of_json(hit["product"]) for hit in page.body["hits"]])
    if not shelves:
        raise InputError("The shop shows no product to anybody, so that there is nothing to want.")
    return shelves


def summary(simulation: Simulation, plan: Plan, took_s: float, shoppers: int, driven: str) -> dict[str, Any]:
    """All that a simulation has to tell, as plain values."""
    return {
        "shoppers": shoppers,
        "driven": driven,
        "seconds": round(took_s, 1),
        "seed": plan.seed,
        "speed": plan.speed,
        "bias": {"eta": plan.bias.eta, "model": plan.bias.told()},
        "requests": simulation.counts.requests,
        **simulation.counts.to_dict(),
    }


@contextmanager
def _served(shop: Shop, url: str) -> Iterator[tuple[str, str]]:
    """The address and the key: of the server that is named, else of that which holds the shop, else of our own."""
    variable = shop.settings.server.admin_key_env
    key = os.environ.get(variable, "")
    by = holder(shop.folder)
    if url or (by and by.url):
        yield (url or str(by and by.url)).rstrip("/"), key
        return
    if not key and KeyRing(shop.folder, "").has_keys():
        key = secrets.token_urlsafe(32)  # of this server alone
    with own_server(shop.folder, **({variable: key} if key else {})) as address:
        yield address, key


def _first_answer(line: HttpLine, address: str, variable: str) -> dict[str, Any]:
    """What the shop tells of itself, once it is sure that we may play there."""
    try:
        about: Answer = line.send("GET", "/v1/shop", None)
        tried = line.send("POST", "/v1/browse", {"k": 1, "simulated": True}) if about.is_good else about
    except OSError as error:
        raise InputError(f"No server answers at {address} ({error}). Start one: wares serve.") from None
    if not tried.is_good:
        detail = tried.body.get("detail", "") if isinstance(tried.body, dict) else ""
        hint = f" {variable} must hold a key with the scopes search, events and catalogue, or admin."
        raise StoreError(f"{address} refused: {detail or tried.status}{hint * (tried.status in (401, 403))}")
    told: dict[str, Any] = about.body
    if not told["products"]:
        raise InputError("This shop sells nothing yet. Import products first: wares import.")
    return told


def _run(simulation: Simulation, plan: Plan) -> float:
    """With a bar of the time. Ctrl-C is an end as wished: what there is until then is told."""
    columns = (
        TextColumn("{task.description}", markup=False),
        BarColumn(bar_width=32),
        TextColumn("{task.fields[rate]}", markup=False),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    took_s = 0.0

    def tick(seconds: float) -> None:
        nonlocal took_s
        took_s = seconds
        bars.update(task, completed=min(seconds, total_s), rate=rate_of(simulation.counts, seconds))

    with Progress(*columns, console=screen.stderr()) as bars:
        total_s = plan.minutes * 60
        task = bars.add_task("Simulating", total=total_s, rate="")
        try:
            took_s = simulation.run(tick)
        except KeyboardInterrupt:
            bars.stop()
            screen.note("Stopped early.")
        else:
            bars.update(task, completed=total_s, rate=rate_of(simulation.counts, took_s))
    return took_s


def rate_of(counts: Counts, seconds: float) -> str:
    errors = sum(counts.errors.values())
    return f"{counts.requests / max(seconds, 0.2):,.0f} requests/s, {errors:,} errors"


def _show(console: Console, told: dict[str, Any]) -> None:
    acts = told["acts"]
    table = new_table("what", "how often", "share", right=(1, 2))
    searches, visits = acts.get("searches", 0), acts.get("visits", 0)
    for name, of in _SHARES.items():
        if name in acts:
            whole = acts.get(of, 0)
            table.add_row(name, f"{acts[name]:,}", f"{acts[name] / whole:.0%} of {of}" if of and whole else "")
    console.print(table)
    console.print(f"{visits:,} visits, {searches:,} searches, {told['requests']:,} requests in {told['seconds']:,} s.")
    if told["places"]:
        table = new_table("place", "shown", "clicks", "expected", "rate", "looks seen", "looks stated", right=range(7))
        for row in told["places"]:
            stated = f"{row['place'] ** -told['bias']['eta']:.2f}"
            seen = "" if row["seen"] is None else f"{row['seen']:.2f}"
            counts = (f"{row['shown']:,}", f"{row['clicks']:,}", f"{row['expected']:,.0f}", f"{row['rate']:.1%}")
            table.add_row(str(row["place"]), *counts, seen, stated)
        console.print(table)
        console.print(f"Click model of search results: {told['bias']['model']}.", soft_wrap=True)
    table = new_table("route", "answers", "p50 ms", "p99 ms", right=(1, 2, 3))
    for route, one in told["latencies"].items():
        table.add_row(route, f"{one['n']:,}", f"{one['p50_ms']:,.1f}", f"{one['p99_ms']:,.1f}")
    console.print(table)
    if told["waited_s"]:
        console.print(f"Waited {told['waited_s']:,.0f} s in all, as the server asked.")
    errors = ", ".join(f"{code}: {many:,}" for code, many in told["errors"].items())
    console.print(f"Errors: {errors or 'none'}.", soft_wrap=True)


# Act -> what it is a share of.
_SHARES = {
    "visits": "",
    "searches": "",
    "found": "searches",
    "empty": "searches",
    "reworded": "searches",
    "narrowed": "searches",
    "given up": "searches",
    "suggestions seen": "searches",
    "suggestions taken": "suggestions seen",
    "browses": "",
    "clicks": "",
    "carts": "clicks",
    "baskets bought": "visits",
    "carts left behind": "visits",
    "products bought": "carts",
    "likes": "clicks",
    "wishes": "clicks",
    "hides": "clicks",
    "ratings": "products bought",
}

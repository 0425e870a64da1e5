"""What the `wares bench` commands about a shop in service take: load, exchanged snapshots, kills, damage, restarts."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.bench.options import listed, show
from wares.app.commands import screen
from wares.app.commands.options import AsJson

served = typer.Typer()


@served.command("serve")
def bench_serve(
    products: Annotated[int, typer.Option(help="of the made-up shop", min=1_000)] = 100_000,
    only: Annotated[str, typer.Option(metavar="A,B", help="these rows alone; an unknown one lists them")] = "",
    seconds: Annotated[float, typer.Option(help="of each measurement", min=0.5)] = 10.0,
    overload: Annotated[float, typer.Option(metavar="SECONDS", help="of three times the peak", min=1.0)] = 60.0,
    soak: Annotated[float, typer.Option(metavar="SECONDS", help="of mixed questions; 0 = none", min=0.0)] = 0.0,
    shop: Annotated[Path | None, typer.Option(help="where the made-up shop is kept for another time")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """How much a served shop withstands and how fast it answers: searches, homes, events, three times too much."""
    from wares.app.bench.serving.figures import serve_figures

    with screen.progress() as tell:
        figures = serve_figures(
            products,
            shop=shop,
            only=listed(only),
            seconds=seconds,
            overload_s=overload,
            soak_s=soak,
            seed=seed,
            tell=tell,
        )
    show(figures, as_json)


@served.command("damage")
def bench_damage(
    times: Annotated[int, typer.Option(help="how often something is damaged", min=1)] = 1_000,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Are files that were cut, altered or exchanged noticed, and does the last good state of the shop serve?"""
    import numpy as np

    from wares.app.bench.damage import damage_figures

    with screen.progress() as tell:
        figures = damage_figures(times, np.random.default_rng(seed), tell)
    show(figures, as_json)


@served.command("swaps")
def bench_swaps(
    times: Annotated[int, typer.Option(help="how often the current snapshot changes", min=1)] = 100,
    products: Annotated[int, typer.Option(help="of the made-up shop", min=100)] = 5_000,
    rate: Annotated[float, typer.Option(help="requests a second", min=0.1)] = 20.0,
    workers: Annotated[int, typer.Option(help="processes that answer; 0 = the server itself", min=0)] = 2,
    kept: Annotated[bool, typer.Option("--kept", help="give again what is kept, as a shop does")] = False,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Is every answer from one snapshot while they are exchanged under load, and how much slower are answers then?"""
    from wares.app.bench.swaps import swap_figures

    with screen.progress() as tell:
        figures = swap_figures(times, products=products, rate=rate, workers=workers, kept=kept, seed=seed, tell=tell)
    show(figures, as_json)


@served.command("kills")
def bench_kills(
    times: Annotated[int, typer.Option(help="kills", min=1)] = 1_000,
    only: Annotated[str, typer.Option(metavar="A,B", help="of writing, import, training, backup; default all")] = "",
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """kill -9 in the middle of writing, importing, training and backing up: is anything lost, doubled or broken?"""
    import numpy as np

    from wares.app.bench.kills import PARTS, kill_figures

    with screen.progress() as tell:
        figures = kill_figures(times, np.random.default_rng(seed), tell, listed(only) or list(PARTS))
    show(figures, as_json)


@served.command("restart")
def bench_restart(
    products: Annotated[str, typer.Option(metavar="N,N", help="sizes of the made-up shop")] = "100000",
    times: Annotated[int, typer.Option(help="starts of each", min=1)] = 3,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """How long until a server that is started anew answers its first search?"""
    from wares.app.bench.restart import restart_figures

    if not all(one.strip().isdecimal() for one in products.split(",")):
        raise typer.BadParameter("Numbers of products, separated by commas.", param_hint="--products")
    with screen.progress() as tell:
        rows = restart_figures([int(one) for one in products.split(",")], times=times, seed=seed, tell=tell)
    show({"restart": rows}, as_json)

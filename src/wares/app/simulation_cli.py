"""The command that plays shoppers: simulate."""

import secrets
from typing import Annotated

import typer

from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_folder

simulation = typer.Typer()


@simulation.command()
def simulate(
    folder: Folder = None,
    url: Annotated[
        str, typer.Option(metavar="URL", help="of a server of this shop; else the one that runs, or one of its own")
    ] = "",
    shoppers: Annotated[int, typer.Option(help="how many at once", min=1, max=1000)] = 20,
    minutes: Annotated[float, typer.Option(help="how long at most", min=0.01)] = 2.0,
    visits: Annotated[int, typer.Option(help="of each shopper; 0 = until the time is over", min=0)] = 0,
    seed: Annotated[int, typer.Option(help="of all that is random", min=0)] = 0,
    speed: Annotated[float, typer.Option(help="seconds of a shopper's time in one second", min=0.1)] = 10.0,
    bias: Annotated[
        float, typer.Option(metavar="ETA", help="place r is looked at with the chance 1 / r^ETA", min=0.0, max=10.0)
    ] = 1.0,
    weeks: Annotated[
        float, typer.Option(help="last weeks of the log that shoppers live again; 0 = wishes are planted", min=0.0)
    ] = 4.0,
    remove: Annotated[
        bool, typer.Option("--remove", help="forget all that was simulated, and do nothing else")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Let played shoppers search, look, buy and leave, to see the shop alive. All of it is marked as simulated."""
    place = shop_folder(folder)
    from wares.app.commands.simulating import remove_simulated, simulate_shoppers

    if remove:
        remove_simulated(place, as_json=as_json)
        return
    from wares.app.simulation.bias import Bias
    from wares.app.simulation.run import Plan

    plan = Plan(seed=seed, run=secrets.token_hex(4), minutes=minutes, speed=speed, visits=visits, bias=Bias(eta=bias))
    simulate_shoppers(place, plan, shoppers=shoppers, url=url, weeks=weeks, as_json=as_json)

"""`wares experiments`: the commands that set two ways to answer side by side, and `wares exposure`."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.commands.options import AsJson, By, File, Folder, Note
from wares.app.commands.places import shop_and, shop_folder

experiments = typer.Typer(
    help="Experiments: let some shoppers be answered otherwise, and see what that does. Start, stop, list, read.",
    no_args_is_help=True,
)
exposing = typer.Typer()

Named = Annotated[str | None, typer.Argument(metavar="NAME", help="of the experiment", show_default=False)]
Simulated = Annotated[bool, typer.Option("--simulated", help="of simulated shoppers alone, to try it out")]


@experiments.command()
def start(
    folder: Folder = None,
    file: File = None,
    by: By = "",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Begin the experiment that a file describes. A running server takes it up within a second."""
    place, path = shop_and(folder, file, "FILE")
    from wares.app.commands.experiments import start_experiment

    start_experiment(place, Path(path), by, note, as_json=as_json)


@experiments.command()
def stop(
    folder: Folder = None,
    name: Named = None,
    by: By = "",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """End an experiment: all get control again."""
    place, which = shop_and(folder, name, "NAME")
    from wares.app.commands.experiments import stop_experiment

    stop_experiment(place, which, by, note, as_json=as_json)


@experiments.command("list")
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    """Every experiment that was ever started: what runs, until when, who began and ended it."""
    place = shop_folder(folder)
    from wares.app.commands.experiments import list_experiments

    list_experiments(place, as_json=as_json)


@experiments.command()
def show(
    folder: Folder = None,
    name: Named = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write a chart per figure")] = None,
    simulated: Simulated = False,
    as_json: AsJson = False,
) -> None:
    """What it has shown so far: each variant's figures, what differs from control, and whether that is certain."""
    place, which = shop_and(folder, name, "NAME")
    from wares.app.commands.experiments import show_experiment

    show_experiment(place, which, html=html, simulated=simulated, as_json=as_json)


@experiments.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Look at the guardrails now and end what surely breaks one, as a server does by itself. Exit code 1 if any did."""
    place = shop_folder(folder)
    from wares.app.commands.experiments import check_experiments

    raise typer.Exit(check_experiments(place, as_json=as_json))


@exposing.command()
def exposure(
    folder: Folder = None,
    days: Annotated[float, typer.Option(help="how many last days count", min=0.01)] = 28,
    simulated: Simulated = False,
    as_json: AsJson = False,
) -> None:
    """How new products fare where a surface explores: the share of places they had, and what it brought and cost."""
    place = shop_folder(folder)
    from wares.app.commands.exposure import show_exposure

    show_exposure(place, days=days, simulated=simulated, as_json=as_json)

"""The commands about what a shop has learnt: train it, look after its snapshots, tune and measure it."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and, shop_folder

learning = typer.Typer()


@learning.command()
def train(
    folder: Folder = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="as 90s, 10m, 2h: choose what fits, and say why")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only say what would be learnt")] = False,
    as_json: AsJson = False,
) -> None:
    """Learn from everything the shop knows. Answers go on meanwhile; a running server takes the result up by itself."""
    place = shop_folder(folder)
    from wares.app.commands.learning import train_shop

    train_shop(place, budget=budget, dry_run=dry_run, as_json=as_json)


@learning.command()
def ready(
    folder: Folder = None,
    seed: Annotated[int, typer.Option(help="of who is asked and of the bootstrap")] = 0,
    as_json: AsJson = False,
) -> None:
    """Is there enough to learn from? What the shop knows, and whether more than popular products would pay."""
    place = shop_folder(folder)
    from wares.app.commands.readiness import ready_shop

    ready_shop(place, seed=seed, as_json=as_json)


@learning.command()
def snapshots(folder: Folder = None, as_json: AsJson = False) -> None:
    """What trainings made: which serves, which is kept aside and why, which may serve again."""
    place = shop_folder(folder)
    from wares.app.commands.snapshots import list_snapshots

    list_snapshots(place, as_json=as_json)


@learning.command()
def promote(
    folder: Folder = None,
    snapshot: Annotated[str | None, typer.Argument(metavar="NAME", help="of a snapshot", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """Let a snapshot serve, whatever the comparison said. A running server takes it up by itself."""
    place, name = shop_and(folder, snapshot, "NAME")
    from wares.app.commands.snapshots import promote as promote_snapshot

    promote_snapshot(place, name, as_json=as_json)


@learning.command()
def rollback(
    folder: Folder = None,
    snapshot: Annotated[str | None, typer.Argument(metavar="NAME", help="none = the one before")] = None,
    as_json: AsJson = False,
) -> None:
    """Let an older snapshot serve again. Trainings are kept aside from then on, until one is promoted."""
    place, name = shop_and(folder, snapshot)
    from wares.app.commands.snapshots import roll_back

    roll_back(place, name, as_json=as_json)


@learning.command()
def tune(
    folder: Folder = None,
    models: Annotated[str, typer.Option(metavar="NAME,NAME", help="default: those of models.train that can be")] = "",
    trials: Annotated[int | None, typer.Option(help="of each model; 20 unless there is a budget", min=1)] = None,
    budget: Annotated[str, typer.Option(metavar="TIME", help="as 90s, 10m, 2h; shared by the models")] = "",
    days: Annotated[float | None, typer.Option(help="of a window; 28, less for a short log", min=0.01)] = None,
    folds: Annotated[int, typer.Option(help="windows for choosing", min=1, max=12)] = 2,
    questions: Annotated[int, typer.Option(help="shoppers of each window, at most", min=20)] = 500,
    metric: Annotated[str, typer.Option(help="recall, ndcg or new-recall, of the first 10")] = "recall",
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    write: Annotated[bool, typer.Option("--write", help="put what is better into wares.toml")] = False,
    as_json: AsJson = False,
) -> None:
    """Which numbers of the models suit this shop? Chosen on past weeks, proven on later ones. Goes on after Ctrl-C."""
    place = shop_folder(folder)
    from wares.app.commands.tuning import tune_shop

    options: dict[str, Any] = {"trials": trials, "days": days, "folds": folds, "questions": questions}
    options |= {"metric": metric, "seed": seed}
    tune_shop(place, models, budget, options, write=write, as_json=as_json)


@learning.command()
def features(
    folder: Folder = None,
    days: Annotated[float, typer.Option(help="of the window that was to be foreseen", min=0.01)] = 28,
    shoppers: Annotated[int, typer.Option(help="at most this many", min=20)] = 300,
    plot: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write a chart per method")] = None,
    seed: Annotated[int, typer.Option(help="of everything random")] = 0,
    as_json: AsJson = False,
) -> None:
    """Which of the things that the home page knows of its candidates earn their place, and which know too much?"""
    place = shop_folder(folder)
    from wares.app.commands.features import features_of

    features_of(place, days=days, shoppers=shoppers, seed=seed, plot=plot, as_json=as_json)


@learning.command("eval")
def eval_(
    folder: Folder = None,
    days: Annotated[int, typer.Option(help="how many last days are to be foreseen", min=1)] = 28,
    k: Annotated[int, typer.Option("-k", help="places that count", min=1, max=1000)] = 10,
    seed: Annotated[int, typer.Option(help="of the bootstrap and of ties")] = 0,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write a report with charts")] = None,
    run: Annotated[Path | None, typer.Option(metavar="FILE.csv", help="write what each system ranked")] = None,
    as_json: AsJson = False,
) -> None:
    """How well would the last weeks have been foreseen? Every system on each shopper's first basket after the cut."""
    place = shop_folder(folder)
    from wares.app.commands.learning import evaluate_shop

    evaluate_shop(place, days=days, k=k, seed=seed, report=report, run=run, as_json=as_json)


@learning.command()
def satisfaction(
    folder: Folder = None,
    days: Annotated[float, typer.Option(help="how many last days count", min=0.01)] = 28,
    by: Annotated[str, typer.Option(metavar="ATTRIBUTE", help="of shoppers, as age: one line for each value")] = "",
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write a chart per figure")] = None,
    seed: Annotated[int, typer.Option(help="of the bootstrap")] = 0,
    simulated: Annotated[bool, typer.Option("--simulated", help="of simulated shoppers alone")] = False,
    as_json: AsJson = False,
) -> None:
    """Were shoppers served? What they did with what they were shown: success, rewording, giving up, buying."""
    place = shop_folder(folder)
    from wares.app.commands.satisfying import satisfaction_of

    satisfaction_of(place, days=days, by=by, seed=seed, report=report, as_json=as_json, simulated=simulated)


@learning.command()
def drift(
    folder: Folder = None,
    weeks: Annotated[int, typer.Option(help="how far back, at most", min=1)] = 12,
    by: Annotated[str, typer.Option(metavar="week|day", help="how long each period is")] = "week",
    until: Annotated[datetime | None, typer.Option(help="when the last period ends, UTC; default: now")] = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE", help="write a page with charts")] = None,
    check: Annotated[bool, typer.Option("--check", help="exit code 1 if something has moved")] = False,
    as_json: AsJson = False,
) -> None:
    """Has the shop's world moved? The last week beside those before: what comes in, and how good the answers are."""
    place = shop_folder(folder)
    if by not in ("week", "day"):
        raise typer.BadParameter(f"{by!r} is neither week nor day.", param_hint="--by")
    from wares.app.commands.drifting import drift_of

    end = until.replace(tzinfo=UTC) if until is not None and until.tzinfo is None else until
    raise typer.Exit(drift_of(place, weeks=weeks, by=by, until=end, html=html, check=check, as_json=as_json))

"""`wares rules`: the commands by which a merchandiser changes the shop's rules."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.commands.options import AsJson, By, Folder, Note
from wares.app.commands.places import shop_and, shop_folder

rules = typer.Typer(
    help="The shop's rules: draft them, check them, see what they would change, publish, undo, and who changed what.",
    no_args_is_help=True,
)

Queries = Annotated[list[str] | None, typer.Option("--query", metavar="QUERY", help="repeat for more")]
Categories = Annotated[list[str] | None, typer.Option("--category", metavar="CATEGORY", help="repeat for more")]


@rules.command()
def show(
    folder: Folder = None,
    version: Annotated[str | None, typer.Argument(metavar="VERSION", help="none = what serves")] = None,
    as_json: AsJson = False,
) -> None:
    """The rules that serve, or those of a version."""
    place, number = shop_and(folder, version)
    from wares.app.commands.rules import number_of, show_rules

    show_rules(place, number_of(number) if number else None, as_json=as_json)


@rules.command()
def draft(
    folder: Folder = None,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="none = begin with what serves")] = None,
    discard: Annotated[bool, typer.Option("--discard", help="throw away the draft that is there")] = False,
    as_json: AsJson = False,
) -> None:
    """Open the draft, or begin one. Prints where it stands; edit it with any editor. Nothing changes for shoppers."""
    place, path = shop_and(folder, file)
    from wares.app.commands.rules import open_draft

    open_draft(place, Path(path) if path else None, discard=discard, as_json=as_json)


@rules.command()
def check(folder: Folder = None, as_json: AsJson = False) -> None:
    """Faults and conflicts of the draft, or of what serves where there is none. Exit code 1 if there are any."""
    place = shop_folder(folder)
    from wares.app.commands.rules import check_rules

    raise typer.Exit(check_rules(place, as_json=as_json))


@rules.command()
def preview(
    folder: Folder = None,
    query: Queries = None,
    category: Categories = None,
    surface: Annotated[str, typer.Option(help="default: search for a query, browse for a category")] = "",
    shopper: Annotated[str | None, typer.Option(help="id of who asks", show_default=False)] = None,
    market: Annotated[str, typer.Option(help="whose prices; default: the shop's own")] = "",
    k: Annotated[int, typer.Option("-k", help="hits that are compared", min=1, max=1000)] = 20,
    as_json: AsJson = False,
) -> None:
    """What the draft would change: before and after beside each other, of the requests that its changes are about."""
    place = shop_folder(folder)
    from wares.app.commands.rule_preview import preview_rules

    asked = [("query", text) for text in query or []] + [("category", text) for text in category or []]
    preview_rules(place, asked, surface=surface, shopper=shopper, market=market, k=k, as_json=as_json)


@rules.command()
def aims(
    folder: Folder = None,
    days: Annotated[float, typer.Option(help="how many last days are to be foreseen", min=0.01)] = 28,
    weights: Annotated[
        str, typer.Option(metavar="N,N", help="of each aim, 0 to 1; default 0.02,0.05,0.1,0.2,0.4")
    ] = "",
    questions: Annotated[int, typer.Option(help="shoppers, and judged queries, at most", min=20)] = 500,
    seed: Annotated[int, typer.Option(help="of who is asked and of the bootstrap")] = 0,
    report: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write a chart for each aim")] = None,
    as_json: AsJson = False,
) -> None:
    """What margin, stock cover and age of stock would bring at several weights, and what they cost in relevance."""
    place = shop_folder(folder)
    from wares.app.commands.aims import aims_of

    aims_of(place, days=days, weights=weights, questions=questions, seed=seed, report=report, as_json=as_json)


@rules.command()
def publish(
    folder: Folder = None,
    by: By = "",
    note: Note = "",
    yes: Annotated[bool, typer.Option("--yes", help="although there are conflicts")] = False,
    as_json: AsJson = False,
) -> None:
    """Let the draft serve. A running server takes it up within a second."""
    place = shop_folder(folder)
    from wares.app.commands.rules import publish_draft

    publish_draft(place, by, note, yes=yes, as_json=as_json)


@rules.command()
def undo(
    folder: Folder = None,
    by: By = "",
    note: Note = "",
    to: Annotated[int | None, typer.Option("--to", metavar="VERSION", help="default: the one before", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """Publish the former version again, as a new one. Nothing is lost."""
    place = shop_folder(folder)
    from wares.app.commands.rules import undo_version

    undo_version(place, by, note, to, as_json=as_json)


@rules.command()
def log(folder: Folder = None, as_json: AsJson = False) -> None:
    """Who changed what and when: every version, the newest first."""
    place = shop_folder(folder)
    from wares.app.commands.rules import show_log

    show_log(place, as_json=as_json)


@rules.command()
def diff(
    folder: Folder = None,
    before: Annotated[int | None, typer.Option("--from", metavar="VERSION", help="default: what serves", min=0)] = None,
    after: Annotated[int | None, typer.Option("--to", metavar="VERSION", help="default: the draft", min=0)] = None,
    as_json: AsJson = False,
) -> None:
    """What differs between two versions, or between what serves and the draft."""
    place = shop_folder(folder)
    from wares.app.commands.rules import show_diff

    show_diff(place, before, after, as_json=as_json)


@rules.command()
def move(folder: Folder = None, by: By = "", as_json: AsJson = False) -> None:
    """Take [[rules]] out of an older wares.toml and publish them."""
    place = shop_folder(folder)
    from wares.app.commands.rules import move_rules

    move_rules(place, by, as_json=as_json)

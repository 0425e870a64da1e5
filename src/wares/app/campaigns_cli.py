"""`wares campaigns`: who pays for places, for which products, and what that has brought."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.commands.options import AsJson, By, File, Folder, Note
from wares.app.commands.places import shop_and, shop_folder

campaigns = typer.Typer(
    help="Campaigns: products that somebody pays for, marked as sponsored. Add, list, show, pause, resume, end.",
    no_args_is_help=True,
)

Named = Annotated[str | None, typer.Argument(metavar="NAME", help="of the campaign", show_default=False)]


@campaigns.command()
def add(
    folder: Folder = None,
    file: File = None,
    by: By = "",
    note: Note = "",
    as_json: AsJson = False,
) -> None:
    """Begin the campaign that a file describes. A running server takes it up within a second."""
    place, path = shop_and(folder, file, "FILE")
    from wares.app.commands.campaigns import add_campaign

    add_campaign(place, Path(path), by, note, as_json=as_json)


@campaigns.command("list")
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    """Every campaign that was ever added: its state, what it may spend and has spent."""
    place = shop_folder(folder)
    from wares.app.commands.campaigns import list_campaigns

    list_campaigns(place, as_json=as_json)


@campaigns.command()
def show(
    folder: Folder = None,
    name: Named = None,
    html: Annotated[Path | None, typer.Option(metavar="FILE.html", help="write it with charts by day")] = None,
    as_json: AsJson = False,
) -> None:
    """What one has brought: times shown, clicks, sales; what it has spent, and what it cost the shop in relevance."""
    place, which = shop_and(folder, name, "NAME")
    from wares.app.commands.campaigns import show_campaign

    show_campaign(place, which, html=html, as_json=as_json)


@campaigns.command()
def pause(folder: Folder = None, name: Named = None, by: By = "", note: Note = "", as_json: AsJson = False) -> None:
    """Show nothing of it until it is resumed."""
    _change(folder, "pause", name, by, note, as_json=as_json)


@campaigns.command()
def resume(folder: Folder = None, name: Named = None, by: By = "", note: Note = "", as_json: AsJson = False) -> None:
    """Let a paused one run again."""
    _change(folder, "resume", name, by, note, as_json=as_json)


@campaigns.command()
def end(folder: Folder = None, name: Named = None, by: By = "", note: Note = "", as_json: AsJson = False) -> None:
    """End it for good."""
    _change(folder, "end", name, by, note, as_json=as_json)


def _change(folder: str | None, what: str, name: str | None, by: str, note: str, *, as_json: bool) -> None:
    place, which = shop_and(folder, name, "NAME")
    from wares.app.commands.campaigns import change_campaign

    change_campaign(place, what, which, by, note, as_json=as_json)

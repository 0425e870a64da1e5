"""The commands about a single shopper: what is known of them, joining them at a login, forgetting them."""

from typing import Annotated

import typer

from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and, shop_and_all

shoppers = typer.Typer()


@shoppers.command()
def shopper(
    folder: Folder = None,
    shopper_id: Annotated[str | None, typer.Argument(metavar="ID", help="the shopper's", show_default=False)] = None,
    as_json: AsJson = False,
) -> None:
    """What the shop knows of a shopper: history in figures, interests, attributes."""
    place, whose = shop_and(folder, shopper_id, "ID")
    from wares.app.commands.knowing import show_shopper

    show_shopper(place, whose, as_json=as_json)


@shoppers.command()
def identify(
    folder: Folder = None,
    ids: Annotated[
        list[str] | None, typer.Argument(metavar="ANONYMOUS KNOWN", help="the two ids", show_default=False)
    ] = None,
    consent: Annotated[
        bool, typer.Option("--consent", help="the shopper agrees that both histories become one")
    ] = False,
    undo: Annotated[bool, typer.Option("--undo", help="ANONYMOUS alone: a shopper of their own again")] = False,
    as_json: AsJson = False,
) -> None:
    """An anonymous shopper turned out to be a known one: join their histories, or undo that."""
    place, named = shop_and_all(folder, ids or [], "ANONYMOUS")
    if len(named) != (1 if undo else 2):
        wanted = "ANONYMOUS --undo" if undo else "ANONYMOUS KNOWN"
        raise typer.BadParameter(f"Say who: wares identify {place} {wanted}", param_hint="ANONYMOUS")
    from wares.app.commands.identifying import identify_shopper, separate_shopper

    if undo:
        separate_shopper(place, named[0], as_json=as_json)
    else:
        identify_shopper(place, *named, consent=consent, as_json=as_json)


@shoppers.command()
def erase(
    folder: Folder = None,
    shopper_id: Annotated[str | None, typer.Argument(metavar="ID", help="the shopper's", show_default=False)] = None,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask: it cannot be undone")] = False,
    as_json: AsJson = False,
) -> None:
    """Forget a shopper: events, attributes, what was shown to them, and all that was joined to them at a login."""
    place, whose = shop_and(folder, shopper_id, "ID")
    from wares.app.commands.erasing import erase_shopper

    erase_shopper(place, whose, yes=yes, as_json=as_json)

"""`wares identify`: an anonymous shopper turned out to be a known one; through the server where one holds the lock."""

from dataclasses import asdict
from pathlib import Path

import typer

from wares.app.commands import screen
from wares.app.commands.remote import server_of
from wares.domain.shopper import Joined, Login
from wares.errors import AmbiguousShopper, InputError
from wares.shop import open_shop


def identify_shopper(folder: Path, anonymous: str, known: str, *, consent: bool, as_json: bool) -> None:
    """Raises AmbiguousShopper for two known shoppers, and for an anonymous one who is somebody else's."""
    with open_shop(folder, create=False) as shop:
        server = server_of(folder, shop.settings)
        if server is None:
            joined = shop.identify(anonymous, known, consent=consent)
        else:
            joined = server.identify([Login(anonymous, known, consent)])
            for _, why in joined.refused:
                raise AmbiguousShopper(why)
    if as_json:
        screen.print_json(asdict(joined))
    else:
        typer.echo(_told(joined))


def separate_shopper(folder: Path, anonymous: str, *, as_json: bool) -> None:
    """Raises InputError for one who is joined to nobody."""
    with open_shop(folder, create=False) as shop:
        server = server_of(folder, shop.settings)
        if server is not None:
            server.separate(anonymous)
        elif not shop.separate(anonymous):
            raise InputError("This shopper was joined to nobody: there is nothing to undo.")
    if as_json:
        screen.print_json({"parted": True})
    else:
        typer.echo("They are two shoppers again. What was learnt meanwhile goes with the next training.")


def _told(joined: Joined) -> str:
    if joined.note:
        return joined.note
    return "From now on they are one shopper." if joined.new else "They were one shopper before; nothing has changed."

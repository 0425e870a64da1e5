"""`wares erase`: forget a shopper; through the server where one holds the lock."""

import sys
from pathlib import Path

import typer

from wares.app.commands import screen
from wares.app.commands.remote import server_of
from wares.errors import InputError, UnknownName
from wares.shop import open_shop


def erase_shopper(folder: Path, shopper_id: str, *, yes: bool, as_json: bool) -> None:
    """Asks at a terminal; elsewhere InputError, unless `yes`. UnknownName for somebody of whom nothing is known."""
    with open_shop(folder, create=False) as shop:
        if not shop.store.shoppers.keys_of(shopper_id):
            raise UnknownName("shopper", shopper_id, ())
        if not yes:
            if not sys.stdin.isatty():
                raise InputError("This cannot be undone. If it is meant, confirm with --yes. Nothing was erased.")
            if not typer.confirm(f"Forget shopper {screen.shown(shopper_id)!r} for good?"):
                raise typer.Exit(1)
        server = server_of(folder, shop.settings)
        erased = server.erase(shopper_id) if server is not None else shop.erase_shopper(shopper_id)
    if as_json:
        screen.print_json({"erased": erased})
        return
    typer.echo(f"Forgotten: {erased:,} event{'s' * (erased != 1)}, and all else that was known of this shopper.")
    screen.note("Their share in what was learnt goes with the next training: wares train. Imported files are yours.")

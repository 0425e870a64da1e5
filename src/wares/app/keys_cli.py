"""`wares keys`: the commands by which a shopkeeper hands out keys to the service, and takes them back."""

from typing import Annotated

import typer

from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and, shop_folder

keys = typer.Typer(
    help="Keys of the HTTP service: make one for each who asks, see them, revoke them, sign shopper tokens.",
    no_args_is_help=True,
)

Surfaces = Annotated[
    list[str] | None, typer.Option("--surface", metavar="NAME", help="confined to it; repeat for more; default: all")
]
Markets = Annotated[
    list[str] | None, typer.Option("--market", metavar="NAME", help="confined to it; repeat for more; default: all")
]


@keys.command()
def new(
    folder: Folder = None,
    scope: Annotated[
        list[str] | None, typer.Option("--scope", metavar="SCOPE", help="search, events, catalogue, admin; repeat")
    ] = None,
    name: Annotated[str, typer.Option("--name", metavar="TEXT", help="whose key it is, for the list")] = "",
    expires: Annotated[
        str, typer.Option("--expires", metavar="90d", help="30m, 12h, 90d or a date; default: never")
    ] = "",
    rate: Annotated[
        int, typer.Option("--rate", help="requests per minute; 0 = as server.rate_per_key says", min=0)
    ] = 0,
    origin: Annotated[
        list[str] | None, typer.Option("--origin", metavar="URL", help="web pages that may use it; repeat for more")
    ] = None,
    surface: Surfaces = None,
    market: Markets = None,
    as_json: AsJson = False,
) -> None:
    """Make a key. It is printed once; wares keeps only a hash. A running server knows it within a second."""
    place = shop_folder(folder)
    from wares.app.commands.keys import new_key

    bounds = {"origins": origin or [], "surfaces": surface or [], "markets": market or []}
    new_key(place, scope or [], name, expires, rate, bounds, as_json=as_json)


@keys.command("list")
def list_(folder: Folder = None, as_json: AsJson = False) -> None:
    """All keys that were ever made, without the keys themselves."""
    place = shop_folder(folder)
    from wares.app.commands.keys import list_keys

    list_keys(place, as_json=as_json)


@keys.command()
def revoke(
    folder: Folder = None,
    key: Annotated[str | None, typer.Argument(metavar="KEYID", help="as the list has it")] = None,
    as_json: AsJson = False,
) -> None:
    """Let a key and all tokens signed with it open nothing any more, within a second and for good."""
    place, key_id = shop_and(folder, key, "KEYID")
    from wares.app.commands.keys import revoke_key

    revoke_key(place, key_id, as_json=as_json)


@keys.command()
def token(
    folder: Folder = None,
    key: Annotated[str | None, typer.Argument(metavar="KEYID", help="whose token it is")] = None,
    shopper: Annotated[str, typer.Option("--shopper", metavar="ID", help="for whom it may ask; needed")] = "",
    expires: Annotated[str, typer.Option("--expires", metavar="1h", help="30m, 12h, 7d or a date")] = "1h",
    surface: Surfaces = None,
    market: Markets = None,
    as_json: AsJson = False,
) -> None:
    """Sign a token with which a browser may ask as this shopper and no other. Backends sign their own: the same way."""
    place, key_id = shop_and(folder, key, "KEYID")
    from wares.app.commands.keys import sign_token

    sign_token(place, key_id, shopper, expires, surface or [], market or [], as_json=as_json)

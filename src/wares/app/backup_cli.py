"""The commands against the loss of a shop: backup, restore."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and

backups = typer.Typer()


@backups.command()
def backup(
    folder: Folder = None,
    target: Annotated[
        str | None, typer.Argument(metavar="TARGET", help="where backups lie", show_default=False)
    ] = None,
    keep: Annotated[int, typer.Option(help="remove all but the newest so many; 0 = none", min=0)] = 0,
    everything: Annotated[bool, typer.Option("--all", help="also older snapshots and kept vectors")] = False,
    verify: Annotated[bool, typer.Option("--verify", help="make none: read those in TARGET and check them")] = False,
    as_json: AsJson = False,
) -> None:
    """Copy the shop, beside a running server, into a checked folder of its own below TARGET."""
    if verify:
        from wares.app.commands.backups import verify_backups

        if not (where := target or folder):
            raise typer.BadParameter("Say where the backups lie.", param_hint="TARGET")
        raise typer.Exit(int(not verify_backups(Path(where), as_json=as_json)))
    place, where = shop_and(folder, target, "TARGET")
    from wares.app.commands.backups import back_up

    back_up(place, Path(where), keep, everything=everything, as_json=as_json)


@backups.command()
def restore(
    target: Annotated[Path, typer.Argument(metavar="TARGET", help="a backup, or the folder where backups lie")],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="where the shop shall be")],
    replace: Annotated[
        bool, typer.Option("--replace", help="a folder that is not empty; what is there is kept")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Check a backup and make a shop of it; of several in TARGET the newest."""
    from wares.app.commands.backups import restore_backup

    restore_backup(target, folder, replace=replace, as_json=as_json)

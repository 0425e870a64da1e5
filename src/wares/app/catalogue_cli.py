"""The commands by which what a shop sells changes: migrate, sync, update, delete."""

from pathlib import Path
from typing import Annotated

import typer

from wares.app.commands import screen
from wares.app.commands.options import AsJson, Folder
from wares.app.commands.places import shop_and, shop_and_all
from wares.feeds.report import ImportReport

catalogue = typer.Typer()

Rejects = Annotated[Path | None, typer.Option(metavar="FILE.jsonl", help="where to put rejected rows")]
Report = Annotated[
    Path | None, typer.Option("--report", metavar="FILE.html", help="write the report as a page with charts")
]


@catalogue.command()
def migrate(
    engine: Annotated[str, typer.Argument(metavar="ENGINE", help="algolia, elasticsearch or typesense")],
    folder: Folder = None,
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="FILE...", help="its export; or a folder", show_default=False)
    ] = None,
    columns: Annotated[
        list[str] | None, typer.Option(metavar="FIELD=COLUMN,...", help="of the records, as title=name,price=price.eur")
    ] = None,
    settings: Annotated[bool, typer.Option("--settings", help="change the settings of a shop that has some")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only report, write nothing")] = False,
    rejects: Annotated[Path | None, typer.Option(metavar="FOLDER", help="where to put rejected records")] = None,
    page: Report = None,
    as_json: AsJson = False,
) -> None:
    """Move from another search engine: records, settings, synonyms and rules, with an account of each."""
    place, paths = shop_and_all(folder, [str(path) for path in files or []], "FILE")
    from wares.app.commands.migrating import migrate as migrate_from
    from wares.app.commands.migrating import show_migration

    with screen.progress() as tell:
        done = migrate_from(
            engine, place, [Path(path) for path in paths], tell, columns=columns or [], dry_run=dry_run,
            with_settings=settings, rejects=rejects, page=page,
        )  # fmt: skip
    if as_json:
        screen.print_json(done.to_dict())
        return
    show_migration(done)


@catalogue.command()
def sync(
    folder: Folder = None,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="all that is sold now", show_default=False)] = None,
    at_most: Annotated[float, typer.Option(help="share of the shop that may vanish unasked", min=0, max=1)] = 0.2,
    yes: Annotated[bool, typer.Option("--yes", help="whatever vanishes")] = False,
    dialect: Annotated[str, typer.Option(metavar="NAME", help="as shopify; else recognised")] = "",
    market: Annotated[str, typer.Option(metavar="NAME", help="whose full feed it is; else the whole shop's")] = "",
    dry_run: Annotated[bool, typer.Option("--dry-run", help="only report, write nothing")] = False,
    rejects: Rejects = None,
    page: Report = None,
    as_json: AsJson = False,
) -> None:
    """Make the shop sell what a full feed holds: new and changed products come in, absent ones leave."""
    place, path = shop_and(folder, file, "FILE")
    from wares.app.commands.changing import sync_file

    with screen.progress() as tell:
        report = sync_file(
            place, Path(path), at_most=at_most, yes=yes, dry_run=dry_run, rejects=rejects, dialect=dialect, tell=tell,
            page=page, market=market,
        )  # fmt: skip
    _show(report, as_json)


@catalogue.command()
def update(
    folder: Folder = None,
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="id and what changes", show_default=False)] = None,
    rejects: Rejects = None,
    page: Report = None,
    as_json: AsJson = False,
) -> None:
    """Change some fields of products: a file with an id and, say, price and stock. All else stays as it is."""
    place, path = shop_and(folder, file, "FILE")
    from wares.app.commands.changing import update_file

    with screen.progress() as tell:
        report = update_file(place, Path(path), rejects=rejects, tell=tell, page=page)
    _show(report, as_json)


@catalogue.command()
def delete(
    folder: Folder = None,
    products: Annotated[
        list[str] | None, typer.Argument(metavar="ID...", help="of products", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Take products out of the shop. Their events stay, and they keep what was learnt of them if they come back."""
    place, ids = shop_and_all(folder, products or [], "ID")
    from wares.app.commands.changing import delete_products

    gone, unknown = delete_products(place, ids)
    if as_json:
        screen.print_json({"deleted": gone, "unknown": list(unknown)})
        return
    typer.echo(f"{gone:,} products left the shop.")
    for product_id in unknown:
        screen.note(f"There is no product {product_id[:80]!r}.")


def _show(report: ImportReport, as_json: bool) -> None:
    if as_json:
        screen.print_json(report.to_dict())
        return
    from wares.app.commands.tables import print_report

    print_report(screen.stdout(), report)
    for text in report.notes:
        screen.note(text)

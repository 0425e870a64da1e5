"""`wares sync`, `wares update`, `wares delete`: what a shop sells changes; through the server where one holds the
writer's lock."""

import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from wares.app.commands import screen
from wares.app.commands.import_report import Watch, write_import_report
from wares.app.commands.importing import NOT_WRITTEN, Writing, counted, passed
from wares.app.commands.remote import Server, server_of
from wares.errors import TooManyGone
from wares.feeds.full_feed import FullFeed
from wares.feeds.products import field_of, read_products
from wares.feeds.readers import read_rows
from wares.feeds.report import ImportReport, RowFault, Tally, added_up
from wares.feeds.values import read_text
from wares.shop import Shop, open_shop

if TYPE_CHECKING:
    from wares.training.progress import Tell

_AT_ONCE = 5_000  # rows of one write


def sync_file(
    folder: Path,
    path: Path,
    *,
    at_most: float,
    yes: bool,
    dry_run: bool,
    rejects: Path | None,
    dialect: str,
    tell: "Tell",
    page: Path | None = None,
    market: str = "",
) -> ImportReport:
    """The shop, or a market of it, sells what this full feed holds and nothing else. Where it would lose too much at
    once, it asks at a terminal; elsewhere TooManyGone, unless `yes`. `page` is where the report goes as HTML."""
    with open_shop(folder, create=False) as shop:
        feed = FullFeed.of(
            read_products(
                path, **shop.settings.of_products(int(time.time() * 1000), market), dialect=dialect,
                rejects=None if dry_run else rejects,
            ),
            shop.store.catalogue.ids(market),
        )  # fmt: skip
        if not yes:
            _confirmed(feed, at_most, ask=not dry_run)
        report = feed.told()
        if dry_run:
            report = replace(report, notes=(*report.notes, NOT_WRITTEN))
        else:
            _sync(feed, shop, server_of(folder, shop.settings), path.name, tell, market)
        if page is not None:
            watch = Watch(shop.settings.shop.currency)
            passed(watch.products(feed.products))
            write_import_report(page, [report], watch, folder, keep=not dry_run)
        return report


def _sync(feed: FullFeed, shop: Shop, server: Server | None, name: str, tell: "Tell", market: str) -> None:
    put = server.put if server else Writing(shop).put
    put(counted(feed.products, name, len(feed.products), tell), market)
    if server:
        server.withdraw(feed.gone, market)
    else:
        shop.withdraw(feed.gone, market)


def _confirmed(feed: FullFeed, at_most: float, *, ask: bool) -> None:
    try:
        feed.check(at_most)
    except TooManyGone as error:
        if not (ask and sys.stdin.isatty()):
            raise
        screen.note(str(error))
        if not typer.confirm("Take them out of the shop all the same?"):
            raise


def update_file(
    folder: Path, path: Path, *, rejects: Path | None, tell: "Tell", page: Path | None = None
) -> ImportReport:
    """Change the fields that each row names of the product with its id; a row of a product that the shop does not have
    is rejected. `page` is where the report goes as HTML."""
    tally = Tally(str(path), rejects)
    if rejects is not None:
        rejects.unlink(missing_ok=True)  # of an earlier update
    with open_shop(folder, create=False) as shop:
        known, server = set(shop.store.catalogue.ids()), server_of(folder, shop.settings)
        rows: list[dict[str, Any]] = []
        repairs: list[ImportReport] = []

        def write() -> None:
            if rows:
                repairs.append(server.update(rows) if server else shop.update(rows))
                rows.clear()

        for line, row in counted(read_rows(path, tally), path.name, None, tell):
            tally.line = line
            told = {field_of(name): value for name, value in row.items()}
            told["id"] = read_text(told.get("id"))
            if told["id"] not in known:
                fault = RowFault("unknown product", "id", told["id"], "Import the product first, or mend its id.")
                tally.reject(fault, row)
                continue
            tally.kept += 1
            rows.append(told)
            if len(rows) == _AT_ONCE:
                write()
        write()
    tally.close()
    report = tally.report()
    report = replace(report, repairs=added_up([*report.repairs, *(one for batch in repairs for one in batch.repairs)]))
    if page is not None:
        write_import_report(page, [report], None, folder, keep=False)
    return report


def delete_products(folder: Path, ids: Sequence[str]) -> tuple[int, tuple[str, ...]]:
    """Take products out of the shop: how many left it, and the ids that it did not have."""
    with open_shop(folder, create=False) as shop:
        known = shop.store.catalogue.get(list(ids))
        gone = [one for one in dict.fromkeys(ids) if one in known]
        server = server_of(folder, shop.settings)
        if server:
            server.delete(gone)
        elif gone:
            shop.delete(gone)
    return len(gone), tuple(one for one in dict.fromkeys(ids) if one not in known)

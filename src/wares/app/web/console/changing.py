"""The console's routes that change something. Each asks who does it, and writes that down."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Header
from fastapi.responses import JSONResponse, Response

from wares.app.commands.rule_json import version_json
from wares.app.commands.snapshots import go_to_older, let_serve
from wares.app.commands.synonyms import accept_line
from wares.app.web.console.journal import note_change, signed
from wares.app.web.console.wire import (
    DraftDiscarded,
    DraftSent,
    Publication,
    SnapshotChosen,
    SynonymSent,
    Undoing,
)
from wares.app.web.told.refusals import Refused
from wares.engine.learnt import SNAPSHOTS
from wares.engine.shelf import current_name
from wares.errors import InputError
from wares.shop import Shop

HEADER = "x-wares-console"


async def from_the_console(x_wares_console: Annotated[str, Header()] = "") -> None:
    """A page elsewhere cannot set a header of its own without asking first, and the gate grants no page that."""
    if not x_wares_console:
        raise Refused(
            403, "not-from-the-console", f"Changes need the header {HEADER}: 1. No page elsewhere can send it."
        )


def changing_routes(find_shop: Any) -> APIRouter:
    """Mounted where the paths begin with the shop's."""
    router = APIRouter(prefix="/console", dependencies=[Depends(from_the_console)])
    TheShop = Annotated[Shop, Depends(find_shop)]

    @router.put("/rules/draft", summary="Write the draft of the rules")
    def draft(shop: TheShop, sent: DraftSent) -> Response:
        signed(sent.by)
        written = shop.rules.write_draft(sent.text, sent.was)
        return JSONResponse({"text": written.text, "based_on": written.based_on})

    @router.post("/rules/discard", summary="Throw the draft away")
    def discard(shop: TheShop, sent: DraftDiscarded) -> Response:
        by, there = signed(sent.by), shop.rules.draft
        if there is not None and there.text != sent.was:
            raise InputError("Somebody else changed the draft meanwhile. Read it again before you throw it away.")
        discarded = shop.rules.discard_draft()
        if discarded:
            _note(shop, by, "draft-discarded")
        return JSONResponse({"discarded": discarded})

    @router.post("/rules/publish", summary="Let the rules serve, at once")
    def publish(shop: TheShop, sent: Publication) -> Response:
        by = signed(sent.by)
        shop.rules.write_draft(sent.text, sent.was)  # so that nothing is lost where it is refused
        version = shop.rules.publish(by, sent.note, anyway=sent.anyway)
        _note(shop, by, "rules-published", version=version.number, note=version.note)
        return JSONResponse(version_json(version))

    @router.post("/rules/undo", summary="Publish a former version again")
    def undo(shop: TheShop, sent: Undoing) -> Response:
        by = signed(sent.by)
        if (now := shop.rules.published.number) != sent.serving:
            raise InputError(f"Version {now} serves by now, not {sent.serving}. Look at it before you undo it.")
        version = shop.rules.undo(by, sent.note, to=sent.to)
        _note(shop, by, "rules-undone", version=version.number, same_as=version.same_as, note=version.note)
        return JSONResponse(version_json(version))

    @router.post("/synonyms", summary="Let words stand for one another, at once")
    def synonym(shop: TheShop, sent: SynonymSent) -> Response:
        by = signed(sent.by)
        line = accept_line(shop.folder, sent.said, sent.meant, shop.settings.shop.language, one_way=sent.one_way)
        if line:
            shop.engine.serving.reload()
            _note(shop, by, "synonym-added", line=line)
        return JSONResponse({"line": line, "new": bool(line)})

    @router.post("/snapshots/promote", summary="Let a snapshot serve, whatever the comparison said")
    def promote(shop: TheShop, sent: SnapshotChosen) -> Response:
        by = signed(sent.by)
        _check_serving(shop, sent)
        before = let_serve(shop.folder, shop.settings, sent.name)
        return _changed(shop, by, "snapshot-promoted", before, sent.name)

    @router.post("/snapshots/rollback", summary="Let an older snapshot serve again")
    def rollback(shop: TheShop, sent: SnapshotChosen) -> Response:
        by = signed(sent.by)
        _check_serving(shop, sent)
        before, name = go_to_older(shop.folder, shop.settings, sent.name)
        return _changed(shop, by, "snapshot-rolled-back", before, name)

    return router


def _check_serving(shop: Shop, sent: SnapshotChosen) -> None:
    if (now := current_name(shop.folder / SNAPSHOTS)) != sent.serving:
        raise InputError(f"Snapshot {now or 'none'} is current by now. Look at it before you put another in its place.")


def _changed(shop: Shop, by: str, what: str, before: str, name: str) -> Response:
    shop.engine.refresh()
    _note(shop, by, what, name=name, before=before)
    return JSONResponse({"current": name, "before": before})


def _note(shop: Shop, by: str, what: str, **facts: Any) -> None:
    note_change(shop.folder, int(time.time() * 1000), by, what, facts)

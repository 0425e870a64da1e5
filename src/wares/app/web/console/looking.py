"""The console's routes that only look: overview, labs, queries, rules, imports, snapshots, health, journal."""

import time
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Query
from fastapi.responses import JSONResponse, Response

from wares.app.commands.import_log import Import, kept_import, kept_imports
from wares.app.commands.rule_json import conflicts_json, entry_json, preview_json, rule_json, version_json
from wares.app.commands.snapshots import snapshots_json
from wares.app.web.access.caller import Caller, caller_of
from wares.app.web.console.errands import Errands
from wares.app.web.console.journal import changes_noted
from wares.app.web.console.labs import LabAsk, lab_json
from wares.app.web.console.wire import PreviewAsk, RulesText
from wares.app.web.limits import Limits
from wares.app.web.wire import interests_json
from wares.domain.filter import AnyOf, Filter
from wares.domain.request import Request
from wares.engine.learnt import own_synonyms
from wares.engine.rules.merchandising import Merchandising
from wares.engine.rules.preview import Question
from wares.errors import WaresError
from wares.shop import Shop
from wares.version import VERSION

_MOST_DAYS = 365
_NEVER_KEPT = {"cache-control": "no-store"}


def looking_routes(find_shop: Any, limits: Limits, errands: Errands) -> APIRouter:
    """Mounted where the paths begin with the shop's."""
    router = APIRouter(prefix="/console")
    TheShop = Annotated[Shop, Depends(find_shop)]
    TheCaller = Annotated[Caller, Depends(caller_of)]
    Anew = Annotated[bool, Query(description="work it out again, however fresh it is")]

    @router.get("/about", summary="What the console needs to know of the shop, and who asks")
    def about(shop: TheShop, caller: TheCaller) -> Response:
        return _told(about_json(shop) | {"key": caller.key})

    @router.get("/overview", summary="How the shop does; worked out beside serving")
    def overview(shop: TheShop, days: Annotated[int, Query(ge=1, le=_MOST_DAYS)] = 28, anew: Anew = False) -> Response:
        told = errands.ask("overview", str(shop.folder), str(days), anew=anew).to_dict()
        return _told(told | {"serving": serving_json(shop)})

    @router.get("/health", summary="The findings of the doctor; worked out beside serving")
    def health(shop: TheShop, anew: Anew = False) -> Response:
        return _told(errands.ask("health", str(shop.folder), anew=anew).to_dict())

    @router.post("/lab", summary="One question taken apart, in up to two ways side by side")
    def lab(shop: TheShop, asked: LabAsk) -> Response:
        limits.check_query(asked.query)
        return _told(lab_json(shop, asked))

    @router.get("/interests", summary="What a shopper of the lab is interested in")
    def interests(shop: TheShop, shopper: Annotated[str, Query(max_length=200)]) -> Response:
        return _told(interests_json(shop.shopper(shopper)))

    @router.get("/synonyms", summary="The shop's own synonyms, line by line")
    def synonyms(shop: TheShop) -> Response:
        return _told({"lines": list(own_synonyms(shop.folder))})

    @router.get("/rules", summary="The published rules, the draft, and the log of all versions")
    def rules(shop: TheShop) -> Response:
        return _told(rules_json(shop.rules))

    @router.post("/rules/check", summary="Faults and conflicts of rules that are not published")
    def check(shop: TheShop, sent: RulesText) -> Response:
        found = shop.rules.check(sent.text)
        told = [rule_json(rule) for rule in found.rules]
        return _told({"faults": list(found.faults), "conflicts": conflicts_json(found), "rules": told})

    @router.post("/rules/preview", summary="What rules would change, before and after")
    def preview(shop: TheShop, sent: PreviewAsk) -> Response:
        limits.check_query(sent.query)
        questions = [_question(sent, shop)] if sent.surface else []
        return _told({"previews": [preview_json(one) for one in shop.rules.preview(questions, sent.text, sent.k)]})

    @router.get("/imports", summary="The last imports: what became of their rows")
    def imports(shop: TheShop) -> Response:
        return _told({"imports": [_import_json(one, whole=False) for one in kept_imports(shop.folder)]})

    @router.get("/imports/{name}", summary="One import with its findings and examples")
    def one_import(shop: TheShop, name: str) -> Response:
        return _told(_import_json(kept_import(shop.folder, name), whole=True))

    @router.get("/snapshots", summary="Every snapshot, and how it was compared with the one before it")
    def snapshots(shop: TheShop) -> Response:
        return _told(snapshots_json(shop.folder) | {"serving": serving_json(shop)})

    @router.get("/journal", summary="Who changed what from the console")
    def journal(shop: TheShop) -> Response:
        return _told({"changes": changes_noted(shop.folder)})

    return router


def about_json(shop: Shop) -> dict[str, Any]:
    settings = shop.settings
    profiles = {
        name: {
            "sources": list(profile.sources),
            "ranker": profile.ranker,
            "policies": list(profile.policies),
            "all_matches": profile.all_matches,
        }
        for name, profile in settings.profiles.items()
    }
    return {
        "title": settings.shop.title,
        "currency": settings.shop.currency,
        "language": settings.shop.language,
        "profiles": profiles,
        "markets": list(settings.markets),
        "shoppers": list(settings.shop.shoppers),
        "version": VERSION,
        "serving": serving_json(shop),
    }


def serving_json(shop: Shop) -> dict[str, Any]:
    """What answers now, and what it warns of."""
    snapshot, engine = shop.engine.live.snapshot, shop.engine
    made_ms = snapshot.facts.get("made_ms")
    kept = snapshots_json(shop.folder)
    newer = [one for one in kept["snapshots"] if one["state"] == "kept aside" and one["name"] > kept["current"]]
    return {
        "snapshot": snapshot.name,
        "made_ms": int(made_ms) if made_ms is not None else None,
        "events_since": shop.store.events.last() - snapshot.last_event,
        "ranker": "learned" if snapshot.ranker is not None else "formula",
        "rules": engine.rules.version,
        "warnings": list(engine.warnings),
        "held": kept["held"],
        "aside": {"name": newer[-1]["name"], "why": newer[-1]["why"]} if newer else None,
        "dropped": engine.impressions.dropped if engine.impressions is not None else 0,
    }


def rules_json(rules: Merchandising) -> dict[str, Any]:
    published = rules.published
    faults, draft = [], None
    try:
        draft = rules.draft
    except WaresError as error:
        faults.append(str(error))
    return {
        "published": version_json(published)
        | {"text": published.text, "rules": [rule_json(rule) for rule in published.rules]},
        "aims": dict(published.file.aims.value()),
        "draft": {"text": draft.text, "based_on": draft.based_on} if draft is not None else None,
        "faults": faults,
        "log": list(map(entry_json, rules.log())),
    }


def _question(sent: PreviewAsk, shop: Shop) -> Question:
    where = Filter((AnyOf("category", (sent.category,), fixed=True),)) if sent.category else Filter()
    shop.settings.profile(sent.surface)
    shop.settings.market(sent.market)
    now_ms = int(time.time() * 1000)
    return Question(Request(sent.surface, now_ms, sent.query, sent.shopper or None, filter=where, market=sent.market))


def _import_json(one: Import, *, whole: bool) -> dict[str, Any]:
    reports = [dict(report) for report in one.reports]
    if not whole:
        for report in reports:
            for kind in ("repairs", "rejections", "remarks"):
                report[kind] = [{"rule": f["rule"], "count": f["count"]} for f in report.get(kind, ())]
    return {"name": one.name, "at_ms": one.at_ms, "reports": reports}


def _told(value: Any) -> JSONResponse:
    return JSONResponse(value, headers=_NEVER_KEPT)

"""The HTTP service: the facade's verbs as routes under /v1, and the storefront as a plain client of them."""

import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from html import escape
from importlib import resources
from threading import Event as Signal
from threading import Thread
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request
from fastapi import Path as InPath
from fastapi.responses import FileResponse, HTMLResponse, JSONResponse, Response

from wares.app.web.access.caller import Caller, caller_of
from wares.app.web.access.key_ring import KeyRing
from wares.app.web.answering import Answering
from wares.app.web.campaigns import add_campaigns
from wares.app.web.console.pages import add_console
from wares.app.web.direct import Direct, DirectWay, question, records, typed
from wares.app.web.experiments import add_experiments
from wares.app.web.files import FreshFiles
from wares.app.web.garbage import EVERY_S, look_through
from wares.app.web.gate import Gate
from wares.app.web.instantsearch.routes import add_instantsearch
from wares.app.web.limits import Limits
from wares.app.web.load import Load
from wares.app.web.sent.bodies import HeadAsGet, Packing, Unpacking
from wares.app.web.sent.bulk import Sent, put_sent, reader_of, record_sent, takes_json, update_sent
from wares.app.web.sent.etags import tagged
from wares.app.web.sent.idempotency import AnswerFiles, Idempotency
from wares.app.web.threads import Threads
from wares.app.web.told.described import describe
from wares.app.web.told.error_codes import CODES
from wares.app.web.told.problems import explain_errors
from wares.app.web.watching.gauges import Gauges
from wares.app.web.watching.health import add_health
from wares.app.web.watching.logs import tell
from wares.app.web.watching.metrics import Metrics
from wares.app.web.watching.readiness import Service
from wares.app.web.wire import (
    Ask,
    BrowseAsk,
    EventsSent,
    InterestsOut,
    LoginsSent,
    PageOut,
    ProductOut,
    RecommendAsk,
    SearchAsk,
    SimilarAsk,
    SuggestionsOut,
    interests_json,
    product_json,
    suggestions_json,
)
from wares.app.web.workers.crew import crew_for
from wares.domain.filter import Filter
from wares.domain.shopper import Login
from wares.errors import InputError, UnknownName, WaresError
from wares.shop import Shop
from wares.version import VERSION

DEFAULT_SHOP = "default"
_LOOK_FOR_SNAPSHOT_S = 1.0
_log = logging.getLogger("wares")
_GZIP_FROM_BYTES, _GZIP_LEVEL = 1024, 1  # smaller answers fit into one packet; a higher level costs more than it saves
_BESIDE = 16  # threads for what takes no turns, which then cannot keep from answering what does
_ASKED = {"filters", "facets", "sort", "k", "cursor", "simulated", "organic"}  # of a question, as `Shop.ask` names it
_PAGE: dict[int | str, dict[str, Any]] = {200: {"model": PageOut}}


def make_app(
    shops: Mapping[str, Shop], key: str = "", ring: KeyRing | None = None, *, closed: bool = False,
    loaded: Callable[[], None] = lambda: None, workers: int | None = 0,
) -> FastAPI:  # fmt: skip
    """The service for these shops by name; the one called "default" needs no name in the path.

    `key`: the admin key, where there is no `ring` with it. With a key, or `closed`, every question needs one. `loaded`
    is called each time that a snapshot was taken up. `workers`: how many processes answer for the shop "default" from
    the start; 0 = threads of this one do, None = as many as this machine has room for, once questions have to wait.
    """
    server = shops[DEFAULT_SHOP].settings.server if DEFAULT_SHOP in shops else None
    limits = Limits.of(server) if server else Limits()
    turns = ("answers_at_once", "writes_at_once", "most_waiting", "patience_ms", "max_body_kib", "answers_kept_s")
    load = Load.of(**{name: getattr(server, name) for name in turns if server})
    service, metrics = Service(shops, load), Metrics()
    metrics.add(Gauges(service))
    for name, shop in shops.items():
        shop.observe(metrics.watch(name, shop))

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        stop = Signal()
        watcher = Thread(target=_watch, args=(shops, stop, loaded), name="snapshots", daemon=True)
        watcher.start()
        if crew is not None and workers:
            crew.begin()
        tell("start", version=VERSION, shops=len(shops))
        yield
        service.draining = True
        stop.set()
        errands.close()
        if crew is not None:
            await crew.close()
        watcher.join()
        tell("stop")
        threads.close()
        beside.close()
        answers.close()

    app = FastAPI(
        title="wares",
        version=VERSION,
        summary="One engine for a shop's search and recommendations",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        openapi_url=None,
        telemetry={"tracing": False, "metrics": False, "logs": False},  # it would tell what shoppers typed
    )
    explain_errors(app)
    describe(app)
    answers, direct = AnswerFiles(shops), Direct()
    threads, beside = Threads(load.at_once + _BESIDE), Threads(_BESIDE)
    crew = crew_for(shops.get(DEFAULT_SHOP), workers, load)
    service.crew = crew
    answering = Answering(threads, {shops[DEFAULT_SHOP]: crew} if crew is not None else {}, load.in_threads)
    app.add_middleware(DirectWay, direct=direct, shops=shops, default=DEFAULT_SHOP)
    app.add_middleware(Idempotency, shops=shops, files=answers, threads=threads, default=DEFAULT_SHOP)
    app.add_middleware(Unpacking, most=limits.body_bytes)
    app.add_middleware(Packing, minimum_size=_GZIP_FROM_BYTES, compresslevel=_GZIP_LEVEL)
    app.add_middleware(HeadAsGet)
    app.state.service, app.state.metrics = service, metrics
    gate: dict[str, Any] = {"log": server is not None and server.access_log, "metrics": metrics, "load": load}
    app.add_middleware(Gate, ring=ring or KeyRing(admin=key), limits=limits, closed=closed or bool(key), **gate)

    async def find_shop(shop: str = DEFAULT_SHOP) -> Shop:
        if shop not in shops:
            raise UnknownName("shop", shop, shops)
        return shops[shop]

    routes = _routes(find_shop, limits, answering, threads, beside, direct)
    app.include_router(routes, prefix="/v1/shops/{shop}")
    app.include_router(routes, prefix="/v1", include_in_schema=False)
    add_instantsearch(app, shops, limits, answering, threads, beside)
    errands = add_console(app, find_shop, limits)

    add_health(app, service, metrics, with_metrics=server is None or server.metrics)

    @app.get("/v1/openapi.json", include_in_schema=False)
    def description(request: Request) -> Response:
        return tagged(request, app.openapi())

    @app.get("/v1/errors/{code}", summary="What an error code means")
    def error_code(code: str) -> Response:
        if code not in CODES:
            raise UnknownName("error code", code, CODES)
        told = CODES[code]
        content = {"code": code, "statuses": list(told.statuses), "when": told.when, "remedy": told.remedy}
        return JSONResponse(content, headers={"cache-control": "max-age=3600"})

    tag = resources.files("wares.app") / "tag" / "wares.js"

    @app.get("/wares.js", summary="The tag that tells a page's events")
    def browser_tag() -> Response:
        headers = {"cache-control": "max-age=3600", "cross-origin-resource-policy": "cross-origin"}
        return FileResponse(str(tag), media_type="text/javascript", headers=headers)

    storefront = resources.files("wares.app") / "storefront"
    app.mount("/storefront", FreshFiles(directory=str(storefront)), name="storefront")

    @app.get("/", include_in_schema=False)
    def index() -> Response:
        page = (storefront / "index.html").read_text(encoding="utf-8")
        if server and server.storefront_key:
            carried = f'<meta name="wares-key" content="{escape(server.storefront_key)}">'
            page = page.replace("</head>", f"  {carried}\n  </head>")
        return HTMLResponse(page, headers={"cache-control": "no-cache"})

    return app


def _routes(
    find_shop: Any, limits: Limits, answering: Answering, threads: Threads, beside: Threads, direct: Direct
) -> APIRouter:
    """`threads` are for writes, which take turns as questions do, `beside` for all else."""
    router = APIRouter(dependencies=[Depends(takes_json)])
    TheShop = Annotated[Shop, Depends(find_shop)]
    TheCaller = Annotated[Caller, Depends(caller_of)]
    read_events, read_rows = reader_of(EventsSent, limits), reader_of(list[dict[str, Any]], limits)

    async def answer(shop: Shop, caller: Caller, asked: Ask, surface: str, like: str = "", **more: Any) -> Response:
        if asked.simulated:
            caller.simulate()
        shopper, market = caller.ask(surface, asked.shopper, asked.market)
        told = asked.model_dump(mode="json", by_alias=True, include=_ASKED) | {
            "surface": surface,
            "shopper": shopper,
            "market": market,
        }
        return await answering.work(shop, "page", {"asked": told | more, "like": like})

    @router.post("/search", responses=_PAGE, summary="Products for words")
    @direct.route("POST /v1/search", question(SearchAsk))
    async def search(shop: TheShop, caller: TheCaller, asked: SearchAsk) -> Response:
        limits.check_query(asked.query)
        more: dict[str, Any] = {"as_typed": asked.as_typed, "without_wishes": asked.without_wishes}
        return await answer(shop, caller, asked, asked.surface, query=asked.query, **more)

    @router.post("/browse", responses=_PAGE, summary="All products, or a category's")
    @direct.route("POST /v1/browse", question(BrowseAsk))
    async def browse(shop: TheShop, caller: TheCaller, asked: BrowseAsk) -> Response:
        return await answer(shop, caller, asked, "browse", category=asked.category or "")

    @router.post("/recommend", responses=_PAGE, summary="Products for a shopper, without words")
    @direct.route("POST /v1/recommend", question(RecommendAsk))
    async def recommend(shop: TheShop, caller: TheCaller, asked: RecommendAsk) -> Response:
        return await answer(shop, caller, asked, asked.surface, seeds=asked.seeds)

    @router.post("/similar", responses=_PAGE, summary="Products like one, or that go with it")
    @direct.route("POST /v1/similar", question(SimilarAsk))
    async def similar(shop: TheShop, caller: TheCaller, asked: SimilarAsk) -> Response:
        return await answer(shop, caller, asked, asked.surface, asked.product, seeds=[asked.product])

    @router.get("/suggest", responses={200: {"model": SuggestionsOut}}, summary="How what is being typed may go on")
    @direct.route("GET /v1/suggest", typed)
    @beside.route
    def suggest(
        request: Request,
        shop: TheShop,
        q: Annotated[str, Query(max_length=1000, description="typed so far; none = what is wanted most")] = "",
        k: Annotated[int, Query(ge=1, le=100, description="how many")] = 8,
    ) -> Response:
        limits.check_query(q)
        return tagged(request, suggestions_json(shop.suggest(q, k)))

    @router.post("/events", summary="What shoppers did; durable when answered")
    @direct.route("POST /v1/events", records(EventsSent, limits))
    @threads.route
    def events(shop: TheShop, caller: TheCaller, sent: Annotated[Sent[EventsSent], Depends(read_events)]) -> Response:
        return record_sent(shop, caller, sent)

    @router.post("/identify", summary="An anonymous shopper logged in; durable when answered")
    @beside.route
    def identify(shop: TheShop, sent: LoginsSent) -> Response:
        limits.check_records(sent.logins)
        joined = shop.identify_all(Login(one.anonymous, one.known, one.consent) for one in sent.logins)
        refused = [{"line": place + 1, "reason": why} for place, why in joined.refused]
        counts = {"new": joined.new, "repeated": joined.repeated, "apart": joined.apart}
        return JSONResponse(counts | {"refused": refused, "note": joined.note})

    @router.delete("/identify/{anonymous:path}", summary="Undo it: the anonymous shopper is one of their own again")
    @beside.route
    def separate(shop: TheShop, anonymous: Annotated[str, InPath(max_length=500)]) -> Response:
        if not shop.separate(anonymous):
            raise InputError("This shopper was joined to nobody: there is nothing to undo.")
        return Response(status_code=204)

    @router.delete("/shoppers/{shopper_id:path}", summary="Forget a shopper; done when answered")
    @beside.route
    def erase(shop: TheShop, shopper_id: Annotated[str, InPath(max_length=500)]) -> Response:
        return JSONResponse({"erased": shop.erase_shopper(shopper_id)})

    @router.delete("/simulated", summary="Forget what simulated shoppers did and were shown; done when answered")
    @beside.route
    def erase_simulated(shop: TheShop) -> Response:
        events, impressions = shop.erase_simulated()
        return JSONResponse({"events": events, "impressions": impressions})

    @router.get("/products/{product_id:path}", responses={200: {"model": ProductOut}}, summary="One product")
    @beside.route
    def product(
        request: Request,
        shop: TheShop,
        caller: TheCaller,
        product_id: str,
        market: Annotated[
            str, Query(max_length=40, description="whose price and language; none = the shop's own")
        ] = "",
    ) -> Response:
        market = caller.in_market(market)
        seen = shop.product(product_id, market)
        return tagged(request, product_json(seen, shop.settings.market(market).currency))

    @router.put("/products", summary="Insert or replace products")
    @threads.route
    def put_products(
        shop: TheShop,
        sent: Annotated[Sent[list[dict[str, Any]]], Depends(read_rows)],
        market: Annotated[str, Query(max_length=40, description="whose feed this is; none = the whole shop's")] = "",
    ) -> Response:
        return put_sent(shop, sent, market)

    @router.patch("/products", summary="Change some fields of known products")
    @threads.route
    def update_products(shop: TheShop, sent: Annotated[Sent[list[dict[str, Any]]], Depends(read_rows)]) -> Response:
        return update_sent(shop, sent)

    @router.delete("/products/{product_id:path}", summary="Take a product out of the shop")
    @beside.route
    def delete_product(
        shop: TheShop,
        product_id: str,
        market: Annotated[
            str | None,
            Query(max_length=40, description="which sells it no more; empty = the shop itself; none = nobody"),
        ] = None,
    ) -> Response:
        if not shop.knows(product_id):
            raise UnknownName("product", product_id, ())
        if market is None:
            shop.delete([product_id])
        else:
            shop.withdraw([product_id], market)
        return Response(status_code=204)

    @router.get(
        "/shoppers/{shopper_id:path}/interests",
        responses={200: {"model": InterestsOut}},
        summary="What a shopper is interested in",
    )
    @beside.route
    def interests(shop: TheShop, caller: TheCaller, shopper_id: Annotated[str, InPath(max_length=200)]) -> Response:
        caller.act_for(shopper_id)
        return JSONResponse(interests_json(shop.shopper(shopper_id)), headers={"cache-control": "no-store"})

    add_experiments(router, find_shop)
    add_campaigns(router, find_shop)

    @router.get("/shop", summary="What a storefront needs to know")
    @beside.route
    def about(request: Request, shop: TheShop) -> Response:
        return tagged(request, _about(shop))

    return router


def _about(shop: Shop) -> dict[str, Any]:
    """Counted is what the shop's own market sells now."""
    settings = shop.settings.shop
    state = shop.engine.live.state.seen(int(time.time() * 1000), shop.settings.market())
    facets = state.filters.facets(("category",), state.columns.alive, Filter())
    tree: dict[str, dict[str, Any]] = {}
    for value in facets[0].values:
        root, _, rest = value.value.partition(" > ")
        if rest and " > " not in rest:
            tree.setdefault(root, {"value": root, "count": 0, "children": []})["children"].append(
                {"value": value.value, "count": value.count}
            )
        elif not rest:
            tree.setdefault(root, {"value": root, "count": 0, "children": []})["count"] = value.count
    return {
        "name": shop.folder.name,
        "title": settings.title,
        "about": settings.about,
        "currency": settings.currency,
        "language": settings.language,
        "products": int(state.columns.alive.sum()),
        "hits": state.filters.total(state.columns.alive),
        "events": shop.store.events.count(),
        "simulated_events": shop.store.events.count(simulated=True),
        "facets": list(settings.facets),
        "categories": list(tree.values()),
        "shoppers": list(settings.shoppers),
        "snapshot": shop.engine.live.snapshot.name,
    }


def _watch(shops: Mapping[str, Shop], stop: Signal, loaded: Callable[[], None]) -> None:
    """Load what is not loaded yet; then take up a newer snapshot when training has made one, and newer rules when some
    were published."""
    told, serving, tidied_s = set[str](), list[str](), time.monotonic()
    while True:
        for shop in shops.values():
            try:
                shop.engine.refresh()
            except (WaresError, OSError) as error:
                if shop.is_loaded:
                    shop.engine.warn(str(error))
                elif str(error) not in told:
                    _log.error("%s", error)
                    told.add(str(error))
        if (names := [shop.engine.live.snapshot.name for shop in shops.values() if shop.is_loaded]) != serving:
            serving = names
            loaded()
        if time.monotonic() - tidied_s > EVERY_S:
            look_through()
            tidied_s = time.monotonic()
        if stop.wait(_LOOK_FOR_SNAPSHOT_S):
            return

"""What answering a question comes to, once it is settled who asks and what they may see. Each kind of it has a name and
takes plain values, so that a thread of this process or another process can do it (`answering.Answering`)."""

from collections.abc import Callable, Mapping
from typing import Any

from starlette.responses import JSONResponse, Response

from wares.app.web.access.caller import Caller
from wares.app.web.instantsearch.asking import Asking
from wares.app.web.limits import Limits
from wares.app.web.pages import page_bytes
from wares.errors import UnknownName
from wares.shop import Shop

Told = Mapping[str, Any]


def page(shop: Shop, told: Told) -> Response:
    """`asked`: the arguments of `Shop.ask`; `like`: the product that must be known, "" = none."""
    asked, like = told["asked"], told.get("like", "")
    if like and not shop.knows(like):
        raise UnknownName("product", like, ())
    found = shop.ask(**asked)
    return Response(page_bytes(found, shop.settings.market(asked["market"]).currency), media_type="application/json")


def queries(shop: Shop, told: Told) -> Response:
    """Searches in the form of InstantSearch. `name`: the shop's; `caller`: as `Caller.to_plain` tells it; `alone`:
    there is one, and it is answered as such."""
    asking, caller = _asking(shop, told), Caller.of_plain(told["caller"])
    found = [asking.answer(one, caller) for one in told["asked"]]
    return JSONResponse(found[0] if told["alone"] else {"results": found})


def recommendations(shop: Shop, told: Told) -> Response:
    """The same of recommendations."""
    asking, caller = _asking(shop, told), Caller.of_plain(told["caller"])
    return JSONResponse({"results": [asking.recommend(one, caller) for one in told["asked"]]})


def _asking(shop: Shop, told: Told) -> Asking:
    return Asking({told["name"]: shop}, Limits.of(shop.settings.server))


WORK: Mapping[str, Callable[[Shop, Told], Response]] = {
    "page": page,
    "queries": queries,
    "recommendations": recommendations,
}

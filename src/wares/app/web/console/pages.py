"""The console's own files, and all its routes joined to the service."""

from importlib import resources
from typing import Any

from fastapi import FastAPI
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from wares.app.web.console.changing import changing_routes
from wares.app.web.console.errands import Errands
from wares.app.web.console.looking import looking_routes
from wares.app.web.files import FreshFiles
from wares.app.web.limits import Limits


def add_console(app: FastAPI, find_shop: Any, limits: Limits, errands: Errands | None = None) -> Errands:
    """Give the app the console; the errands are to be closed when it ends."""
    errands = errands or Errands()
    for routes in (looking_routes(find_shop, limits, errands), changing_routes(find_shop)):
        app.include_router(routes, prefix="/v1/shops/{shop}")
        app.include_router(routes, prefix="/v1", include_in_schema=False)
    folder = resources.files("wares.app") / "console"

    @app.get("/console", include_in_schema=False)
    def index() -> Response:
        return HTMLResponse((folder / "index.html").read_text(encoding="utf-8"), headers={"cache-control": "no-cache"})

    @app.get("/console/", include_in_schema=False)
    def without_slash() -> Response:
        return RedirectResponse("../console")

    app.mount("/console", FreshFiles(directory=str(folder)), name="console")
    return errands

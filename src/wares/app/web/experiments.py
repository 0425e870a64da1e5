"""Experiments over HTTP: every one with what the last look at it found. Reading the log takes a process of its own
(`wares.app.counting`); this only hands its result on."""

from typing import Annotated, Any

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response

from wares.shop import Shop


def add_experiments(router: APIRouter, find_shop: Any) -> None:
    """The route, under the paths of `router`."""
    TheShop = Annotated[Shop, Depends(find_shop)]

    @router.get("/experiments", summary="Every experiment, and what the last look at it found")
    def experiments(shop: TheShop) -> Response:
        return JSONResponse(experiments_json(shop), headers={"cache-control": "no-store"})


def experiments_json(shop: Shop) -> dict[str, Any]:
    """The newest first. `result` is `Reading.to_dict` of the last look with its moment in `read`, None = none yet."""
    found, warnings = shop.experiments.all()
    told = [one.to_dict() | {"result": shop.experiments.result(one.name)} for one in reversed(found)]
    return {"experiments": told, "warnings": warnings}

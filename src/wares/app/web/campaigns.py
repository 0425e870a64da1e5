"""Campaigns over HTTP: each with what it has got and spent; add, pause, resume, end."""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends
from fastapi.responses import JSONResponse, Response
from pydantic import BaseModel, ConfigDict, Field

from wares.engine.campaigns.serving import Standing
from wares.errors import InputError
from wares.evaluation.campaigns import campaign_facts
from wares.shop import Shop


class CampaignSent(BaseModel):
    """`add` takes a `campaign`, all else the `name` of one."""

    model_config = ConfigDict(extra="forbid")

    action: Literal["add", "pause", "resume", "end"]
    by: str = Field(max_length=100, description="who does it; the ledger tells")
    note: str = Field("", max_length=500, description="why, for the ledger")
    name: str = Field("", max_length=40, description="of the campaign to pause, resume or end")
    campaign: dict[str, Any] | None = Field(None, max_length=20, description="to add: as its file has it")


def add_campaigns(router: APIRouter, find_shop: Any) -> None:
    """The routes, under the paths of `router`."""
    TheShop = Annotated[Shop, Depends(find_shop)]

    @router.get("/campaigns", summary="Every campaign, with what it has got and spent")
    def campaigns(shop: TheShop) -> Response:
        return JSONResponse(campaigns_json(shop), headers={"cache-control": "no-store"})

    @router.post("/campaigns", summary="Add, pause, resume or end a campaign; durable when answered")
    def change_campaign(shop: TheShop, sent: CampaignSent) -> Response:
        now = datetime.now(UTC)
        if sent.action != "add":
            changed = shop.campaigns.change(sent.action, sent.name, sent.by, sent.note, now=now)
        elif sent.campaign is None:
            raise InputError("`add` needs a `campaign`: its name, label, products, bid and budget.")
        else:
            changed = shop.campaigns.add(sent.campaign, sent.by, sent.note, now=now)
        return JSONResponse(campaign_facts(changed, _standing(shop, changed.name)))


def campaigns_json(shop: Shop) -> dict[str, Any]:
    """The newest first, as of a second ago."""
    found, warnings = shop.campaigns.all()
    return {
        "campaigns": [campaign_facts(one, _standing(shop, one.name)) for one in reversed(found)],
        "warnings": warnings,
    }


def _standing(shop: Shop, name: str) -> Standing:
    return shop.engine.campaigns.standing(name)

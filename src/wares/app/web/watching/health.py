"""`/healthz`, `/readyz` and `/metrics`: how the service is, for machines that look after it."""

from typing import Any

from anyio import CapacityLimiter, move_on_after, to_thread
from fastapi import FastAPI, Request
from fastapi.responses import JSONResponse, Response

from wares.app.web.told.refusals import Refused
from wares.app.web.watching.metrics import Metrics
from wares.app.web.watching.readiness import SLOW, Readiness, Service, ready_json

_PATIENCE_S = 2.0
_NEVER_KEPT = {"cache-control": "no-store"}


def add_health(app: FastAPI, service: Service, metrics: Metrics, *, with_metrics: bool = True) -> None:
    """The routes. They have threads of their own, so that they answer while all others are busy."""
    looking, reading = CapacityLimiter(2), CapacityLimiter(2)

    @app.get("/healthz", summary="The process is alive")
    async def healthz() -> dict[str, str]:
        return {"status": "ok"}

    @app.get("/readyz", summary="Every shop can answer; 503 where one cannot", responses={503: {}})
    async def readyz() -> Response:
        found = {name: await _looked(service, name, looking) for name in service.shops}
        status, body = ready_json(found)
        return JSONResponse(body, status, headers=_NEVER_KEPT)

    text = {"schema": {"type": "string"}}
    media = {"text/plain": text, "application/openmetrics-text": text}  # as the scraper asks for

    @app.get(
        "/metrics",
        summary="Counts and times for Prometheus",
        response_class=Response,
        responses={200: {"content": media}},
    )
    async def scrape(request: Request) -> Any:
        if not with_metrics:
            raise Refused(404, "not-found", "Metrics are switched off: server.metrics is false.")
        accept = request.headers.get("accept", "")
        body, media_type = await to_thread.run_sync(metrics.text, accept, limiter=reading)
        return Response(body, headers={"content-type": media_type, **_NEVER_KEPT})


async def _looked(service: Service, name: str, limiter: CapacityLimiter) -> Readiness:
    with move_on_after(_PATIENCE_S):
        return await to_thread.run_sync(service.look, name, limiter=limiter, abandon_on_cancel=True)
    return Readiness(SLOW)

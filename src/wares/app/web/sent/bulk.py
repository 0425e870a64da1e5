"""Events and products in bulk: a JSON body with one answer, or JSON lines with an answer for each line."""

import json
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from fastapi import Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse, Response
from pydantic import TypeAdapter, ValidationError

from wares.app.web.access.caller import Caller
from wares.app.web.limits import Limits
from wares.app.web.sent.idempotency import begun_ms
from wares.app.web.sent.ndjson import MEDIA_TYPE, MEDIA_TYPES, Outcome, Rows, cut_lines, read_lines
from wares.app.web.told.refusals import Refused
from wares.feeds.events import NAMES, read_events
from wares.feeds.report import ImportReport, Reading
from wares.shop import Shop

T = TypeVar("T")
_TIMES = frozenset(NAMES["time"])  # an event without any of these happens now


@dataclass(frozen=True, slots=True)
class Sent(Generic[T]):
    """A body: `lines` of NDJSON, or else `read`. `as_json`: answer lines as one JSON document. `now_ms`: when it was
    first sent; `of_bytes`: how long it was, None = nobody counted."""

    limits: Limits
    now_ms: int
    of_bytes: int | None = None
    read: T | None = None
    lines: Sequence[bytes | None] | None = None
    as_json: bool = False


def reader_of(kind: Any, limits: Limits) -> Callable[[Request], Awaitable[Sent[Any]]]:
    """What reads the body of a bulk route, whose JSON is of this kind. Raises RequestValidationError, Refused."""
    adapter: TypeAdapter[Any] = TypeAdapter(kind)

    async def read_body(request: Request) -> Sent[Any]:
        media = media_of(request)
        now_ms = begun_ms(request) or int(time.time() * 1000)
        if media in MEDIA_TYPES:
            lines = await cut_lines(request.stream(), limits)
            return Sent(limits, now_ms, lines=lines, as_json=_wants_json(request.headers.get("accept", "")))
        if not media and not await request.body():
            fault = {"type": "missing", "loc": ("body",), "msg": "Field required", "input": None}
            raise RequestValidationError([fault])
        check_json(media, f"application/json or {MEDIA_TYPE}")
        body = await request.body()
        return Sent(limits, now_ms, len(body), read=_validated(adapter, body, limits))

    return read_body


async def takes_json(request: Request) -> None:
    """Of the routes with nothing but JSON. Raises Refused for a body that says it is something else."""
    if (media := media_of(request)) and media not in MEDIA_TYPES:  # which the bulk routes among them read
        check_json(media, "application/json")


def media_of(request: Request) -> str:
    """The content type without its parameters; "" = none is said."""
    return request.headers.get("content-type", "").partition(";")[0].strip().lower()


def check_json(media: str, valid: str) -> None:
    """Raises Refused for what is no JSON."""
    if media != "application/json" and not (media.startswith("application/") and media.endswith("+json")):
        detail = f"The content type {media[:80]!r} is not read here. Send {valid}."
        raise Refused(415, "unsupported-media-type", detail)


def record_sent(shop: Shop, caller: Caller, sent: Sent[Any]) -> Response:
    """Events. Durable when it returns; good ones count even where others are refused."""
    reading = shop.settings.of_events(sent.now_ms)
    if sent.lines is None:
        rows = sent.read.events if sent.read is not None else []
        sent.limits.check_records(rows, sent.of_bytes)
        report = shop.record(caller.own_events(_timed(rows, sent.now_ms), **reading))
        counts = {"new": report.kept - report.repeated, "repeated": report.repeated}
        return JSONResponse(counts | rejected_json(report))
    started_s = time.perf_counter()
    found = read_lines(sent.lines, sent.limits)
    rows = caller.own_events(_timed(found.rows, sent.now_ms), **reading)
    events = read_events(rows, examples=len(rows), **reading)
    places: list[int] = []
    fresh = shop.writer().events.append_each(_numbered(events, places))
    shop.engine.serving.catch_up()
    refused = events.report.rejected + len(found.refused)
    took_s = time.perf_counter() - started_s
    shop.engine.observer.recorded(sum(fresh), len(fresh) - sum(fresh), refused, took_s)
    kept: dict[int, bool] = {}
    for place, new in zip(places, fresh, strict=True):
        kept[place] = kept.get(place, False) or new
    return _told(_outcomes(found, events.report, kept), sent)


def put_sent(shop: Shop, sent: Sent[Any], market: str) -> Response:
    """Products to insert or replace, the shop's own or a market's."""
    if sent.lines is None:
        rows = sent.read or []
        sent.limits.check_records(rows, sent.of_bytes)
        report = shop.put(rows, market=market)
        return JSONResponse({"kept": report.kept} | rejected_json(report))
    found = read_lines(sent.lines, sent.limits)
    report = shop.put(found.rows, market=market, examples=len(found.rows))
    return _told(_outcomes(found, report), sent)


def update_sent(shop: Shop, sent: Sent[Any]) -> Response:
    """Fields of known products to change. An unknown product refuses a JSON body, but of JSON lines only its own."""
    if sent.lines is None:
        rows = sent.read or []
        sent.limits.check_records(rows, sent.of_bytes)
        report = shop.update(rows)
        return JSONResponse({"kept": report.kept} | rejected_json(report))
    found = read_lines(sent.lines, sent.limits)
    ids = [str(row.get("id", "")).strip() for row in found.rows]
    known = shop.store.catalogue.get(ids)
    shop.update([row for row, one in zip(found.rows, ids, strict=True) if one in known])
    fix = "Insert it with PUT first, or put its `id` right."
    told = [
        Outcome(line, "kept") if one in known else Outcome(line, "refused", "unknown product", "id", one[:80], fix)
        for line, one in zip(found.lines, ids, strict=True)
    ]
    return _told(sorted([*told, *found.refused], key=lambda outcome: outcome.line), sent)


def rejected_json(report: ImportReport) -> dict[str, Any]:
    """Each kind of refused row with examples (line counts from 1 in the sent list); how often what was put right."""
    rejected = [
        {
            "reason": finding.rule,
            "count": finding.count,
            "line": e.line,
            "field": e.field,
            "value": e.value,
            "fix": e.fix,
        }
        for finding in report.rejections
        for e in finding.examples
    ]
    return {"rejected": rejected, "repaired": report.repaired, "notes": list(report.notes)}


def _validated(adapter: TypeAdapter[T], body: bytes, limits: Limits) -> T:
    try:
        read = json.loads(body) if body else None
    except (ValueError, RecursionError) as error:
        raise _no_json(str(error), body) from None
    for value in read.values() if isinstance(read, dict) else [read]:
        if isinstance(value, list):
            limits.check_count(value)  # first: to validate five million empty ones keeps everybody waiting for seconds
    try:
        return adapter.validate_python(read)
    except ValidationError as error:
        faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors(include_url=False)]
        raise RequestValidationError(faults, body=read) from None


def _no_json(problem: str, body: bytes) -> RequestValidationError:
    return RequestValidationError(
        [{"type": "json_invalid", "loc": ("body", 0), "msg": f"JSON decode error: {problem[:80]}", "input": {}}],
        body=body,
    )


def _timed(rows: Sequence[Mapping[str, Any]], now_ms: int) -> list[Mapping[str, Any]]:
    return [row if not _TIMES.isdisjoint(row) else {**row, "time": now_ms} for row in rows]


def _numbered(events: Reading[Any], places: list[int]) -> Iterator[Any]:
    """The events; leaves in `places` which row, from 1, each was made of."""
    for event in events:
        places.append(events.line)
        yield event


def _outcomes(found: Rows, report: ImportReport, kept: Mapping[int, bool] | None = None) -> list[Outcome]:
    """One of each line, in order. `kept`: of each row, from 1, that has something to keep whether some of it is new;
    None = of all but the rejected ones. A row of several items also says why one of them cannot be used."""
    faults = {e.line: (finding.rule, e) for finding in report.rejections for e in reversed(finding.examples)}
    told = list(found.refused)
    for place, line in enumerate(found.lines, 1):
        fault, new = faults.get(place), True if kept is None else kept.get(place)
        if fault is None:
            told.append(Outcome(line, "repeated" if new is False else "kept"))
            continue
        (reason, e), is_kept = fault, kept is not None and new is not None
        status = ("kept" if new else "repeated") if is_kept else "refused"
        told.append(Outcome(line, status, reason, e.field, e.value, e.fix))  # type: ignore[arg-type]
    return sorted(told, key=lambda outcome: outcome.line) if found.refused else told


def _told(outcomes: Sequence[Outcome], sent: Sent[Any]) -> Response:
    if sent.as_json:
        return JSONResponse({"results": [_outcome_json(one) for one in outcomes]})
    text = "".join(
        f'{{"line":{one.line},"status":"{one.status}"}}\n'
        if not one.reason
        else json.dumps(_outcome_json(one), ensure_ascii=False, separators=(",", ":")) + "\n"
        for one in outcomes
    )
    return Response(text, media_type=MEDIA_TYPE)


def _outcome_json(one: Outcome) -> dict[str, Any]:
    told: dict[str, Any] = {"line": one.line, "status": one.status}
    if one.reason:
        told |= {"reason": one.reason, "field": one.field, "value": one.value, "fix": one.fix}
    return told


def _wants_json(accept: str) -> bool:
    """Whether one JSON document is asked for, and lines are not."""
    named = [part.partition(";")[0].strip().lower() for part in accept.split(",")]
    return "application/json" in named and MEDIA_TYPES.isdisjoint(named)

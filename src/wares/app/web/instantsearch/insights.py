"""Their events -> the shop's event log, read by the same dialect as an export of them."""

from collections.abc import Mapping, Sequence
from typing import Any

from wares.app.web.access.caller import Caller
from wares.app.web.instantsearch.names import find_index
from wares.errors import InputError, UnknownName
from wares.feeds.dialects.algolia import ALGOLIA
from wares.feeds.report import LEFT_OUT, ImportReport
from wares.shop import Shop

_TELEMETRY = "instantsearch"  # of the library about itself: its widgets and their settings, the key among them
_SHOPPERS = ("userToken", "authenticatedUserToken")


def record_events(
    told: Sequence[Mapping[str, Any]], shops: Mapping[str, Shop], caller: Caller, now_ms: int
) -> dict[str, Any]:
    """Durable when it returns. Good events count even where others are refused; what is refused is named.

    What InstantSearch tells of itself is not kept. An event without a time happens now; its `index` says of which shop
    it is, and in whose currency. A token's events are all its shopper's. Raises InputError where no event can be used.
    """
    by_shop: dict[int, tuple[Shop, list[dict[str, Any]]]] = {}
    refused: list[dict[str, Any]] = []
    for event in told:
        if event.get("eventType") == _TELEMETRY:
            continue
        try:
            index = find_index(str(event.get("index", "")), shops)
        except UnknownName as error:
            refused.append({"reason": "unknown index", "count": 1, "fix": str(error)})
            continue
        said = {name: value for name, value in event.items() if value is not None}
        row = {"timestamp": now_ms, "currency": index.currency} | _own(said, caller)
        by_shop.setdefault(id(index.shop), (index.shop, []))[1].append(row)
    joins = None if caller.may("admin") else False  # a key that lies in a page must not say who is whom
    reports = [shop.record(rows, dialect=ALGOLIA.name, join_logins=joins) for shop, rows in by_shop.values()]
    refused += [reason for report in reports for reason in _refused(report)]
    if refused and not any(report.kept for report in reports):
        raise InputError(f"No event can be used: {refused[0]['reason']}. {refused[0]['fix']}")
    new = sum(report.kept - report.repeated for report in reports)
    return {"status": 200, "message": "OK", "new": new, "rejected": refused}


def _own(event: dict[str, Any], caller: Caller) -> dict[str, Any]:
    if not caller.shopper:
        return event
    for name in _SHOPPERS:
        caller.act_for(str(event.pop(name, "")) or None)
    return event | {"userToken": caller.shopper}


def _refused(report: ImportReport) -> list[dict[str, Any]]:
    """What cannot be used. Events that choose no product are left out by rule: their senders need not hear of it."""
    return [
        {"reason": finding.rule, "count": finding.count, "fix": finding.examples[0].fix if finding.examples else ""}
        for finding in report.rejections
        if not finding.rule.startswith(LEFT_OUT)
    ]

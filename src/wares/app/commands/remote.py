"""Writes to a shop whose lock a server holds: the same rows, sent to it over HTTP in batches."""

import json
import os
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote
from urllib.request import Request, urlopen

from wares.domain.event import Event, EventKind
from wares.domain.money import scale_of
from wares.domain.offer import Offer
from wares.domain.product import Product
from wares.domain.shopper import Joined, Login
from wares.engine.settings import Settings
from wares.errors import StoreError
from wares.feeds.report import ImportReport
from wares.store.lock import holder

_PRODUCTS, _EVENTS = 500, 5_000  # rows of one request; the server takes 16 MiB and 10,000 events
_TIMEOUT_S = 120.0


class Server:
    """The process that writes. Each verb returns a remark for the report, or "". Raises StoreError with its words."""

    def __init__(self, url: str, settings: Settings) -> None:
        self._url, self._currency = url, settings.shop.currency
        self._variable, self._most = settings.server.admin_key_env, settings.server.max_records
        self._key = os.environ.get(self._variable, "")

    def put(self, products: Iterable[Product], market: str = "") -> str:
        rest, route = iter(products), f"products?market={quote(market)}" if market else "products"
        while batch := list(islice(rest, min(_PRODUCTS, self._most))):
            self._send("PUT", route, [product_row(product, market) for product in batch])
        return f"Sent to the server at {self._url}."

    def update(self, rows: Sequence[Mapping[str, Any]]) -> ImportReport:
        """Some fields of known products."""
        step = min(_PRODUCTS, self._most)
        for start in range(0, len(rows), step):
            self._send("PATCH", "products", list(rows[start : start + step]))
        return ImportReport(self._url, len(rows), len(rows))

    def delete(self, ids: Iterable[str]) -> None:
        """Each durably, one after the other."""
        for product_id in ids:
            self._send("DELETE", f"products/{quote(product_id, safe='')}", None)

    def withdraw(self, ids: Iterable[str], market: str) -> None:
        """The shop itself (""), or a market of it, sells these no more; each durably, one after the other."""
        for product_id in ids:
            self._send("DELETE", f"products/{quote(product_id, safe='')}?market={quote(market)}", None)

    def record(self, events: Iterable[Event]) -> str:
        """Durable, batch by batch, when the server has answered."""
        new = total = 0
        for batch, fresh in batches(events, min(_EVENTS, max(1, self._most // 2))):
            told = self._send("POST", "events", {"events": [event_row(event, self._currency) for event in batch]})
            new, total = new + int(told.get("new", fresh)), total + fresh
        known = f"; {total - new:,} events were known already" if new < total else ""
        return f"Sent to the server at {self._url}{known}."

    def identify(self, logins: Iterable[Login]) -> Joined:
        """Batch by batch, each durable when the server has answered."""
        joined, rest, sent = Joined(), iter(logins), 0
        while batch := list(islice(rest, min(_EVENTS, self._most))):
            rows = [{"anonymous": one.anonymous_id, "known": one.known_id, "consent": one.consent} for one in batch]
            told = self._send("POST", "identify", {"logins": rows})
            refused = tuple((sent + one["line"] - 1, one["reason"]) for one in told["refused"])
            joined = Joined(
                joined.new + told["new"], joined.repeated + told["repeated"], joined.apart + told["apart"],
                joined.refused + refused, told["note"] or joined.note,
            )  # fmt: skip
            sent += len(batch)
        return joined

    def separate(self, anonymous_id: str) -> None:
        """Raises StoreError for one who is joined to nobody."""
        self._send("DELETE", f"identify/{quote(anonymous_id, safe='')}", None)

    def erase(self, shopper_id: str) -> int:
        """The number of events erased."""
        return int(self._send("DELETE", f"shoppers/{quote(shopper_id, safe='')}", None).get("erased", 0))

    def erase_simulated(self) -> tuple[int, int]:
        """The numbers of events and of impressions erased."""
        told = self._send("DELETE", "simulated", None)
        return int(told.get("events", 0)), int(told.get("impressions", 0))

    def _send(self, method: str, route: str, body: object) -> dict[str, Any]:
        headers = {"content-type": "application/json"}
        if self._key:
            headers["authorization"] = f"Bearer {self._key}"
        url = f"{self._url}/v1/{route}"
        asked = Request(url, json.dumps(body).encode(), headers, method=method)  # noqa: S310 (announced by the lock's holder)
        try:
            with urlopen(asked, timeout=_TIMEOUT_S) as answer:  # noqa: S310
                sent = answer.read()
                told = json.loads(sent) if sent else {}
        except HTTPError as error:
            if error.code == 429:
                time.sleep(min(float(error.headers.get("retry-after", "1")), 60.0))
                return self._send(method, route, body)
            hint = f" {self._variable} must hold a key that may do this." if error.code in (401, 403) else ""
            raise StoreError(f"The server at {self._url} refused the rows: {_detail(error)}{hint}") from error
        except (URLError, TimeoutError, ConnectionError, ValueError) as error:
            raise StoreError(
                f"The server at {self._url} holds this shop's lock and did not answer ({error}). "
                "Batches that it acknowledged are safe; import the file again to complete it, or stop the server first."
            ) from error
        return told if isinstance(told, dict) else {}


def server_of(folder: Path, settings: Settings) -> Server | None:
    """The process that holds the writer's lock of this shop and takes requests; None = there is none."""
    by = holder(folder)
    return Server(by.url, settings) if by and by.url else None


def batches(events: Iterable[Event], most: int = _EVENTS) -> Iterator[tuple[list[Event], int]]:
    """Events in requests, each with how many of them are fresh.

    The store tells equal events of one feed apart by counting them within one call. A feed that takes several calls
    must keep this true: an event that equals earlier ones is sent together with them, and those count as known. As for
    the store (`store.keys`), events are equal that differ only in where the shopper met the product.
    """
    seen: Counter[Event] = Counter()
    rest = iter(events)
    while fresh := list(islice(rest, most)):
        within: Counter[Event] = Counter()
        batch: list[Event] = []
        for event in fresh:
            copies = 1
            if not event.id:
                said = replace(event, impression_id="", position=None)
                copies = seen[said] + 1 - within[said]
                seen[said] += 1
                within[said] += copies
            batch.extend([event] * copies)
        yield batch, len(fresh)


def product_row(product: Product, market: str = "") -> dict[str, Any]:
    """A product as a feed would give it, the shop's own or that of a market."""
    row = {
        "id": product.id,
        "title": product.title,
        "description": product.description,
        "brand": product.brand,
        "category": list(product.category),
        **_offer_row(product.offers.get(market, product.offer)),
        "cost": None if product.cost_minor is None else product.cost_minor / scale_of(product.currency),
        "stock_since": product.stock_since_ms,
        "group_id": product.group_id,
        "image_url": product.image_url,
        "url": product.url,
        "published": product.published_ms,
        "attributes": {name: list(values) for name, values in product.attributes.items()},
        "markets": {} if market else {name: _offer_row(offer) for name, offer in product.offers.items()},
        "texts": {
            language: {"title": text.title, "description": text.description} for language, text in product.texts.items()
        },
    }
    return {name: value for name, value in row.items() if value not in (None, "", [], {})}


def _offer_row(offer: Offer) -> dict[str, Any]:
    scale = scale_of(offer.currency)
    row = {
        "price": None if offer.price_minor is None else offer.price_minor / scale,
        "currency": offer.currency,
        "sale_price": None if offer.sale_price_minor is None else offer.sale_price_minor / scale,
        "sale_from": offer.sale_from_ms,
        "sale_until": offer.sale_until_ms,
        "stock": offer.stock,
        "available": offer.available,
        "available_from": offer.available_from_ms,
    }
    return {name: value for name, value in row.items() if value is not None}


def event_row(event: Event, currency: str) -> dict[str, Any]:
    """An event as a feed would give it."""
    row = {
        "kind": event.kind.value,
        "time": event.time_ms,
        "shopper_id": event.shopper_id,
        "product_id": event.product_id,
        "rating" if event.kind is EventKind.RATE else "quantity": event.quantity,
        "value": None if event.value_minor is None else event.value_minor / scale_of(currency),
        "basket_id": event.basket_id,
        "query": event.query,
        "id": event.id,
        "impression_id": event.impression_id,
        "position": event.position,
        "simulated": event.simulated or None,
    }
    return {name: value for name, value in row.items() if value not in (None, "")}


def _detail(error: HTTPError) -> str:
    """The `detail` of a problem document, or the status."""
    try:
        return str(json.load(error)["detail"])
    except (ValueError, KeyError, TypeError):
        return f"{error.code} {error.reason}"

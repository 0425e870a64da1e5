"""The catalogue of one moment as parallel columns: row r of every column is the same product.

Columns never change in place. A new or changed product makes a new `Columns` that shares what stayed the same, so
that a request keeps the view it started with.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from sys import getsizeof
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.offer import Market
from wares.domain.offers import Offers
from wares.domain.product import Product
from wares.domain.strings import State, pack, part, under, unpack

NUMBERS = ("price", "published")
TRADE = ("cost", "stock", "stock_since")


@dataclass(frozen=True, slots=True)
class Labels:
    """A column with none, one or several words per row, in compressed rows: `codes[indptr[r]:indptr[r + 1]]`."""

    values: tuple[str, ...]  # the distinct values
    indptr: NDArray[np.int64]  # (n + 1,)
    codes: NDArray[np.int32]  # (nnz,) indices into values, distinct within a row

    @staticmethod
    def of(rows: Sequence[Sequence[str]], start: "Labels | None" = None) -> "Labels":
        """Build from the values of each row, or append such rows to `start`."""
        known = {value: code for code, value in enumerate(start.values)} if start else {}
        counts: list[int] = []
        codes: list[int] = []
        for values in rows:
            distinct = dict.fromkeys(values)
            counts.append(len(distinct))
            codes.extend(known.setdefault(value, len(known)) for value in distinct)
        more = np.array(codes, np.int32)
        if start is None:
            return Labels(tuple(known), np.concatenate([[0], np.cumsum(counts)]).astype(np.int64), more)
        ends = start.indptr[-1] + np.cumsum(counts, dtype=np.int64)
        return Labels(tuple(known), np.concatenate([start.indptr, ends]), np.concatenate([start.codes, more]))

    @property
    def rows(self) -> NDArray[np.int32]:
        """(nnz,) the row of each code."""
        return np.repeat(np.arange(len(self.indptr) - 1, dtype=np.int32), np.diff(self.indptr))

    def last(self) -> NDArray[np.int32]:
        """(n,) the last code of each row, of a category path the deepest level; -1 where it has none."""
        has = self.indptr[1:] > self.indptr[:-1]
        last = np.full(len(has), -1, np.int32)
        last[has] = self.codes[self.indptr[1:][has] - 1]
        return last


@dataclass(frozen=True, slots=True)
class Columns:
    """Rows 0..n-1. `keys` are the store's integers for the ids; `alive` is False for rows that left or were replaced.

    `numbers` holds "price" (minor units) and "published" (Unix ms), nan = unknown. `labels` holds "brand", "category"
    (every level of the path) and the feed's attributes. Rows with the same number in `groups` are variants of one hit.

    `trade` holds what the shop alone may know, so that no filter, facet or text can tell it: "cost" (minor units of the
    shop's currency), "stock" (units) and "stock_since" (Unix ms, else when it was published), nan = unknown.

    "price" and `sellable` are the shop's own terms without dates; `offers` are the terms that go beyond these, and `at`
    gives the columns as one market sees them at one moment.
    """

    ids: tuple[str, ...]
    keys: NDArray[np.int64]  # (n,)
    groups: NDArray[np.int32]  # (n,)
    contents: NDArray[np.int64]  # (n,) digest of all that is indexed, so without price, stock and availability
    alive: NDArray[np.bool_]  # (n,)
    sellable: NDArray[np.bool_]  # (n,)
    numbers: Mapping[str, NDArray[np.float64]]  # each (n,)
    labels: Mapping[str, Labels]  # each of n rows
    trade: Mapping[str, NDArray[np.float64]]  # each (n,)
    row_of: Mapping[str, int] = field(repr=False)  # id -> its living row
    group_of: Mapping[bytes, int] = field(repr=False)  # digest of what makes variants equal -> group
    offers: Offers = field(default_factory=Offers.none)

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def n_groups(self) -> int:
        return len(self.group_of)

    @staticmethod
    def of(products: Sequence[Product], keys: Sequence[int]) -> "Columns":
        """All products of a catalogue; ids must be distinct."""
        return _EMPTY.with_products(products, keys)

    def with_products(self, products: Sequence[Product], keys: Sequence[int]) -> "Columns":
        """Append these rows; a product that has a row already gets a new one and its old row dies."""
        n = len(self.ids)
        row_of, group_of, alive = dict(self.row_of), dict(self.group_of), self.alive.copy()
        for offset, product in enumerate(products):
            if (old := row_of.get(product.id)) is not None and old < n:
                alive[old] = False
            row_of[product.id] = n + offset
        names = dict.fromkeys([*self.labels, *(name for product in products for name in product.attributes)])
        labels = {}
        for name in names:
            start = self.labels.get(name) or Labels((), np.zeros(n + 1, np.int64), np.empty(0, np.int32))
            labels[name] = Labels.of([_label_values(product, name) for product in products], start)
        groups = [group_of.setdefault(_group_key(product), len(group_of)) for product in products]
        fresh = np.fromiter((row_of[p.id] == n + i for i, p in enumerate(products)), np.bool_, len(products))
        return Columns(
            ids=self.ids + tuple(product.id for product in products),
            keys=np.concatenate([self.keys, np.array(keys, np.int64)]),
            groups=np.concatenate([self.groups, np.array(groups, np.int32)]),
            contents=np.concatenate([self.contents, np.array([_contents(p) for p in products], np.int64)]),
            alive=np.concatenate([alive, fresh]),
            sellable=np.concatenate([self.sellable, np.array([p.sellable for p in products], np.bool_)]),
            numbers={
                "price": np.concatenate([self.numbers["price"], _numbers([p.price_minor for p in products])]),
                "published": np.concatenate([self.numbers["published"], _numbers([p.published_ms for p in products])]),
            },
            labels=labels,
            trade={name: np.concatenate([self.trade[name], more]) for name, more in _trade(products).items()},
            row_of=row_of,
            group_of=group_of,
            offers=self.offers.with_products(products, range(n, n + len(products))),
        )

    def indexes(self, product: Product) -> bool:
        """Whether the product's row says all but its price, cost, stock and availability already."""
        row = self.row_of.get(product.id)
        return row is not None and int(self.contents[row]) == _contents(product)

    def with_changes(self, products: Sequence[Product]) -> "Columns":
        """New terms of known products (prices, costs, stock, availability, their dates, offers); nothing else of them
        is read."""
        rows = [self.row_of[product.id] for product in products]
        price = _with(self.numbers["price"], rows, _numbers([product.price_minor for product in products]))
        sellable = _with(self.sellable, rows, np.array([product.sellable for product in products], np.bool_))
        offers = self.offers.with_products(products, rows)
        trade = {name: _with(self.trade[name], rows, told) for name, told in _trade(products).items()}
        return replace(self, numbers={**self.numbers, "price": price}, sellable=sellable, trade=trade, offers=offers)

    def at(self, now_ms: int, market: Market) -> "Columns":
        """The same rows with the "price" that a shopper in `market` pays at that moment, what they can buy, and only
        what is sold there alive. A cost in another currency than the market's is not known there."""
        price, sellable, offered = self.offers.at(now_ms, market, self.numbers["price"], self.sellable)
        foreign = bool(market.name) and not market.implies_prices
        trade = {**self.trade, "cost": np.full(len(self), np.nan)} if foreign else self.trade
        numbers, alive = {**self.numbers, "price": price}, self.alive & offered
        return replace(self, numbers=numbers, sellable=sellable, alive=alive, trade=trade)

    def without(self, ids: Sequence[str]) -> "Columns":
        """The rows of these ids die; unknown ids are ignored."""
        row_of, alive = dict(self.row_of), self.alive.copy()
        for product_id in ids:
            if (row := row_of.pop(product_id, None)) is not None:
                alive[row] = False
        return replace(self, alive=alive, row_of=row_of)

    def nbytes_beside(self, before: "Columns") -> int:
        """About the memory of what is not shared with `before`, which these columns were made from."""
        shared = {id(one) for one in before._arrays()}
        own = sum(one.nbytes for one in self._arrays() if id(one) not in shared)
        names = ((self.row_of, before.row_of), (self.group_of, before.group_of), (self.ids, before.ids))
        return own + sum(getsizeof(mine) for mine, theirs in names if mine is not theirs)

    def _arrays(self) -> Iterator[NDArray[Any]]:
        yield from (self.keys, self.groups, self.contents, self.alive, self.sellable)
        yield from (*self.numbers.values(), *self.trade.values())
        for labels in self.labels.values():
            yield from (labels.indptr, labels.codes)

    def state(self) -> State:
        """Plain arrays from which `restore` makes the same columns."""
        state = pack("ids", self.ids) | pack("labels", list(self.labels))
        for place, labels in enumerate(self.labels.values()):
            arrays: State = {"indptr": labels.indptr, "codes": labels.codes}
            state |= under(f"label{place}", arrays | pack("values", labels.values))
        digests = np.frombuffer(b"".join(self.group_of), np.uint8).reshape(-1, 16)
        state |= {
            "keys": self.keys,
            "groups": self.groups,
            "contents": self.contents,
            "alive": self.alive,
            "sellable": self.sellable,
        }
        state |= {"group_of": digests} | under("number", dict(self.numbers)) | under("trade", dict(self.trade))
        return state | under("offer", self.offers.state())

    @staticmethod
    def restore(state: Mapping[str, NDArray[Any]]) -> "Columns":
        ids = unpack("ids", state)
        labels = {}
        for place, name in enumerate(unpack("labels", state)):
            arrays = part(f"label{place}", state)
            labels[name] = Labels(unpack("values", arrays), state[f"label{place}.indptr"], state[f"label{place}.codes"])
        alive = state["alive"]
        return Columns(
            ids=ids,
            keys=state["keys"],
            groups=state["groups"],
            contents=state["contents"],
            alive=alive,
            sellable=state["sellable"],
            numbers={name: state[f"number.{name}"] for name in NUMBERS},
            labels=labels,
            trade=_trade_in(state),
            row_of={ids[row]: row for row in np.flatnonzero(alive).tolist()},
            group_of={digest.tobytes(): group for group, digest in enumerate(state["group_of"])},
            offers=Offers.restore(offers) if (offers := part("offer", state)) else Offers.none(),  # none: an older one
        )


def _label_values(product: Product, name: str) -> Sequence[str]:
    if name == "brand":
        return (product.brand,) if product.brand else ()
    if name == "category":
        return product.category_levels
    return product.attributes.get(name, ())


def _group_key(product: Product) -> bytes:
    """Variants share the feed's group id; without one, products whose shown fields are all equal are one hit."""
    if product.group_id:
        return _digest(("group", product.group_id), 16)
    return _digest(_shown(product) if product.title else ("alone", product.id), 16)


def _contents(product: Product) -> int:
    digest = _digest((*_shown(product), product.group_id, product.published_ms), 8)
    return int.from_bytes(digest, "little", signed=True)


def _shown(product: Product) -> tuple[object, ...]:
    attributes, texts = tuple(sorted(product.attributes.items())), tuple(sorted(product.texts.items()))
    said = (product.title, product.brand, product.category, product.description, product.image_url, attributes)
    return (*said, texts) if texts else said


def _digest(what: tuple[object, ...], size: int) -> bytes:
    return blake2b(repr(what).encode("utf-8", "surrogatepass"), digest_size=size).digest()


def _trade(products: Sequence[Product]) -> dict[str, NDArray[np.float64]]:
    since = [p.published_ms if p.stock_since_ms is None else p.stock_since_ms for p in products]
    told = ([p.cost_minor for p in products], [p.stock for p in products], since)
    return {name: _numbers(values) for name, values in zip(TRADE, told, strict=True)}


def _with(column: NDArray[Any], rows: Sequence[int], told: NDArray[Any]) -> NDArray[Any]:
    """The column with these values; the very same where it has them."""
    if np.array_equal(column[rows], told, equal_nan=column.dtype.kind == "f"):
        return column
    changed = column.copy()
    changed[rows] = told
    return changed


def _trade_in(state: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[np.float64]]:
    """What the shop alone knows; an older snapshot knows when products were published."""
    if f"trade.{TRADE[0]}" in state:
        return {name: state[f"trade.{name}"] for name in TRADE}
    unknown = np.full(len(state["keys"]), np.nan)
    return {"cost": unknown, "stock": unknown, "stock_since": state["number.published"]}


def _numbers(values: Sequence[int | None]) -> NDArray[np.float64]:
    return np.array([np.nan if value is None else value for value in values], np.float64)


_EMPTY = Columns(
    ids=(),
    keys=np.empty(0, np.int64),
    groups=np.empty(0, np.int32),
    contents=np.empty(0, np.int64),
    alive=np.empty(0, np.bool_),
    sellable=np.empty(0, np.bool_),
    numbers={name: np.empty(0) for name in NUMBERS},
    labels={name: Labels((), np.zeros(1, np.int64), np.empty(0, np.int32)) for name in ("brand", "category")},
    trade={name: np.empty(0) for name in TRADE},
    row_of={},
    group_of={},
)

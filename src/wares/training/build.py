"""The store -> a snapshot: index the words, encode the meanings, fit the behaviour models."""

import time
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder
from wares.domain.catalogue import Columns
from wares.domain.interactions import Interactions
from wares.domain.log import EventBlock
from wares.domain.product import Product
from wares.domain.shopper import History
from wares.engine.assembly import Engine
from wares.engine.settings import Settings
from wares.engine.snapshot import Snapshot
from wares.evaluation.judgements import Judged
from wares.retrieval.kin import Kin
from wares.retrieval.language.shop_language import Language
from wares.retrieval.suggestions.entries import entries_of
from wares.retrieval.suggestions.index import Suggestions
from wares.retrieval.suggestions.privacy import LEAST_SHOPPERS, is_showable
from wares.retrieval.text_index import TextIndex
from wares.retrieval.vector_index import VectorIndex
from wares.store.sqlite import Store
from wares.training.beside_events import only_what_is_read, with_attributes, with_searches
from wares.training.clicks import beside, clicks_of
from wares.training.home_order import learn_home_order
from wares.training.models import count_purchases, learn_models
from wares.training.newcomers import SCANNED, newcomers_of
from wares.training.order import learn_order
from wares.training.progress import Tell, silent
from wares.training.shopper_model import NAME as SHOPPER
from wares.training.warm import Earlier


def build_snapshot(
    store: Store,
    settings: Settings,
    encoder: Encoder | None,
    folder: Path,
    now_ms: int,
    tell: Tell = silent,
    *,
    earlier: Earlier | None = None,
    checkpoint: Path | None = None,
) -> Snapshot:
    """Everything the store knows, learnt. `folder` is where snapshots live; it gives the next free name. The shopper
    model begins as the `earlier` one where that fits, and goes on from `checkpoint`, a file that stays."""
    started = time.perf_counter()
    block = store.events.read()  # before the catalogue: an event seen here is of a product seen there
    tell("Reading the catalogue", 0, 1)
    keys, products, last_change = _catalogue(store)
    columns = Columns.of(products, keys)
    tell("Reading the catalogue", 1, 1)
    tell("Indexing the words", 0, 1)
    queries = {q: n for q, n in store.events.typed_queries(LEAST_SHOPPERS).items() if is_showable(q)}
    language = Language.of(products, settings.shop.language, queries)
    text = TextIndex.of(products, settings.search.boosts.model_dump(), language.analyser)
    tell("Indexing the words", 1, 1)
    vectors = vectors_of(products, encoder, tell)
    tell("Reading the events", 0, 1)
    interactions, shopper_keys = _interactions(block, columns)
    interactions = with_attributes(interactions, shopper_keys, settings, store.shoppers)
    tell("Reading the events", 1, 1)
    interactions = with_searches(interactions, block, shopper_keys, settings, encoder, tell)
    models, told = learn_models(
        settings, interactions, columns, vectors, folder.parent, now_ms, tell, earlier=earlier, checkpoint=checkpoint
    )
    interactions = only_what_is_read(interactions, models.get(SHOPPER))
    newcomers, touched = newcomers_of(columns, interactions, folder.parent, now_ms)
    purchases = count_purchases(interactions)
    suggestions = Suggestions.of(entries_of(products, queries, purchases.values(now_ms)))
    snapshot = Snapshot(
        name=_next_name(folder),
        columns=columns,
        language=language,
        text=text,
        vectors=vectors,
        suggestions=suggestions,
        models=models,
        interactions=interactions,
        shopper_keys=shopper_keys,
        purchases=purchases,
        newcomers=newcomers,
        kin=Kin.of(vectors, newcomers, touched, scanned=SCANNED),
        last_event=int(block.seqs[-1]) if len(block) else 0,
        last_change=last_change,
        encoder=encoder.fingerprint if encoder else "",
        facts=told
        | {
            "made_ms": now_ms,
            "seconds": round(time.perf_counter() - started, 1),
            "products": len(products),
            "hits": columns.n_groups,
            "events": len(block),
            "shoppers": interactions.n_shoppers,
        },
    )
    snapshot = learn_home_order(snapshot, folder.parent, settings, store, tell=tell)
    judgements = store.judgements.read()
    if settings.profile("search").swaps > 0:
        tell("Reading the clicks", 0, 1)
        highest = max((one.relevance for one in judgements), default=0.0) or 1.0
        lessons = clicks_of(store, folder.parent, block, columns, highest)
        judgements = beside(judgements, lessons.judgements)
        told = {"impressions": lessons.impressions, "clicks": lessons.clicks, "judgements": len(lessons.judgements)}
        snapshot = replace(snapshot, facts={**snapshot.facts, "clicks": told})
        tell("Reading the clicks", 1, 1)
    if not judgements:
        return snapshot
    engine = Engine(folder.parent, settings, store, encoder, snapshot)
    return learn_order(engine, Judged.of(judgements, columns.row_of), now_ms, 0, tell)


def known(store: Store) -> tuple[list[Product], Columns, Interactions]:
    """Products, their columns and all histories as they are now, with nothing learnt of them."""
    block = store.events.read()
    keys, products, _ = _catalogue(store)
    columns = Columns.of(products, keys)
    return products, columns, _interactions(block, columns)[0]


def _catalogue(store: Store) -> tuple[list[int], list[Product], int]:
    keys: list[int] = []
    products: list[Product] = []
    last = 0
    for number, key, _, product in store.catalogue.changes():
        last = number
        if product is not None:
            keys.append(key)
            products.append(product)
    return keys, products, last


def vectors_of(products: list[Product], encoder: Encoder | None, tell: Tell) -> VectorIndex:
    """What the products' texts mean; each distinct passage is encoded once."""
    if encoder is None or not products:
        return VectorIndex.empty(len(products))
    place: dict[str, int] = {}
    text_of = np.array([place.setdefault(product.passage, len(place)) for product in products], np.int32)
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("Encoding the meanings", done, len(place))

    tell("Encoding the meanings", 0, len(place))
    return VectorIndex.of(encoder.encode(list(place), "passage", more), text_of)


def _interactions(block: EventBlock, columns: Columns) -> tuple[Interactions, NDArray[np.int64]]:
    """Events on products of the catalogue, by shopper; and the shoppers' keys, ascending."""
    row_of = np.full(int(max(columns.keys.max(initial=0), block.product_keys.max(initial=0))) + 1, -1, np.int32)
    row_of[columns.keys] = np.arange(len(columns), dtype=np.int32)
    rows = np.where(block.product_keys >= 0, row_of[block.product_keys], -1).astype(np.int32)
    keep = rows >= 0
    shopper_keys, places = np.unique(block.shopper_keys[keep], return_inverse=True)
    anonymous = int(len(shopper_keys) > 0 and shopper_keys[0] < 0)
    events = History(rows[keep], block.times_ms[keep], block.kinds[keep], block.quantities[keep])
    known = shopper_keys[anonymous:]
    places = places.astype(np.int64) - anonymous  # -1 = the anonymous crowd
    return Interactions.of(places, events, block.basket_keys[keep], len(known), len(columns)), known


def _next_name(folder: Path) -> str:
    taken = [int(path.name) for path in folder.glob("*") if path.name.isdecimal()]  # the damaged ones, too
    return f"{max(taken, default=0) + 1:06d}"

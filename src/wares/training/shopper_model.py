"""The shopper model of a shop: what the shop knows as lessons, and where a fitted model comes from."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.catalogue import Columns
from wares.domain.event import EventKind
from wares.domain.interactions import NO_SEARCHES, Interactions
from wares.domain.shopper import KIND_CODES
from wares.engine.learnt import SNAPSHOTS
from wares.engine.settings import SequenceSettings, Settings
from wares.engine.shelf import current_name
from wares.engine.snapshot import load_parts
from wares.errors import SnapshotError
from wares.models.attributes import Attributes, Bands, words_of
from wares.models.sequence import SEARCH, SequenceModel, in_turn
from wares.retrieval.vector_index import VectorIndex
from wares.training.lessons import Lessons, attribute_codes
from wares.training.machine import free_memory
from wares.training.model_file import read_model
from wares.training.network import load_torch
from wares.training.progress import Tell, silent
from wares.training.recipe import Recipe, refuse_too_large
from wares.training.warm import Earlier, fits, warmed

NAME = "sequence"  # in the settings and among a snapshot's models
_BANDS = 10  # of prices, each with as many products
_MOST_VALUES = 2_000  # of an attribute: with more it names products rather than kinds
_DAY_MS = 86_400_000
_RATE = KIND_CODES[EventKind.RATE]
LEAST_SHOPPERS = 20  # who must have told a value: what fewer told is nobody's business


@dataclass(frozen=True)
class ShopperModel:
    """A model for the products of one catalogue, or None; `how` it came about, for people."""

    model: SequenceModel | None
    how: str


def shopper_model(
    interactions: Interactions,
    columns: Columns,
    vectors: VectorIndex,
    settings: SequenceSettings,
    folder: Path,
    tell: Tell = silent,
    *,
    checkpoint: Path | None = None,
    earlier: Earlier | None = None,
) -> ShopperModel:
    """Of a shop in `folder`: the fitted one that its settings name, moved to this catalogue, or one trained on these
    interactions, which begins as the earlier one where that fits. A fitted or earlier one that learnt from later events
    than these is none: that would be foresight. A checkpoint of another training is removed.

    Raises SettingsError for a file that is not there or not one, TrainingError as `fit_sequence` does and where the
    free memory is too little.
    """
    until_ms = int(interactions.events.times_ms.max(initial=0))
    if settings.fitted:
        path = folder / settings.fitted
        ids, model = read_model(path)
        if model.until_ms > until_ms:
            return ShopperModel(None, f"{settings.fitted} learnt from later events than these")
        row_of = {product_id: row for row, product_id in enumerate(ids)}
        rows = np.array([row_of.get(product_id, -1) for product_id in columns.ids], np.int32)
        new = np.flatnonzero(rows < 0)
        words = product_words(columns)
        codes = model.codes([words[row] if rows[row] < 0 else () for row in range(len(columns))])
        text = np.zeros((len(columns), vectors.vectors(new[:1].astype(np.int32)).shape[1]), np.float32)
        text[new] = vectors.vectors(new.astype(np.int32))
        return ShopperModel(model.moved(rows, text, codes), f"from {settings.fitted}")
    if find_spec("torch") is None:
        return ShopperModel(None, "torch is not installed: pip install 'wares[train]'")
    from wares.training.sequence import fit_sequence, goes_on

    if settings.searches is False:
        interactions = replace(interactions, searches=NO_SEARCHES)
    if not settings.attributes:
        interactions = replace(interactions, attributes={})
    lessons, words_by_code = shopper_lessons(interactions, columns, vectors)
    lessons, told, bands = with_attributes(lessons, interactions)
    if not lessons.teach:
        return ShopperModel(None, "no shopper came twice: nothing follows anything")
    recipe, how, start_from = recipe_of(settings), "trained", None
    if earlier is not None and settings.warm and earlier.model.until_ms <= until_ms:
        moved = earlier.of(columns.ids, words_by_code, told)
        if fits(moved, lessons, recipe):
            recipe, how, start_from = warmed(recipe), f"warm start from {earlier.name}", moved
    if (
        checkpoint is not None
        and checkpoint.exists()
        and not goes_on(checkpoint, lessons, recipe, start_from=start_from)
    ):
        checkpoint.unlink()
        how += f", {checkpoint.name} was of other events, products or settings and is replaced"
    if recipe.device == "cpu":
        refuse_too_large(lessons, recipe, free_memory())
    fitted = fit_sequence(lessons, recipe, tell, checkpoint, start_from=start_from)
    arrays = {**fitted.model.arrays, "words": np.array(words_by_code), "until_ms": np.array(until_ms)}
    if told:
        arrays |= {"shopper_words": np.array(told), **bands.state()}
    loss = fitted.losses[-1][0] if fitted.losses else float("nan")
    how += f", {fitted.parameters:,} parameters, {len(fitted.losses)} epochs, loss {loss:.3f}"
    if lessons.searched is not None:
        how += f", {int((lessons.searched >= 0).sum()):,} searches"
    if told:
        how += f", {len(told)} values of attributes"
    return ShopperModel(SequenceModel(arrays), how)


def earlier_model(folder: Path, settings: Settings, fingerprint: str) -> Earlier | None:
    """The shopper model that serves the shop in `folder`, where a training by these settings and with the encoder of
    this fingerprint could begin with it. Reads no more of the snapshot than that takes."""
    own = settings.models.sequence
    if NAME not in settings.models.train or own.fitted or not own.warm or find_spec("torch") is None:
        return None
    name = current_name(folder / SNAPSHOTS)
    if not name:
        return None
    model, part = SequenceModel(), f"model-{NAME}"
    try:
        encoder, parts = load_parts(folder / SNAPSHOTS / name, ("columns", part))
        if encoder != fingerprint or not parts.get(part):
            return None
        model.restore(parts[part])
        return Earlier(name, Columns.restore(parts["columns"]).ids, model)
    except (SnapshotError, KeyError, ValueError):
        return None  # a damaged one is no loss: the training begins anew


def recipe_of(settings: SequenceSettings) -> Recipe:
    """The recipe that these settings mean on this machine."""
    recipe = Recipe.like(settings.size, settings.model_dump(exclude={"device"}))
    if settings.device != "auto":
        return replace(recipe, device=settings.device)
    return replace(recipe, device="cuda" if load_torch().cuda.is_available() else "cpu")


def shopper_lessons(
    interactions: Interactions, columns: Columns, vectors: VectorIndex
) -> tuple[Lessons, tuple[str, ...]]:
    """Every known shopper's events, and of each product its text vector, brand, categories, attributes and price band;
    and those words by code. Where there are searches, and vectors of one encoder for both, they stand among the events.

    Where most events share their visit with others, the next visit is asked for, else the next event. A visit is a
    basket, or a day (UTC) where there are none.
    """
    known = interactions.known()
    known = known.take((known.events.kinds != _RATE) | (known.events.interest > 0))  # few stars ask for no more of it
    events = known.events
    visits = np.where(known.baskets >= 0, known.baskets, -1 - events.times_ms // _DAY_MS)
    codes, words = attribute_codes(product_words(columns))
    kinds = events.kinds if len(np.unique(events.kinds)) > 1 else None
    text = vectors.vectors(np.arange(len(columns), dtype=np.int32)) if vectors.background.size else None
    lessons = Lessons(
        events.rows, known.indptr, known.n_products, kinds=kinds, times_ms=events.times_ms, text=text,
        codes=codes if words else None, visits=visits if _in_company(visits, known.indptr) > 0.5 else None,
    )  # fmt: skip
    if len(known.searches) and text is not None and known.searches.vectors.shape[1] == text.shape[1]:
        lessons = _with_searches(lessons, known)
    return lessons, words


def _with_searches(lessons: Lessons, known: Interactions) -> Lessons:
    """The same with the searches among the events that say something, as the model will read them."""
    says = known.events.interest > 0
    events, searches, n = known.events.take(says), known.searches, int(says.sum())
    owners = known.shoppers[says].astype(np.int64)
    order = in_turn(events.times_ms, searches.times_ms, owners, searches.shoppers.astype(np.int64))
    none = np.full(len(searches), -1, np.int64)

    def joined(column: NDArray[Any], of_searches: NDArray[Any]) -> NDArray[Any]:
        return np.concatenate([column, of_searches.astype(column.dtype)])[order]

    owner = joined(owners, searches.shoppers)
    return replace(
        lessons,
        rows=joined(events.rows, none),
        indptr=np.searchsorted(owner, np.arange(len(lessons.indptr))).astype(np.int64),
        kinds=joined(events.kinds, np.full(len(searches), SEARCH)),
        times_ms=joined(events.times_ms, searches.times_ms),
        visits=None if lessons.visits is None else joined(lessons.visits[says], none),
        searched=joined(np.full(n, -1, np.int32), searches.places),
        queries=searches.vectors.astype(np.float32),
    )


def with_attributes(lessons: Lessons, interactions: Interactions) -> tuple[Lessons, tuple[str, ...], Bands]:
    """The same with what shoppers told about themselves; its words by code, and the bands of numbers. Values that fewer
    than `LEAST_SHOPPERS` told are left out."""
    told: Mapping[int, Attributes] = interactions.attributes
    bands = Bands.of(list(told.values()))
    words = {shopper: words_of(own, bands) for shopper, own in told.items()}
    counts = Counter(word for own in words.values() for word in own)
    code_of = {word: code for code, word in enumerate(sorted(w for w, n in counts.items() if n >= LEAST_SHOPPERS))}
    if not code_of:
        return lessons, (), Bands()
    codes = np.full((len(lessons.indptr) - 1, max(map(len, words.values()))), -1, np.int32)
    for shopper, own in words.items():
        known = [code_of[word] for word in own if word in code_of]
        codes[shopper, : len(known)] = known
    return replace(lessons, told=codes), tuple(code_of), bands


def product_words(columns: Columns) -> list[list[str]]:
    """What each product is, as words like "brand=Acme" and "price=3": the tenth of the prices it lies in."""
    words: list[list[str]] = [[] for _ in range(len(columns))]
    for name, labels in columns.labels.items():
        if len(labels.values) <= _MOST_VALUES:
            for row, code in zip(labels.rows.tolist(), labels.codes.tolist(), strict=True):
                words[row].append(f"{name}={labels.values[code]}")
    prices = columns.numbers["price"]
    told = np.flatnonzero(np.isfinite(prices))
    if len(told):
        edges = np.quantile(prices[told], np.arange(1, _BANDS) / _BANDS)
        for row, band in zip(told.tolist(), np.searchsorted(edges, prices[told], side="right").tolist(), strict=True):
            words[row].append(f"price={band}")
    return words


def _in_company(visits: NDArray[np.int64], indptr: NDArray[np.int64]) -> float:
    """The share of events that have another one of the same shopper's visit next to them."""
    if len(visits) < 2:
        return 0.0
    same = visits[1:] == visits[:-1]
    borders = indptr[1:-1]
    same[borders[(borders > 0) & (borders < len(visits))] - 1] = False
    return float((np.append(same, False) | np.insert(same, 0, False)).mean())

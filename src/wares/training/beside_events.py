"""What the shopper model reads beside events on products: searches, as text vectors, and what shoppers told about
themselves."""

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Encoder
from wares.domain.interactions import NO_SEARCHES, Interactions, Searches
from wares.domain.log import EventBlock
from wares.domain.text import MAX_QUERY
from wares.engine.settings import Settings
from wares.errors import SettingsError
from wares.models.attributes import named
from wares.models.sequence import SEARCH, SequenceModel, in_turn
from wares.store.shoppers import SqliteShoppers
from wares.training.progress import Tell, silent
from wares.training.shopper_model import NAME

LEAST_SEARCHES = 200  # of known shoppers: fewer teach nothing, where the settings leave it to wares
MOST_QUERIES = 10_000  # different ones that are encoded, the latest: 20 s on one core


def with_searches(
    interactions: Interactions,
    block: EventBlock,
    shopper_keys: NDArray[np.int64],
    settings: Settings,
    encoder: Encoder | None,
    tell: Tell = silent,
) -> Interactions:
    """The same with the searches of its known shoppers, whose keys these are (s,), growing; without any where the
    settings say so, no shopper model is trained, nothing can encode them, or they are too few."""
    wanted = settings.models.sequence.searches
    if wanted is False or encoder is None or NAME not in settings.models.train or not len(shopper_keys):
        return interactions
    at = np.flatnonzero((block.kinds == SEARCH) & (block.shopper_keys >= 0))
    owner = np.searchsorted(shopper_keys, block.shopper_keys[at]).clip(max=len(shopper_keys) - 1)
    words = [block.queries.get(place, "").strip()[:MAX_QUERY] for place in at.tolist()]
    said = (shopper_keys[owner] == block.shopper_keys[at]) & np.array([bool(word) for word in words], np.bool_)
    at, owner, words = at[said], owner[said], [word for word, kept in zip(words, said.tolist(), strict=True) if kept]
    if len(at) < (1 if wanted else LEAST_SEARCHES):
        return interactions
    events, n = interactions.known().events, int(interactions.indptr[interactions.n_shoppers])
    order = in_turn(events.times_ms, block.times_ms[at], interactions.shoppers[:n].astype(np.int64), owner)
    kept = order[order >= n] - n  # by shopper, then time, without those that say nothing beside the next
    latest = dict.fromkeys(words[i] for i in kept[np.argsort(-block.times_ms[at[kept]], kind="stable")].tolist())
    place_of = {word: place for place, word in enumerate(list(latest)[:MOST_QUERIES])}
    kept = kept[[words[i] in place_of for i in kept.tolist()]]
    done = 0

    def more(count: int) -> None:
        nonlocal done
        done += count
        tell("Encoding the searches", done, len(place_of))

    tell("Encoding the searches", 0, len(place_of))
    vectors = encoder.encode(list(place_of), "query", more).astype(np.float16)
    places = np.array([place_of[words[i]] for i in kept.tolist()], np.int32)
    searches = Searches(owner[kept].astype(np.int32), block.times_ms[at[kept]], places, vectors)
    return replace(interactions, searches=searches)


def with_attributes(
    interactions: Interactions, shopper_keys: NDArray[np.int64], settings: Settings, shoppers: SqliteShoppers
) -> Interactions:
    """The same with those attributes of its known shoppers that the settings name.

    Raises SettingsError for one that no shopper has.
    """
    names = settings.models.sequence.attributes
    if not names or NAME not in settings.models.train:
        return interactions
    place_of = {int(key): place for place, key in enumerate(shopper_keys)}
    known: set[str] = set()
    told: dict[int, tuple[tuple[str, str], ...]] = {}
    for key, attributes in shoppers.all_attributes():
        known |= attributes.keys()
        if (place := place_of.get(key)) is not None and (own := named(attributes, names)):
            told[place] = own
    for name in names:
        if name not in known:
            have = f"Known: {', '.join(sorted(known))}." if known else "No shopper has any attribute."
            raise SettingsError(f"models.sequence.attributes: no shopper has the attribute {name!r}. {have}")
    return replace(interactions, attributes=told)


def only_what_is_read(interactions: Interactions, model: object) -> Interactions:
    """The same without searches where this shopper model, if it is one, does not read them."""
    if isinstance(model, SequenceModel) and model.reads_searches:
        return interactions
    return replace(interactions, searches=NO_SEARCHES) if len(interactions.searches) else interactions

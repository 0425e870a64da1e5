"""A warm start of the shopper model: what an earlier one learnt, in the terms of today's catalogue.

Nothing is learnt here, and torch is not needed.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import KINDS
from wares.models.sequence import SequenceModel, unit
from wares.training.lessons import Lessons
from wares.training.network import N_GAPS
from wares.training.recipe import Recipe, shape_of

EPOCHS, RATE = 0.25, 0.5  # of those of a cold start


@dataclass(frozen=True)
class Earlier:
    """The shopper model of the snapshot `name`, fitted with the products `ids`."""

    name: str
    ids: tuple[str, ...]
    model: SequenceModel

    def of(self, ids: Sequence[str], words: Sequence[str], shopper_words: Sequence[str] = ()) -> SequenceModel:
        """The same with a row for each of these products, these words of theirs and these of shoppers; a row of zeros =
        it knows nothing of it."""
        row_of = {product_id: row for row, product_id in enumerate(self.ids)}
        arrays = dict(self.model.arrays)
        places = _places(row_of, ids)
        for name in ("products", "inputs", "biases"):
            arrays[name] = _moved(arrays[name], places)
        if "attributes" in arrays:
            code_of = {str(word): code for code, word in enumerate(arrays["words"])}
            arrays["attributes"] = _moved(arrays["attributes"], _places(code_of, words))
        if "shoppers" in arrays:
            code_of = {str(word): code for code, word in enumerate(arrays["shopper_words"])}
            arrays["shoppers"] = _moved(arrays["shoppers"], _places(code_of, shopper_words))
        return SequenceModel(arrays)


def warmed(recipe: Recipe) -> Recipe:
    """What is left to do of a recipe where an earlier model is there to begin with."""
    return replace(recipe, epochs=max(1, round(EPOCHS * recipe.epochs)), rate=RATE * recipe.rate)


def fits(model: SequenceModel, lessons: Lessons, recipe: Recipe) -> bool:
    """Whether a network that this recipe makes of these lessons can begin as this model."""
    shape, arrays = shape_of(lessons, recipe), model.arrays
    d, text = shape.dimension, None if lessons.text is None else (lessons.text.shape[1], shape.n_text)
    wanted: dict[str, tuple[int, ...] | None] = {
        "products": (shape.n_products, d),
        "near": (shape.heads, shape.max_history),
        "text": (shape.n_text, d) if shape.n_text else None,
        "text.turn": text,
        "attributes": (shape.n_attributes, d) if shape.n_attributes else None,
        "kinds": (len(KINDS), d) if shape.uses_kinds else None,
        "gaps": (N_GAPS, d) if shape.uses_times else None,
        "shoppers": (shape.n_told, d) if shape.n_told else None,
        "searches.centre": None if lessons.queries is None else lessons.queries.shape[1:],
    }
    there = {name: arrays[name].shape if name in arrays else None for name in wanted}
    return (
        there == wanted
        and sum(name.endswith(".qkv.weight") for name in arrays) == shape.blocks
        and ("head.narrow" in arrays) == (shape.head == "mlp")
        and (shape.own_inputs or not has_own_inputs(model))
    )


def has_own_inputs(model: SequenceModel) -> bool:
    """Whether what an event says of its product was learnt apart from the product's v."""
    inputs, products = (np.asarray(model.arrays[name], np.float32) for name in ("inputs", "products"))
    return not np.allclose(unit(inputs), products, atol=1e-4)


def _places(place_of: dict[str, int], names: Sequence[str]) -> NDArray[np.int64]:
    """Where each of these stood (n,), -1 = nowhere."""
    return np.array([place_of.get(name, -1) for name in names], np.int64)


def _moved(table: NDArray[np.generic], places: NDArray[np.int64]) -> NDArray[np.generic]:
    moved = np.zeros((len(places), *table.shape[1:]), table.dtype)
    moved[places >= 0] = table[places[places >= 0]]
    return moved

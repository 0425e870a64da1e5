"""How a shopper model is trained: sizes from tiny to GPT-2's, the network they make, and the memory they take."""

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace
from typing import Any

from wares.errors import InputError, TrainingError, UnknownName
from wares.training.budget import gigabytes
from wares.training.lessons import Lessons
from wares.training.network import Shape

USABLE = 0.8  # of the free memory: estimates are not sure


@dataclass(frozen=True, slots=True)
class Recipe:
    """What is trained and how. `hold_out` is the share of shoppers whose last event is kept aside: training stops after
    `patience` epochs without a lower loss there and keeps the best; 0 = all epochs, on everything."""

    dimension: int = 128
    blocks: int = 2
    heads: int = 2
    max_history: int = 50
    head: str = "dot"  # or "mlp"
    own_inputs: bool = False
    epochs: int = 16
    batch: int = 256  # histories of a step
    negatives: int = 1_024  # products that each is told from; a catalogue of no more is used whole
    rate: float = 2e-3
    weight_decay: float = 0.05
    l1: float = 0.0
    dropout: float = 0.5
    input_dropout: float = 0.3
    id_dropout: float = (
        0.0  # how often a product must do without its id part: what new products are known by learns more
    )
    hold_out: float = 0.0
    patience: int = 3
    seconds: float = 0.0  # of the clock, at most; the rate falls with the time, too; 0 = no limit
    seed: int = 0
    device: str = "cpu"  # "cuda": in bf16

    @staticmethod
    def of(size: str) -> "Recipe":
        """One of `SIZES` by name."""
        if size not in SIZES:
            raise UnknownName("size of the shopper model", size, SIZES)
        return SIZES[size]

    @staticmethod
    def like(size: str, changes: Mapping[str, Any]) -> "Recipe":
        """One of `SIZES` with the changes that are not None; what a recipe does not have is ignored."""
        known = {field.name for field in fields(Recipe)}
        told = {name: value for name, value in changes.items() if name in known and value is not None}
        return replace(Recipe.of(size), **told)


SIZES: dict[str, Recipe] = {
    "tiny": Recipe(dimension=32, blocks=1, dropout=0.2, input_dropout=0.2),
    "small": Recipe(dimension=64, dropout=0.3, input_dropout=0.3),
    "base": Recipe(),
    "large": Recipe(dimension=512, blocks=8, heads=8, rate=5e-4, max_history=200, dropout=0.3),
    "gpt2": Recipe(dimension=768, blocks=12, heads=12, rate=3e-4, max_history=200, dropout=0.2, input_dropout=0.1),
}


def memory_bytes(lessons: Lessons, recipe: Recipe) -> int:
    """About how much fitting takes: weights and moments, the text vectors, what is exported, and what a step holds."""
    shape = shape_of(lessons, recipe)
    events = recipe.batch * min(recipe.max_history, 16)
    told_from = min(recipe.negatives, lessons.n_products) * (3 * 32 if recipe.head == "mlp" else 5)
    step = events * (told_from + 40 * recipe.blocks * recipe.dimension)
    text = 0 if lessons.text is None else 3 * lessons.text.size
    text += 0 if lessons.queries is None else 3 * lessons.queries.size
    return 4 * (4 * shape.parameters + 3 * lessons.n_products * recipe.dimension + step + text)


def refuse_too_large(lessons: Lessons, recipe: Recipe, free_bytes: int) -> None:
    """TrainingError where fitting does not fit into the free memory; it names the number, and the largest size that
    fits."""
    needed, usable = memory_bytes(lessons, recipe), USABLE * free_bytes
    if needed <= usable:
        return
    sizes = {size: memory_bytes(lessons, one) for size, one in SIZES.items()}
    fitting = [size for size, takes in sizes.items() if takes <= min(usable, needed)]
    advice = 'No smaller size fits, either: take "sequence" out of models.train, or use a larger machine.'
    if fitting:
        size = fitting[-1]
        advice = f'Size {size!r} fits: about {gigabytes(sizes[size])}. Set [models.sequence] size = "{size}".'
    raise TrainingError(
        f"The shopper model would take about {gigabytes(needed)} of memory, and {gigabytes(free_bytes)} are free. "
        + advice
    )


def shape_of(lessons: Lessons, recipe: Recipe) -> Shape:
    """The network that a recipe makes of these lessons."""
    if recipe.dimension % recipe.heads or recipe.head not in ("dot", "mlp"):
        raise InputError(
            f"heads ({recipe.heads}) must divide dimension ({recipe.dimension}), and head be 'dot' or 'mlp', "
            f"got {recipe.head!r}."
        )
    return Shape(
        recipe.dimension, recipe.blocks, recipe.heads, recipe.max_history, lessons.n_products,
        n_text=0 if lessons.text is None else min(256, lessons.text.shape[1]),
        n_attributes=0 if lessons.codes is None or not lessons.codes.size else int(lessons.codes.max()) + 1,
        n_told=0 if lessons.told is None or not lessons.told.size else int(lessons.told.max()) + 1,
        uses_kinds=lessons.kinds is not None, uses_times=lessons.times_ms is not None,
        own_inputs=recipe.own_inputs, head=recipe.head,
    )  # fmt: skip

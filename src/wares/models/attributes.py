"""What a shopper told about themselves, as words that the shopper model knows: "age=35-44", or a band of numbers."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

Attributes = Sequence[tuple[str, str]]
N_BANDS = 10  # of numbers, each with about as many shoppers
_MANY = 20  # with more distinct numbers than this an attribute counts in bands


@dataclass(frozen=True, slots=True)
class Bands:
    """The attributes that are numbers, and where their bands meet, growing."""

    edges: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @staticmethod
    def of(shoppers: Sequence[Attributes]) -> "Bands":
        """Bands of the attributes whose values are all numbers, many different ones."""
        values: dict[str, list[float]] = {}
        for told in shoppers:
            for name, value in told:
                values.setdefault(name, []).append(_number(value))
        cuts = np.arange(1, N_BANDS) / N_BANDS
        return Bands(
            {
                name: np.unique(np.quantile(own, cuts))
                for name, own in values.items()
                if all(math.isfinite(value) for value in own) and len(set(own)) > _MANY
            }
        )

    def state(self) -> dict[str, NDArray[np.generic]]:
        """As arrays of a model; {} where there are none."""
        if not self.edges:
            return {}
        edges = np.full((len(self.edges), N_BANDS - 1), np.nan)
        for row, own in zip(edges, self.edges.values(), strict=True):
            row[: len(own)] = own
        return {"bands.names": np.array(list(self.edges)), "bands.edges": edges}

    @staticmethod
    def restore(arrays: Mapping[str, NDArray[np.generic]]) -> "Bands":
        if "bands.names" not in arrays:
            return Bands()
        edges = np.asarray(arrays["bands.edges"], np.float64)
        names = arrays["bands.names"].tolist()
        return Bands({str(name): row[np.isfinite(row)] for name, row in zip(names, edges, strict=True)})


def named(attributes: Mapping[str, str], names: Sequence[str]) -> tuple[tuple[str, str], ...]:
    """Those of the attributes that have one of these names."""
    return tuple((name, attributes[name]) for name in names if attributes.get(name, ""))


def words_of(attributes: Attributes, bands: Bands) -> list[str]:
    """A word for each attribute; none for one that counts in bands and is no number."""
    words = []
    for name, value in attributes:
        if (edges := bands.edges.get(name)) is None:
            words.append(f"{name}={value}")
        elif math.isfinite(number := _number(value)):
            words.append(f"{name}={int(np.searchsorted(edges, number, side='right'))}")
    return words


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan

"""Questions that shoppers could have asked, drawn from a catalogue's own words."""

from collections.abc import Sequence

import numpy as np

from wares.domain.catalogue import Columns
from wares.domain.text import tokens
from wares.store.sqlite import Store

_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_MOST_TITLES = 20_000


def titles_of(store: Store, columns: Columns, rng: np.random.Generator) -> list[str]:
    """The titles of living products, at most 20,000 of them."""
    rows = np.flatnonzero(columns.alive)
    if len(rows) > _MOST_TITLES:
        rows = np.sort(rng.choice(rows, _MOST_TITLES, replace=False))
    products = store.catalogue.get([columns.ids[row] for row in rows])
    return [product.title for product in products.values() if tokens(product.title)]


def draw_query(titles: Sequence[str], rng: np.random.Generator, typos: float = 0.15) -> str:
    """One to four words that stand together in some title; sometimes with a typo, the last word cut or one added."""
    words = [word for word in titles[int(rng.integers(len(titles)))].replace(",", " ").split() if tokens(word)]
    if not words:
        return ""
    many = min(int(rng.integers(1, 5)), len(words))
    start = int(rng.integers(len(words) - many + 1))
    chosen = [word.lower() for word in words[start : start + many]]
    if rng.random() < typos:
        place = int(rng.integers(len(chosen)))
        chosen[place] = misspelt(chosen[place], rng)
    elif rng.random() < typos:
        chosen[-1] = chosen[-1][: max(int(rng.integers(1, len(chosen[-1]) + 1)), 2)]
    return " ".join(chosen)


def misspelt(word: str, rng: np.random.Generator) -> str:
    """A letter dropped, doubled, swapped or replaced; short words stay."""
    if len(word) < 4:
        return word
    i, letter = int(rng.integers(len(word) - 1)), _LETTERS[rng.integers(len(_LETTERS))]
    return [
        word[:i] + word[i + 1 :],
        word[:i] + word[i] + word[i:],
        word[:i] + word[i + 1] + word[i] + word[i + 2 :],
        word[:i] + letter + word[i + 1 :],
    ][rng.integers(4)]

"""How a shopper words what they want: some of its words, now and then misspelt or cut off."""

import re

import numpy as np

MISSPELT, CUT_OFF = 0.12, 0.08  # of the queries
_MANY_WORDS = (0.25, 0.45, 0.3)  # one, two, three
_HAN_OR_KANA = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]+")
_WORD = re.compile(r"[^\W_]{2,}")
_SLIPS = 4


def worded(title: str, rng: np.random.Generator, *, most: int = 3) -> str:
    """A query for a product of this title; of `most` words at most. "" for a title without words."""
    runs = [run for run in _HAN_OR_KANA.findall(title) if len(run) > 1]
    if runs:
        run = runs[int(rng.integers(len(runs)))]
        length = min(int(rng.integers(2, 5)), len(run))
        start = int(rng.integers(len(run) - length + 1))
        return str(run[start : start + length])
    words = list(dict.fromkeys(word.lower() for word in _WORD.findall(title)))
    if not words:
        return ""
    many = min(int(rng.choice(3, p=_MANY_WORDS)) + 1, most, len(words))
    weights = np.array([len(word) for word in words], np.float64)  # the long words say what a thing is
    chosen = np.sort(rng.choice(len(words), many, replace=False, p=weights / weights.sum()))
    said = [words[int(i)] for i in chosen]
    if rng.random() < MISSPELT:
        place = int(rng.integers(len(said)))
        said[place] = misspelt(said[place], rng)
    if rng.random() < CUT_OFF and len(said[-1]) > 5:
        said[-1] = said[-1][: -int(rng.integers(1, 3))]
    return " ".join(said)


def misspelt(word: str, rng: np.random.Generator) -> str:
    """One slip: two letters exchanged, one left out, one doubled, or one replaced. Words of three letters stay."""
    if len(word) < 4:
        return word
    at, how = int(rng.integers(1, len(word) - 1)), int(rng.integers(_SLIPS))
    if how == 0:
        return word[:at] + word[at + 1] + word[at] + word[at + 2 :]
    if how == 1:
        return word[:at] + word[at + 1 :]
    if how == 2:
        return word[:at] + word[at] + word[at:]
    return word[:at] + "aeiorstn"[int(rng.integers(8))] + word[at + 1 :]

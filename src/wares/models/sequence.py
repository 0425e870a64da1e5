"""The shopper model as it serves: events in, u out, r = Score(u * v) for every product. Plain numpy, without torch.

`wares.training.network` says what is computed and why; `wares.training.sequence` fits it.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, History
from wares.errors import SnapshotError, TrainingError
from wares.models.attributes import Bands, words_of
from wares.models.memory import State

Floats = NDArray[np.float32]
MINUTE_MS = 60_000
IN_A_ROW = 3  # of searches with nothing done between them the last ones say all
SEARCH = KIND_CODES[EventKind.SEARCH]
_ENCODED = 256  # shoppers at once
_NEEDED = ("products", "inputs", "biases", "near", "out", "norm.weight", "norm.bias", "heads")


@dataclass
class SequenceModel:
    """A causal transformer over a shopper's last `max_history` events.

    `arrays` holds its weights and three tables with a row per product: `products` (n, d), unit vectors v; `inputs`
    (n, d), what an event on a product says to the network; `biases` (n,). Scores of products that it was not fitted
    with are 0: give them a row with `with_products`.

    With `searches.centre` (d_text,), the mean of the queries' text vectors, it reads searches, too; with `shoppers`, a
    row for each of `shopper_words`, what shoppers told about themselves (in `bands.edges` where these are numbers).
    """

    arrays: dict[str, NDArray[np.generic]] = field(default_factory=dict)

    def fit(self, interactions: Interactions, now_ms: int) -> None:
        """It takes torch and minutes: `wares.training.sequence.fit_sequence` fits it."""
        raise TrainingError("The shopper model is fitted by wares.training.sequence.fit_sequence, not while serving.")

    @property
    def n_products(self) -> int:
        return len(self._floats("biases")) if self.arrays else 0

    @property
    def max_history(self) -> int:
        return int(self._floats("near").shape[1])

    @property
    def reads_searches(self) -> bool:
        return "searches.centre" in self.arrays

    @property
    def reads_attributes(self) -> bool:
        return "shoppers" in self.arrays

    def embed(self, history: History, now_ms: int = 0) -> Floats | None:
        """u (d,): what the shopper wants next; None without an event that speaks for a known product, or a search."""
        if not self.n_products:
            return None
        speaks = (history.interest > 0) & (history.rows < self.n_products)
        told = history.take(np.flatnonzero(speaks)[-self.max_history :])
        x = self._inputs(told)
        return self._encode(x[None])[0] if len(x) else None

    def embed_all(self, interactions: Interactions) -> Floats:
        """u of many shoppers at once, (s, d); zeros for those of whom nothing is known."""
        known = interactions.known()
        found = np.zeros((known.n_shoppers, self._floats("products").shape[1]), np.float32)
        if (self.reads_searches and len(known.searches)) or (self.reads_attributes and known.attributes):
            for shopper, of_one in enumerate(found):
                if (u := self.embed(known.history(shopper))) is not None:
                    of_one[:] = u
            return found
        told = known.take((known.events.interest > 0) & (known.events.rows < self.n_products))
        lengths = np.minimum(np.diff(told.indptr), self.max_history)
        for length in np.unique(lengths[lengths > 0]).tolist():
            alike = np.flatnonzero(lengths == length)
            for some in np.split(alike, range(_ENCODED, len(alike), _ENCODED)):
                last = told.indptr[some + 1]
                events = [told.events.take(slice(int(end) - length, int(end))) for end in last]
                found[some] = self._encode(np.stack([self._inputs(one) for one in events]))
        return found

    def score(self, history: History, now_ms: int) -> Floats:
        """(n_products,): logits of what comes next, less their mean; zeros where nothing is known of the shopper."""
        u = self.embed(history, now_ms)
        if u is None:
            return np.zeros(self.n_products, np.float32)
        rated: Floats = self.rate(u[None])[0]
        rated -= rated.mean()
        return rated

    def score_new(self, history: History, text: Floats) -> Floats:
        """The same for m products that it has no row for, by their text vectors (m, d_text) alone; 0 without one."""
        u = self.embed(history)
        if u is None or "text" not in self.arrays or text.shape[1] != len(self.arrays["text.centre"]):
            return np.zeros(len(text), np.float32)
        told = self._told(text, None)
        new = {"products": unit(told), "inputs": told, "biases": np.zeros(len(text), np.float32)}
        rated = SequenceModel({**self.arrays, **new}).rate(u[None])[0] - self.rate(u[None])[0].mean()
        return np.where(np.any(text, axis=1), rated, np.float32(0))

    def rate(self, u: Floats) -> Floats:
        """r = Score(u * v) of b shoppers (b, d) and every product: (b, n_products)."""
        products = self._floats("products")
        scores: Floats = u @ products.T + self._floats("biases")  # (b, d) @ (d, n) -> (b, n)
        if "head.narrow" in self.arrays:
            for one, of_one in zip(u, scores, strict=True):
                weighed = one[:, None] * self._floats("head.widen.weight")  # (d, width)
                wide = _gelu(products @ weighed + self._floats("head.widen.bias"))  # (n, width)
                of_one += (wide @ self._floats("head.narrow"))[:, 0]
        return scores

    def with_products(self, text: Floats | None, codes: NDArray[np.int32] | None) -> "SequenceModel":
        """The same model with rows for m more products, known by text vectors (m, d_text) and attribute codes (m, a),
        -1 = none, alone; codes the model does not know count as none."""
        n_more = len(text) if text is not None else len(codes) if codes is not None else 0
        rows = np.append(np.arange(self.n_products), np.full(n_more, -1)).astype(np.int32)
        none = np.zeros((self.n_products, 0 if text is None else text.shape[1]), np.float32)
        no_code = np.full((self.n_products, 0 if codes is None else codes.shape[1]), -1, np.int32)
        return self.moved(
            rows,
            None if text is None else np.concatenate([none, text]),
            None if codes is None else np.concatenate([no_code, codes]),
        )

    def moved(self, rows: NDArray[np.int32], text: Floats | None, codes: NDArray[np.int32] | None) -> "SequenceModel":
        """The model of another catalogue, whose product i had the row `rows[i]` (n,); -1 = it is new, and known by its
        text vector (n, d_text) and attribute codes (n, a) alone."""
        grown, new, n = dict(self.arrays), np.flatnonzero(rows < 0), len(rows)
        told = self._told(None if text is None else text[new], None if codes is None else codes[new])
        parts = {"products": unit(told), "inputs": told, "biases": np.zeros(len(new), np.float32)}
        for name, of_new in parts.items():
            old = self._floats(name)
            table = np.zeros((n, *old.shape[1:]), np.float32)
            table[rows >= 0] = old[rows[rows >= 0]]
            table[new] = of_new if len(of_new) else 0
            grown[name] = table
        return SequenceModel(grown)

    def codes(self, words: Sequence[Sequence[str]]) -> NDArray[np.int32]:
        """What each of n products is, in this model's own codes (n, a); -1 = none. Words it does not know are left
        out."""
        code_of = {str(word): code for code, word in enumerate(self.arrays.get("words", ()))}
        told = [[code_of[word] for word in own if word in code_of] for own in words]
        codes = np.full((len(told), max(map(len, told), default=0)), -1, np.int32)
        for row, own in enumerate(told):
            codes[row, : len(own)] = own
        return codes

    @property
    def until_ms(self) -> int:
        """The time of the last event that it learnt from (Unix ms)."""
        return int(self.arrays.get("until_ms", np.array(0)))

    def state(self) -> State:
        return dict(self.arrays)

    def restore(self, state: Mapping[str, NDArray[np.generic]]) -> None:
        """Raises SnapshotError where arrays are missing."""
        missing = [name for name in _NEEDED if state and name not in state]
        if missing:
            raise SnapshotError(f"The shopper model lacks {', '.join(missing)}. Train it again: wares train.")
        self.arrays = {name: np.array(value) for name, value in state.items()}

    def _floats(self, name: str) -> Floats:
        value: Floats = self.arrays[name]  # type: ignore[assignment]
        return value

    def _told(self, text: Floats | None, codes: NDArray[np.int32] | None) -> Floats:
        n = len(text) if text is not None else len(codes) if codes is not None else 0
        told = np.zeros((n, self._floats("products").shape[1]), np.float32)
        if text is not None and "text" in self.arrays:
            told += whitened(text, self._floats("text.centre"), self._floats("text.turn")) @ self._floats("text")
        if codes is not None and "attributes" in self.arrays:
            table = self._floats("attributes")
            given = ((codes >= 0) & (codes < len(table)))[..., None]  # (m, a, 1)
            looked_up = table[np.clip(codes, 0, len(table) - 1)] * given  # (m, a, d)
            told += looked_up.sum(axis=1) / np.maximum(given.sum(axis=1), 1)
        return told

    def shopper_codes(self, attributes: Sequence[tuple[str, str]]) -> NDArray[np.int64]:
        """What one shopper told about themselves, in this model's own codes (a,); what it does not know is left out."""
        if not self.reads_attributes or not attributes:
            return np.empty(0, np.int64)
        code_of = {str(word): code for code, word in enumerate(self.arrays["shopper_words"])}
        told = words_of(attributes, Bands.restore(self.arrays))
        return np.array([code_of[word] for word in told if word in code_of], np.int64)

    def _inputs(self, told: History) -> Floats:
        """What each event says to the network, the searches among them in their places: (t, d)."""
        x, kinds, times_ms = self._floats("inputs")[told.rows], told.kinds, told.times_ms
        searched = told.searched
        if len(searched) and self.reads_searches and searched.vectors.shape[1] == len(self.arrays["searches.centre"]):
            order = in_turn(times_ms, searched.times_ms)[-self.max_history :]
            asked = order >= len(x)
            vectors = searched.vectors[order[asked] - len(x)]
            said = whitened(vectors, self._floats("searches.centre"), self._floats("text.turn")) @ self._floats("text")
            on_products, x = x[order[~asked]], np.empty((len(order), x.shape[1]), np.float32)
            x[~asked], x[asked] = on_products, said
            kinds = np.concatenate([kinds, np.full(len(searched), SEARCH, np.int8)])[order]
            times_ms = np.concatenate([times_ms, searched.times_ms])[order]
        if "kinds" in self.arrays:
            table = self._floats("kinds")
            met = kinds < len(table)  # a kind that wares did not know when this was learnt says nothing
            x = x + table[np.where(met, kinds, 0)] * met[:, None]
        if "gaps" in self.arrays and len(times_ms):
            x = x + self._floats("gaps")[gap_codes(times_ms, len(self.arrays["gaps"]))]
        if len(codes := self.shopper_codes(told.attributes)):
            x = x + self._floats("shoppers")[codes].sum(axis=0)
        return x

    def _encode(self, x: Floats) -> Floats:
        """b histories of one length (b, t, d) -> u (b, d) after the last event; the last block computes that one
        alone."""
        b, t, d = x.shape
        heads = int(self.arrays["heads"])
        blocks = sum(name.endswith(".qkv.weight") for name in self.arrays)
        x = x * np.float32(math.sqrt(d) / 2)
        near = self._floats("near")[:, :t][:, ::-1]
        ahead = np.full((heads, t - 1), -np.inf, np.float32)
        lines = np.concatenate([near, ahead], axis=1)  # (h, 2 t - 1): the last event's distances, then what lies ahead
        mask = np.lib.stride_tricks.sliding_window_view(lines, t, axis=1)[:, ::-1]  # (h, t, t), without a copy
        for i in range(blocks):
            first = t - 1 if i == blocks - 1 else 0
            weight, bias = self._floats(f"{i}.qkv.weight"), self._floats(f"{i}.qkv.bias")
            told = self._norm(f"{i}.norm1", x)
            q = _moved(told[:, first:], weight[:, :d], bias[:d]).reshape(b, -1, heads, d // heads).swapaxes(1, 2)
            kv = _moved(told, weight[:, d:], bias[d:]).reshape(b, t, 2, heads, d // heads)
            k, v = kv.transpose(2, 0, 3, 1, 4)  # each (b, h, t, d / h)
            weights = q @ k.swapaxes(2, 3)  # (b, h, t - first, t)
            weights *= np.float32(1 / math.sqrt(d // heads))
            weights += mask[:, first:]
            weights -= weights.max(axis=-1, keepdims=True)
            np.exp(weights, out=weights)
            weights /= weights.sum(axis=-1, keepdims=True)
            seen = (weights @ v).swapaxes(1, 2).reshape(b, -1, d)
            x = x[:, first:] + self._linear(f"{i}.mix", seen)
            x += self._linear(f"{i}.narrow", _gelu(self._linear(f"{i}.widen", self._norm(f"{i}.norm2", x))))
        wish: Floats = self._norm("norm", x[:, -1]) @ self._floats("out")
        u: Floats = unit(wish) * np.exp(self._floats("scale"))
        return u

    def _norm(self, name: str, x: Floats) -> Floats:
        x = x - x.mean(axis=-1, keepdims=True)
        x /= np.sqrt(np.einsum("...d,...d->...", x, x)[..., None] / np.float32(x.shape[-1]) + np.float32(1e-5))
        x *= self._floats(f"{name}.weight")
        x += self._floats(f"{name}.bias")
        return x

    def _linear(self, name: str, x: Floats) -> Floats:
        return _moved(x, self._floats(f"{name}.weight"), self._floats(f"{name}.bias"))


def _moved(x: Floats, weight: Floats, bias: Floats) -> Floats:
    """x @ weight + bias for all rows of x (..., n_in) at once."""
    moved: Floats = x.reshape(-1, x.shape[-1]) @ weight
    moved += bias
    return moved.reshape(*x.shape[:-1], -1)


def whitened(text: Floats, centre: Floats, turn: Floats) -> Floats:
    """Text vectors (m, d_text) as the network takes them, (m, k): all of one length, 0 where there is no text."""
    turned: Floats = ((text - centre) @ turn).astype(np.float32)  # (m, d_text) @ (d_text, k)
    turned[np.linalg.norm(text, axis=1) == 0] = 0
    return unit(turned) * np.float32(0.6 * math.sqrt(turn.shape[1]))


def in_turn(
    times_ms: NDArray[np.int64],
    searches_ms: NDArray[np.int64],
    owners: NDArray[np.int64] | None = None,
    searchers: NDArray[np.int64] | None = None,
) -> NDArray[np.int64]:
    """Events (n,) and searches (m,) in order of time: places, from n on those of searches. A search comes before an
    event of the same moment. Of searches in a row only the last `IN_A_ROW` are there. `owners` (n,), `searchers` (m,):
    whose they are, shopper by shopper; None = all are one shopper's."""
    n, m = len(times_ms), len(searches_ms)
    owner = np.zeros(n + m, np.int64)
    if owners is not None and searchers is not None:
        owner = np.concatenate([owners, searchers])
    is_event = np.arange(n + m) < n
    order = np.lexsort((is_event, np.concatenate([times_ms, searches_ms]), owner))
    event, owner = is_event[order], owner[order]
    begins = np.ones(n + m, np.bool_)  # of a run of searches; each event is a run
    begins[1:] = event[1:] | event[:-1] | (owner[1:] != owner[:-1])
    run = np.cumsum(begins) - 1
    ends = np.append(np.flatnonzero(begins)[1:], n + m)
    kept: NDArray[np.int64] = order[event | (ends[run] - np.arange(n + m) <= IN_A_ROW)]
    return kept


def gap_codes(times_ms: NDArray[np.int64], most: int) -> NDArray[np.int64]:
    """(t,) how long before each event the one before it was, by powers of 2 in minutes; 0 for the first."""
    gaps = np.diff(times_ms, prepend=times_ms[:1]).clip(min=0) / MINUTE_MS
    codes: NDArray[np.int64] = np.log2(gaps + 1).astype(np.int64).clip(max=most - 1)
    return codes


def unit(vectors: Floats) -> Floats:
    """Each row of length 1; rows of zeros stay."""
    lengths = np.linalg.norm(vectors, axis=-1, keepdims=True)
    scaled: Floats = vectors / np.maximum(lengths, np.float32(1e-12))
    return scaled


def _gelu(x: Floats) -> Floats:
    """By its tanh (Hendrycks and Gimpel 2016)."""
    bent: Floats = x * x
    bent *= np.float32(0.044715 * math.sqrt(2 / math.pi))
    bent += np.float32(math.sqrt(2 / math.pi))
    bent *= x
    np.tanh(bent, out=bent)
    bent += 1
    bent *= x
    bent *= np.float32(0.5)
    return bent

"""Tuning the text encoder on the shop's own queries: what shoppers type moves towards what they meant by it.

Only the side of the queries is tuned, and of it the upper layers: products keep their vectors, and nothing has to be
encoded anew. A query's vector is to tell the wanted products from all the others: cross-entropy between the share of
its gains that each product has and a softmax over the catalogue (ListNet's top one: Cao et al., ICML 2007), so every
product that lies too near is a hard negative. What is served is the mean of the weights before and after (Wortsman et
al., CVPR 2022): that forgets less of what the encoder knew, and does better on queries that nobody judged.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.request import Request
from wares.domain.text import normalise
from wares.engine.assembly import Engine, new_encoder
from wares.errors import TrainingError
from wares.evaluation.judgements import DEPTH, Judged, differences, measure
from wares.models.encoder import TextEncoder
from wares.training.encoder_graph import EncoderGraph, Weights
from wares.training.network import load_torch
from wares.training.progress import Tell

Tensor = Any
Floats = NDArray[np.float32]
LEAST_QUERIES = 1_000  # judged ones; with fewer it learns them by heart
_MOST_QUERIES = 20_000
_MOST_PRODUCTS = 65_536  # that one step tells the wanted ones from
_LAYERS, _EPOCHS, _BATCH, _RATE, _WARM_UP = 4, 3, 64, 1e-4, 30
_TEMPERATURE, _DROPOUT, _DECAY, _CLIP = 0.03, 0.1, 0.01, 1.0
_SLOWEST = 0.02  # share of the rate that the last step has
_ENCODED = 128  # queries at once
_MEAN = 0.5  # share of the tuned weights in those that are served


@dataclass(frozen=True)
class Tuned:
    """`weights` take the place of the encoder's constants of these names. `held_out` (q, d): each query's vector by a
    tuning that had not seen it, which is what an order may learn from; `before` (q, d) by the encoder as it was."""

    weights: Weights
    held_out: Floats
    before: Floats


def tuned_for(
    engine: Engine, judged: Judged, now_ms: int, seed: int, tell: Tell
) -> tuple[Tuned | None, dict[str, Any]]:
    """What the encoder of an engine's shop learns from judged queries, and what is told of it. None: too few were
    judged, torch is missing, the settings do not want it, or it does not find more of what was wanted for queries that
    it has not seen, with the whole interval of the difference in nDCG@10 above 0."""
    snapshot = engine.live.snapshot
    if not engine.settings.encoder.tune:
        return None, {"kept": False, "why": "the settings do not want it"}
    if len(judged) < LEAST_QUERIES:
        return None, {"kept": False, "why": f"fewer than {LEAST_QUERIES:,} judged queries"}
    encoder = new_encoder(engine.settings, engine.folder)
    if not isinstance(encoder, TextEncoder) or encoder.fingerprint != snapshot.encoder:
        return None, {"kept": False, "why": "no text encoder"}
    texts = [engine.understand(Request("search", now_ms, query=query)).text for query in judged.queries]
    products = snapshot.vectors.vectors(np.arange(len(snapshot.columns), dtype=np.int32))
    try:
        tuned = tune_queries(encoder, texts, judged, products, seed, tell)
    except TrainingError as error:
        return None, {"kept": False, "why": str(error)}
    before, after = (measure(judged, _nearest(u, products)) for u in (tuned.before, tuned.held_out))
    gain = differences(after, before, np.random.default_rng(seed))[before.names[0]]
    told = {
        "ndcg_before": round(float(np.nanmean(before.ndcg)), 4),
        "ndcg_tuned": round(float(np.nanmean(after.ndcg)), 4),
        "gain": [round(float(value), 4) for value in (gain.mean, gain.low, gain.high)],
    }
    if gain.low <= 0:
        return None, {"kept": False, "why": "no better on queries that it had not seen", **told}
    return tuned, {"kept": True, **told}


def _nearest(queries: Floats, products: Floats) -> list[NDArray[np.int64]]:
    """The rows of the `DEPTH` products nearest to each query, (q, d) and (n, d), nearest first."""
    found, most = list[NDArray[np.int64]](), min(DEPTH, len(products))
    for query in queries:
        cosines = products @ query  # (n, d) @ (d,) -> (n,)
        best = np.argpartition(-cosines, most - 1)[:most]
        found.append(best[np.argsort(-cosines[best], kind="stable")].astype(np.int64))
    return found


def tune_queries(
    encoder: TextEncoder, texts: Sequence[str], judged: Judged, products: Floats, seed: int, tell: Tell
) -> Tuned:
    """From q texts as the encoder is given them and what was judged of each, for products with vectors (n, d).

    It tunes three times: on all queries, and on either half for the vectors of the other. Raises TrainingError where
    torch or onnx is missing, the encoder is of another kind, or the loss is no number.
    """
    torch = load_torch()
    tokens = [encoder.tokens([text], "query")[0] for text in texts]
    halves = _halves(judged.queries, seed)
    taught = [np.flatnonzero(halves == half) for half in (1, 0)] + [np.arange(len(texts))]
    rng = np.random.default_rng(seed)
    taught = [_wanting(judged, rng.permutation(some)[:_MOST_QUERIES]) for some in taught]
    steps = [_EPOCHS * max(1, len(some) // _BATCH) for some in taught]
    before, held_out = np.zeros((0, 0), np.float32), np.zeros((0, 0), np.float32)
    weights: Weights = {}
    lower: list[Tensor] = []
    for i, some in enumerate(taught):
        graph = EncoderGraph(encoder.path, _LAYERS)
        if not lower:
            lower = _lower(graph, tokens)
            before = _encoded(graph, lower)
            held_out = before.copy()
        stage = _Stage(tell, sum(steps[:i]), sum(steps))
        _tune(graph, lower, judged, torch.tensor(products), some, steps[i], seed, stage)
        if i < 2:
            asked = np.flatnonzero(halves == i)
            held_out[asked] = _encoded(graph, [lower[place] for place in asked])
        else:
            weights = graph.exported()
    return Tuned(weights, held_out, before)


def _halves(queries: Sequence[str], seed: int) -> NDArray[np.int64]:
    """(q,) 0 or 1; queries that read alike are in the same half."""
    alike = [" ".join(normalise(query).split()) for query in queries]
    of = {text: i for i, text in enumerate(sorted(set(alike)))}
    parted = np.random.default_rng(seed).permutation(len(of)) % 2
    return np.array([parted[of[text]] for text in alike], np.int64)


def _wanting(judged: Judged, places: NDArray[np.intp]) -> NDArray[np.intp]:
    """Those of the queries of which something is wanted."""
    return np.array([place for place in places if judged.gains[judged.of_query(place)].any()], np.intp)


@dataclass(frozen=True, slots=True)
class _Stage:
    tell: Tell
    done: int
    of: int

    def step(self, done: int) -> None:
        self.tell("Tuning the encoder", self.done + done, self.of)


def _padded(rows: Sequence[Tensor], places: Sequence[int] | NDArray[np.intp]) -> tuple[Tensor, Tensor]:
    """Some of the sequences as one (b, t, ...), and which of it is real (b, t)."""
    torch = load_torch()
    some = [rows[place] for place in places]
    padded = torch.nn.utils.rnn.pad_sequence(some, batch_first=True)
    lengths = torch.tensor([len(one) for one in some])
    return padded, (torch.arange(padded.shape[1])[None] < lengths[:, None]).long()


def _lower(graph: EncoderGraph, tokens: Sequence[Sequence[int]]) -> list[Tensor]:
    """What the upper layers are given of each text (t, d)."""
    torch = load_torch()
    ids = [torch.tensor(one) for one in tokens]
    found: list[Tensor] = [None] * len(ids)
    order = sorted(range(len(ids)), key=lambda place: len(ids[place]))  # so that little is padded
    with torch.no_grad():
        for start in range(0, len(order), _ENCODED):
            places = order[start : start + _ENCODED]
            for place, hidden in zip(places, graph.lower(*_padded(ids, places)), strict=True):
                found[place] = hidden[: len(ids[place])].clone()
    return found


def _encoded(graph: EncoderGraph, lower: Sequence[Tensor]) -> Floats:
    """(q, d) unit vectors."""
    torch = load_torch()
    with torch.no_grad():
        parts = [
            graph.upper(*_padded(lower, range(start, min(start + _ENCODED, len(lower)))))
            for start in range(0, len(lower), _ENCODED)
        ]
        found: Floats = torch.cat(parts).numpy()
    return found


def _tune(
    graph: EncoderGraph,
    lower: Sequence[Tensor],
    judged: Judged,
    products: Tensor,
    places: NDArray[np.intp],
    steps: int,
    seed: int,
    stage: _Stage,
) -> None:
    """Change the graph's numbers so that the queries at `places` find what was wanted of them."""
    torch = load_torch()
    torch.manual_seed(seed)
    rng = np.random.default_rng(seed)
    before = {name: value.clone() for name, value in graph.tuned.items()}
    numbers = [value.requires_grad_() for value in graph.tuned.values()]
    optimiser = torch.optim.AdamW(numbers, lr=_RATE, weight_decay=_DECAY)
    order = rng.permutation(places)
    for step in range(steps):
        at = step * _BATCH % len(order)
        batch = np.take(order, np.arange(at, at + min(_BATCH, len(order))), mode="wrap")
        if at + _BATCH >= len(order):
            order = rng.permutation(places)
        pace = min(1.0, (step + 1) / _WARM_UP) * max(_SLOWEST, 1 - step / steps)
        for group in optimiser.param_groups:
            group["lr"] = _RATE * pace
        loss = _loss(graph.upper(*_padded(lower, batch), _DROPOUT), judged, products, batch, rng)
        if not math.isfinite(loss.item()):
            raise TrainingError("Tuning the encoder was stopped: its loss is no number.")
        optimiser.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(numbers, _CLIP)
        optimiser.step()
        stage.step(step + 1)
    with torch.no_grad():
        for name, value in graph.tuned.items():
            value.requires_grad_(False).mul_(_MEAN).add_(before[name], alpha=1 - _MEAN)


def _loss(u: Tensor, judged: Judged, products: Tensor, batch: NDArray[np.intp], rng: np.random.Generator) -> Tensor:
    """The mean over the batch's queries, u (b, d), of -sum over products of (share of the gains) log softmax."""
    torch = load_torch()
    within = [judged.of_query(place) for place in batch]
    sizes = [one.stop - one.start for one in within]
    rows = np.concatenate([judged.rows[one] for one in within])
    shares = np.concatenate([judged.gains[one] / judged.gains[one].sum() for one in within])
    if len(products) > _MOST_PRODUCTS:  # a sample stands for the catalogue, with all that was judged in it
        others = rng.choice(len(products), _MOST_PRODUCTS, replace=False)
        told = np.unique(np.concatenate([others, rows]))
        rows, products = np.searchsorted(told, rows), products[told]
    logs = torch.log_softmax(u @ products.T / _TEMPERATURE, 1)  # (b, n)
    own = logs[np.repeat(np.arange(len(batch)), sizes), rows]
    return -(own * torch.tensor(shares, dtype=own.dtype)).sum() / len(batch)

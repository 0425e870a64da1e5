"""DropoutNet (Volkovs, Yu and Poutanen 2017), a rival on new products: from contents to the space of a factorised
matrix.

Two small networks turn a shopper's and a product's factors and contents into vectors whose product is that of the
factors. While learning, half of the products and some of the shoppers must do without their factors, so that contents
alone come to stand for them; a product that nobody has touched has none.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Floats
from wares.domain.interactions import Interactions
from wares.domain.shopper import History
from wares.models.als import ALS, solve_rows
from wares.models.memory import Sparse, sparse
from wares.models.sequence import unit
from wares.models.taste import preferences
from wares.training.network import load_torch

_WIDTH, _BATCH = 200, 256  # hidden numbers; shoppers, and products, of one step
_STEPS, _LEAST_STEPS = 600, 60  # one for each 100 pairs of shopper and product
_RATE, _DROPPED = 2e-3, 0.5


@dataclass(frozen=True)
class DropoutNet:
    """A fitted one."""

    als: ALS
    now_ms: int
    contents: Floats  # (n, c)
    layers: tuple[tuple[Floats, Floats], ...]  # of the shoppers' network: weights and biases
    products: Floats  # (n, f) as the network sees them

    @staticmethod
    def fitted(train: Interactions, now_ms: int, texts: Floats, codes: NDArray[np.int32], seed: int) -> "DropoutNet":
        """`texts` (n, d) unit vectors, zeros = none; `codes` (n, a) of the words, -1 = none. Takes torch."""
        torch: Any = load_torch()
        als = ALS(seed=seed, min_buyers=2)
        als.fit(train, now_ms)
        contents = contents_of(texts, codes)
        liking = _liking(train, now_ms, als)
        u = _shoppers(liking, als)
        v = np.zeros((train.n_products, als.factors), np.float32)
        v[als.products] = als.vectors
        scale = 1 / max(float(np.abs(u @ als.vectors.T).std()), 1e-6)
        u_in = torch.from_numpy(np.hstack([_scaled(u), _mean_contents(liking, contents, als)]))
        v_in = torch.from_numpy(np.hstack([_scaled(v), contents]))
        target_u, target_v = torch.from_numpy(u * np.float32(scale)), torch.from_numpy(v)
        torch.manual_seed(seed)
        sides = [_network(torch, part.shape[1], als.factors) for part in (u_in, v_in)]
        optimiser = torch.optim.Adam([p for side in sides for p in side.parameters()], lr=_RATE, weight_decay=1e-5)
        chance, f = np.random.default_rng(seed), als.factors
        told = np.flatnonzero(np.diff(liking.indptr))
        steps = min(_STEPS, max(_LEAST_STEPS, liking.nnz // 100))
        for step in range(steps):
            for group in optimiser.param_groups:
                group["lr"] = _RATE * (0.05 + 0.475 * (1 + math.cos(math.pi * step / steps)))
            who = chance.choice(told, _BATCH)
            theirs = liking.indices[
                liking.indptr[who] + (chance.random(len(who)) * np.diff(liking.indptr)[who]).astype(int)
            ]
            what = np.concatenate([als.products[theirs], chance.choice(als.products, _BATCH)])
            left, right = u_in[who].clone(), v_in[what].clone()
            left[torch.from_numpy(chance.random(len(who)) < _DROPPED / 2), :f] = 0
            right[torch.from_numpy(chance.random(len(what)) < _DROPPED), :f] = 0
            loss = (sides[0](left) @ sides[1](right).T - target_u[who] @ target_v[what].T).square().mean()
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
        with torch.no_grad():
            products = sides[1](v_in).numpy()
            weights = [(one.weight.detach().numpy().T, one.bias.detach().numpy()) for one in sides[0][::2]]
        return DropoutNet(als, now_ms, contents, tuple(weights), products)

    def score(self, history: History) -> Floats:
        """(n_products,): what the factors would say of the shopper and each product."""
        one = Interactions(history, np.full(len(history), -1), np.array([0, len(history)]), len(self.contents))
        liking = _liking(one, self.now_ms, self.als)
        x = np.hstack([_scaled(_shoppers(liking, self.als)), _mean_contents(liking, self.contents, self.als)])
        for place, (weight, bias) in enumerate(self.layers):
            x = np.asarray(x @ weight + bias, np.float32)
            if place < len(self.layers) - 1:
                np.tanh(x, out=x)
        scores: Floats = self.products @ x[0]
        return scores


def contents_of(texts: Floats, codes: NDArray[np.int32], most: int = 100) -> Floats:
    """(n, c): the texts by their strongest directions, each of the same spread on the whole, and the words as 0 and
    1."""
    told = texts[np.any(texts, axis=1)]
    parts = []
    if len(told) > 1:
        _, _, turn = np.linalg.svd(told[:: max(1, len(told) // 5_000)], full_matrices=False)
        turned = texts @ turn[:most].T
        parts.append(turned / max(float(turned.std()), 1e-6))
    words = np.zeros((len(codes), int(codes.max(initial=-1)) + 1), np.float32)
    row, place = np.nonzero(codes >= 0)
    words[row, codes[row, place]] = 1
    return np.hstack([*parts, words]).astype(np.float32)


def _network(torch: Any, n_in: int, n_out: int) -> Any:
    nn = torch.nn
    return nn.Sequential(
        nn.Linear(n_in, _WIDTH), nn.Tanh(), nn.Linear(_WIDTH, _WIDTH), nn.Tanh(), nn.Linear(_WIDTH, n_out)
    )


def _liking(train: Interactions, now_ms: int, als: ALS) -> Sparse:
    """(s, p) of the products that have factors."""
    part = preferences(train, now_ms, np.inf)[:, als.products]
    return sparse(part.data, part.indices, part.indptr, part.shape)


def _shoppers(liking: Sparse, als: ALS) -> Floats:
    return solve_rows(liking, als.vectors, als.alpha, als.penalty)


def _mean_contents(liking: Sparse, contents: Floats, als: ALS) -> Floats:
    total = np.asarray(liking.sum(axis=1), np.float32).reshape(-1, 1)
    summed: Floats = np.asarray(liking @ contents[als.products], np.float32)
    summed /= np.maximum(total, np.float32(1e-6))
    return summed


def _scaled(factors: Floats) -> Floats:
    """Each of length 1 times the square root of their width, so that they weigh as much as the contents."""
    return unit(factors) * np.float32(math.sqrt(factors.shape[1]))

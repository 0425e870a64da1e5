"""The shopper network in torch: parameters as a dict of tensors, pure functions over them, and AdamW by rows.

A shopper's events pass through a causal transformer (Radford et al. 2018; for products SASRec, Kang and McAuley 2018)
into u; a product's text, attributes and an id part add up to v; r = exp(scale) * (u/|u|) . (v/|v|) + bias, or with the
head "mlp" that plus a small network over u * v. The id part counts only for products with events. A search among the
events says what its words say, by the same table as a product's text. Positions enter as a
learnt bias per distance, so that a history may start anywhere (Shaw et al. 2018; Raffel et al. 2020).
`wares.models.sequence` computes the same without torch.
"""

import importlib
import math
import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import KINDS
from wares.errors import TrainingError

Tensor = Any  # torch has no types here, and serving never imports it
Parameters = dict[str, Tensor]
BY_ROW = ("items.id", "items.input", "items.bias")  # a step moves the rows it met, whatever the catalogue's size
N_GAPS = 24  # gaps between events by powers of 2 in minutes: up to 30 years
_FEED_FORWARD = 4
_HEAD_WIDTH = 32


@dataclass(frozen=True, slots=True)
class Shape:
    """How large the network is: `dimension` of u and v, `blocks` of attention with `heads` each."""

    dimension: int
    blocks: int
    heads: int
    max_history: int
    n_products: int
    n_text: int = 0  # width of the whitened text vectors
    n_attributes: int = 0  # distinct codes
    n_told: int = 0  # distinct codes of what shoppers told about themselves
    uses_kinds: bool = False
    uses_times: bool = False
    own_inputs: bool = False  # what an event says of its product is learnt apart from the product's v
    head: str = "dot"

    @property
    def parameters(self) -> int:
        """How many numbers are learnt."""
        d, wide = self.dimension, _FEED_FORWARD * self.dimension
        block = 4 * d * d + 4 * d + 2 * d * wide + wide + d + 4 * d
        items = self.n_products * ((1 + self.own_inputs) * d + 1) + (self.n_text + self.n_attributes) * d
        events = (len(KINDS) * self.uses_kinds + N_GAPS * self.uses_times + self.n_told) * d
        head = (d + 2) * _HEAD_WIDTH if self.head == "mlp" else 0
        return items + events + self.blocks * block + self.heads * self.max_history + 2 * d + d * d + 1 + head


def load_torch() -> Any:
    """The torch module. Raises TrainingError that names the extra where it is missing."""
    os.environ.setdefault(
        "OMP_WAIT_POLICY", "PASSIVE"
    )  # threads that wait must not take the cores from those that work
    try:
        return importlib.import_module("torch")
    except ImportError as error:
        problem = (
            "Training the shopper model needs torch, which is not installed. Install it: pip install 'wares[train]'"
        )
        raise TrainingError(problem) from error


def start(shape: Shape, seed: int, device: str) -> Parameters:
    """Random parameters; the same for the same seed."""
    torch = load_torch()
    chance = torch.Generator().manual_seed(seed)
    d, wide = shape.dimension, _FEED_FORWARD * shape.dimension

    def normal(*size: int, spread: float) -> Tensor:
        return torch.randn(*size, generator=chance) * spread

    def linear(name: str, n_in: int, n_out: int) -> Parameters:
        bound = 1 / math.sqrt(n_in)
        weight, bias = torch.rand(n_in, n_out, generator=chance), torch.rand(n_out, generator=chance)
        return {f"{name}.weight": (2 * weight - 1) * bound, f"{name}.bias": (2 * bias - 1) * bound}

    def norm(name: str) -> Parameters:
        return {f"{name}.weight": torch.ones(d), f"{name}.bias": torch.zeros(d)}

    spread = 0.02 if shape.n_text else 0.05
    made: Parameters = {
        "items.id": normal(shape.n_products, d, spread=spread),
        "items.bias": torch.zeros(shape.n_products, 1),
        "near": torch.zeros(shape.heads, shape.max_history),
        "scale": torch.tensor([math.log(16.0)]),
        "out": torch.eye(d),
        **norm("norm"),
    }
    if shape.own_inputs:
        made["items.input"] = normal(shape.n_products, d, spread=spread)
    if shape.n_text:
        made["text"] = normal(shape.n_text, d, spread=0.1 / math.sqrt(max(shape.n_text, d)))
    if shape.n_attributes:
        made["attributes"] = normal(shape.n_attributes, d, spread=0.02)
    if shape.uses_kinds:
        made["kinds"] = normal(len(KINDS), d, spread=0.02)
    if shape.uses_times:
        made["gaps"] = normal(N_GAPS, d, spread=0.02)
    if shape.n_told:
        made["shoppers"] = normal(shape.n_told, d, spread=0.02)
    for i in range(shape.blocks):
        made |= norm(f"{i}.norm1") | norm(f"{i}.norm2") | linear(f"{i}.qkv", d, 3 * d) | linear(f"{i}.mix", d, d)
        made |= linear(f"{i}.widen", d, wide) | linear(f"{i}.narrow", wide, d)
    if shape.head == "mlp":
        made |= linear("head.widen", d, _HEAD_WIDTH) | {"head.narrow": torch.zeros(_HEAD_WIDTH, 1)}
    return {name: value.to(device) for name, value in made.items()}


def product_part(parameters: Parameters, text: Tensor | None, codes: Tensor | None) -> Tensor | float:
    """What text (m, n_text) and attribute codes (m, a), -1 = none, say of m products: (m, d)."""
    torch = load_torch()
    total: Tensor | float = 0.0
    if text is not None:
        total = text @ parameters["text"]  # (m, n_text) @ (n_text, d)
    if codes is not None:
        given = codes >= 0  # (m, a), mostly False
        counts = given.sum(1)
        total = total + torch.nn.functional.embedding_bag(
            codes[given], parameters["attributes"], counts.cumsum(0) - counts, mode="mean"
        )
    return total


def encode(parameters: Parameters, shape: Shape, events: Tensor, dropout: float, input_dropout: float) -> Tensor:
    """Events as vectors (b, t, d), oldest first, the padding behind -> u after each event (b, t, d), of length
    exp(scale)."""
    torch = load_torch()
    functional = torch.nn.functional
    b, t, d = events.shape
    ahead = torch.ones(t, t, dtype=torch.bool, device=events.device).triu(1)
    place = torch.arange(t, device=events.device)
    distance = (place[:, None] - place[None]).clamp(min=0)
    mask = parameters["near"][:, distance].masked_fill(ahead, float("-inf"))[None]  # (1, h, t, t)
    x = functional.dropout(events * (math.sqrt(d) / 2), input_dropout, input_dropout > 0)

    def norm(name: str, value: Tensor) -> Tensor:
        return functional.layer_norm(value, (d,), parameters[f"{name}.weight"], parameters[f"{name}.bias"])

    def linear(name: str, value: Tensor) -> Tensor:
        return value @ parameters[f"{name}.weight"] + parameters[f"{name}.bias"]

    for i in range(shape.blocks):
        qkv = linear(f"{i}.qkv", norm(f"{i}.norm1", x)).view(b, t, 3, shape.heads, d // shape.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (b, h, t, d / h)
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=mask.to(q.dtype).expand(b, -1, -1, -1))
        mixed = linear(f"{i}.mix", seen.transpose(1, 2).reshape(b, t, d))
        x = x + functional.dropout(mixed, dropout, dropout > 0)
        wide = _gelu(linear(f"{i}.widen", norm(f"{i}.norm2", x)))
        x = x + functional.dropout(linear(f"{i}.narrow", wide), dropout, dropout > 0)
    u = functional.normalize(norm("norm", x).float() @ parameters["out"], dim=-1)
    return u * parameters["scale"].exp()


def ratings(parameters: Parameters, u: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Score(u * v) of m pairs: u (m, d), unit v (m, d), bias (m,) -> (m,)."""
    plain = (u * v).sum(-1) + bias
    if "head.narrow" not in parameters:
        return plain
    wide = (u * v) @ parameters["head.widen.weight"] + parameters["head.widen.bias"]
    return plain + (_gelu(wide) @ parameters["head.narrow"])[:, 0]


def all_ratings(parameters: Parameters, u: Tensor, v: Tensor, bias: Tensor) -> Tensor:
    """Score(u * v) of every pair: u (m, d), unit v (s, d), bias (s,) -> (m, s)."""
    plain = u @ v.T + bias  # (m, d) @ (d, s)
    if "head.narrow" not in parameters:
        return plain
    weighed = u[:, None] * parameters["head.widen.weight"].T[None]  # (m, width, d): the products enter by one product
    wide = weighed @ v.T + parameters["head.widen.bias"][None, :, None]  # (m, width, s)
    return plain + (_gelu(wide) * parameters["head.narrow"][None]).sum(1)


def _gelu(value: Tensor) -> Tensor:
    return load_torch().nn.functional.gelu(value, approximate="tanh")


def cross_entropy(
    parameters: Parameters, u: Tensor, own: tuple[Tensor, Tensor], others: tuple[Tensor, Tensor], log_rate: Tensor,
    same: Tensor, weight: Tensor,
) -> Tensor:  # fmt: skip
    """The mean over m events of -log softmax of what came next.

    u (m, d); `own` = vectors (m, d) and biases (m,) of what came; `others` = those (s, d), (s,) of the products it is
    told from. Sampled products stand for the catalogue: from each score the log of how often it is expected in the
    sample is taken, `log_rate` (s,) (logQ: Bengio and Senecal 2008; Yi et al. 2019), 0 where all products are there.
    `same` (m, s) = other and own are one product. `weight` (m,).
    """
    torch = load_torch()
    mine = ratings(parameters, u, *own)  # (m,)
    rest = (all_ratings(parameters, u, *others) - log_rate).masked_fill(same, -1e9)
    lost = torch.logaddexp(torch.logsumexp(rest, 1), mine) - mine
    return (lost * weight).sum() / weight.sum()


@dataclass(frozen=True, slots=True)
class AdamW:
    """Adam with decoupled weight decay (Loshchilov and Hutter 2019); `l1` shrinks the id parts towards 0 by a proximal
    step. Tables in `BY_ROW` move, and decay, only in the rows that a step met, so that a step costs the same for any
    catalogue."""

    weight_decay: float
    l1: float = 0.0
    betas: tuple[float, float] = (0.9, 0.98)
    clip: float = 1.0

    def start(self, parameters: Mapping[str, Tensor]) -> Parameters:
        """First and second moments: all 0."""
        torch = load_torch()
        return {f"{m}.{name}": torch.zeros_like(value) for name, value in parameters.items() for m in ("m", "v")}

    def step(
        self, parameters: Parameters, moments: Parameters, gradients: Parameters, rows: Tensor, rate: float, step: int
    ) -> bool:
        """Change `parameters` and `moments` in place; step counts from 1; gradients of a `BY_ROW` table are those of
        the distinct `rows` (r,). False = a gradient is not finite and nothing was changed."""
        length = math.sqrt(sum(float(gradient.square().sum()) for gradient in gradients.values()))
        if not math.isfinite(length):
            return False
        shorter = min(1.0, self.clip / (length + 1e-6))
        first, second = self.betas
        for name, gradient in gradients.items():
            by_row = name in BY_ROW
            tables = (parameters[name], moments[f"m.{name}"], moments[f"v.{name}"])
            p, m, v = (table[rows] for table in tables) if by_row else tables
            g = gradient * shorter
            m.lerp_(g, 1 - first)
            v.mul_(second).addcmul_(g, g, value=1 - second)
            if p.ndim > 1 and name != "items.bias":
                p.mul_(1 - rate * self.weight_decay)
            p.addcdiv_(m / (1 - first**step), (v / (1 - second**step)).sqrt_().add_(1e-8), value=-rate)
            if by_row and self.l1:
                p.copy_(p.sign() * (p.abs() - rate * self.l1).clamp(min=0))
            if by_row:
                for table, changed in zip(tables, (p, m, v), strict=True):
                    table[rows] = changed
        return True


def whiten(text: NDArray[np.float32], most: int = 256) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Centre (d_text,) and turn (d_text, k): (vectors - centre) @ turn has components of about equal spread, the weak
    ones damped."""
    given = text[np.linalg.norm(text, axis=1) > 0].astype(np.float64)
    if len(given) < 2:
        return np.zeros(text.shape[1], np.float32), np.eye(text.shape[1], dtype=np.float32)[:, :most]
    centre = given.mean(axis=0)
    spread, turn = np.linalg.eigh(np.cov((given - centre).T, bias=True))
    spread, turn = np.maximum(spread[::-1][:most], 0), turn[:, ::-1][:, :most]
    floor = spread[min(40, len(spread) - 1)] + 1e-3 * spread[0] + 1e-12
    return centre.astype(np.float32), (turn / np.sqrt(spread + floor)).astype(np.float32)

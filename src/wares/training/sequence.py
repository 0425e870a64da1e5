"""Fit the shopper model (`wares.models.sequence`): what comes next, learnt from everybody's events.

Randomness hangs on (seed, epoch, step) alone, so that a training that was stopped goes on as if it never had been.
"""

import hashlib
import json
import math
import time
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from wares.domain.shopper import INTEREST_BY_CODE
from wares.engine.durable import publish
from wares.errors import TrainingError
from wares.models.sequence import SequenceModel, gap_codes, whitened
from wares.training.lessons import Lessons, Sampling, windows_of
from wares.training.network import (
    BY_ROW,
    N_GAPS,
    AdamW,
    Parameters,
    Tensor,
    cross_entropy,
    encode,
    load_torch,
    product_part,
    start,
    whiten,
)
from wares.training.progress import Tell, silent
from wares.training.recipe import Recipe, shape_of
from wares.training.warm import fits, has_own_inputs

_SAVE_SECONDS = 60.0
_EXPORTED = 65_536  # products at once
# Of a model's arrays that hold no parameters.
_NAMES = ("words", "shopper_words", "bands.names", "bands.edges", "heads", "until_ms")


@dataclass(frozen=True, slots=True)
class Fitted:
    """The model, how many numbers were learnt, and the loss of each epoch, in training and on what was held out (nan
    where nothing was)."""

    model: SequenceModel
    parameters: int
    losses: tuple[tuple[float, float], ...]


def fit_sequence(
    lessons: Lessons,
    recipe: Recipe | None = None,
    tell: Tell = silent,
    checkpoint: Path | None = None,
    *,
    start_from: SequenceModel | None = None,
) -> Fitted:
    """Fit the shopper model. `checkpoint`, a .npz file, is written each minute and each epoch; where it is there, the
    training goes on from it, bit for bit. `start_from`: an earlier model with the rows of these products and codes
    (rows of zeros = it knows nothing of it), as which this one begins.

    Raises TrainingError where torch is missing, where no shopper has two events, for a checkpoint of something else, an
    earlier model of another shape, and a loss that is not a number."""
    return _Training(lessons, recipe or Recipe(), tell, checkpoint, start_from).run()


def goes_on(
    checkpoint: Path, lessons: Lessons, recipe: Recipe | None = None, *, start_from: SequenceModel | None = None
) -> bool:
    """Whether `fit_sequence` with the same would go on from this checkpoint: it is there, whole, and of these."""
    try:
        with checkpoint.open("rb") as raw, np.load(raw, allow_pickle=False) as file:
            told = json.loads(str(file["told"]))
    except (OSError, ValueError, KeyError, EOFError, BadZipFile):
        return False
    return bool(told.get("of") == _mark(lessons.speaking(), recipe or Recipe(), start_from))


def _mark(lessons: Lessons, recipe: Recipe, start_from: SequenceModel | None) -> str:
    """What a checkpoint must have been made of to go on with it; how much time is given may change."""
    digest = hashlib.sha256(json.dumps(asdict(replace(recipe, seconds=0.0)), sort_keys=True).encode())
    begun = () if start_from is None else tuple(value for _, value in sorted(start_from.arrays.items()))
    for part in (
        lessons.rows, lessons.indptr, lessons.kinds, lessons.times_ms, lessons.text, lessons.codes, lessons.visits,
        *begun,
    ):  # fmt: skip
        digest.update(b"-" if part is None else np.ascontiguousarray(part).tobytes())
    for beside in (lessons.searched, lessons.queries, lessons.told):
        digest.update(b"" if beside is None else np.ascontiguousarray(beside).tobytes())
    return f"{lessons.n_products} {digest.hexdigest()}"


@dataclass
class _State:
    """What moves. The best parameters are those with the lowest held-out loss so far; none = the last ones."""

    parameters: Parameters
    moments: Parameters
    best: Parameters = field(default_factory=dict)
    epoch: int = 0
    step: int = 0  # of this epoch
    steps: int = 0  # of all
    lost: float = 0.0  # of this epoch, summed over events
    counted: float = 0.0
    losses: list[list[float]] = field(default_factory=list)


class _Training:
    """One training: what stays the same, and the way from one state to the next."""

    def __init__(
        self, lessons: Lessons, recipe: Recipe, tell: Tell, checkpoint: Path | None, start_from: SequenceModel | None
    ) -> None:
        self.torch: Any = load_torch()
        self.started = time.monotonic()
        self.lessons, self.recipe, self.tell, self.checkpoint = lessons.speaking(), recipe, tell, checkpoint
        self.start_from = start_from
        self.mark = _mark(self.lessons, recipe, start_from) if checkpoint is not None else ""
        if lessons.text is not None and not np.isfinite(lessons.text).all():
            row = int(np.flatnonzero(~np.isfinite(lessons.text).all(axis=1))[0])
            raise TrainingError(f"The text vector of product row {row} holds values that are no finite numbers.")
        self.shape = shape_of(lessons, recipe)
        if start_from is not None and not fits(start_from, lessons, recipe):
            raise TrainingError("The earlier shopper model has another shape than this one: start without it.")
        rng = np.random.default_rng([recipe.seed, 0])
        self.windows = windows_of(self.lessons, recipe.max_history, recipe.hold_out, rng)
        self.low, self.high, self.following = self.lessons.what_follows()
        self.sampling = Sampling.of(self.lessons, recipe.negatives)
        self.optimiser = AdamW(recipe.weight_decay, recipe.l1)
        rows = self.lessons.rows
        met = np.bincount(rows[rows >= 0], minlength=lessons.n_products) > 0
        self.met = self._tensor(met[:, None].astype(np.float32))
        self.space = None if lessons.text is None else self._space(lessons.text)
        self.text = (
            self._tensor(whitened(lessons.text, *self.space)) if lessons.text is not None and self.space else None
        )
        has_codes = lessons.codes is not None and self.shape.n_attributes
        self.codes = self._tensor(lessons.codes.astype(np.int64)) if lessons.codes is not None and has_codes else None
        self.centre = self.queries = None
        if lessons.queries is not None and self.space:
            self.centre = self._centre(lessons.queries)
            self.queries = self._tensor(whitened(lessons.queries, self.centre, self.space[1]))

    def _space(self, text: NDArray[np.float32]) -> tuple[NDArray[Any], NDArray[Any]]:
        """Centre and turn of the texts: the earlier model's, so that what it knows of them stays true."""
        if self.start_from is None:
            return whiten(text)
        return self.start_from.arrays["text.centre"], self.start_from.arrays["text.turn"]

    def _centre(self, queries: NDArray[np.float32]) -> NDArray[Any]:
        """The mean of the queries, which an encoder puts apart from products; the earlier model's where there is
        one."""
        if self.start_from is None:
            return np.asarray(queries.mean(axis=0, dtype=np.float64), np.float32)
        return self.start_from.arrays["searches.centre"]

    def _begin(self) -> Parameters:
        """Random parameters, or the earlier model's; random still where it knows nothing of a product or word."""
        fresh = start(self.shape, self.recipe.seed, self.recipe.device)
        if self.start_from is None:
            return fresh
        earlier = {
            name: self._tensor(value).clone() for name, value in self.start_from.arrays.items() if name not in _NAMES
        }
        begun = {name: earlier[name] for name in fresh if name not in BY_ROW}
        if "attributes" in begun:
            begun["attributes"] = self._known(earlier["attributes"], earlier["attributes"], fresh["attributes"])
        if "shoppers" in begun:
            begun["shoppers"] = self._known(earlier["shoppers"], earlier["shoppers"], fresh["shoppers"])
        told = product_part(begun, self.text, self.codes)
        x, v = earlier["inputs"], earlier["products"]
        if self.shape.own_inputs and self.start_from is not None and has_own_inputs(self.start_from):
            v = v * x.norm(dim=1, keepdim=True)  # only its direction was kept, and only that counts
            begun["items.input"] = self._known(x, x - v, fresh["items.input"])
        elif self.shape.own_inputs:
            v, begun["items.input"] = x, self.torch.zeros_like(x)
        else:
            v = x
        begun["items.id"] = self._known(x, v - told, fresh["items.id"])
        begun["items.bias"] = earlier["biases"][:, None].clone()
        return {name: begun[name] for name in fresh}

    def _known(self, rows: Tensor, known: Tensor, fresh: Tensor) -> Tensor:
        """`known` where a row is not all zeros, else `fresh`."""
        return self.torch.where((rows != 0).any(1, keepdim=True), known, fresh)

    def run(self) -> Fitted:
        state, saved = self._load(), time.monotonic()
        while state.epoch < self.recipe.epochs and not self._stale(state) and self._by_clock < 1:
            steps = self.windows.steps(self.recipe.batch, np.random.default_rng([self.recipe.seed, 1, state.epoch]))
            for batch in steps[state.step :]:
                self._learn(state, batch, len(steps))
                if self._by_clock >= 1:
                    break
                if time.monotonic() - saved > _SAVE_SECONDS:
                    self._save(state)
                    saved = time.monotonic()
            held = self._held_out(state)
            if len(self.windows.held) and all(held < before for _, before in state.losses):
                state.best = {name: value.detach().clone() for name, value in state.parameters.items()}
            state.losses.append([state.lost / state.counted, held])
            state.epoch, state.step, state.lost, state.counted = state.epoch + 1, 0, 0.0, 0.0
            self._save(state)
        losses = tuple((learnt, held) for learnt, held in state.losses)
        return Fitted(self._export(state.best or state.parameters), self.shape.parameters, losses)

    @property
    def _by_clock(self) -> float:
        """The share of the time given that is over; 0 without a limit."""
        return (time.monotonic() - self.started) / self.recipe.seconds if self.recipe.seconds else 0.0

    def _stale(self, state: _State) -> bool:
        held = [loss for _, loss in state.losses]
        return bool(len(self.windows.held) and held) and len(held) - 1 - int(np.argmin(held)) >= self.recipe.patience

    def _learn(self, state: _State, batch: NDArray[np.int64], n_steps: int) -> None:
        recipe = self.recipe
        done = min(1.0, max(state.steps / (recipe.epochs * n_steps), self._by_clock))
        chance = np.random.default_rng([recipe.seed, 2, state.steps])
        self.torch.manual_seed(int(chance.integers(2**62)))
        tables = {name: value for name, value in state.parameters.items() if name in BY_ROW}
        dense = {name: value.requires_grad_() for name, value in state.parameters.items() if name not in BY_ROW}
        first, stop, limit = (part[batch] for part in (self.windows.start, self.windows.stop, self.windows.limit))
        rows, leaves, loss, count = self._loss(tables, dense, first, stop, chance, limit)
        leaves |= dense
        slopes = self.torch.autograd.grad(loss, list(leaves.values()), allow_unused=True)
        met = {name: slope for name, slope in zip(leaves, slopes, strict=True) if slope is not None}
        rate = recipe.rate * min(1.0, done / 0.05) * (0.05 + 0.475 * (1 + math.cos(math.pi * done)))
        value = float(loss.detach())
        with self.torch.no_grad():
            moved = math.isfinite(value) and self.optimiser.step(
                state.parameters, state.moments, met, rows, rate, state.steps + 1
            )
        if not moved:
            kept = f" The last good state is in {self.checkpoint}." if self.checkpoint else ""
            raise TrainingError(
                f"Training stopped in epoch {state.epoch + 1}, step {state.step + 1}: the loss {value} or its slope is "
                f"no finite number.{kept} Try a rate below {recipe.rate}."
            )
        state.step, state.steps = state.step + 1, state.steps + 1
        state.lost, state.counted = state.lost + value * count, state.counted + count
        told = f"shopper model, {self.shape.parameters:,} parameters, loss {state.lost / state.counted:.3f}"
        total = recipe.epochs * n_steps
        by_clock = int(total * min(1.0, self._by_clock))  # what is over of the time, where that ends it
        self.tell(told, max(state.epoch * n_steps + state.step, by_clock), total)

    def _loss(
        self, tables: Parameters, dense: Parameters, first: NDArray[np.int64], stop: NDArray[np.int64],
        chance: np.random.Generator, limit: NDArray[np.int64] | None = None,
    ) -> tuple[Tensor, Parameters, Tensor, int]:  # fmt: skip
        """The products met (r,), their rows of `tables` as leaves, the mean loss, and of how many events. `limit`: up
        to where what came may lie; None = only the last event of each window is asked for, and nothing is dropped."""
        torch, recipe, lessons = self.torch, self.recipe, self.lessons
        lengths = stop - first - 1
        place = np.arange(lengths.max())
        real = place < lengths[:, None]  # (b, t)
        at = np.where(real, first[:, None] + place, first[:, None])
        learning = limit is not None
        if limit is None:
            asked = place == lengths[:, None] - 1
            high = self.high[at[asked]]
        else:
            reach = np.searchsorted(self.following, limit)[:, None]  # (b, 1)
            asked = real & (self.low[at] < np.minimum(self.high[at], reach))
            high = np.minimum(self.high[at], reach)[asked]
        low = self.low[at[asked]]
        came_at = self.following[low + (chance.random(len(low)) * (high - low)).astype(np.int64)]
        before, after = lessons.rows[at], lessons.rows[came_at]
        others, log_rate = self.sampling.draw(chance)
        searched = None if lessons.searched is None else lessons.searched[at]
        if searched is not None:
            before = np.where(searched < 0, before, others[0])  # a search's row says nothing: any one will do
        met, places = np.unique(np.concatenate([before.ravel(), after, others]), return_inverse=True)
        into, came, told_from = (
            self._tensor(part) for part in np.split(places, [before.size, before.size + len(after)])
        )
        rows = self._tensor(met.astype(np.int64))
        leaves = {name: table[rows].requires_grad_(learning) for name, table in tables.items()}
        v, x = self._vectors(dense, leaves, rows, recipe.id_dropout if learning else 0.0)
        events = x[into].view(*before.shape, -1)
        if searched is not None and self.queries is not None:
            said = self.queries[self._tensor(searched[searched >= 0].astype(np.int64))] @ dense["text"]
            events = events.index_put((self._tensor(searched >= 0),), said)
        if lessons.kinds is not None:
            events = events + dense["kinds"][self._tensor(lessons.kinds[at].astype(np.int64))]
        if lessons.times_ms is not None:
            gaps = np.stack([gap_codes(times, N_GAPS) for times in lessons.times_ms[at]])
            events = events + dense["gaps"][self._tensor(gaps)]
        if self.shape.n_told and lessons.told is not None:
            told = lessons.told[np.searchsorted(lessons.indptr, first, side="right") - 1]  # (b, a)
            codes = self._tensor(told.clip(0).astype(np.int64))
            given = self._tensor((told >= 0).astype(np.float32))[..., None]
            events = events + (dense["shoppers"][codes] * given).sum(1)[:, None]
        drop = (recipe.dropout, recipe.input_dropout) if learning else (0.0, 0.0)
        with torch.autocast(recipe.device, dtype=torch.bfloat16, enabled=recipe.device != "cpu"):
            u = encode(dense, self.shape, events, *drop)[self._tensor(asked)]
        products, biases = torch.nn.functional.normalize(v, dim=1), leaves["items.bias"][:, 0]
        weight = np.ones(len(after)) if lessons.kinds is None else INTEREST_BY_CODE[lessons.kinds[came_at]]
        loss = cross_entropy(
            dense, u, (products[came], biases[came]), (products[told_from], biases[told_from]),
            self._tensor(log_rate), came[:, None] == told_from[None], self._tensor(weight.astype(np.float32)),
        )  # fmt: skip
        return rows, leaves, loss, len(after)

    def _vectors(
        self, dense: Parameters, tables: Parameters, rows: Tensor, id_dropout: float = 0.0
    ) -> tuple[Tensor, Tensor]:
        """v (r, d) of products and what events on them say (r, d); `tables` hold their rows."""
        own = self.met[rows]
        if id_dropout:
            own = own * (self.torch.rand(own.shape, device=own.device) >= id_dropout)
        text = None if self.text is None else self.text[rows]
        v = product_part(dense, text, None if self.codes is None else self.codes[rows])
        v = v + tables["items.id"] * own
        return v, v + tables["items.input"] * own if "items.input" in tables else v

    def _held_out(self, state: _State) -> float:
        """The mean loss on the events held out, against a fixed sample; nan where there are none."""
        tables = {name: value for name, value in state.parameters.items() if name in BY_ROW}
        lost, held = [], self.windows.held
        with self.torch.no_grad():
            for at in range(0, len(held), 64):
                first, stop = held[at : at + 64].T
                chance = np.random.default_rng([self.recipe.seed, 3, at])
                loss = self._loss(tables, state.parameters, first, stop, chance)[2]
                lost.append(float(loss.detach()) * len(first))
        return sum(lost) / len(held) if len(held) else math.nan

    def _export(self, parameters: Parameters) -> SequenceModel:
        torch = self.torch
        parts = []
        with torch.no_grad():
            for at in range(0, self.shape.n_products, _EXPORTED):
                rows = torch.arange(at, min(at + _EXPORTED, self.shape.n_products), device=self.recipe.device)
                tables = {name: parameters[name][rows] for name in BY_ROW if name in parameters}
                v, x = self._vectors(parameters, tables, rows)
                biases = tables["items.bias"] * self.met[rows]
                parts.append((torch.nn.functional.normalize(v, dim=1), x, biases[:, 0]))
        products, inputs, biases = (torch.cat(part).cpu().numpy() for part in zip(*parts, strict=True))
        arrays: dict[str, Any] = {"products": products, "inputs": inputs, "biases": biases}
        arrays |= _arrays({name: value for name, value in parameters.items() if name not in BY_ROW})
        arrays["heads"] = np.array(self.recipe.heads)
        if self.space:
            arrays["text.centre"], arrays["text.turn"] = self.space
        if self.centre is not None:
            arrays["searches.centre"] = self.centre
        return SequenceModel(arrays)

    def _save(self, state: _State) -> None:
        if self.checkpoint is None:
            return
        told = {name: getattr(state, name) for name in ("epoch", "step", "steps", "lost", "counted", "losses")}
        if not all(bool(value.isfinite().all()) for value in state.parameters.values()):
            return  # the last good state stays
        arrays: dict[str, Any] = {"told": np.array(json.dumps({**told, "of": self.mark}))}
        for name in ("parameters", "moments", "best"):
            arrays |= {f"{name}/{key}": value for key, value in _arrays(getattr(state, name)).items()}
        partial = self.checkpoint.with_suffix(".partial")
        with partial.open("wb") as file:
            np.savez(file, allow_pickle=False, **arrays)
        publish(partial, self.checkpoint)

    def _load(self) -> _State:
        """Where the checkpoint left off; a fresh start where there is none."""
        if self.checkpoint is None or not self.checkpoint.exists():
            parameters = self._begin()
            return _State(parameters, self.optimiser.start(parameters))
        with np.load(self.checkpoint, allow_pickle=False) as file:
            told = json.loads(str(file["told"]))
            if told.pop("of") != self.mark:
                raise TrainingError(
                    f"The checkpoint {self.checkpoint} is of other events, products or settings than these. "
                    f"Delete it to start anew, or train with what it was made of."
                )
            state = _State({}, {}, **told)
            for key in file.files[1:]:
                group, name = key.split("/", 1)
                getattr(state, group)[name] = self._tensor(file[key])
        return state

    def _tensor(self, value: NDArray[Any]) -> Tensor:
        return self.torch.from_numpy(np.ascontiguousarray(value)).to(self.recipe.device)


def _arrays(parameters: Parameters) -> dict[str, NDArray[Any]]:
    return {name: value.detach().cpu().numpy() for name, value in parameters.items()}

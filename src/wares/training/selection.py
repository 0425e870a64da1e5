"""Which features earn their place? Four opinions on the same examples, and a look for those that know too much.

Examples are candidates x (n, f) with labels y (n,) in {0, 1}; those of one shopper share a number in `groups` (n,), and
are never parted between learning and measuring. Every method has a rule by which a feature stays:

- gain: it takes more of the trees' gain than the best of many shuffled columns, which are useless by construction
  (Kursa and Rudnicki 2010, "Feature selection with the Boruta package").
- permutation: shuffling it makes predictions for other shoppers worse; the interval over shoppers lies above 0
  (Breiman 2001, "Random forests").
- L1: its weight is not 0 where the penalty is as large as other shoppers' loss allows (Tibshirani 1996).
- t: its weight in the linear regression is further from 0 than chance explains, with errors that hold although
  candidates of one shopper are alike (cluster-robust; Liang and Zeger 1986), at 5% for all features together.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtri

from wares.errors import InputError, RankerUnavailable
from wares.evaluation.intervals import Interval, mean_intervals
from wares.evaluation.metrics import auc
from wares.training.progress import Tell, silent

Floats = NDArray[np.float64]
Bools = NDArray[np.bool_]
Groups = NDArray[np.int64]
Method = Literal["gain", "permutation", "l1", "t"]
METHODS: tuple[Method, ...] = ("gain", "permutation", "l1", "t")
IMPLAUSIBLE, FORESIGHT = 0.9, 0.1  # AUC from which a feature is suspected, and by how much it must beat its own past
ALONE = 0.99  # AUC of a leak where nothing is known of the past
_ROUNDS, _REPEATS, _SHADOWS, _FOLDS, _PENALTIES = 60, 3, 24, 5, 30
_TREES = {
    "objective": "binary", "num_leaves": 15, "learning_rate": 0.1, "min_data_in_leaf": 20, "verbose": -1,
    "deterministic": True, "force_row_wise": True, "num_threads": 1,
}  # fmt: skip
_NONE = Interval(float("nan"))


@dataclass(frozen=True, slots=True)
class Gains:
    """Shares of the trees' gain (f,), and the most that a useless column took."""

    shares: Floats
    useless: float


@dataclass(frozen=True, slots=True)
class Path:
    """Weights (p, f) of standardised features for falling penalties (p,), the loss of each on shoppers that it was not
    fitted on (p,), and which one was chosen."""

    penalties: Floats
    weights: Floats
    losses: Floats
    chosen: int


@dataclass(frozen=True, slots=True)
class Feature:
    """What is said of one feature. A leak takes no part in the four methods: beside it nothing else would matter."""

    name: str
    gain: float
    permutation: Interval  # how much worse the log-loss gets
    weight: float  # on the path, at the chosen penalty
    t: float
    auc: float  # of the feature alone: 0.5 = says nothing; below: less is better
    auc_before: float  # the same for what the shopper had done before the cut; nan = not asked
    keeps: tuple[Method, ...]
    leaks: bool


@dataclass(frozen=True, slots=True)
class Selection:
    """The table, in the order of the columns, with what the charts need."""

    features: tuple[Feature, ...]
    gains: Gains
    path: Path
    path_names: tuple[str, ...]
    critical_t: float
    examples: int
    positive: int
    groups: int


def select(
    x: Floats,
    y: Bools,
    groups: Groups,
    names: Sequence[str],
    rng: np.random.Generator,
    before: Bools | None = None,
    tell: Tell = silent,
) -> Selection:
    """All four methods on features `names` (f,). `before` (n,) labels what was known before the cut, and is what a leak
    is told by. Raises InputError for labels of one class or of fewer than ten shoppers."""
    if not y.any() or y.all():
        raise InputError("All labels are alike: among the candidates there must be some that were bought and some not.")
    if len(np.unique(groups)) < 2 * _FOLDS:
        raise InputError(f"{len(np.unique(groups))} shoppers are too few to choose features; {2 * _FOLDS} are needed.")
    alone = np.array([auc(y, column) for column in x.T])
    known = before is not None and bool(before.any()) and not bool(before.all())
    past = np.array([auc(before, column) if known and before is not None else np.nan for column in x.T])
    leaks = leaking(alone, past)
    rest = np.flatnonzero(~leaks)
    clean, step = standardised(x[:, rest]), 0

    def done() -> None:
        nonlocal step
        step += 1
        tell("Choosing features", step, len(METHODS))

    gains = gain(clean, y, groups, rng)
    done()
    losses = permutation(clean, y, groups, rng)
    done()
    path = l1_path(clean, y, groups, rng)
    done()
    t = t_statistics(clean, y, groups)
    critical = critical_t(len(rest))
    done()
    place = {int(column): i for i, column in enumerate(rest)}
    table = []
    for column, name in enumerate(names):
        if (i := place.get(column)) is None:
            table.append(Feature(name, *(np.nan, _NONE, np.nan, np.nan), alone[column], past[column], (), True))
            continue
        weight = float(path.weights[path.chosen, i])
        opinions = (gains.shares[i] > gains.useless, losses[i].above_zero, weight != 0, abs(t[i]) > critical)
        keeps = tuple(method for method, stays in zip(METHODS, opinions, strict=True) if stays)
        told = (float(gains.shares[i]), losses[i], weight, float(t[i]), float(alone[column]), float(past[column]))
        table.append(Feature(name, *told, keeps, False))
    return Selection(
        tuple(table),
        gains,
        path,
        tuple(names[i] for i in rest.tolist()),
        critical,
        len(y),
        int(y.sum()),
        len(np.unique(groups)),
    )


def leaking(alone: Floats, before: Floats) -> Bools:
    """(f,) which features know what they cannot: alone they tell what was bought next almost surely (AUC, in either
    direction), and far better than they tell what was bought before, which an honest feature is made of.

    >>> leaking(np.array([0.99, 0.95, 0.7]), np.array([0.7, 0.97, 0.5])).tolist()
    [True, False, False]
    """
    strength = np.maximum(alone, 1 - alone)
    past = np.where(alone >= 0.5, before, 1 - before)
    foresight = (strength >= IMPLAUSIBLE) & (strength - past >= FORESIGHT)
    return np.where(np.isnan(before), strength >= ALONE, foresight)


def standardised(x: Floats) -> Floats:
    """Mean 0 and standard deviation 1 per column; zeros where all values are equal."""
    spread = x.std(axis=0)
    found: Floats = np.where(spread > 1e-12, (x - x.mean(axis=0)) / np.maximum(spread, 1e-12), 0.0)
    return found


def gain(x: Floats, y: Bools, groups: Groups, rng: np.random.Generator) -> Gains:
    """The share of the gain of boosted trees that each feature takes, beside at least 24 shuffled columns; means of
    three trainings, each with columns shuffled anew."""
    f = x.shape[1]
    copies = -(-_SHADOWS // max(f, 1))
    shares, useless = np.zeros(f), 0.0
    for _ in range(_REPEATS):
        shadows = [shuffled(column, groups, rng) for _ in range(copies) for column in x.T]
        found = _grow(np.column_stack([x, *shadows]), y, rng).feature_importance("gain")
        total = max(float(found.sum()), 1e-12)
        shares += found[:f] / total / _REPEATS
        useless += float(found[f:].max(initial=0.0)) / total / _REPEATS
    return Gains(shares, useless)


def shuffled(column: Floats, groups: Groups, rng: np.random.Generator) -> Floats:
    """(n,) the same values in random order; where a feature says one thing of each shopper, shoppers change places.

    >>> shuffled(np.array([1.0, 1, 2, 2, 2]), np.array([0, 0, 1, 1, 1]), np.random.default_rng(3)).tolist()
    [2.0, 2.0, 1.0, 1.0, 1.0]
    """
    _, first, owner = np.unique(groups, return_index=True, return_inverse=True)
    of_group = column[first]
    if (column == of_group[owner]).all():
        return rng.permutation(of_group)[owner]
    return rng.permutation(column)


def permutation(x: Floats, y: Bools, groups: Groups, rng: np.random.Generator) -> list[Interval]:
    """f intervals over shoppers: how much the log-loss of trees grown on half of them rises for the other half when a
    feature is shuffled (three times)."""
    worse = np.zeros(x.shape)
    half = _parts(groups, 2, rng)
    for part in (0, 1):
        asked = np.flatnonzero(half == part)
        trees, own = _grow(x[half != part], y[half != part], rng), x[asked]
        usual = _losses(trees.predict(own, num_threads=1), y[asked])
        for column in range(x.shape[1]):
            for _ in range(_REPEATS):
                other = own.copy()
                other[:, column] = shuffled(own[:, column], groups[asked], rng)
                lost = _losses(trees.predict(other, num_threads=1), y[asked])
                worse[asked, column] += (lost - usual) / _REPEATS
    return mean_intervals(_by_group(worse, groups), rng)


def l1_path(x: Floats, y: Bools, groups: Groups, rng: np.random.Generator) -> Path:
    """Logistic regression with an L1 penalty, by coordinate descent on Newton's quadratic (Friedman, Hastie and
    Tibshirani 2010), from the penalty at which all weights are 0 down to a thousandth of it. Chosen is the largest
    one whose loss on other shoppers is within one standard error of the best."""
    truth = y.astype(np.float64)
    largest = float(np.abs(x.T @ (truth - truth.mean())).max(initial=0.0)) / len(y)
    penalties = max(largest, 1e-9) * np.geomspace(1, 1e-3, _PENALTIES)
    lost, fold = np.zeros((len(y), _PENALTIES)), _parts(groups, _FOLDS, rng)
    for part in range(_FOLDS):
        asked = fold == part
        weights, starts = _descend(x[~asked], truth[~asked], penalties)
        for i in range(_PENALTIES):
            chance = 1 / (1 + np.exp(-(x[asked] @ weights[i] + starts[i])))
            lost[asked, i] = _losses(chance, y[asked])
    each = _by_group(lost, groups)  # (shoppers, p)
    losses = each.mean(axis=0)
    best = int(losses.argmin())
    error = float(each[:, best].std(ddof=1)) / np.sqrt(len(each))
    chosen = int(np.flatnonzero(losses <= losses[best] + error)[0])
    return Path(penalties, _descend(x, truth, penalties)[0], losses, chosen)


def t_statistics(x: Floats, y: Bools, groups: Groups) -> Floats:
    """(f,) weight / standard error in the linear regression of y on all features, errors clustered by shopper; 0 for a
    feature that never changes."""
    design = np.concatenate([x, np.ones((len(x), 1))], axis=1)
    inverse = np.linalg.pinv(design.T @ design)
    weights = inverse @ (design.T @ y)
    left = y - design @ weights
    _, owner = np.unique(groups, return_inverse=True)
    pulls = np.zeros((int(owner.max()) + 1, design.shape[1]))
    np.add.at(pulls, owner, design * left[:, None])
    spread = np.sqrt(np.maximum(np.diag(inverse @ (pulls.T @ pulls) @ inverse), 0))[:-1]
    found: Floats = np.divide(weights[:-1], spread, out=np.zeros(x.shape[1]), where=spread > 1e-12)
    return found


def critical_t(n_features: int) -> float:
    """The t beyond which one of `n_features` useless ones lies with a chance of 5% (Bonferroni).

    >>> round(critical_t(1), 2), round(critical_t(20), 2)
    (1.96, 3.02)
    """
    return float(-ndtri(0.025 / max(n_features, 1)))


def _descend(x: Floats, y: Floats, penalties: Floats) -> tuple[Floats, Floats]:
    """Weights (p, f) and constants (p,) along falling penalties, each starting from the one before."""
    n, f = x.shape
    rate = min(max(float(y.mean()), 1e-6), 1 - 1e-6)
    w, constant = np.zeros(f), float(np.log(rate / (1 - rate)))
    weights, constants = np.zeros((len(penalties), f)), np.zeros(len(penalties))
    for i, penalty in enumerate(penalties):
        for _ in range(20):
            chance = 1 / (1 + np.exp(-np.clip(x @ w + constant, -30, 30)))
            curve = np.maximum(chance * (1 - chance), 1e-5)
            middle = (curve @ x) / curve.sum()
            centred = x - middle
            gram = (centred * curve[:, None]).T @ centred / n  # (f, n) @ (n, f)
            new = _lasso(gram, gram @ w + centred.T @ (y - chance) / n, float(penalty), w)
            constant += float((y - chance).sum() / curve.sum() - middle @ (new - w))
            moved, w = float(np.abs(new - w).max(initial=0.0)), new
            if moved < 1e-5:
                break
        weights[i], constants[i] = w, constant
    return weights, constants


def _lasso(gram: Floats, pull: Floats, penalty: float, start: Floats) -> Floats:
    """The w that minimises w' gram w / 2 - pull . w + penalty |w|, one coordinate after the other."""
    w, scale = start.copy(), np.diag(gram)
    slope = pull - gram @ w  # (f,) kept up to date
    for sweep in range(1, 201):
        moved = 0.0
        for j in np.flatnonzero((np.abs(slope) > penalty) | (w != 0)).tolist():
            if scale[j] < 1e-12:
                continue
            free = float(slope[j] + scale[j] * w[j])
            step = math.copysign(max(abs(free) - penalty, 0.0), free) / scale[j] - w[j]
            if step:
                w[j] += step
                slope -= step * gram[j]
                moved = max(moved, abs(step))
        if moved < 1e-6:
            break
        if sweep % 5 == 0 and (exact := _with_these_signs(gram, pull, penalty, np.sign(w))) is not None:
            return exact
    return w


def _with_these_signs(gram: Floats, pull: Floats, penalty: float, signs: Floats) -> Floats | None:
    """The minimum in one step, if its weights have these signs: features that say nearly the same make the way there
    coordinate by coordinate a long one."""
    on = np.flatnonzero(signs)
    w = np.zeros(len(signs))
    w[on] = np.linalg.lstsq(gram[np.ix_(on, on)], pull[on] - penalty * signs[on], rcond=None)[0]
    slope = pull - gram @ w
    agrees = (w[on] * signs[on] > 0).all() and (np.abs(slope - penalty * signs)[on] < 1e-8).all()
    return w if agrees and (np.abs(slope) <= penalty + 1e-8).all() else None


def _grow(x: Floats, y: Bools, rng: np.random.Generator) -> Any:
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        raise RankerUnavailable(
            f"Choosing features needs LightGBM and the system's OpenMP library ({error}). On Debian and Ubuntu: "
            "apt install libgomp1."
        ) from None
    data = lightgbm.Dataset(x, y.astype(np.int32), free_raw_data=True)
    return lightgbm.train({**_TREES, "seed": int(rng.integers(2**31))}, data, _ROUNDS)


def _parts(groups: Groups, n: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """(len(groups),) a part in 0..n-1 for each example, whole groups together and parts of like size."""
    _, owner = np.unique(groups, return_inverse=True)
    count = int(owner.max()) + 1
    part: NDArray[np.int64] = (rng.permutation(count) % n)[owner]
    return part


def _losses(chances: Floats, y: Bools) -> Floats:
    """(n,) surprise in nats."""
    found: Floats = -np.log(np.clip(np.where(y, chances, 1 - chances), 1e-15, 1))
    return found


def _by_group(values: Floats, groups: Groups) -> Floats:
    """(n, m) -> (groups, m): the mean of each."""
    _, owner = np.unique(groups, return_inverse=True)
    sums = np.zeros((int(owner.max()) + 1, values.shape[1]))
    np.add.at(sums, owner, values)
    means: Floats = sums / np.bincount(owner)[:, None]
    return means

"""`wares bench off-policy`: the estimators on Open Bandit, where two policies were at work in the same week.

Saito et al., "Open Bandit Dataset and Pipeline" (NeurIPS Datasets and Benchmarks 2021; ZOZO, Inc., CC BY 4.0). Each of
its rows is one slot of a page: what was shown at which of 3 positions, whether it was clicked, and how likely the
policy was to show it. What the one policy earned is estimated from the other's log, and compared with its own.
"""

import math
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import polars as pl
from numpy.typing import NDArray

from wares.errors import InputError
from wares.evaluation.off_policy import (
    Estimate,
    clipped_ips,
    direct,
    doubly_robust,
    effective_rounds,
    ips,
    self_normalised,
    weights_of,
)

Floats = NDArray[np.float64]
CAMPAIGNS = ("all", "men", "women")
POLICIES = {"random": "uniform random", "bts": "Bernoulli Thompson sampling"}
_COLUMNS = ("item_id", "position", "click", "propensity_score")
_MOST_WEIGHT = 20.0
_FOLDS = 5
_STRENGTH = 200.0  # rounds' worth of the mean that every product's click rate starts with


@dataclass(frozen=True, slots=True)
class Log:
    """n rounds of one policy."""

    items: NDArray[np.int64]  # (n,)
    positions: NDArray[np.int64]  # (n,) from 0
    clicks: Floats  # (n,)
    propensities: Floats  # (n,) how likely the policy was to show this item at this position
    n_items: int


def off_policy_figures(file: Path) -> dict[str, Any]:
    """Per campaign and direction: the value on the policy's own log and by each estimator from the other's."""
    rows: dict[str, Any] = {}
    for campaign in CAMPAIGNS:
        logs = {policy: read_log(file, policy, campaign) for policy in POLICIES}
        for target, source in (("bts", "random"), ("random", "bts")):
            rows[f"{campaign}: {target} from {source}'s log"] = _compare(logs[target], logs[source])
    return {"rows": rows, "policies": POLICIES, "source": str(file.name)}


def read_log(file: Path, policy: str, campaign: str) -> Log:
    """From the wheel of the package `obp`, or from a folder laid out like the data set.

    Raises InputError where the file is not there or holds something else.
    """
    inside = f"{policy}/{campaign}/{campaign}.csv"
    try:
        if file.is_dir():
            table = pl.read_csv(file / inside, columns=list(_COLUMNS))
        else:
            with zipfile.ZipFile(file) as wheel:
                table = pl.read_csv(wheel.read(f"obp/dataset/obd/{inside}"), columns=list(_COLUMNS))
    except (OSError, KeyError, zipfile.BadZipFile, pl.exceptions.PolarsError) as error:
        raise InputError(
            f"{file} holds no {inside} of Open Bandit ({error}). Give the wheel of obp 0.4.1 "
            "(pip download --no-deps obp==0.4.1), or the unpacked folder with random/ and bts/."
        ) from error
    items = table["item_id"].to_numpy().astype(np.int64)
    return Log(
        items,
        table["position"].to_numpy().astype(np.int64) - 1,
        table["click"].to_numpy().astype(np.float64),
        table["propensity_score"].to_numpy().astype(np.float64),
        int(items.max()) + 1,
    )


def _compare(own: Log, other: Log) -> dict[str, Any]:
    """What `own`'s policy earned, and what is estimated from `other`'s log."""
    n_items = max(own.n_items, other.n_items)
    target = action_chances(own, n_items)  # (positions, items)
    weights = weights_of(target[other.positions, other.items], other.propensities)
    rates = click_rates(other, n_items, np.random.default_rng(0))  # (n, positions' items) by fold
    fitted = rates[np.arange(len(other.items)), other.items]
    expected = (rates * target[other.positions]).sum(axis=1)
    estimates = {
        "own log": Estimate.of(own.clicks),
        "the other's own mean": Estimate.of(other.clicks),
        "ips": ips(other.clicks, weights),
        f"ips clipped at {_MOST_WEIGHT:g}": clipped_ips(other.clicks, weights, _MOST_WEIGHT),
        "snips": self_normalised(other.clicks, weights),
        "direct": direct(expected),
        "dr": doubly_robust(other.clicks, weights, fitted, expected),
    }
    own_value = estimates["own log"]
    return {
        "rounds": len(weights),
        "clicks": int(other.clicks.sum()),
        "effective_rounds": round(effective_rounds(weights), 1),
        "highest_weight": round(float(weights.max()), 1),
        "mean_weight": round(float(weights.mean()), 4),
        "estimates": {name: _plain(name, one, own_value) for name, one in estimates.items()},
    }


def action_chances(log: Log, n_items: int) -> Floats:
    """(positions, items) how often the policy showed each item at each position: its average over the log's week.

    Thompson sampling learns as it goes, so that its logged probabilities change; they are known for what was shown
    alone. Uniform random is known.
    """
    if np.ptp(log.propensities) == 0:
        return np.full((int(log.positions.max()) + 1, n_items), 1 / n_items)
    counts = np.zeros((int(log.positions.max()) + 1, n_items))
    np.add.at(counts, (log.positions, log.items), 1)
    chances: Floats = counts / counts.sum(axis=1, keepdims=True)
    return chances


def click_rates(log: Log, n_items: int, rng: np.random.Generator) -> Floats:
    """(n, items) for each round the click rate of every item at its position, learnt from the other folds.

    An item's rate is shrunk to the mean, and multiplied by the rate of the position against the mean.
    """
    fold = rng.permutation(len(log.items)) % _FOLDS
    rates = np.empty((len(log.items), n_items))
    for i in range(_FOLDS):
        learn, ask = fold != i, fold == i
        mean = log.clicks[learn].mean()
        shown = np.bincount(log.items[learn], minlength=n_items)
        clicked = np.bincount(log.items[learn], log.clicks[learn], minlength=n_items)
        at = np.bincount(log.positions[learn])
        place = (np.bincount(log.positions[learn], log.clicks[learn]) / at) / mean if mean > 0 else np.ones(len(at))
        of_item = (clicked + _STRENGTH * mean) / (shown + _STRENGTH)
        rates[ask] = place[log.positions[ask], None] * of_item
    return rates


def _plain(name: str, one: Estimate, own: Estimate) -> dict[str, float | bool | None]:
    """`agrees`: the difference to the policy's own log lies within 1.96 of its standard errors (two logs, independent).

    The model's own estimate has no interval: its spread knows nothing of what the model has wrong.
    """
    told: dict[str, float | bool | None] = {"value": round(one.value, 6)}
    if name == "direct":
        return told | {"low": None, "high": None, "relative_error": _off(one, own)}
    told |= {"low": round(one.low, 6), "high": round(one.high, 6)}
    if name == "own log":
        return told
    agrees = abs(one.value - own.value) <= 1.96 * math.hypot(one.error, own.error)
    return told | {"relative_error": _off(one, own), "agrees": agrees}


def _off(one: Estimate, own: Estimate) -> float:
    return round(abs(one.value - own.value) / own.value, 4)

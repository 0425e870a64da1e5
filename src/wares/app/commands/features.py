"""`wares features`: which of the things that the home page knows of its candidates earn their place?"""

import math
from collections.abc import Iterable, Sequence
from html import escape
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.evaluation.charts import Bar, Curve, bars, curves, differences
from wares.evaluation.intervals import Interval
from wares.evaluation.web_page import figure, side_by_side, web_page
from wares.shop import open_shop
from wares.training.candidates import gather_candidates
from wares.training.selection import METHODS, Feature, Selection, select

_MEANING = {
    "gain": "Share of the trees' gain. In the second colour: the most that a useless, shuffled column took.",
    "permutation": "How much worse predictions for other shoppers get when the feature is shuffled (log-loss).",
    "l1": "Weights in the logistic regression as the penalty falls; a late start means little use beside the others.",
    "t": "Size of the regression's t-statistic. In the second colour: what chance explains.",
    "auc": "The feature alone: the chance that a bought candidate has more of it. 0.5 says nothing.",
}


def features_of(folder: Path, *, days: float, shoppers: int, seed: int, plot: Path | None, as_json: bool) -> None:
    """Gather candidates, ask the four methods, show the table; write the plot where wanted."""
    with open_shop(folder, create=False) as shop, screen.progress() as tell:
        found = gather_candidates(
            folder, shop.store, shop.settings, days=days, n_shoppers=shoppers, seed=seed, tell=tell
        )
        title = shop.settings.shop.title
        rng = np.random.default_rng(seed)
        chosen = select(found.features, found.bought, found.shoppers, found.names, rng, found.bought_before, tell)
    command = f"wares features {folder} --days {days:g} --shoppers {shoppers} --seed {seed}"
    if plot is not None:
        plot.parent.mkdir(parents=True, exist_ok=True)
        plot.write_text(features_html(chosen, title, command), encoding="utf-8")
    if as_json:
        screen.print_json({"command": command, **plain(chosen)})
    else:
        print_features(screen.stdout(), chosen)
    if plot is not None:
        screen.note(f"Written: {plot}")


def print_features(console: Console, chosen: Selection) -> None:
    """One line per feature, those that most methods keep first."""
    table = new_table(
        "feature", "kept by", "gain", "permutation", "L1 weight", "t", "alone", "before", right=range(2, 8)
    )
    for one in _ordered(chosen):
        p = one.permutation
        lost = "–" if math.isnan(p.mean) else f"{p.mean:+.4f} ({p.low:+.4f} to {p.high:+.4f})"
        kept = "LEAKS: left out" if one.leaks else ", ".join(one.keeps) if one.keeps else "none"
        told = (_number(one.gain, ".3f"), lost, _number(one.weight, "+.3f"), _number(one.t, "+.1f"))
        table.add_row(screen.shown(one.name), kept, *told, _number(one.auc, ".3f"), _number(one.auc_before, ".3f"))
    console.print(table)
    about = f"{chosen.examples:,} candidates of {chosen.groups:,} shoppers, {chosen.positive:,} of them bought next."
    console.print(f"{about} alone, before: AUC of the feature for what was bought next, and for before.", style="dim")
    for one in chosen.features:
        if one.leaks:
            console.print(
                f"{screen.shown(one.name)} tells what was bought next with an AUC of {max(one.auc, 1 - one.auc):.3f}, "
                "but not what was bought before: it probably knows what came after the cut. Do not learn from it.",
                style="bold",
            )


def plain(chosen: Selection) -> dict[str, Any]:
    """For JSON; None for what is not defined."""
    features = [
        {
            "name": one.name,
            "kept_by": list(one.keeps),
            "leaks": one.leaks,
            "gain": _known(one.gain),
            "permutation": {key: _known(getattr(one.permutation, key)) for key in ("mean", "low", "high")},
            "l1_weight": _known(one.weight),
            "t": _known(one.t),
            "auc": _known(one.auc),
            "auc_before": _known(one.auc_before),
        }
        for one in _ordered(chosen)
    ]
    numbers = {"candidates": chosen.examples, "bought": chosen.positive, "shoppers": chosen.groups}
    rules = {"useless_gain": chosen.gains.useless, "critical_t": chosen.critical_t, "methods": list(METHODS)}
    return {**numbers, **rules, "features": features}


def features_html(chosen: Selection, title: str, command: str = "") -> str:
    """One page with a chart per method."""
    judged = [one for one in _ordered(chosen) if not one.leaks]
    useless = Bar("a useless column", Interval(chosen.gains.useless), other=True)
    chance = Bar("chance", Interval(chosen.critical_t), other=True)
    steps = np.log10(chosen.path.penalties[0] / chosen.path.penalties)
    lines = [
        Curve(name, steps.tolist(), chosen.path.weights[:, i].tolist())
        for i, name in enumerate(chosen.path_names)
        if chosen.path.weights[:, i].any()
    ]
    mark = float(steps[chosen.path.chosen])
    drawn = [
        ("Gain", "gain", bars("Gain", [*(Bar(one.name, Interval(one.gain)) for one in judged), useless], 3)),
        ("Permutation", "permutation", differences("Permutation", [Bar(o.name, o.permutation) for o in judged])),
        ("L1 path", "l1", curves("L1 path", lines, "penalty falls: powers of ten", "weight", mark)),
        ("|t|", "t", bars("|t|", [*(Bar(one.name, Interval(abs(one.t))) for one in judged), chance], 1)),
        ("Alone", "auc", bars("Alone", [Bar(o.name, Interval(o.auc), o.leaks) for o in _ordered(chosen)], 3)),
    ]
    told = f"{chosen.examples:,} candidates of {chosen.groups:,} shoppers, {chosen.positive:,} of them bought next."
    leaks = "".join(f"<li>{escape(one.name)} leaks and was left out.</li>" for one in chosen.features if one.leaks)
    parts = [f"<h1>{escape(title)}: which features earn their place</h1>", f"<p>{told}</p><ul>{leaks}</ul>"]
    parts += [f"<pre><code>{escape(command)}</code></pre>"]
    return web_page(
        f"{title}: features", [*parts, side_by_side(figure(name, _MEANING[key], svg) for name, key, svg in drawn)]
    )


def _ordered(chosen: Selection) -> Sequence[Feature]:
    """Leaks first, then by how many methods keep them, then by gain."""

    def key(one: Feature) -> Iterable[float]:
        return (-one.leaks, -len(one.keeps), -one.gain if not one.leaks else 0.0)

    return sorted(chosen.features, key=lambda one: tuple(key(one)))


def _known(value: float) -> float | None:
    return None if math.isnan(value) else float(value)


def _number(value: float, form: str) -> str:
    return "–" if math.isnan(value) else format(value, form)

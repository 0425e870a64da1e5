"""`wares tune`: search for the numbers of the models, show what they gain, and write them where that is wanted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, get_args

from rich.console import Console

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.engine.settings_file import write_values
from wares.errors import UnknownName
from wares.evaluation.intervals import Interval
from wares.shop import open_shop
from wares.training.budget import seconds_of, spoken
from wares.training.build import known
from wares.training.tuning import SPACES, Metric, Tuned, tune


def tune_shop(
    folder: Path, models: str, budget: str, options: Mapping[str, Any], *, write: bool, as_json: bool
) -> None:
    """`models` separated by commas, "" = those that the shop trains; `options` as `training.tuning.tune` takes them."""
    if options["metric"] not in get_args(Metric):
        raise UnknownName("metric", options["metric"], get_args(Metric))
    budget_s = seconds_of(budget) if budget else None
    with open_shop(folder, create=False) as shop, screen.progress() as tell:
        names = [name.strip() for name in models.split(",") if name.strip()]
        names = list(dict.fromkeys(names)) or [name for name in shop.settings.models.train if name in SPACES]
        tell("Reading the events", 0, 1)
        _, _, interactions = known(shop.store)
        tell("Reading the events", 1, 1)
        found = list(tune(folder, interactions, shop.settings, names, budget_s=budget_s, **options, tell=tell))
    better = [one for one in found if one.is_better]
    if write and better:
        write_values(folder, {f"models.{one.model}": one.changed for one in better})
    if as_json:
        written = [one.model for one in better] if write else []
        screen.print_json({**options, "models": [_plain(one) for one in found], "written": written})
        return
    print_tuned(screen.stdout(), found, options["metric"])
    if better and not write:
        screen.note("Nothing was changed. With --write, what is better for sure goes into wares.toml.")
    elif write:
        what = ", ".join(one.model for one in better)
        screen.note(f"Written to wares.toml: {what}. Train again." if better else "Nothing is better for sure.")


def print_tuned(console: Console, found: Sequence[Tuned], metric: str) -> None:
    """What is set, what was best, and the proof."""
    table = new_table("model", "number", "now", "best", f"{metric}@10 now", "best", "difference", right=range(2, 7))
    for one in found:
        proof = (_three(one.proof_now), _three(one.proof_best), _three(one.difference, "+") if one.changed else "–")
        for i, (name, value) in enumerate(one.now.items()):
            best = f"{one.best[name]:g}" if one.best[name] != value else ""
            table.add_row(one.model if i == 0 else "", name, f"{value:g}", best, *(proof if i == 0 else ()))
    console.print(table)
    for one in found:
        verdict = (
            "better" if one.is_better else "not better for sure" if one.changed else "as good as any that was tried"
        )
        again = f", {one.resumed} of them from an earlier run" if one.resumed else ""
        told = f"{one.model}: {verdict} ({one.trials} trials{again}, {spoken(one.seconds)})."
        console.print(told, style="bold" if one.is_better else "dim")
    told = "Figures are of a window that had no part in choosing; the last window of the log was not touched."
    console.print(told, style="dim")


def _plain(one: Tuned) -> dict[str, Any]:
    return {**asdict(one), "changed": one.changed, "better": one.is_better}


def _three(interval: Interval, sign: str = "") -> str:
    between = " to " if sign else "–"
    return f"{interval.mean:{sign}.4f}\n{interval.low:{sign}.3f}{between}{interval.high:{sign}.3f}"

"""`wares train` and `wares eval`: learn from what the shop knows; see how well the past would be foreseen."""

import csv
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.app.commands import screen
from wares.app.commands.planning import plain, plan_for, print_plan
from wares.app.commands.snapshots import figures
from wares.engine.learnt import SNAPSHOTS, current_snapshot
from wares.engine.shelf import current_name, kept_snapshots
from wares.evaluation.replay import OnRanked
from wares.evaluation.report import report_html
from wares.shop import Shop, open_shop
from wares.training.trial import next_basket_trial


def train_shop(folder: Path, *, budget: str = "", dry_run: bool = False, as_json: bool) -> None:
    """Make a new snapshot and say what it was made of; with a budget or `dry_run`, first the plan."""
    started, planned = time.perf_counter(), dict[str, Any]()
    with open_shop(folder, create=False) as shop:
        plan = None
        if budget or dry_run:
            with screen.progress() as tell:
                plan, machine = plan_for(folder, shop, budget, tell)
            planned = dict(plain(plan, machine))
            if not as_json:
                print_plan(screen.stdout(), plan, machine, budget)
        if dry_run:
            if as_json:
                screen.print_json(planned)
            return
        with screen.progress() as tell:
            name = shop.train(tell, plan)
    made = next(one for one in kept_snapshots(folder / SNAPSHOTS) if one.name == name)
    facts = {"snapshot": name, "took_s": round(time.perf_counter() - started, 1), **made.facts, **planned}
    facts["promotion"] = dict(made.report)
    if as_json:
        screen.print_json(facts)
        return
    print(
        f"Snapshot {name}: {facts['products']:,} products ({facts['hits']:,} distinct), {facts['events']:,} events of "
        f"{facts['shoppers']:,} shoppers, learnt in {facts['took_s']} s."
    )
    for line in figures(made.report):
        print(f"  {line}")
    reasons = "; ".join(made.report.get("why", ()))
    if made.state == "current":
        print(f"It serves now: {reasons}.")
    else:
        serving = current_name(folder / SNAPSHOTS)
        goes_on = f"{serving} goes on serving" if serving else "nothing serves yet"
        screen.note(f"Kept aside, {goes_on}: {reasons}.")
        screen.note(f"`wares promote {folder} {name}` takes it all the same.")


def evaluate_shop(
    folder: Path, *, days: int, k: int, seed: int, report: Path | None, run: Path | None, as_json: bool
) -> None:
    """Print the table; write the report and the run where wanted."""
    with open_shop(folder, create=False) as shop:
        with screen.progress() as tell, _run_file(shop, run) as on_ranked:
            table = next_basket_trial(
                folder, shop.store, shop.settings, days=days, k=k, seed=seed, tell=tell, on_ranked=on_ranked
            )
        about, title = shop.settings.shop.about, shop.settings.shop.title
    command = f"wares eval {folder} --days {days} -k {k} --seed {seed}"
    if report is not None:
        report.parent.mkdir(parents=True, exist_ok=True)
        html = report_html(table, f"{title}: next basket, last {days} days", [about] if about else [], command)
        report.write_text(html, encoding="utf-8")
    if as_json:
        screen.print_json({"days": days, "seed": seed, "command": command, **table.to_dict()})
    else:
        from wares.app.commands.tables import print_evaluation

        print_evaluation(screen.stdout(), table.to_dict())
    for path in (report, run):
        if path is not None:
            screen.note(f"Written: {path}")


@contextmanager
def _run_file(shop: Shop, path: Path | None) -> Iterator[OnRanked | None]:
    """What receives each ranking and writes it as CSV: system, shopper (its row), product id, rank, score."""
    if path is None:
        yield None
        return
    ids = current_snapshot(shop.folder, shop.settings)[0].columns.ids
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="", encoding="utf-8") as file:
        lines = csv.writer(file)
        lines.writerow(("system", "shopper", "product", "rank", "score"))

        def write(system: str, shopper: int, rows: NDArray[np.int64], scores: NDArray[np.float64]) -> None:
            for rank, (row, score) in enumerate(zip(rows.tolist(), scores.tolist(), strict=True), 1):
                lines.writerow((system, shopper, ids[row], rank, f"{score:.7g}"))

        yield write

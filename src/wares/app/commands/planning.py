"""`wares train --budget` and `--dry-run`: what would be learnt, why, how long it takes and how much memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.console import Console

from wares.app.commands.tables import new_table
from wares.engine.learnt import SNAPSHOTS
from wares.engine.shelf import current_name
from wares.shop import Shop
from wares.training.budget import gigabytes, seconds_of, spoken
from wares.training.build import known
from wares.training.costs import facts_of
from wares.training.machine import Machine, look_at_machine
from wares.training.plan import Plan, make_plan, vectors_known
from wares.training.progress import Tell


def plan_for(folder: Path, shop: Shop, budget: str, tell: Tell) -> tuple[Plan, Machine]:
    """Look at the shop and at the machine; `budget` "" = as long as it takes."""
    budget_s = seconds_of(budget) if budget else None
    tell("Looking at the shop", 0, 1)
    products, _, interactions = known(shop.store)
    without = None if shop.settings.encoder.source == "none" else vectors_known(folder)
    facts = facts_of(products, interactions, without)
    machine = look_at_machine()
    compares = shop.settings.promotion.compare and bool(current_name(folder / SNAPSHOTS))
    tell("Looking at the shop", 1, 1)
    return make_plan(facts, machine, shop.settings, budget_s, compares=compares), machine


def print_plan(console: Console, plan: Plan, machine: Machine, budget: str) -> None:
    """A line per part, then the whole against what there is."""
    table = new_table("what is learnt", "", "takes", "memory", "why", right=(2, 3))
    for step in plan.reasons:
        took = (spoken(step.seconds), gigabytes(step.bytes)) if step.seconds or step.bytes else ("", "")
        table.add_row(step.name, "yes" if step.chosen else "no", *took, step.why)
    console.print(table)
    of = f" of {budget}" if budget else ""
    free, cores = gigabytes(machine.memory_bytes), machine.cores
    gpu = ", a GPU" if machine.gpu else ""
    whole = f"About {spoken(plan.seconds)}{of} and {gigabytes(plan.bytes)} of memory, of {free} free."
    console.print(whole, style="bold")
    console.print(f"{cores} cores{gpu}. Estimates by stated rates; half or twice as much is possible.", style="dim")


def plain(plan: Plan, machine: Machine) -> Mapping[str, Any]:
    """For JSON."""
    there = {"cores": machine.cores, "memory_bytes": machine.memory_bytes, "torch": machine.torch, "gpu": machine.gpu}
    return {"plan": plan.to_dict(), "machine": there}

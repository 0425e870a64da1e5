"""What an experiment's log says: each variant's figures, when a winner may be called, and when harm is certain."""

from dataclasses import replace
from datetime import datetime
from typing import Any

import numpy as np
import pytest
from experiment_log import COLUMNS, DAY, START, answer, events, experiment, later, log

from wares.domain.event import EventKind
from wares.engine.experiments.book import Experiment
from wares.evaluation.experiment import FIGURES, Reading, Table, broken_guardrail, guard_alpha, read_experiment_log
from wares.evaluation.variants import Difference

CLICK, BUY, REFUND = EventKind.CLICK, EventKind.PURCHASE, EventKind.REFUND


def read(one: Experiment, shown: Any, block: Any, now: datetime | None = None) -> Reading:
    return read_experiment_log(one, shown, block, COLUMNS, now or later(16))


def test_each_variant_has_its_figures_by_shopper() -> None:
    shown = [
        (1, answer("control", 1)),
        (1, answer("control", 2)),
        (2, answer("new", 1)),
        (3, answer("new", 3, total=0)),
    ]
    block = events(
        (1, 1.001, 0, CLICK, 0.0), (2, 1.002, 1, BUY, 1250.0), (2, 2, 5, BUY, 500.0), (2, 3, 5, REFUND, 500.0)
    )
    reading = read(experiment(), shown, block)
    control, new = reading.outcomes
    mean = {name: (control.figures[name].mean, new.figures[name].mean) for name in control.figures}
    assert (control.shoppers, control.asks, new.shoppers, new.asks) == (1, 2, 2, 2)
    assert mean["success"] == (*mean["clicked"][:1], 0.5) == (0.5, 0.5)
    assert mean["clicked"][1] == 0.0 and mean["bought"] == (0.0, 0.5) and mean["empty"] == (0.0, 0.5)
    assert mean["revenue"] == (0.0, 6.25)  # 12.50 + 5.00 - 5.00, of two shoppers
    assert mean["abandoned"] == (0.5, 0.0) and mean["latency"] == (5.0, 5.0)
    assert mean["seconds"][0] == pytest.approx(86.4, abs=0.1)
    assert new.differences["revenue"].mean == pytest.approx(6.25)


def test_answers_of_other_experiments_of_nobody_and_after_the_end_do_not_count() -> None:
    shown = [(1, answer("control", 1)), (-1, answer("control", 1)), (2, answer("new", 1, experiment="y"))]
    shown += [(3, answer("new", 14.5))]
    assert [one.asks for one in read(experiment(), shown, events()).outcomes] == [1, 0]


def test_no_winner_is_called_before_the_planned_end() -> None:
    shown, block = log({"control": 0.2, "new": 0.4}, 800)
    early, ripe = read(experiment(), shown, block, later(13.95)), read(experiment(), shown, block, later(15.1))
    assert early.verdict == "too early" and "in 1.1 days" in early.says
    assert read(experiment(), shown, block, later(14.5)).verdict == "too early"  # purchases of the last day may come
    assert (ripe.verdict, ripe.says) == ("better", "new is better than control in success.")
    assert read(experiment('measure = "abandoned"\n'), shown, block).verdict == "better"  # lower is better there
    stopped = read(experiment(stopped=later(13.9)), shown, block)
    assert stopped.verdict == "stopped" and "Bob" in stopped.says


def test_a_worse_variant_and_one_that_does_nothing_are_told() -> None:
    assert read(experiment(), *log({"control": 0.4, "new": 0.3}, 800)).verdict == "worse"
    assert read(experiment(), *log({"control": 0.3, "new": 0.3}, 800, seed=5)).verdict == "no difference"
    assert read(experiment(), *log({"control": 0.3, "new": 0.9}, 20)).verdict == "too few"


def test_a_log_that_lacks_some_of_a_variant_is_not_believed() -> None:
    shown, block = log({"control": 0.2, "new": 0.4}, 800)
    lacking = [one for one in shown if one[1]["variant"] == "control" or one[0] % 4]
    reading = read(experiment(), lacking, block)
    assert reading.verdict == "mismatch" and reading.mismatch < 0.001


def test_a_shopper_met_under_two_ids_counts_for_the_first_variant() -> None:
    shown = [(1, answer("control", 1)), (1, answer("new", 2)), (2, answer("new", 2))]
    reading = read(experiment(), shown, events())
    assert [one.shoppers for one in reading.outcomes] == [1, 1]
    assert [one.asks for one in reading.outcomes] == [2, 1]
    assert reading.met_two == 1


def test_three_variants_share_the_risk_of_a_false_winner() -> None:
    one = experiment()
    variants = {**one.file.variants, "third": one.file.variants["new"]}
    three = replace(one, file=one.file.model_copy(update={"variants": variants}))
    reading = read(three, *log({"control": 0.3, "new": 0.3, "third": 0.3}, 100))
    assert reading.level == 0.975
    assert [found.name for found in reading.outcomes] == ["control", "new", "third"]


def test_success_that_surely_fell_breaks_the_guardrail_at_any_time() -> None:
    broken = read(experiment(), *log({"control": 0.5, "new": 0.3}, 1000), later(3)).broken
    assert broken.startswith("success of new fell by more than 10%")
    assert not read(experiment(), *log({"control": 0.5, "new": 0.48}, 1000)).broken
    one = experiment()
    file = one.file.model_copy(update={"guardrails": one.file.guardrails.model_copy(update={"success": 1.0})})
    assert not read(replace(one, file=file), *log({"control": 0.5, "new": 0.3}, 1000)).broken


def test_answers_without_a_hit_and_slow_answers_break_it_too() -> None:
    shown, block = log({"control": 0.5, "new": 0.5}, 800)
    rng = np.random.default_rng(2)

    def worse(**more: Any) -> list[tuple[int, dict[str, Any]]]:
        return [
            (who, one | more) if one["variant"] == "new" and rng.random() < 0.5 else (who, one) for who, one in shown
        ]

    assert "without a hit of new rose" in read(experiment(), worse(total=0), block).broken
    assert "take over 50% longer" in read(experiment(), worse(took_ms=40.0), block).broken
    assert not read(experiment(), worse(took_ms=6.0), block).broken


def test_a_harmless_experiment_is_hardly_ever_stopped_however_often_one_looks() -> None:
    for seed in range(6):
        shown, block = log({"control": 0.3, "new": 0.3}, 150, seed)
        for day in (3, 7, 14):
            until = START.timestamp() * 1000 + day * DAY
            assert not read(experiment(), [one for one in shown if one[1]["time_ms"] < until], block, later(day)).broken


def strict() -> Experiment:
    """Its guardrails bear nothing: whatever is surely worse breaks one."""
    one = experiment()
    rails = one.file.guardrails.model_copy(update={"success": 0.0, "empty": 0.0, "latency": 0.0})
    return replace(one, file=one.file.model_copy(update={"guardrails": rails}))


def drawn(n: int, seed: int, **factors: float) -> Table:
    """n shoppers with several answers each; `factors` says of a figure by how much that of the variant is larger."""
    rng = np.random.default_rng(seed)
    of, asks, rate = rng.integers(2, size=n), rng.geometric(0.4, n), rng.beta(3, 7, n)
    sums, counts = np.zeros((n, len(FIGURES))), np.zeros((n, len(FIGURES)))
    grown = {name: np.where(of == 1, factors.get(name, 1.0), 1.0) for name in ("success", "empty", "latency")}
    for name, values in (
        ("success", rng.binomial(asks, rate * grown["success"])),
        ("empty", rng.binomial(asks, 0.02 * grown["empty"])),
        ("latency", asks * rng.lognormal(2, 0.8, n) * grown["latency"]),
    ):
        sums[:, FIGURES.index(name)], counts[:, FIGURES.index(name)] = values, asks
    return Table(
        ("control", "new"), of.astype(float), sums, counts, np.log1p(rng.poisson(10 * rate)), asks.astype(float)
    )


def stopped_at(table: Table, looks: list[int]) -> int | None:
    """How many shoppers had come when a guardrail was broken; None = never."""

    def until(n: int) -> Table:
        arrays = (table.of[:n], table.sums[:n], table.counts[:n], table.past[:n], table.asks[:n])
        return Table(table.variants, *arrays)

    return next((n for n in looks if broken_guardrail(strict(), until(n))), None)


def test_all_guardrails_together_stop_a_harmless_experiment_in_at_most_five_of_a_hundred() -> None:
    """3,000 experiments with 200,000 shoppers each, looked at 1,000 times. (With 5 of 100 for each guardrail on both
    sides, as before, 6 to 7 of 100 were stopped.)"""
    looks, of_each = np.arange(200, 200_001, 200), guard_alpha(strict())
    reach = np.array([Difference(0.0, n**-0.5, int(n)).reach(of_each) for n in looks])
    rng, stopped = np.random.default_rng(4), 0
    for _ in range(3_000):
        walks = rng.standard_normal((3, len(looks)), dtype=np.float32).cumsum(axis=1) * np.sqrt(200)
        stopped += bool((walks / looks > reach).any())
    assert 0.02 < stopped / 3_000 <= 0.05


def test_harm_is_stopped_and_what_does_none_is_not() -> None:
    looks = [200, 300, 400, 600, 800, 1200, 1600, 2400, 3000]
    assert sum(stopped_at(drawn(3000, seed), looks) is not None for seed in range(100)) <= 5
    for harm in ({"success": 0.75}, {"empty": 3.0}, {"latency": 1.4}):
        assert all(stopped_at(drawn(3000, seed, **harm), looks) for seed in range(8))


def test_guardrails_that_are_off_take_no_share_of_the_risk() -> None:
    one = experiment()
    rails = one.file.guardrails.model_copy(update={"success": 1.0, "empty": 1.0})
    alone = replace(one, file=one.file.model_copy(update={"guardrails": rails}))
    three = replace(
        one, file=one.file.model_copy(update={"variants": {**one.file.variants, "third": one.file.others["new"]}})
    )
    assert (guard_alpha(alone), guard_alpha(one), guard_alpha(three)) == (0.05, 0.05 / 3, 0.05 / 6)

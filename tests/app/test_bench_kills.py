"""Processes that are killed while they import, train and back up leave nothing lost, doubled or half-made."""

import numpy as np

from wares.app.bench.kills import kill_figures


def test_kills_in_the_middle_of_everything_lose_and_break_nothing() -> None:
    found = kill_figures(4, np.random.default_rng(2), lambda *told: None, ["writing", "import", "training", "backup"])
    assert found["acknowledged"] > 0
    assert (found["lost"], found["counted_twice"], found["broken"]) == (0, 0, 0)

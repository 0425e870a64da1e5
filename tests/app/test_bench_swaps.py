"""Snapshots swap under load: no error, and no answer that is of two of them."""

import pytest

from wares.app.bench.swaps import swap_figures


@pytest.mark.parametrize(("workers", "kept"), [(0, False), (2, False), (2, True)])
def test_every_answer_is_of_one_snapshot_while_they_swap(workers: int, kept: bool) -> None:
    found = swap_figures(4, products=150, rate=8.0, workers=workers, kept=kept, seed=3, tell=lambda *told: None)
    assert found["examples"] == []
    assert found["with"]["errors"] == found["without"]["errors"] == found["mixed_answers"] == 0
    assert len(found["answers_by_snapshot"]) == 3
    assert found["with"]["requests"] > 10

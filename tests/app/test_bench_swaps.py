"""Snapshots swap under load: no error, and no answer that is of two of them."""

from wares.app.bench.swaps import swap_figures


def test_every_answer_is_of_one_snapshot_while_they_swap() -> None:
    found = swap_figures(4, products=150, rate=8.0, seed=3, tell=lambda *told: None)
    assert found["examples"] == []
    assert found["with"]["errors"] == found["without"]["errors"] == found["mixed_answers"] == 0
    assert len(found["answers_by_snapshot"]) == 3
    assert found["with"]["requests"] > 10

"""Sixty damages of a shop's files: each is noticed, and the last good state serves."""

import numpy as np

from wares.app.bench.damage import damage_figures


def test_no_damage_to_a_file_goes_unnoticed_or_breaks_an_answer() -> None:
    found = damage_figures(60, np.random.default_rng(5), lambda *told: None)
    assert found["examples"] == []
    assert found["not_noticed_or_broken"] == 0
    assert found["mended_at_the_end"]
    assert found["outcomes"]["the last good state served"] > 30
    assert len(found["kinds"]) >= 9

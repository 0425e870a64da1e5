"""What the shopper model costs: figures of each size, and answers that are really the best."""

from typing import Any

import numpy as np
import pytest
from rich.console import Console

from wares.app.bench.sequence_cost import best, made_up_history, made_up_model, sequence_figures, serve, train
from wares.app.bench.sequence_plot import print_sequence, sequence_html
from wares.errors import InputError

N = 120


def figures(p99_ms: float = 2.0) -> dict[str, Any]:
    part = {"p50_ms": 1.0, "p95_ms": 1.5, "p99_ms": p99_ms}
    told = {**part, "cpu_p50_ms": 1.0, "cpu_p99_ms": 1.2, "parts": dict.fromkeys(("encode", "score", "top"), part)}
    one = {"products": N, **told, "requests": 20, "serve_peak_mb": 90.0}
    learnt = {"parameters": 9_000, "steps": 7, "step_ms": 3.5, "step_cpu_ms": 3.1, "train_peak_mb": 300.0}
    answer = {"products": 12_101, "events": 50, "k": 10, "target_p99_ms": 3.0, "requests": 1_000, **told}
    sizes = [{**one, **learnt}, {**one, "products": 10 * N}]
    return {"machine": {"cores": 2}, "dimension": 64, "answer": answer, "sizes": sizes, "notes": ["Made up."]}


def test_a_made_up_shopper_is_answered_and_every_part_is_timed() -> None:
    told = serve(N, 16, 5, seed=0)
    assert told["requests"] == 5
    assert 0 < told["p50_ms"] <= told["p95_ms"] <= told["p99_ms"]
    assert all(part["p50_ms"] > 0 for part in told["parts"].values())


def test_the_best_are_the_highest_in_their_order() -> None:
    scores = np.random.default_rng(0).permutation(50).astype(np.float32)
    np.testing.assert_array_equal(scores[best(scores, 4)], [49, 48, 47, 46])


def test_made_up_histories_move_the_made_up_model() -> None:
    rng = np.random.default_rng(1)
    model = made_up_model(N, 16, rng)
    one, two = (model.score(made_up_history(N, rng), 0) for _ in range(2))
    assert one.shape == (N,)
    assert np.abs(one - two).max() > 0.1


def test_steps_of_training_are_timed_until_the_time_is_over() -> None:
    pytest.importorskip("torch")
    told = train(N, 8, seconds=0.3, seed=0)
    assert told["steps"] > 1
    assert told["step_ms"] > 0
    assert told["parameters"] > N * 8


@pytest.mark.parametrize(("sizes", "dimension"), [([], 64), ([99], 64), ([1_000], 63)])
def test_what_makes_no_model_is_refused(sizes: list[int], dimension: int) -> None:
    with pytest.raises(InputError):
        sequence_figures(sizes, dimension=dimension, requests=1, seconds=1, seed=0, tell=lambda what, done, total: None)


def test_the_figures_can_be_read_as_a_table_and_as_charts() -> None:
    console = Console(record=True, width=200)
    with console.capture() as capture:
        print_sequence(console, figures())
    assert "within the target of 3 ms" in capture.get()
    assert "training step, ms" in capture.get()
    page = sequence_html(figures(p99_ms=3.2))
    assert page.count("<svg") == 4
    assert "above the target" in page

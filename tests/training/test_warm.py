"""A training begins where the last one ended: the shopper model keeps what it knew, and learns what is new."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from wares.domain.event import EventKind  # noqa: E402
from wares.domain.shopper import KIND_CODES, History  # noqa: E402
from wares.errors import TrainingError  # noqa: E402
from wares.models.sequence import SequenceModel  # noqa: E402
from wares.training.lessons import Lessons  # noqa: E402
from wares.training.recipe import Recipe  # noqa: E402
from wares.training.sequence import fit_sequence, goes_on  # noqa: E402
from wares.training.warm import Earlier, fits, warmed  # noqa: E402

N = 12
PURCHASE = KIND_CODES[EventKind.PURCHASE]
WORDS = ("round=a", "round=b", "even=yes")
QUICK = Recipe(dimension=16, blocks=1, epochs=12, batch=16, rate=1e-2, dropout=0.0, input_dropout=0.0)


def lessons(n_products: int = N, shoppers: int = 60) -> Lessons:
    """Everybody goes round through the products; each has a text and a word or two, and the last has no event."""
    rows = (np.arange(shoppers)[:, None] + np.arange(8)) % (n_products - 1)
    text = np.random.default_rng(7).normal(size=(40, 6)).astype(np.float32)[:n_products]
    codes = np.stack([np.arange(n_products) % 2, np.where(np.arange(n_products) % 4 == 0, 2, -1)], axis=1)
    return Lessons(
        rows.astype(np.int32).ravel(), np.arange(shoppers + 1) * 8, n_products, text=text, codes=codes.astype(np.int32)
    )


def earlier(model: SequenceModel, n: int = N) -> Earlier:
    return Earlier(
        "000001", tuple(f"p{i}" for i in range(n)), SequenceModel({**model.arrays, "words": np.array(WORDS)})
    )


def bought(*rows: int) -> History:
    n = len(rows)
    return History(np.array(rows, np.int32), np.arange(n), np.full(n, PURCHASE, np.int8), np.ones(n, np.float32))


def ids(n: int = N) -> list[str]:
    return [f"p{i}" for i in range(n)]


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("change", [{}, {"own_inputs": True}, {"head": "mlp"}])
def test_a_warm_start_begins_as_the_model_that_was(change: dict[str, object]) -> None:
    """Without a step to speak of, it answers as before, whatever its shape."""
    recipe = replace(QUICK, **change)  # type: ignore[arg-type]
    model = fit_sequence(lessons(), recipe).model
    still = replace(recipe, epochs=1, rate=1e-12, weight_decay=0.0)
    again = fit_sequence(lessons(), still, start_from=earlier(model).of(ids(), WORDS)).model
    for history in (bought(3), bought(1, 2, 9), bought(11)):
        np.testing.assert_allclose(again.score(history, 0), model.score(history, 0), atol=1e-4)
    assert np.array_equal(again.arrays["text.turn"], model.arrays["text.turn"])


def test_with_the_same_few_epochs_it_gets_at_least_as_far_as_a_cold_start() -> None:
    model = fit_sequence(lessons(), QUICK).model
    more = lessons(shoppers=80)
    few = warmed(QUICK)
    warm = fit_sequence(more, few, start_from=earlier(model).of(ids(), WORDS))
    cold = fit_sequence(more, replace(few, rate=QUICK.rate))
    assert [len(fitted.losses) for fitted in (warm, cold)] == [3, 3]
    assert all(one <= other for (one, _), (other, _) in zip(warm.losses, cold.losses, strict=True))


def test_what_serves_is_not_changed_by_the_training_that_begins_with_it() -> None:
    model = fit_sequence(lessons(), QUICK).model
    before = {name: np.array(value) for name, value in model.arrays.items()}
    fit_sequence(lessons(), warmed(QUICK), start_from=earlier(model).of(ids(), WORDS))
    assert all(np.array_equal(before[name], model.arrays[name]) for name in before)
    fit_sequence(lessons(), warmed(QUICK), start_from=model)  # not even where no row had to move
    assert all(np.array_equal(before[name], model.arrays[name]) for name in before)


def test_products_that_moved_keep_what_was_learnt_and_new_ones_are_learnt() -> None:
    model = fit_sequence(lessons(), QUICK).model
    order = [*ids()[::-1], "new"]  # another order, and one more
    moved = earlier(model).of(order, WORDS)
    assert np.array_equal(moved.arrays["inputs"][:N], np.asarray(model.arrays["inputs"])[::-1])
    assert not moved.arrays["inputs"][N].any()
    grown = lessons(N + 1)
    fitted = fit_sequence(grown, replace(QUICK, epochs=6), start_from=earlier(model).of(ids(N + 1), WORDS))
    last = N - 1  # had no event before, and now follows the one before it, as the new one follows nothing
    assert int(fitted.model.score(bought(last - 2, last - 1), 0).argmax()) == last
    assert np.isfinite(fitted.model.score(bought(0), 0)).all()


def test_words_keep_their_meaning_where_the_vocabulary_moves() -> None:
    model = fit_sequence(lessons(), QUICK).model
    words = ("even=yes", "new=word", "round=b", "round=a")
    moved = earlier(model).of(ids(), words).arrays["attributes"]
    assert np.array_equal(moved[[3, 2, 0]], np.asarray(model.arrays["attributes"]))
    assert not moved[1].any()
    now = replace(lessons(), codes=np.array([3, 2, 0, -1], np.int32)[np.asarray(lessons().codes)])
    now.codes[5] = (1, -1)  # type: ignore[index]
    still = replace(QUICK, epochs=1, rate=1e-12, weight_decay=0.0)
    again = fit_sequence(now, still, start_from=earlier(model).of(ids(), words)).model
    np.testing.assert_allclose(again.score(bought(1, 2), 0), model.score(bought(1, 2), 0), atol=1e-4)
    learnt = fit_sequence(now, warmed(QUICK), start_from=earlier(model).of(ids(), words)).model
    assert learnt.arrays["attributes"][1].any()


@pytest.mark.parametrize(
    "change", [{"dimension": 32}, {"blocks": 2}, {"heads": 4}, {"max_history": 20}, {"head": "mlp"}]
)
def test_an_earlier_model_of_another_shape_is_refused(change: dict[str, object]) -> None:
    model, other = fit_sequence(lessons(), replace(QUICK, epochs=1)).model, replace(QUICK, **change)  # type: ignore[arg-type]
    assert fits(model, lessons(), QUICK) and not fits(model, lessons(), other)
    with pytest.raises(TrainingError, match="another shape"):
        fit_sequence(lessons(), other, start_from=model)


def test_an_earlier_model_without_texts_or_of_another_encoder_does_not_fit() -> None:
    model = fit_sequence(replace(lessons(), text=None), replace(QUICK, epochs=1)).model
    assert not fits(model, lessons(), QUICK)
    model = fit_sequence(lessons(), replace(QUICK, epochs=1)).model
    assert not fits(model, replace(lessons(), text=np.ones((N, 7), np.float32)), QUICK)


def test_a_cut_warm_training_goes_on_and_another_beginning_is_another_training(tmp_path: Path) -> None:
    model = fit_sequence(lessons(), QUICK).model
    checkpoint, few = tmp_path / "shopper.npz", warmed(QUICK)
    straight = fit_sequence(lessons(), few, start_from=model)

    def stop(stage: str, done: int, total: int) -> None:
        if done == 6:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_sequence(lessons(), few, stop, checkpoint, start_from=model)
    assert goes_on(checkpoint, lessons(), few, start_from=model)
    assert goes_on(checkpoint, lessons(), replace(few, seconds=60.0), start_from=model)
    assert not goes_on(checkpoint, lessons(), few)
    assert not goes_on(checkpoint, lessons(), replace(few, seed=1), start_from=model)
    resumed = fit_sequence(lessons(), few, checkpoint=checkpoint, start_from=model)
    np.testing.assert_array_equal(resumed.losses, straight.losses)
    checkpoint.write_bytes(checkpoint.read_bytes()[:200])
    assert not goes_on(checkpoint, lessons(), few, start_from=model)
    assert not goes_on(tmp_path / "none.npz", lessons(), few, start_from=model)

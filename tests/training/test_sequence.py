"""The shopper model learns what comes next."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from wares.domain.event import EventKind  # noqa: E402
from wares.domain.interactions import Interactions  # noqa: E402
from wares.domain.shopper import KIND_CODES, History  # noqa: E402
from wares.errors import InputError, TrainingError, UnknownName  # noqa: E402
from wares.models.sequence import SequenceModel  # noqa: E402
from wares.training.lessons import Lessons, Sampling, windows_of  # noqa: E402
from wares.training.network import start  # noqa: E402
from wares.training.recipe import SIZES, Recipe, memory_bytes, shape_of  # noqa: E402
from wares.training.sequence import fit_sequence  # noqa: E402

N_PRODUCTS = 12
PURCHASE, REFUND = KIND_CODES[EventKind.PURCHASE], KIND_CODES[EventKind.REFUND]
QUICK = Recipe(dimension=16, blocks=1, epochs=30, batch=16, rate=1e-2, dropout=0.0, input_dropout=0.0)


def rounds(n_shoppers: int = 60, length: int = 8) -> Lessons:
    """Everybody goes through the products in a circle, from different starts."""
    rows = (np.arange(n_shoppers)[:, None] + np.arange(length)) % N_PRODUCTS
    return Lessons(rows.astype(np.int32).ravel(), np.arange(n_shoppers + 1) * length, N_PRODUCTS)


def bought(*rows: int, kind: int = PURCHASE) -> History:
    n = len(rows)
    return History(np.array(rows, np.int32), np.arange(n), np.full(n, kind, np.int8), np.ones(n, np.float32))


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> None:
    torch.set_num_threads(1)


@pytest.mark.parametrize("change", [{}, {"head": "mlp"}, {"own_inputs": True}, {"negatives": 5}, {"blocks": 2}])
def test_what_always_comes_next_is_learnt(change: dict[str, object]) -> None:
    model = fit_sequence(rounds(), replace(QUICK, **change)).model  # type: ignore[arg-type]
    found = [int(model.score(bought(row, (row + 1) % N_PRODUCTS), 0).argmax()) for row in range(N_PRODUCTS)]
    assert found == [(row + 2) % N_PRODUCTS for row in range(N_PRODUCTS)]


@pytest.mark.parametrize("head", ["dot", "mlp"])
def test_serving_computes_what_training_did(head: str) -> None:
    """The loss of the exported model, without torch, is the one that training reports for the events held out."""
    rng = np.random.default_rng(0)
    kinds, times_ms = np.full(480, PURCHASE, np.int8), np.tile(np.arange(8) ** 3 * 600_000, 60)
    text = rng.normal(size=(N_PRODUCTS, 6)).astype(np.float32)
    codes = rng.integers(-1, 4, (N_PRODUCTS, 3)).astype(np.int32)
    lessons = replace(rounds(), kinds=kinds, times_ms=times_ms, text=text, codes=codes)
    recipe = replace(QUICK, epochs=2, hold_out=1.0, own_inputs=True, head=head, blocks=2)
    fitted = fit_sequence(lessons, recipe)
    losses = []
    for first, stop in np.stack([lessons.indptr[:-1], lessons.indptr[1:]], axis=1):
        before = slice(first, stop - 1)
        history = History(lessons.rows[before], times_ms[before], kinds[before], np.ones(7, np.float32))
        scores = fitted.model.score(history, 0).astype(np.float64)
        losses.append(np.log(np.exp(scores).sum()) - scores[lessons.rows[stop - 1]])
    assert np.mean(losses) == pytest.approx(fitted.losses[-1][1], abs=1e-4)


def test_a_training_that_was_stopped_goes_on_bit_for_bit(tmp_path: Path) -> None:
    recipe = replace(QUICK, epochs=3, dropout=0.3, input_dropout=0.2, negatives=6, hold_out=0.2)
    straight = fit_sequence(rounds(), recipe)

    def stop_after(steps: int):  # type: ignore[no-untyped-def]
        def tell(stage: str, done: int, total: int) -> None:
            if done == steps:
                raise KeyboardInterrupt

        return tell

    checkpoint = tmp_path / "shopper.npz"
    for steps in (6, 9):
        with pytest.raises(KeyboardInterrupt):
            fit_sequence(rounds(), recipe, stop_after(steps), checkpoint)
    resumed = fit_sequence(rounds(), recipe, checkpoint=checkpoint)
    assert resumed.losses == straight.losses
    for name, array in straight.model.arrays.items():
        assert np.array_equal(array, resumed.model.arrays[name]), name


def test_a_checkpoint_within_an_epoch_goes_on_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    recipe, checkpoint = replace(QUICK, epochs=2, dropout=0.3), tmp_path / "shopper.npz"
    monkeypatch.setattr("wares.training.sequence._SAVE_SECONDS", 0.0)
    told: list[int] = []

    def tell(stage: str, done: int, total: int) -> None:
        told.append(done)
        if len(told) == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        fit_sequence(rounds(), recipe, tell, checkpoint)
    assert fit_sequence(rounds(), recipe, tell, checkpoint).losses == fit_sequence(rounds(), recipe).losses
    assert told[:4] == [1, 2, 3, 3]  # the third was learnt but not saved, and is done again


def test_a_checkpoint_of_another_catalogue_is_refused(tmp_path: Path) -> None:
    recipe, checkpoint = replace(QUICK, epochs=1), tmp_path / "shopper.npz"
    fit_sequence(rounds(), recipe, checkpoint=checkpoint)
    with pytest.raises(TrainingError, match="other events, products or settings"):
        fit_sequence(replace(rounds(), n_products=N_PRODUCTS + 1), recipe, checkpoint=checkpoint)


def test_a_loss_that_is_no_number_stops_and_the_last_good_state_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("wares.training.sequence._SAVE_SECONDS", 0.0)
    checkpoint = tmp_path / "shopper.npz"
    with pytest.raises(TrainingError, match=r"no finite number\. The last good state is in .*Try a rate below"):
        fit_sequence(rounds(), replace(QUICK, rate=1e30), checkpoint=checkpoint)
    with np.load(checkpoint) as kept:
        assert all(np.isfinite(kept[name]).all() for name in kept.files if name != "told")


def test_text_vectors_that_are_no_numbers_are_named() -> None:
    text = np.ones((N_PRODUCTS, 4), np.float32)
    text[3] = np.nan
    with pytest.raises(TrainingError, match="product row 3"):
        fit_sequence(replace(rounds(), text=text), QUICK)


def test_training_ends_where_what_is_held_out_gets_worse() -> None:
    rng = np.random.default_rng(3)
    chance = Lessons(rng.integers(0, N_PRODUCTS, 400).astype(np.int32), np.arange(0, 401, 8), N_PRODUCTS)
    fitted = fit_sequence(chance, replace(QUICK, epochs=60, hold_out=0.5, patience=2))
    held = [loss for _, loss in fitted.losses]
    assert len(held) < 60 and len(held) - 1 - int(np.argmin(held)) == 2


def test_a_new_product_is_found_by_its_words_and_brand() -> None:
    rng = np.random.default_rng(1)
    kind = np.arange(60) % 2  # coffee or tea
    text = (np.eye(2, 4)[kind] + 0.1 * rng.normal(size=(60, 4))).astype(np.float32)
    rows = (2 * rng.integers(0, 30, (80, 6)) + np.arange(80)[:, None] % 2).astype(np.int32)
    lessons = Lessons(rows.ravel(), np.arange(81) * 6, 60, text=text, codes=kind[:, None].astype(np.int32))
    model = fit_sequence(lessons, replace(QUICK, epochs=10, id_dropout=0.3)).model
    grown = model.with_products(np.eye(2, 4, dtype=np.float32), np.array([[0], [1]], np.int32))
    coffee, tea = grown.score(bought(0, 2, 4), 0), grown.score(bought(1, 3, 5), 0)
    assert coffee[60] > coffee[61] and tea[61] > tea[60]
    before = model.score(bought(0, 2, 4), 0)
    np.testing.assert_allclose(np.diff(coffee[:60]), np.diff(before), atol=1e-4)  # those it knew stand as they stood


def test_the_loss_of_a_sample_estimates_that_of_the_catalogue() -> None:
    """Sampled products with their log rates taken off add up, on average, to the sum over all products."""
    rng = np.random.default_rng(0)
    rows = rng.choice(N_PRODUCTS * 10, 3000, p=np.arange(1, 121) / 7260).astype(np.int32)
    sampling = Sampling.of(Lessons(rows, np.arange(0, 3001, 10), 120), size=40)
    scores = rng.normal(size=120)
    estimates = []
    for _ in range(2000):
        products, log_rate = sampling.draw(rng)
        estimates.append(np.exp(scores[products] - log_rate).sum())
    assert np.mean(estimates) == pytest.approx(np.exp(scores).sum(), rel=0.03)


def test_a_robot_with_50_000_events_counts_as_its_last_histories() -> None:
    lessons = Lessons(np.zeros(50_003, np.int32), np.array([0, 50_000, 50_003]), N_PRODUCTS)
    windows = windows_of(lessons, 50, 0.0, np.random.default_rng(0))
    assert len(windows.start) == 21
    assert windows.stop.max() == 50_003 and windows.start[windows.stop <= 50_000].min() == 50_000 - 20 * 50 - 1
    assert int((windows.stop - windows.start).max()) == 51


def test_every_event_but_the_first_is_asked_for_once() -> None:
    lessons = Lessons(np.zeros(130, np.int32), np.array([0, 107, 108, 130]), N_PRODUCTS)
    windows = windows_of(lessons, 10, 0.0, np.random.default_rng(0))
    asked = np.concatenate([np.arange(a + 1, b) for a, b in zip(windows.start, windows.stop, strict=True)])
    assert sorted(asked.tolist()) == [*range(1, 107), *range(109, 130)]


def test_one_shopper_is_enough_and_none_says_so() -> None:
    assert fit_sequence(rounds(n_shoppers=1), replace(QUICK, epochs=1)).model.n_products == N_PRODUCTS
    with pytest.raises(TrainingError, match="No shopper has two events"):
        fit_sequence(Lessons(np.arange(3, dtype=np.int32), np.arange(4), N_PRODUCTS), QUICK)


def test_a_refund_is_nothing_to_follow() -> None:
    kinds = np.tile(np.array([PURCHASE, REFUND], np.int8), 240)
    lessons = replace(rounds(), kinds=kinds).speaking()
    assert len(lessons.rows) == lessons.indptr[-1] == 240
    assert lessons.kinds is not None and set(lessons.kinds.tolist()) == {PURCHASE}
    model = fit_sequence(replace(rounds(), kinds=kinds), replace(QUICK, epochs=1)).model
    assert not model.score(bought(3, kind=REFUND), 0).any()


@pytest.mark.parametrize("recipe", [Recipe.of("tiny"), replace(QUICK, head="mlp", own_inputs=True), Recipe()])
def test_the_number_of_parameters_is_told_right(recipe: Recipe) -> None:
    text, kinds = np.ones((N_PRODUCTS, 6), np.float32), np.full(480, PURCHASE, np.int8)
    lessons = replace(rounds(), text=text, kinds=kinds, codes=np.zeros((N_PRODUCTS, 1), np.int32))
    shape = shape_of(lessons, recipe)
    assert shape.parameters == sum(value.numel() for value in start(shape, 0, "cpu").values())


def test_sizes_grow_from_tiny_to_that_of_gpt2() -> None:
    counts = [shape_of(rounds(), recipe).parameters for recipe in SIZES.values()]
    assert counts == sorted(counts) and 80e6 < counts[-1] < 130e6
    with pytest.raises(UnknownName, match="gpt2"):
        Recipe.of("gpt3")


def test_heads_that_do_not_divide_are_refused() -> None:
    with pytest.raises(InputError, match="divide"):
        fit_sequence(rounds(), replace(QUICK, heads=3))


def test_memory_grows_with_the_catalogue() -> None:
    small, large = (memory_bytes(replace(rounds(), n_products=n), Recipe()) for n in (10_000, 1_000_000))
    assert 2e9 < large < 8e9 and large > 10 * small


def test_without_torch_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise ImportError(name)

    monkeypatch.setattr("wares.training.network.importlib.import_module", missing)
    with pytest.raises(TrainingError, match=r"wares\[train\]"):
        fit_sequence(rounds(), QUICK)


def test_progress_tells_loss_and_size() -> None:
    told: list[tuple[str, int, int]] = []
    fitted = fit_sequence(rounds(), replace(QUICK, epochs=2), lambda *heard: told.append(heard))
    assert f"{fitted.parameters:,} parameters, loss " in told[0][0]
    assert told[-1][1] == told[-1][2] == len(told)


def test_the_model_comes_back_from_its_arrays() -> None:
    model, back = fit_sequence(rounds(), replace(QUICK, epochs=1)).model, SequenceModel()
    back.restore(model.state())
    assert np.array_equal(back.score(bought(1, 2), 0), model.score(bought(1, 2), 0))


def test_many_shoppers_at_once_get_what_each_gets_alone() -> None:
    rng = np.random.default_rng(3)
    lengths = rng.integers(0, 70, 40)  # longer than the network's memory, too, and nobody's
    n = int(lengths.sum())
    kinds = rng.choice([PURCHASE, REFUND], n, p=[0.9, 0.1]).astype(np.int8)
    events = History(rng.integers(0, N_PRODUCTS, n).astype(np.int32), np.arange(n), kinds, np.ones(n, np.float32))
    indptr = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
    crowd = Interactions(events, np.full(n, -1, np.int64), indptr, N_PRODUCTS)
    model = fit_sequence(replace(rounds(), kinds=np.full(480, PURCHASE, np.int8)), replace(QUICK, epochs=1)).model
    together = model.embed_all(crowd)
    for shopper in range(40):
        alone = model.embed(crowd.history(shopper))
        np.testing.assert_allclose(together[shopper], 0 if alone is None else alone, rtol=1e-4, atol=1e-5)


def baskets(n_shoppers: int = 40, n_visits: int = 6) -> Lessons:
    """Each visit holds three products of a shelf in any order; the shelf after is always the next one."""
    rng = np.random.default_rng(5)
    shelf = (np.arange(n_shoppers)[:, None] + np.arange(n_visits)) % 4  # (s, v)
    rows = shelf[..., None] * 3 + rng.permuted(np.tile(np.arange(3), (*shelf.shape, 1)), axis=-1)  # (s, v, 3)
    visits = np.repeat(np.arange(n_shoppers * n_visits), 3)
    indptr = np.arange(n_shoppers + 1) * 3 * n_visits
    return Lessons(rows.ravel().astype(np.int32), indptr, N_PRODUCTS, visits=visits)


def test_where_baskets_are_bought_whole_the_next_shelf_is_foreseen() -> None:
    model = fit_sequence(baskets(n_visits=2), QUICK).model
    for shelf in range(4):
        best = np.argsort(-model.score(bought(*(shelf * 3 + np.arange(3))), 0))[:3]
        assert sorted(best.tolist()) == [(shelf + 1) % 4 * 3 + i for i in range(3)]


def test_an_event_asks_for_what_its_shopper_meets_first_in_later_visits() -> None:
    #                     first shopper                      second
    rows, visits = np.array([0, 1, 1, 2, 0, 3, 4, 4], np.int32), np.array([0, 0, 1, 2, 2, 3, 3, 4])
    lessons = Lessons(rows, np.array([0, 6, 6, 8]), 5, visits=visits)
    low, high, events = lessons.what_follows()
    asked = [events[first:stop].tolist() for first, stop in zip(low, high, strict=True)]
    assert asked == [[3, 5], [3, 5], [3, 5], [5], [5], [], [], []]  # a visit's number does not join two shoppers
    windows = windows_of(lessons, 50, 0.0, np.random.default_rng(0))
    assert list(zip(windows.start, windows.stop, windows.limit, strict=True)) == [(0, 6, 6)]
    held = windows_of(lessons, 50, 1.0, np.random.default_rng(0))
    assert held.held.tolist() == [[0, 6]]  # up to the last event that asks for something
    assert held.limit.tolist() == [5]


def test_without_visits_the_next_event_is_asked_for() -> None:
    low, high, events = rounds(2, 3).what_follows()
    assert [events[first:stop].tolist() for first, stop in zip(low, high, strict=True)] == [[1], [2], [], [4], [5], []]

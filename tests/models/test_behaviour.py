"""One suite over every model that learns from behaviour, and the right answers of a shop whose answers are known."""

from collections.abc import Callable
from io import BytesIO

import numpy as np
import pytest
from numpy.typing import NDArray

from wares.contracts import BehaviourModel
from wares.domain.event import EventKind
from wares.domain.interactions import Interactions
from wares.domain.shopper import KIND_CODES, KINDS, History
from wares.models.als import ALS
from wares.models.buy_again import BuyAgain
from wares.models.collaborative import CoBought, ItemKNN
from wares.models.ease import EASE
from wares.models.graph import Graph
from wares.models.popular import Popular, PopularLately
from wares.models.tifu_knn import TifuKNN
from wares.models.transitions import Transitions

DAY = 86_400_000
NOW = 400 * DAY
MAKERS: dict[str, Callable[[], BehaviourModel]] = {
    "popular": Popular,
    "popular_lately": PopularLately,
    "buy_again": BuyAgain,
    "co_bought": lambda: CoBought(min_baskets=1, shrink=1),
    "item_knn": lambda: ItemKNN(min_shoppers=1, shrink=1),
    "ease": lambda: EASE(penalty=1),
    "als": lambda: ALS(factors=2, min_buyers=1, penalty=1),
    "transitions": Transitions,
    "graph": Graph,
    "tifu_knn": lambda: TifuKNN(k=5),
}
SAME_FOR_ALL = ("popular", "popular_lately")
COLLABORATIVE = ("co_bought", "item_knn", "ease", "als", "transitions")
everyone = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


def lived(*events: tuple[int, float], kind: EventKind = EventKind.PURCHASE, quantity: float = 1.0) -> History:
    """A history of (product row, days ago), put in order of time."""
    ordered = sorted(events, key=lambda event: -event[1])
    return History(
        np.array([row for row, _ in ordered], np.int32),
        np.array([NOW - int(days * DAY) for _, days in ordered], np.int64),
        np.full(len(ordered), KIND_CODES[kind], np.int8),
        np.full(len(ordered), quantity, np.float32),
    )


def shop(histories: list[History], n_products: int, anonymous: History | None = None) -> Interactions:
    """Each day of a shopper is one basket."""
    everything = [*histories, anonymous] if anonymous is not None else histories
    owners = np.repeat(np.arange(len(everything)), [len(h) for h in everything]).astype(np.int64)
    rows, times_ms, kinds, quantities = (
        np.concatenate([getattr(h, name) for h in [History.empty(), *everything]])
        for name in ("rows", "times_ms", "kinds", "quantities")
    )
    joined = History(rows, times_ms, kinds, quantities)
    baskets = owners * 1000 + joined.times_ms // DAY
    if anonymous is not None:
        owners[owners == len(histories)] = -1
    return Interactions.of(owners, joined, baskets, len(histories), n_products)


def checkerboard(n_shoppers: int = 40, n_products: int = 10) -> Interactions:
    """Even shoppers buy even products, odd shoppers odd ones, each but one of them, once in each of 5 months."""
    histories = []
    for s in range(n_shoppers):
        mine = [p for p in range(s % 2, n_products, 2) if p != (s % n_products)]
        histories.append(lived(*((p, 30 * month + 2) for month in range(5) for p in mine)))
    return shop(histories, n_products)


def noise(seed: int = 3, anonymous: bool = True) -> Interactions:
    """Every kind of event by 30 shoppers and a crowd on 50 products, a third of them without a basket."""
    random = np.random.default_rng(seed)
    n = 3000
    rows = random.integers(0, 50, n).astype(np.int32)
    times_ms = NOW - random.integers(0, 300 * DAY, n)
    kinds = random.integers(0, len(KINDS), n).astype(np.int8)
    quantities = random.gamma(1, 2, n).astype(np.float32)
    shoppers = random.integers(-1 if anonymous else 0, 30, n)
    baskets = np.where(random.random(n) < 0.3, -1, random.integers(0, 400, n))
    crowd = (shoppers < 0) & (baskets >= 0)  # buys the same ten things again and again
    rows[crowd], kinds[crowd], baskets[crowd] = (
        rows[crowd] % 10,
        KINDS.index(EventKind.PURCHASE),
        400 + baskets[crowd] % 8,
    )
    events = History(rows, times_ms, kinds, quantities)
    return Interactions.of(shoppers, events, baskets, 30, 50)


def stored(state: dict[str, NDArray[np.generic]]) -> dict[str, NDArray[np.generic]]:
    """Through a file and back, without pickle."""
    file = BytesIO()
    np.savez(file, **state)  # type: ignore[arg-type]
    file.seek(0)
    with np.load(file, allow_pickle=False) as arrays:
        return {name: arrays[name] for name in arrays.files}


def fitted(make: Callable[[], BehaviourModel], interactions: Interactions) -> BehaviourModel:
    model = make()
    model.fit(interactions, NOW)
    return model


@everyone
def test_scores_are_finite_numbers_one_per_product(make: Callable[[], BehaviourModel]) -> None:
    interactions = noise()
    model = fitted(make, interactions)
    for shopper in range(interactions.n_shoppers):
        scores = model.score(interactions.history(shopper), NOW)
        assert scores.shape == (50,)
        assert scores.dtype == np.float32
        assert np.isfinite(scores).all()


@everyone
def test_a_stranger_gets_what_is_popular_or_nothing(make: Callable[[], BehaviourModel]) -> None:
    scores = fitted(make, noise()).score(History.empty(), NOW)
    assert scores.shape == (50,)
    assert (scores > 0).any() == (make in [MAKERS[name] for name in SAME_FOR_ALL])


@everyone
def test_a_model_survives_its_arrays(make: Callable[[], BehaviourModel]) -> None:
    interactions = noise()
    model, copy = fitted(make, interactions), make()
    state = model.state()
    assert all(array.dtype.kind in "iufb" for array in state.values())
    copy.restore(stored(state))
    for shopper in range(5):
        history = interactions.history(shopper)
        np.testing.assert_array_equal(copy.score(history, NOW), model.score(history, NOW))
    assert state.keys() == copy.state().keys()
    for name, array in copy.state().items():
        np.testing.assert_array_equal(array, state[name])
        assert array.dtype == state[name].dtype


@everyone
def test_a_state_says_which_array_is_missing(make: Callable[[], BehaviourModel]) -> None:
    state = fitted(make, noise()).state()
    name = max(state)
    del state[name]
    with pytest.raises(KeyError, match=name):
        make().restore(state)


@everyone
@pytest.mark.parametrize(
    ("histories", "n_products"),
    [([], 0), ([], 5), ([History.empty()], 5), ([lived((2, 3))], 5), ([lived((2, 3)), History.empty()], 5)],
    ids=["nothing", "no shoppers", "no events", "one event", "one event and a silent shopper"],
)
def test_a_shop_that_has_just_opened(
    make: Callable[[], BehaviourModel], histories: list[History], n_products: int
) -> None:
    model = fitted(make, shop(histories, n_products))
    assert model.score(History.empty(), NOW).shape == (n_products,)
    if n_products:
        scores = model.score(lived((2, 3), (1, 2)), NOW)
        assert scores.shape == (n_products,)
        assert np.isfinite(scores).all()
    copy = make()
    copy.restore(stored(model.state()))
    assert copy.score(History.empty(), NOW).shape == (n_products,)


@everyone
def test_a_shop_of_anonymous_shoppers(make: Callable[[], BehaviourModel]) -> None:
    crowd = lived((0, 3), (1, 3), (0, 9), (1, 9))
    model = fitted(make, shop([], 3, anonymous=crowd))
    scores = model.score(lived((0, 1)), NOW)
    assert scores.shape == (3,)
    if make in (MAKERS["popular"], MAKERS["co_bought"]):
        assert scores[1] > 0


@everyone
def test_the_crowd_is_nobody_s_taste(make: Callable[[], BehaviourModel]) -> None:
    with_crowd, without = noise(), noise().known()
    one, other = (fitted(make, each).score(without.history(0), NOW) for each in (with_crowd, without))
    if make in [MAKERS[name] for name in (*SAME_FOR_ALL, "co_bought")]:
        assert not np.array_equal(one, other)
    else:
        np.testing.assert_array_equal(one, other)


@everyone
def test_a_product_newer_than_the_model_changes_nothing(make: Callable[[], BehaviourModel]) -> None:
    model = fitted(make, checkerboard())
    np.testing.assert_array_equal(
        model.score(lived((2, 40), (10, 40), (99, 40)), NOW), model.score(lived((2, 40)), NOW)
    )


@everyone
def test_a_model_that_has_learnt_nothing_knows_no_product(make: Callable[[], BehaviourModel]) -> None:
    assert make().score(lived((0, 1)), NOW).shape == (0,)


@everyone
def test_fitting_twice_gives_the_same_model(make: Callable[[], BehaviourModel]) -> None:
    interactions = noise()
    model = fitted(make, interactions)
    first = model.state()
    model.fit(interactions, NOW)
    for name, array in model.state().items():
        np.testing.assert_array_equal(array, first[name])


@everyone
def test_a_score_does_not_give_the_model_away(make: Callable[[], BehaviourModel]) -> None:
    interactions = checkerboard()
    model = fitted(make, interactions)
    before = model.score(interactions.history(0), NOW)
    model.score(interactions.history(0), NOW)[:] = -1
    np.testing.assert_array_equal(model.score(interactions.history(0), NOW), before)


@everyone
def test_a_refund_or_a_hidden_product_is_no_taste(make: Callable[[], BehaviourModel]) -> None:
    model = fitted(make, checkerboard())
    nothing = model.score(History.empty(), NOW)
    for kind in (EventKind.REFUND, EventKind.HIDE):
        np.testing.assert_array_equal(model.score(lived((0, 1), (2, 1), kind=kind), NOW), nothing)


@pytest.mark.parametrize("name", COLLABORATIVE)
def test_on_the_checkerboard_even_shoppers_are_shown_even_products(name: str) -> None:
    board = checkerboard()
    model = fitted(MAKERS[name], board)
    for shopper in range(board.n_shoppers):
        history = board.history(shopper)
        scores = model.score(history, NOW)
        scores[np.unique(history.rows)] = -np.inf
        assert scores.argmax() == shopper % 10  # the one product of its colour that it never bought


@pytest.mark.parametrize("name", COLLABORATIVE)
def test_a_seed_shows_what_goes_with_it(name: str) -> None:
    model = fitted(MAKERS[name], checkerboard())
    for seed in range(10):
        scores = model.score(lived((seed, 0), kind=EventKind.VIEW), NOW)
        like = np.arange(10) % 2 == seed % 2
        like[seed] = False
        assert scores[like].min() > scores[np.arange(10) % 2 != seed % 2].max()


@pytest.mark.parametrize("name", [*COLLABORATIVE, "buy_again", "tifu_knn"])
def test_what_was_bought_lately_counts_more(name: str) -> None:
    histories = [lived(*((p, days) for days in (5, 35, 65, 95) for p in mine)) for mine in [(0, 1), (2, 3)] * 10]
    model = fitted(MAKERS[name], shop(histories, 4))
    even = model.score(lived((0, 3), (1, 3), (2, 300), (3, 300)), NOW)
    odd = model.score(lived((0, 300), (1, 300), (2, 3), (3, 3)), NOW)
    assert even[:2].min() > even[2:].max()
    assert odd[2:].min() > odd[:2].max()


def test_sales_fade_for_what_is_popular_lately() -> None:
    interactions = shop([lived(*((0, 100 + day) for day in range(9)), (1, 1), (1, 2))], 2)
    assert fitted(Popular, interactions).score(History.empty(), NOW).argmax() == 0
    assert fitted(PopularLately, interactions).score(History.empty(), NOW).argmax() == 1


def test_one_sale_of_ten_thousand_litres_is_not_popular() -> None:
    interactions = shop([lived((0, 1), quantity=10_000), lived(*((1, day) for day in range(30)))], 2)
    assert fitted(Popular, interactions).score(History.empty(), NOW).argmax() == 1


def test_buy_again_names_only_what_was_bought() -> None:
    model = fitted(BuyAgain, checkerboard())
    scores = model.score(lived((1, 4), (3, 40)), NOW)
    assert np.flatnonzero(scores).tolist() == [1, 3]
    assert not model.score(lived((1, 4), kind=EventKind.VIEW), NOW).any()


def test_buy_again_gives_probabilities_that_come_true() -> None:
    random = np.random.default_rng(0)
    chances = np.array([0.9, 0.5, 0.1, 0.1, 0.5])
    histories = [
        lived(*((p, 7 * week + 1) for week in range(30) for p in np.flatnonzero(random.random(5) < chances).tolist()))
        for _ in range(100)
    ]
    model = fitted(BuyAgain, shop(histories, 5))
    mean = np.mean([model.score(history, NOW + 6 * DAY) for history in histories], axis=0)
    np.testing.assert_allclose(mean, chances, atol=0.12)


def test_milk_is_bought_again_and_a_pan_is_not() -> None:
    milk, pan = 0, 1
    histories = [lived((pan, 60 + s), *((milk, 7 * week + 1) for week in range(12))) for s in range(30)]
    model = fitted(BuyAgain, shop(histories, 2))
    scores = model.score(lived((milk, 7), (pan, 7)), NOW)
    assert scores[milk] > scores[pan] + 0.3


def test_items_with_one_shopper_have_no_links_by_default() -> None:
    interactions = shop([lived((0, 1), (1, 1)), *[lived((1, 1), (2, 1))] * 3], 3)
    model = fitted(lambda: ItemKNN(shrink=0), interactions)
    assert not model.score(lived((0, 1)), NOW).any()
    assert model.score(lived((1, 1)), NOW).argmax() == 2


def test_ease_learns_only_the_products_it_may() -> None:
    model = EASE(max_products=4, penalty=1)
    model.fit(shop([lived(*((p, 1) for p in range(s % 3, 8))) for s in range(20)], 8), NOW)
    assert np.diff(model.links.indptr)[[0, 1]].sum() == 0
    assert (np.diff(model.links.indptr) > 0).sum() == 4


def test_large_baskets_say_nothing_about_what_goes_together() -> None:
    interactions = shop([lived(*((p, 1) for p in range(9))), lived((0, 1), (1, 1))], 9)
    scores = fitted(lambda: CoBought(max_basket=5, min_baskets=1), interactions).score(lived((0, 0)), NOW)
    assert np.flatnonzero(scores).tolist() == [1]


def test_transitions_know_the_direction() -> None:
    then = shop([lived((0, 30), (1, 20), (2, 10)) for _ in range(5)], 4)
    model = Transitions(window=1)
    model.fit(then, NOW)
    assert model.score(lived((1, 1)), NOW).argmax() == 2
    assert model.score(lived((2, 1)), NOW).max() == 0  # nothing ever followed it


def test_the_graph_brings_together_what_is_visited_together() -> None:
    model = Graph(dimension=4)
    model.fit(checkerboard(), NOW)
    scores = model.score(lived((0, 2), (2, 1)), NOW)
    assert scores[[4, 6, 8]].min() > scores[[1, 3, 5, 7, 9]].max()


@pytest.mark.parametrize("model", [Popular(), PopularLately()], ids=["popular", "popular_lately"])
def test_a_ranking_is_that_of_the_last_fit_and_nobody_elses_to_change(model: Popular | PopularLately) -> None:
    for best in (0, 2):
        model.fit(shop([lived((best, 1), (best, 1), (1, 1))], 3), NOW)
        said = model.says(History.empty(), NOW)
        assert said.best(np.ones(3, np.bool_), 1).tolist() == [best]
        said.all()[:] = 0
        assert said.all().argmax() == best
        assert model.score(History.empty(), NOW).argmax() == best

"""The encoder learns what this shop's queries mean, and nothing else changes."""

from collections.abc import Iterator
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from wares.domain.judgement import Judgement
from wares.domain.request import Request
from wares.engine.assembly import SNAPSHOTS, Engine
from wares.engine.settings import load_settings
from wares.engine.snapshot import write_snapshot
from wares.errors import EncoderError, TrainingError
from wares.evaluation.judgements import Judged
from wares.models.encoder import TextEncoder
from wares.shop import Shop, open_shop
from wares.training import query_tuning
from wares.training.child import train_here
from wares.training.progress import silent
from wares.training.query_tuning import Tuned, tune_queries, tuned_for

pytestmark = pytest.mark.skipif(
    find_spec("torch") is None or find_spec("onnx") is None, reason="tunes, which takes torch and onnx"
)
THINGS = ("teapot", "umbrella", "hammer", "carpet", "guitar", "lamp")
CALLED = ("zorple", "mivtak", "quendo", "blisk", "farnu", "oxteb")  # what this shop's customers call them
SORTS = ("red", "large", "old", "cheap", "blue", "small", "new", "good")
TITLES = [f"{sort} {thing}" for thing in THINGS for sort in ("plain", "fine", "sturdy", "light")]
ASKED = [f"{called} {sort}" for called in CALLED for sort in SORTS]


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder.load()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """A few seconds' worth, from few queries."""
    small = {"LEAST_QUERIES": 20, "_LAYERS": 1, "_EPOCHS": 12, "_BATCH": 16, "_RATE": 1e-3, "_WARM_UP": 5}
    for name, value in small.items():
        monkeypatch.setattr(query_tuning, name, value)


def judgements(meaning: dict[str, str]) -> list[Judgement]:
    return [
        Judgement(query, f"p{row}", 1.0)
        for query in ASKED
        for row, title in enumerate(TITLES)
        if meaning[query.split()[0]] in title
    ]


PLANTED = judgements(dict(zip(CALLED, THINGS, strict=True)))
ROWS = {f"p{row}": row for row in range(len(TITLES))}


@pytest.fixture(scope="module")
def tuned(encoder: TextEncoder) -> Iterator[tuple[Tuned, Judged]]:
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"_LAYERS": 1, "_EPOCHS": 12, "_BATCH": 16, "_RATE": 1e-3, "_WARM_UP": 5}.items():
            patch.setattr(query_tuning, name, value)
        judged = Judged.of(PLANTED, ROWS)
        products = encoder.encode(TITLES, "passage")
        yield tune_queries(encoder, judged.queries, judged, products, 0, silent), judged


def right(vectors: np.ndarray, judged: Judged, products: np.ndarray) -> float:
    """The share of the queries whose nearest product is one that was wanted."""
    nearest = np.argmax(vectors @ products.T, axis=1)
    return float(np.mean([nearest[i] in judged.rows[judged.of_query(i)] for i in range(len(judged))]))


def test_before_it_learns_it_says_what_the_served_encoder_says(
    tuned: tuple[Tuned, Judged], encoder: TextEncoder
) -> None:
    found, judged = tuned
    served = encoder.encode(judged.queries, "query")
    assert (found.before * served).sum(axis=1).min() > 0.998  # one computes in 8 bits, the other in 32


def test_queries_that_it_has_not_seen_find_what_their_words_mean_here(
    tuned: tuple[Tuned, Judged], encoder: TextEncoder
) -> None:
    found, judged = tuned
    products = encoder.encode(TITLES, "passage")
    assert right(found.before, judged, products) < 0.5
    assert right(found.held_out, judged, products) > 0.8


def test_the_served_encoder_with_its_weights_has_learnt_them_and_products_stay(
    tuned: tuple[Tuned, Judged], encoder: TextEncoder
) -> None:
    found, judged = tuned
    taught = encoder.with_weights(found.weights)
    products = encoder.encode(TITLES, "passage")
    assert right(taught.encode(judged.queries, "query"), judged, products) > 0.9
    assert np.array_equal(encoder.encode(TITLES, "passage"), products)
    assert (taught.fingerprint, taught.dimension) == (encoder.fingerprint, encoder.dimension)


def test_the_same_seed_teaches_the_same(tuned: tuple[Tuned, Judged], encoder: TextEncoder) -> None:
    found, judged = tuned
    again = tune_queries(encoder, judged.queries, judged, encoder.encode(TITLES, "passage"), 0, silent)
    assert np.array_equal(again.held_out, found.held_out)
    assert all(np.array_equal(again.weights[name], value) for name, value in found.weights.items())


def test_a_large_catalogue_is_stood_for_by_a_sample(
    monkeypatch: pytest.MonkeyPatch, tuned: tuple[Tuned, Judged], encoder: TextEncoder
) -> None:
    monkeypatch.setattr(query_tuning, "_MOST_PRODUCTS", 16)
    judged, products = tuned[1], encoder.encode(TITLES, "passage")
    assert right(tune_queries(encoder, judged.queries, judged, products, 0, silent).held_out, judged, products) > 0.8


def test_an_encoder_of_another_kind_is_left_as_it_is(
    monkeypatch: pytest.MonkeyPatch, tuned: tuple[Tuned, Judged], encoder: TextEncoder
) -> None:
    monkeypatch.setattr(query_tuning, "_LAYERS", 99)
    judged = tuned[1]
    with pytest.raises(TrainingError, match="no 99 layers"):
        tune_queries(encoder, judged.queries, judged, encoder.encode(TITLES, "passage"), 0, silent)


def test_a_loss_that_is_no_number_ends_it(tuned: tuple[Tuned, Judged], encoder: TextEncoder) -> None:
    judged = tuned[1]
    broken = np.full((len(TITLES), encoder.dimension), np.nan, np.float32)
    with pytest.raises(TrainingError, match="no number"):
        tune_queries(encoder, judged.queries, judged, broken, 0, silent)


# -- in a shop ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    (tmp_path / "wares.toml").write_text('[models]\ntrain = ["popular"]\n', encoding="utf-8")
    with open_shop(tmp_path) as opened:
        opened.put([{"id": f"p{row}", "title": title, "price": 5} for row, title in enumerate(TITLES)])
        yield opened


def asked(shop: Shop, found: list[Judgement]) -> tuple[Tuned | None, dict[str, object]]:
    train_here(shop.folder, silent)
    shop.engine.refresh()
    judged = Judged.of(found, shop.engine.live.snapshot.columns.row_of)
    return tuned_for(shop.engine, judged, 0, 0, silent)


def test_a_shop_answers_with_what_its_encoder_has_learnt_also_after_a_restart(shop: Shop) -> None:
    tuned, told = asked(shop, PLANTED)
    assert tuned is not None and told["kept"]
    request = Request("search", 0, query="zorple blue")
    before = shop.engine.understand(request).vectors["text"]
    made = replace(shop.engine.live.snapshot, name="20990101-000000-000001", query_weights=tuned.weights)
    write_snapshot(made, shop.folder / SNAPSHOTS)
    shop.close()
    with open_shop(shop.folder, create=False) as again:
        after = again.engine.understand(request).vectors["text"]
        assert after @ before < 0.99
        hits = [hit.product.title for hit in again.search("zorple blue", k=4).hits]
        assert all("teapot" in title for title in hits), hits


def test_what_finds_no_more_is_not_kept(shop: Shop) -> None:
    rng = np.random.default_rng(0)
    chance = [Judgement(query, f"p{row}", 1.0) for query in ASKED for row in rng.choice(len(TITLES), 4, replace=False)]
    tuned, told = asked(shop, chance)
    assert tuned is None and told["why"] == "no better on queries that it had not seen"


@pytest.mark.parametrize(
    ("settings", "least", "why"),
    [("[encoder]\ntune = false\n", 20, "the settings do not want it"), ("", 1_000, "fewer than 1,000 judged queries")],
)
def test_it_is_left_out_where_nobody_wants_it_or_little_was_judged(
    shop: Shop, monkeypatch: pytest.MonkeyPatch, settings: str, least: int, why: str
) -> None:
    monkeypatch.setattr(query_tuning, "LEAST_QUERIES", least)
    with (shop.folder / "wares.toml").open("a", encoding="utf-8") as file:
        file.write(settings)
    engine = Engine(shop.folder, load_settings(shop.folder), shop.store, None, shop.engine.live.snapshot)
    tuned, told = tuned_for(engine, Judged.of(PLANTED, ROWS), 0, 0, silent)
    assert (tuned, told["why"]) == (None, why)


def test_weights_of_another_model_are_refused(encoder: TextEncoder) -> None:
    with pytest.raises(EncoderError, match="do not fit"):
        encoder.with_weights({"c13": np.zeros((2, 2), np.int8)})

"""Shops made by rule: no two titles alike, texts of one kind close together, and figures of each size."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from rich.console import Console

from wares.app.bench.made_up import PhraseVectors, made_up_products, phrases
from wares.app.bench.scale import ask, build, scale_figures
from wares.app.bench.scale_plot import print_scale, scale_html
from wares.contracts import Progress
from wares.errors import InputError


class Directions:
    """An encoder that gives each text a direction of its own."""

    fingerprint, dimension = "directions", 64

    def encode(self, texts: Sequence[str], kind: str, on_progress: Progress | None = None) -> NDArray[np.float32]:
        found = [np.random.default_rng(list(text.encode())).standard_normal(self.dimension) for text in texts]
        return np.array([one / np.linalg.norm(one) for one in found], np.float32)


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    folder = tmp_path_factory.mktemp("scale") / "shop"
    one = {"products": 100, **build(folder, 100, 0), "build_peak_mb": 300.0, **ask(folder, 20, 0), "ask_peak_mb": None}
    return {"machine": {"cores": 2}, "sizes": [one], "notes": ["Some of this is an estimate."]}


def test_no_two_titles_are_alike() -> None:
    products = list(made_up_products(10_000, seed=1))
    assert len({product.title for product in products}) == len({product.id for product in products}) == 10_000
    assert len({product.brand for product in products}) > 500
    assert len({product.category for product in products}) > 100


def test_the_same_seed_makes_the_same_catalogue() -> None:
    assert list(made_up_products(50, seed=1)) == list(made_up_products(50, seed=1))
    assert list(made_up_products(50, seed=1)) != list(made_up_products(50, seed=2))


def test_texts_of_one_phrase_lie_together_and_none_are_equal() -> None:
    texts = [product.passage for product in made_up_products(2 * len(phrases()), seed=1)]
    vectors = PhraseVectors(Directions(), seed=1).encode(texts, "passage")
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, rtol=1e-5)
    phrase = texts[0].split(", ")[0].split(" ", 1)[1]
    alike = np.array([f" {phrase}," in text for text in texts])
    assert alike.sum() > 1
    cosines = vectors @ vectors[0]
    assert cosines[alike].min() > 0.8 > cosines[~alike].max()
    assert np.sum(cosines > 0.9999) == 1


def test_what_shoppers_type_is_really_encoded() -> None:
    encoder = Directions()
    np.testing.assert_array_equal(
        PhraseVectors(encoder, seed=1).encode(["red mug"], "query"), encoder.encode(["red mug"], "query")
    )


def test_a_made_up_shop_is_built_and_answers(measured: dict[str, Any]) -> None:
    (one,) = measured["sizes"]
    assert one["vectors"] == "encoded"
    assert 0 < one["search"]["p50_ms"] <= one["search"]["p95_ms"] <= one["search"]["p99_ms"]
    assert one["disk_mb"]["snapshot"] > 0
    assert one["steps_s"]["Indexing the words"] > 0
    assert one["first_answer_s"] > 0


def test_the_figures_can_be_read_as_a_table_and_as_charts(measured: dict[str, Any]) -> None:
    console = Console(record=True, width=200)
    with console.capture() as capture:
        print_scale(console, measured)
    assert "answer p95, ms" in capture.get()
    assert "Some of this is an estimate." in capture.get()
    page = scale_html(measured)
    assert page.count("<svg") == 5
    assert "Some of this is an estimate." in page


@pytest.mark.parametrize("sizes", [[], [99], [1000, 0]])
def test_a_shop_of_nothing_is_not_measured(sizes: list[int]) -> None:
    with pytest.raises(InputError, match="at least 100"):
        scale_figures(sizes, queries=1, seed=0, tell=lambda stage, done, total: None)

"""Where the text encoder fails while shoppers wait, answers go by words and say so; soon they are whole again."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import numpy as np
import pytest
from live_shop import NOW_MS, FakeEncoder, learnt, product, products, settings_of
from numpy.typing import NDArray

from wares.contracts import Progress
from wares.domain.request import Request
from wares.domain.result import Page
from wares.engine.answers import Answers
from wares.engine.assembly import Engine
from wares.engine.observer import Nobody
from wares.errors import EncoderError
from wares.store.impressions import ImpressionLog
from wares.store.sqlite import Store


class Failing(FakeEncoder):
    """Raises while it `fails`."""

    fails = False

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> NDArray[np.float32]:
        if self.fails:
            raise MemoryError("no room for what the shopper typed")
        return super().encode(texts, kind, on_progress)


@dataclass
class Told(Nobody):
    why: list[str] = field(default_factory=list)
    encoded_s: list[float] = field(default_factory=list)

    def degraded(self, why: str) -> None:
        self.why.append(why)

    def encoded(self, seconds: float) -> None:
        self.encoded_s.append(seconds)

    def answered(self, surface: str, seconds: Mapping[str, float]) -> None: ...


@pytest.fixture
def encoder() -> Failing:
    return Failing()


@pytest.fixture
def engine(tmp_path: Path, encoder: Failing) -> Iterator[Engine]:
    with Store.open(tmp_path, "write") as store, ImpressionLog(tmp_path) as log:
        store.catalogue.put(products())
        settings = settings_of(tmp_path, "")
        snapshot = learnt(store, settings, tmp_path, encoder)
        engine = Engine(tmp_path, settings, store, encoder, snapshot)
        engine.impressions, engine.answers = log, Answers(60.0, 2**24)
        engine.observe(Told())
        yield engine


def _ask(engine: Engine, query: str) -> Page:
    return engine.ask(Request("search", NOW_MS, query=query))


def _says_so(page: Page) -> bool:
    return any("goes by its words alone" in note for note in page.notes)


def test_an_answer_goes_by_words_says_so_and_the_next_one_is_whole(engine: Engine, encoder: Failing) -> None:
    told = engine.observer
    assert isinstance(told, Told)
    encoder.fails = True
    page = _ask(engine, "green tea")
    assert page.hits[0].product.title == "green tea" and _says_so(page)
    assert (told.why, told.encoded_s, engine.encoder_fails) == (["no-encoder"], [], True)
    assert "typed" not in " ".join(engine.warnings) and len(engine.warnings) == 1
    encoder.fails = False
    page = _ask(engine, "green tea")  # neither the failure nor the answer was kept
    assert page.hits[0].product.title == "green tea" and not _says_so(page)
    assert (told.why, len(told.encoded_s), engine.encoder_fails) == (["no-encoder"], 1, False)


def test_a_query_that_was_encoded_before_needs_no_encoder(engine: Engine, encoder: Failing) -> None:
    whole = _ask(engine, "rye bread")
    engine.answers = None
    encoder.fails = True
    again = _ask(engine, "rye bread")
    assert [hit.score for hit in again.hits] == [hit.score for hit in whole.hits] and not _says_so(again)


def test_where_nobody_waits_the_failure_is_told(engine: Engine, encoder: Failing) -> None:
    engine.impressions = None
    encoder.fails = True
    with pytest.raises(EncoderError, match="MemoryError"):
        _ask(engine, "green tea")


def test_a_new_product_is_found_by_its_words_meanwhile(engine: Engine, encoder: Failing) -> None:
    encoder.fails = True
    engine.store.catalogue.put([product("p9", "blue cheese", price_minor=900)])
    engine.serving.catch_up()
    assert _ask(engine, "blue cheese").hits[0].product.id == "p9"

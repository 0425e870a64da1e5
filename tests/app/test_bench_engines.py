"""The engines that a search is compared with: each must find what is plainly there, whatever is typed."""

import sys
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from typer.testing import CliRunner

from wares.app.bench.engines.all import ENGINES
from wares.app.bench.engines.bm25 import Bm25
from wares.app.bench.engines.bm25s_library import Bm25s
from wares.app.bench.engines.contract import Engine, MissingPackage, Ranking
from wares.app.bench.engines.dense import Dense
from wares.app.bench.engines.fts5 import Fts5
from wares.app.bench.engines.rrf import Rrf
from wares.app.bench.engines.tantivy_library import Tantivy
from wares.app.cli import app
from wares.errors import InputError

TITLES = [
    "Copper kettle, 2 litres",
    "Garden hose 25 m, green",
    "Green tea, 20 bags",
    "Cordless drill 18V with two batteries",
    "Drill bits for wood, set of 10",
    "Wool blanket, grey",
    "Crème brûlée dishes, 4 pieces",
    "Timber 2x4 planed",
]
WORDS = (Tantivy, Bm25s, Fts5, Bm25)
MEANING = (Dense, Rrf)
NASTY = (
    *(
        '"',
        "'",
        "*",
        "AND OR NOT",
        "a:b",
        "",
        " ",
        "😀",
        "绿茶",
        "(",
        "title:",
        "-drill",
        "drill^9",
        "kettle~",
        "1/2",
        "\\",
    ),
    *("NEAR(drill wood, 2)", 'text : "drill"', "[1 TO 2]", "drill\0kettle", "%_;--", "x" * 5000, "drill " * 500),
)


def vectors() -> NDArray[np.float32]:
    return np.eye(len(TITLES), dtype=np.float32) * 3 + 0.1


def meant(row: int) -> NDArray[np.float32]:
    """The vector of a query whose meaning is this product."""
    vector: NDArray[np.float32] = vectors()[row]
    return vector


@pytest.fixture(scope="module", params=list(ENGINES.values()), ids=list(ENGINES))
def engine(request: pytest.FixtureRequest) -> Engine:
    return _made(request.param)


@pytest.fixture(scope="module", params=WORDS, ids=[one.name for one in WORDS])
def words(request: pytest.FixtureRequest) -> Engine:
    return _made(request.param)


def _made(kind: type[Engine]) -> Engine:
    try:
        return kind.of(TITLES, vectors())
    except MissingPackage as missing:
        pytest.skip(str(missing))


def _is_a_ranking(ranking: Ranking, k: int) -> None:
    rows, scores = ranking
    assert rows.dtype == np.int32 and scores.dtype == np.float32 and rows.shape == scores.shape
    assert len(rows) <= k and len(set(rows.tolist())) == len(rows)
    assert set(rows.tolist()) <= set(range(len(TITLES))) and np.isfinite(scores).all()
    for (row, score), (next_row, next_score) in pairwise(zip(rows.tolist(), scores.tolist(), strict=True)):
        assert score > next_score or (score == next_score and row < next_row)


def test_every_engine_puts_the_obvious_product_first(engine: Engine) -> None:
    for query, row in (("copper kettle", 0), ("green tea", 2), ("wool blanket", 5)):
        assert engine.rank(query, meant(row), 3)[0][0] == row


@pytest.mark.parametrize("query", NASTY)
def test_no_query_is_syntax_and_none_breaks_an_engine(engine: Engine, query: str) -> None:
    _is_a_ranking(engine.rank(query, meant(1), 5), 5)


def test_more_can_be_asked_for_than_the_shop_sells(engine: Engine) -> None:
    ranking = engine.rank("green drill set", meant(4), 1000)
    _is_a_ranking(ranking, len(TITLES))
    assert len(ranking[0]) >= 4


def test_a_short_list_is_the_head_of_the_long_one(engine: Engine) -> None:
    short, long = (engine.rank("cordless drill for wood", meant(3), k) for k in (2, 8))
    assert short[0].tolist() == long[0].tolist()[:2]
    assert short[1].tolist() == long[1].tolist()[:2]


def test_any_word_of_the_query_may_match_and_all_of_them_match_better(words: Engine) -> None:
    assert words.rank("green submarine hose", None, 8)[0].tolist() == [1, 2]


def test_words_meet_in_their_stems_whatever_their_case(words: Engine) -> None:
    assert words.rank("BLANKETS", None, 8)[0].tolist() == [5]
    assert 7 in words.rank("Timbers", None, 8)[0]


@pytest.mark.parametrize("kind", [Tantivy, Fts5, Bm25])
def test_where_an_engine_can_drop_accents_it_does(kind: type[Engine]) -> None:
    assert _made(kind).rank("creme brulee", None, 8)[0].tolist() == [6]


def test_a_hyphen_or_a_slash_between_words_makes_no_phrase(words: Engine) -> None:
    joined, apart = (words.rank(query, None, 8)[0] for query in ("batteries-drill/kettle", "batteries drill kettle"))
    assert joined.tolist() == apart.tolist()
    assert set(apart.tolist()) == {0, 3, 4}


def test_a_size_of_one_character_counts(words: Engine) -> None:
    assert 6 in words.rank("4", None, 8)[0]


def test_a_query_without_known_words_finds_nothing(words: Engine) -> None:
    for query in ("", "submarine", "?!", "😀"):
        assert words.rank(query, None, 8)[0].tolist() == []


@pytest.mark.parametrize("kind", [Tantivy, Bm25s])
def test_where_the_user_says_how_words_are_cut_numbers_stand_apart_from_letters_and_whole(kind: type[Engine]) -> None:
    assert _made(kind).rank("18 v", None, 8)[0].tolist() == [3]
    fractions = kind.of(["Pipe 1/2 in.", "Pipe 2 in.", "Pipe 1 in."], None)
    assert fractions.rank("1/2", None, 3)[0].tolist() == [0]


def test_bm25_gives_what_the_formula_gives() -> None:
    rows, scores = Bm25.of(["red shoe", "red red hat box", "glove"], None).rank("red", None, 3)
    idf, mean = np.log(1 + 1.5 / 2.5), 7 / 3
    expected = [idf * tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * n / mean)) for tf, n in ((1, 2), (2, 4))]
    assert dict(zip(rows.tolist(), scores.tolist(), strict=True)) == pytest.approx(dict(enumerate(expected)))


def test_dense_scores_are_cosines_whatever_the_vectors_lengths() -> None:
    engine = Dense.of(["a", "b", "c"], np.array([[2, 0], [3, 3], [0, -1]], np.float32))
    rows, scores = engine.rank("", np.array([5, 0], np.float32), 3)
    assert rows.tolist() == [0, 1, 2]
    assert scores.tolist() == pytest.approx([1, 0.5**0.5, 0])


@pytest.mark.parametrize("kind", MEANING)
def test_without_vectors_an_engine_of_meaning_says_what_it_needs(kind: type[Engine]) -> None:
    with pytest.raises(InputError, match="needs a vector for each of 8 texts, got none"):
        kind.of(TITLES, None)
    with pytest.raises(InputError, match="got 7"):
        kind.of(TITLES, vectors()[:7])
    with pytest.raises(InputError, match="needs the query's vector"):
        kind.of(TITLES, vectors()).rank("drill", None, 3)


def test_rank_fusion_adds_one_over_60_plus_the_rank_in_each_list() -> None:
    engine = Rrf(Bm25.of(TITLES, None), Dense.of(TITLES, vectors()))
    rows, scores = engine.rank("blanket", meant(0), 8)
    assert rows[:2].tolist() == [5, 0]
    assert scores[:2].tolist() == pytest.approx([1 / 61 + 1 / 66, 1 / 61])


@pytest.mark.parametrize("kind", [Tantivy, Bm25s])
def test_a_missing_package_is_named(kind: type[Engine], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, kind.name, None)  # which is how Python marks what cannot be imported
    with pytest.raises(MissingPackage, match=rf"needs {kind.name}, which is not installed: pip install wares\[dev\]"):
        kind.of(TITLES, None)


def test_rank_fusion_without_tantivy_takes_our_own_bm25(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "tantivy", None)
    engine = Rrf.of(TITLES, vectors())
    assert isinstance(engine.words, Bm25)
    assert engine.rank("green tea", meant(2), 3)[0][0] == 2


def test_an_engine_that_is_not_there_is_named_with_those_that_are(tmp_path: Path) -> None:
    told = CliRunner().invoke(app, ["bench", "search", "--data", str(tmp_path), "--rivals", "tantivvy"])
    assert told.exit_code == 1
    assert "tantivvy" in told.output and "Did you mean 'tantivy'" in told.output

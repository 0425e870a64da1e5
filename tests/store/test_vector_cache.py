"""Vectors worked out once are not worked out again."""

import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import Literal

import numpy as np
import pytest

import wares.store.vector_cache
from wares.contracts import Encoder, Floats, Progress
from wares.store.vector_cache import FILE, CachedEncoder


class Letters:
    """Counts letters; remembers what it was asked. Fails once `allowance` texts are done."""

    dimension = 26

    def __init__(self, fingerprint: str = "letters-1", allowance: int = 10**9) -> None:
        self.fingerprint = fingerprint
        self.allowance = allowance
        self.asked: list[str] = []

    def encode(
        self, texts: Sequence[str], kind: Literal["query", "passage"], on_progress: Progress | None = None
    ) -> Floats:
        if len(self.asked) + len(texts) > self.allowance:
            raise KeyboardInterrupt
        self.asked.extend(texts)
        counts = np.array([[1.0 + text.count(chr(97 + i)) for i in range(26)] for text in texts], np.float32)
        vectors: Floats = counts / np.linalg.norm(counts, axis=1, keepdims=True).astype(np.float32)
        return vectors


Open = Callable[[Encoder], CachedEncoder]


@pytest.fixture
def cached(tmp_path: Path) -> Iterator[Open]:
    opened: list[CachedEncoder] = []

    def open_one(encoder: Encoder) -> CachedEncoder:
        opened.append(CachedEncoder(encoder, tmp_path))
        return opened[-1]

    yield open_one
    for one in opened:
        one.close()


TEXTS = ["rye loaf", "jam", "rye loaf", "果酱", ""]


def test_the_cache_is_an_encoder(cached: Open) -> None:
    encoder: Encoder = cached(Letters())
    assert (encoder.fingerprint, encoder.dimension) == ("letters-1", 26)


def test_equal_texts_are_encoded_once(cached: Open) -> None:
    letters = Letters()
    vectors = cached(letters).encode(TEXTS, "passage")
    assert sorted(letters.asked) == sorted(set(TEXTS))
    assert np.array_equal(vectors[0], vectors[2])
    assert np.allclose(vectors, Letters().encode(TEXTS, "passage"), atol=1e-3)
    assert np.allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-6)
    assert vectors.dtype == np.float32


def test_a_kept_vector_equals_the_fresh_one(cached: Open) -> None:
    fresh = cached(Letters()).encode(TEXTS, "passage")
    later = Letters()
    assert np.array_equal(cached(later).encode(TEXTS[::-1], "passage")[::-1], fresh)
    assert later.asked == []


def test_vectors_of_two_encoders_are_never_mixed(cached: Open) -> None:
    cached(Letters()).encode(TEXTS, "passage")
    other = Letters("letters-2")
    cached(other).encode(["jam"], "passage")
    assert other.asked == ["jam"]
    again = Letters()
    cached(again).encode(["jam"], "passage")
    assert again.asked == []


def test_a_query_is_not_kept(cached: Open) -> None:
    letters = Letters()
    encoder = cached(letters)
    encoder.encode(["jam"], "query")
    encoder.encode(["jam"], "query")
    assert letters.asked == ["jam", "jam"]


def test_progress_counts_every_text(cached: Open) -> None:
    told: list[int] = []
    cached(Letters()).encode(["jam", "jam"], "passage", told.append)
    assert sum(told) == 2
    cached(Letters()).encode(TEXTS, "passage", told.append)
    assert sum(told) == 2 + len(TEXTS)


def test_an_interrupted_run_goes_on_where_it_was(cached: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wares.store.vector_cache, "BATCH", 4)
    texts = [f"loaf {i}" for i in range(20)]
    with pytest.raises(KeyboardInterrupt):
        cached(Letters(allowance=10)).encode(texts, "passage")
    later = Letters()
    cached(later).encode(texts, "passage")
    assert len(later.asked) == 12


def test_no_texts_give_no_vectors(cached: Open) -> None:
    assert cached(Letters()).encode([], "passage").shape == (0, 26)


@pytest.mark.parametrize("rubbish", [b"not a database " * 300, b"SQLite format 3\0" + b"\7" * 5000])
def test_a_damaged_cache_is_thrown_away(cached: Open, tmp_path: Path, rubbish: bytes) -> None:
    (tmp_path / FILE).write_bytes(rubbish)
    cached(Letters()).encode(TEXTS, "passage")
    later = Letters()
    cached(later).encode(TEXTS, "passage")
    assert later.asked == []


def test_a_cache_of_something_else_is_thrown_away(cached: Open, tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / FILE)) as other:
        other.execute("CREATE TABLE vectors (name TEXT)")
    cached(Letters()).encode(TEXTS, "passage")
    later = Letters()
    cached(later).encode(TEXTS, "passage")
    assert later.asked == []


def test_a_cache_damaged_in_its_middle_is_thrown_away(cached: Open, tmp_path: Path) -> None:
    texts = [f"loaf {i}" for i in range(3_000)]
    first = cached(Letters())
    expected = first.encode(texts, "passage")
    first.close()
    whole = bytearray((tmp_path / FILE).read_bytes())
    whole[8192:-4096] = b"\xab" * (len(whole) - 12288)
    (tmp_path / FILE).write_bytes(whole)
    assert np.array_equal(cached(Letters()).encode(texts, "passage"), expected)
    later = Letters()
    assert np.array_equal(cached(later).encode(texts, "passage"), expected)
    assert later.asked == []


def test_a_vector_of_another_length_is_made_again(cached: Open, tmp_path: Path) -> None:
    cached(Letters()).encode(["jam"], "passage")
    with closing(sqlite3.connect(tmp_path / FILE)) as cache:
        cache.execute("UPDATE vectors SET vector = x'0102'")
        cache.commit()
    later = Letters()
    cached(later).encode(["jam"], "passage")
    assert later.asked == ["jam"]


def test_an_encoder_works_where_nothing_can_be_kept(tmp_path: Path) -> None:
    with CachedEncoder(Letters(), tmp_path / "nowhere") as encoder:
        assert encoder.encode(TEXTS, "passage").shape == (5, 26)

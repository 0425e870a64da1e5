"""Letter triples: what two spellings of a word still share. 'drill' -> '^dr', 'dri', 'ril', 'ill', 'll$'."""

from functools import lru_cache


@lru_cache(maxsize=200_000)
def triples_of(word: str) -> tuple[str, ...]:
    """The triples of a word of letters, its borders marked; () for numbers, single letters and other scripts than
    those that are written in letters."""
    if len(word) < 2 or not word.isalpha() or word[0] >= "\u2e80":
        return ()
    framed = f"^{word}$"
    return tuple(framed[i : i + 3] for i in range(len(framed) - 2))

"""How likely a Chinese word is: a general dictionary (jieba's), and the words of retail that it lacks."""

import math
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Any

from wares.retrieval.language.chinese.script import has_han

LONGEST_WORD = 7  # characters; longer dictionary words are names and sayings
_TOTAL = 60_101_967  # sum of the general dictionary's frequencies
_UNKNOWN = math.log(0.5 / _TOTAL)  # a character that the dictionary lacks


@cache
def _dictionary() -> Any:
    import rjieba

    return rjieba.Jieba()


@cache
def retail_words() -> frozenset[str]:
    """Words of shops that the general dictionary lacks: 'retail_words.txt' and those of the synonyms."""
    listed = _without_comments(files(__package__).joinpath("retail_words.txt").read_text("utf-8")).split()
    synonyms = files("wares.retrieval.language.synonyms").joinpath("zh.txt").read_text("utf-8")
    groups = _without_comments(synonyms).replace("=>", ",").replace("\n", ",")
    words = (*listed, *(member.strip() for member in groups.split(",")))
    return frozenset(
        word
        for word in words
        if 2 <= len(word) <= LONGEST_WORD and all(has_han(c) for c in word) and not _says_without(word)
    )


def _says_without(word: str) -> bool:
    """'无糖' is 'no' and 'sugar', and must be cut so; '无线' is a word of its own."""
    return word[0] in "无不免非零" and not word.startswith(
        ("无线", "无人", "无绳", "无痕", "不锈钢", "零食", "非遗", "不干胶")
    )


def _without_comments(text: str) -> str:
    return "\n".join(line.partition("#")[0] for line in text.splitlines())


def words_within(run: str) -> set[str]:
    """Every dictionary word that stands somewhere in the run."""
    return set(_dictionary().cut_all(run))


@lru_cache(maxsize=200_000)
def is_word(text: str) -> bool:
    """Is this one word of the general dictionary or of retail?"""
    return text in retail_words() or bool(_dictionary().has_word(text))


@lru_cache(maxsize=200_000)
def log_probability(word: str) -> float:
    """Natural logarithm of the share of a dictionary word in general text."""
    if len(word) == 1 and not _dictionary().has_word(word):
        return _UNKNOWN
    return math.log(max(_dictionary().suggest_freq(word), 1) / _TOTAL)


def joined(word: str, known: Mapping[str, float], bonus: float) -> float:
    """The log probability that makes a new word just likelier than its best cut into known ones, by `bonus`."""
    best = [0.0] + [-math.inf] * len(word)
    for end in range(1, len(word) + 1):
        for start in range(end):
            piece = word[start:end]
            if piece == word:
                continue
            if end - start == 1 or piece in known or is_word(piece):
                value = known[piece] if piece in known else log_probability(piece)
                best[end] = max(best[end], best[start] + value)
    own = log_probability(word) if _dictionary().has_word(word) else -math.inf
    return max(own, best[-1] + bonus)


@cache
def retail_probabilities() -> dict[str, float]:
    """Log probability of each word of retail."""
    return {word: joined(word, {}, bonus=3.0) for word in sorted(retail_words(), key=lambda w: (len(w), w))}

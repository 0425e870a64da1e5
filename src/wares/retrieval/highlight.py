"""Shows which words of a text matched."""

import html
from collections.abc import Callable, Iterable
from functools import lru_cache

from wares.domain.text import normalise, spans, tokens
from wares.retrieval.language.chinese.negation import NOT
from wares.retrieval.language.chinese.script import simplify

_SHORT = 32  # characters up to which a piece of a text is remembered


def highlight(text: str, words: Iterable[str], words_of: Callable[[str], Iterable[str]] = tokens) -> str:
    """The text, HTML-escaped, with matched words in <mark>; '' when nothing matched. Of a long text only the start.

    `words` are index words, and `words_of` is what makes them of a text.
    """
    wanted = words if isinstance(words, frozenset) else frozenset(words)
    if not wanted or not text:
        return ""
    text = text[:1000]
    if not (matched := sorted(_matched(text, wanted, words_of))):
        return ""
    marks: list[list[int]] = []
    for start, end in matched:
        if marks and start <= marks[-1][1]:
            marks[-1][1] = max(marks[-1][1], end)
        else:
            marks.append([start, end])
    escape = str if html.escape(text) == text else html.escape  # most texts hold nothing to escape: looked for once
    parts, at = [], 0
    for start, end in marks:
        parts += [escape(text[at:start]), "<mark>", escape(text[start:end]), "</mark>"]
        at = end
    return "".join([*parts, escape(text[at:])])


def _matched(text: str, wanted: frozenset[str], words_of: Callable[[str], Iterable[str]]) -> Iterable[tuple[int, int]]:
    at, found = 0, list[tuple[int, int]]()
    for piece in text.split(" "):  # no word goes beyond one
        for start, end, word in _cut(piece) if len(piece) > _SHORT else _remembered(piece):
            words = words_of(word)
            if wanted.isdisjoint(words):
                continue
            start, end = at + start, at + end
            if word < "\u2e80":
                found.append((start, end))
            else:
                inside = list(_inside(word, wanted.intersection(words)))
                found += [(start + low, start + high) for low, high in inside] or [(start, end)]
        at += len(piece) + 1
    return found


def _cut(piece: str) -> tuple[tuple[int, int, str], ...]:
    """(start, end, text) of each word."""
    return tuple((start, end, piece[start:end]) for start, end in spans(piece))


_remembered = lru_cache(maxsize=50_000)(_cut)  # titles are made of the same pieces


def _inside(run: str, held: Iterable[str]) -> Iterable[tuple[int, int]]:
    """Where index words stand in a run of characters; nowhere if it cannot be said."""
    plain = simplify(normalise(run))
    if len(plain) != len(run):
        return
    for word in held:
        word = word.strip("~").removeprefix(NOT)
        at = plain.find(word)
        while word and at >= 0:
            yield at, at + len(word)
            at = plain.find(word, at + 1)

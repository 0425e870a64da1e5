"""Shows which words of a text matched."""

import html
from collections.abc import Callable, Iterable

from wares.domain.text import normalise, spans, tokens
from wares.retrieval.language.chinese.negation import NOT
from wares.retrieval.language.chinese.script import simplify


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
    for start, end in spans(text):
        words = words_of(text[start:end])
        if wanted.isdisjoint(words):
            continue
        if text[start] < "\u2e80":
            yield start, end
        else:
            found = list(_inside(text[start:end], wanted.intersection(words)))
            yield from ((start + low, start + high) for low, high in found or [(0, end - start)])


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

"""Which words of a record matched, in their form: `_highlightResult`, `_snippetResult`, and the values of a facet.

Their texts are not escaped: whoever asks names the tags and escapes the rest, as InstantSearch does.
"""

import html
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wares.domain.result import Hit
from wares.domain.text import normalise, spans, tokens

Span = tuple[int, int]
_MARKS = re.compile(r"<mark>(.*?)</mark>", re.DOTALL)
_WORDS = re.compile(r"\S+")
_UNSAID = frozenset((  # texts without words of their own: highlighted only where they are named
    *("objectID", "url", "image", "image_url", "currency", "group_id", "variants", "hierarchicalCategories"),
))  # fmt: skip
_ALIKE = 4  # letters that a matched word shares with the word of the query that found it, by which it is named
SNIPPET_WORDS = 10
MOST_SNIPPET_WORDS = 500


@dataclass(frozen=True, slots=True)
class Tags:
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class Marked:
    """A text and where its matched words stand."""

    text: str
    spans: tuple[Span, ...] = ()

    @staticmethod
    def of(text: str, marked: str) -> "Marked":
        """Of the engine's highlight: the start of the text, escaped, with <mark>; "" = nothing matched."""
        found: list[Span] = []
        at = 0
        for place, part in enumerate(_MARKS.split(marked)):
            end = at + len(html.unescape(part))
            if place % 2:
                found.append((at, end))
            at = end
        return Marked(text, tuple(found))

    def written(self, tags: Tags, start: int = 0, end: int | None = None) -> str:
        """The text from `start` to `end` with its tags."""
        end = len(self.text) if end is None else end
        parts, at = [], start
        for low, high in self.spans:
            if start <= low and high <= end:
                parts += [self.text[at:low], tags.before, self.text[low:high], tags.after]
                at = high
        return "".join([*parts, self.text[at:end]])

    def result(self, words: Sequence[str], tags: Tags) -> dict[str, Any]:
        """As one entry of `_highlightResult`; `words` are those of the query."""
        matched = self._matched(words)
        told: dict[str, Any] = {"value": self.written(tags), "matchLevel": self._level(matched, words)}
        if self.spans:
            told["fullyHighlighted"] = self._is_full()
        return told | {"matchedWords": matched}

    def snippet(self, most_words: int, words: Sequence[str], tags: Tags, ellipsis: str) -> dict[str, Any]:
        """As one entry of `_snippetResult`: some words around the first that matched."""
        places = [found.span() for found in _WORDS.finditer(self.text)]
        first = next((i for i, (_, end) in enumerate(places) if self.spans and end > self.spans[0][0]), 0)
        start = max(0, min(first - most_words // 3, len(places) - most_words))
        shown = places[start : start + most_words]
        if not shown:
            return {"value": "", "matchLevel": "none"}
        value = self.written(tags, shown[0][0], shown[-1][1])
        cut = (ellipsis if start else "", ellipsis if start + most_words < len(places) else "")
        return {"value": f"{cut[0]}{value}{cut[1]}", "matchLevel": self._level(self._matched(words), words)}

    def _matched(self, words: Sequence[str]) -> list[str]:
        """The words of the query that are marked here; where none can be named, as with synonyms, what is marked."""
        marked = [normalise(self.text[low:high]) for low, high in self.spans]
        named = [word for word in words if any(_alike(word, one) for one in marked)]
        return named or list(dict.fromkeys(marked))

    def _level(self, matched: Sequence[str], words: Sequence[str]) -> str:
        if not self.spans:
            return "none"
        return "full" if set(words) <= set(matched) else "partial"

    def _is_full(self) -> bool:
        """Whether every word of the text is marked."""
        return all(any(low <= start and end <= high for low, high in self.spans) for start, end in spans(self.text))


def words_of(query: str) -> list[str]:
    """The words of a query, each once, as `matchedWords` names them."""
    return list(dict.fromkeys(normalise(query[start:end]) for start, end in spans(query)))


def highlight_result(
    record: Mapping[str, Any], hit: Hit, wanted: Sequence[str] | None, words: Sequence[str], tags: Tags
) -> dict[str, Any]:
    """`_highlightResult` of a record: of the `wanted` attributes, "*" and None = all texts."""
    marks = _marks(hit)
    names = _wanted(record, wanted)
    return {name: _results(record[name], marks.get(name, ""), words, tags) for name in names}


def snippet_result(
    record: Mapping[str, Any], hit: Hit, wanted: Sequence[str], words: Sequence[str], tags: Tags, ellipsis: str
) -> dict[str, Any]:
    """`_snippetResult`: of each "attribute:words" so many words around the first that matched."""
    marks, told = _marks(hit), {}
    for one in wanted:
        name, _, count = one.partition(":")
        most = min(max(int(count), 1), MOST_SNIPPET_WORDS) if count.isdecimal() else SNIPPET_WORDS
        for each in _wanted(record, [name]):
            if isinstance(record[each], str):
                text = Marked.of(record[each], marks.get(each, ""))
                told[each] = text.snippet(most, words, tags, ellipsis)
    return told


def matching_value(value: str, typed: Sequence[str]) -> Marked | None:
    """A facet's value in which a word begins with each of the typed ones, with those beginnings marked; else None."""
    found: list[Span] = []
    for start, end in spans(value):
        word = normalise(value[start:end])
        fits = [one for one in typed if one in word] if value[start] >= "\u2e80" else [
            one for one in typed if word.startswith(one)
        ]  # fmt: skip
        for one in fits[:1]:
            at = start + max(word.find(one), 0)
            found.append((at, min(at + len(one), end)))
    whole = normalise(value)
    return Marked(value, tuple(found)) if all(_begins(one, whole) for one in typed) else None


def _begins(typed: str, whole: str) -> bool:
    return any(
        whole[start:end].startswith(typed) or (whole[start] >= "\u2e80" and typed in whole[start:end])
        for start, end in spans(whole)
    )


def _marks(hit: Hit) -> dict[str, str]:
    """Attribute of the record -> the engine's highlight."""
    marks = dict(hit.highlights)
    if "title" in marks:
        marks["name"] = marks["title"]
    return marks


def _wanted(record: Mapping[str, Any], wanted: Sequence[str] | None) -> list[str]:
    texts = [name for name, value in record.items() if value and _is_text(value)]
    if wanted is None or "*" in wanted:
        return [name for name in texts if name not in _UNSAID]
    return [name for name in texts if name in {one.partition(".")[0] for one in wanted}]


def _is_text(value: object) -> bool:
    if isinstance(value, Mapping):
        return bool(value) and all(map(_is_text, value.values()))
    if isinstance(value, list):
        return bool(value) and all(isinstance(one, str) for one in value)
    return isinstance(value, str)


def _results(value: Any, marked: str, words: Sequence[str], tags: Tags) -> Any:
    """One result, or as many as there are texts in the value."""
    if isinstance(value, Mapping):
        return {name: _results(one, "", words, tags) for name, one in value.items()}
    if isinstance(value, list):
        return [_results(one, "", words, tags) for one in value]
    return Marked.of(value, marked).result(words, tags)


def _alike(word: str, marked: str) -> bool:
    if word in marked or marked in word:
        return True
    shared = next(
        (i for i, (a, b) in enumerate(zip(word, marked, strict=False)) if a != b), min(len(word), len(marked))
    )
    return shared >= _ALIKE or not set(tokens(word)).isdisjoint(tokens(marked))

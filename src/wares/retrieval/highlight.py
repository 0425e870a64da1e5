"""Shows which words of a text matched."""

import html
from collections.abc import Iterable

from wares.domain.text import spans


def highlight(text: str, words: Iterable[str]) -> str:
    """The text, HTML-escaped, with matched words in <mark>; '' when nothing matched. Of a long text only the start."""
    text = text[:1000]
    wanted = set(words)
    if not wanted:
        return ""
    marks: list[list[int]] = []
    for start, end, found in spans(text):
        if not wanted.intersection(found):
            continue
        if marks and start <= marks[-1][1]:
            marks[-1][1] = end
        else:
            marks.append([start, end])
    parts, at = [], 0
    for start, end in marks:
        parts += [html.escape(text[at:start]), "<mark>", html.escape(text[start:end]), "</mark>"]
        at = end
    return "".join([*parts, html.escape(text[at:])]) if marks else ""

"""Shows which words of a text matched."""

import html
from collections.abc import Iterable

from wares.domain.text import spans


def highlight(text: str, words: Iterable[str]) -> str:
    """The text, HTML-escaped, with matched words in <mark>; '' when nothing matched. Of a long text only the start."""
    text = text[:1000]
    wanted = set(words)
    parts, end, marked = [], 0, False
    for start, stop, found in spans(text):
        if wanted.intersection(found):
            parts += [html.escape(text[end:start]), "<mark>", html.escape(text[start:stop]), "</mark>"]
            end, marked = stop, True
    return "".join([*parts, html.escape(text[end:])]) if marked else ""

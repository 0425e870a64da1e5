"""HTML in a feed's texts -> the text that a person would read. Linear in the length, whatever the text holds."""

import re
from functools import lru_cache
from html import unescape

MAX_HTML = 200_000  # characters that are looked at; what follows is cut long before
_TAG = re.compile(r"</?([a-zA-Z][a-zA-Z0-9-]*)(?:[\s/][^<>]*)?>")
_ENTITY = re.compile(r"&(?:[a-zA-Z][a-zA-Z0-9]{1,30}|#[0-9]{1,7}|#x[0-9a-fA-F]{1,6});")
_ENDS_WORD = frozenset(
    (
        *("p", "div", "br", "li", "ul", "ol", "tr", "table", "h1", "h2", "h3", "h4", "h5", "h6", "section", "article"),
        *("header", "footer", "dt", "dd", "hr", "td", "th", "img"),
    )
)
_UNSEEN = ("script", "style", "template")


def has_markup(text: str) -> bool:
    """Whether the text holds tags, comments or entities of HTML."""
    return bool("<" in text and (_TAG.search(text) or "<!--" in text)) or bool("&" in text and _ENTITY.search(text))


@lru_cache(maxsize=64)  # variants of one article share a text
def plain_text(text: str) -> str:
    """Without tags, comments, scripts and entities; one blank between words. Text that was escaped twice is read twice.

    >>> plain_text("<p>Soft &amp; warm</p><ul><li>wool</li></ul>")
    'Soft & warm wool'
    """
    text = text[:MAX_HTML]
    for _ in range(2):
        if not has_markup(text):
            break
        text = unescape(_TAG.sub(_in_place_of, _without_unseen(text)))
    return " ".join(text.split())


def _in_place_of(tag: re.Match[str]) -> str:
    return " " if tag[1].lower() in _ENDS_WORD else ""


def _without_unseen(text: str) -> str:
    """Without comments and what stands between tags that show nothing; one that is never closed goes alone."""
    lowered = text.lower() if len(text.lower()) == len(text) else text
    pairs = [("<!--", "-->"), *((f"<{name}", f"</{name}") for name in _UNSEEN)]
    for start, end in pairs:
        if start not in lowered:
            continue
        kept: list[str] = []
        low: list[str] = []
        done = 0
        while (at := lowered.find(start, done)) >= 0:
            until = lowered.find(end, at)
            if until < 0:
                break
            kept.append(text[done:at] + " ")
            low.append(lowered[done:at] + " ")
            done = until + (len(end) if end == "-->" else 0)
        text, lowered = "".join(kept) + text[done:], "".join(low) + lowered[done:]
    return text

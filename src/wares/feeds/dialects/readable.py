"""Shouted words -> readable ones: "RED RETROSPOT T-LIGHT HOLDER" -> "Red retrospot T-light holder"."""

import re
from collections.abc import Mapping

_WORD = re.compile(r"[A-Z0-9][A-Z0-9'.]*", re.IGNORECASE)


def sentence_case(text: str, proper: Mapping[str, str]) -> str:
    """Lower case with a first capital; words in `proper` (keyed in upper case) are written as it says."""

    def spelt(match: re.Match[str]) -> str:
        word = match.group()
        return proper.get(word.upper(), word.lower())

    lowered = " ".join(_WORD.sub(spelt, text).split())
    first = re.search(r"[a-zA-Z]", lowered)
    if first is None or (first.start() and lowered[first.start() - 1].isdigit()):
        return lowered
    return lowered[: first.start()] + first.group().upper() + lowered[first.end() :]

"""What the dialects of event logs share: an entry in wares' columns, names of kinds, bots, lists and ids.

A dialect is a name and pure functions: `recognises(row)`, `entries(row)`, which says what one row of the foreign file
holds, one entry per item, and `login(row)`, which says who turned out to be whom. Each entry counts as one row that was
read. What cannot be used is a `RowFault` among the entries (one item of several), or raised (the whole row).
"""

import difflib
import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any

from wares.domain.event import EventKind
from wares.feeds.readers import Row
from wares.feeds.report import LeftOut, RowFault
from wares.feeds.values import is_missing, read_text

_NEAR = 0.85  # of two names: nearer ones are taken for a misspelling, others for the shop's own kind of event
_BOT = re.compile(
    r"(?<!cu)bot(?:\b|[/;_-])|crawl|spider|slurp|headless|phantomjs|lighthouse|pingdom|uptime|facebookexternalhit"
    r"|^(curl|wget|python|java|go-http-client|okhttp|axios|node-fetch|ruby|perl|libwww)\b",
    re.IGNORECASE,
)
_ABSENT = frozenset(("(not set)", "(not provided)", "null", "undefined"))
_LONGEST = 30  # characters of such a word and the blanks around it


@dataclass(frozen=True, slots=True)
class Entry:
    """One event in wares' columns. `names` says what the file calls them, "#" standing for `place`, counted from 0.

    `agent` is the user agent, where one is told. `repairs` are (rule, field, value, fix) of what the dialect put right.
    A refund that names an order and no product is of the `whole_order`.
    """

    row: Row
    names: Mapping[str, str]
    place: int = 0
    agent: str = ""
    repairs: tuple[tuple[str, str, object, str], ...] = ()
    whole_order: bool = False


@dataclass(frozen=True, slots=True)
class Dialect:
    """A foreign event log. `title` is what people call it. `login` gives the anonymous and the known shopper that a row
    names, as they stand there; None = it names none."""

    name: str
    title: str
    recognises: Callable[[Row], bool]
    entries: Callable[[Row], Sequence[Entry | RowFault]]
    login: Callable[[Row], tuple[object, object]]


@lru_cache(maxsize=10_000)
def folded(name: str) -> str:
    """ "Product_Viewed", "product-viewed" and "Product  Viewed" are one name."""
    return " ".join(re.split(r"[\s_.-]+", name.strip().lower()))


def read_kind(raw: object, field: str, kinds: Mapping[str, EventKind], left_out: frozenset[str]) -> EventKind:
    """Raises LeftOut for a kind that wares has no place for, RowFault for none and for a misspelt one.

    Keys of `kinds` and members of `left_out` are folded.
    """
    name = read_text(raw, 200) if isinstance(raw, str) else ""
    key = folded(name)
    if kind := kinds.get(key):
        return kind
    if not key:
        reason = "no kind" if is_missing(raw) or raw == "" else "unknown kind"
        raise RowFault(reason, field, raw, f"Give the name of the event as {field!r}.")
    if key not in left_out and (meant := _nearest(key, tuple(kinds))):
        raise RowFault("unknown kind", field, raw, f"Did you mean {meant!r}? Other names are left out.")
    raise LeftOut(name[:80], field, raw, "Nothing to do: such events choose no product, or are the shop's own.")


@lru_cache(maxsize=10_000)
def _nearest(key: str, known: tuple[str, ...]) -> str:
    return next(iter(difflib.get_close_matches(key, known, n=1, cutoff=_NEAR)), "")


def is_bot(agent: str) -> bool:
    """Whether a user agent says that it is a program: "bot", "crawler", "headless", a bare HTTP library.

    >>> is_bot("Mozilla/5.0 (compatible; Googlebot/2.1)"), is_bot("Mozilla/5.0 (Linux; CUBOT X20) Chrome/99.0")
    (True, False)
    """
    return bool(agent) and _BOT.search(agent[:1000]) is not None


def first_of(row: Mapping[Any, Any], *names: str) -> Any:
    """The first value that is there; None where none is."""
    for name in names:
        value = row.get(name)
        if not is_absent(value):
            return value
    return None


def is_absent(value: object) -> bool:
    """Missing, blank, or one of the words that exports write for it: "(not set)"."""
    if type(value) is str:
        return not value or value.isspace() or (len(value) <= _LONGEST and value.strip().lower() in _ABSENT)
    return type(value) is not int and is_missing(value)


def mapping_of(value: object) -> Mapping[Any, Any]:
    """An object, also as JSON text; anything else is an empty one."""
    value = _parsed(value, "{")
    return value if isinstance(value, Mapping) else {}


def list_of(value: object) -> list[Any]:
    """A list, also as JSON text or in BigQuery's Parquet form; one thing is a list of it; nothing is an empty one."""
    value = _parsed(value, "[")
    if hasattr(value, "tolist"):  # numpy, as pandas holds lists
        value = value.tolist()
    if isinstance(value, Mapping) and set(value) == {"list"}:
        value = [one.get("element") if isinstance(one, Mapping) else one for one in list_of(value["list"])]
    if isinstance(value, list | tuple):
        return list(value)
    return [] if is_absent(value) else [value]


def _parsed(value: object, opening: str) -> Any:
    if isinstance(value, str) and value.lstrip()[:1] == opening:
        try:
            return json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value


def stable_id(dialect: str, *parts: object) -> str:
    """An event's id made of what the export says of it: the same event in two files has one id.

    >>> stable_id("ga4", "view", 1) == stable_id("ga4", "view", "1") != stable_id("ga4", "vie", "w1")
    True
    """
    return f"{dialect} {blake2b(_joined(parts), digest_size=16).hexdigest()}"


def _joined(parts: Iterable[object]) -> bytes:
    texts = [part if type(part) is str else read_text(part, 1000) for part in parts]
    return "\x1f".join(texts).encode("utf-8", "replace")

"""The page: hits filled from the catalogue, with reasons, variants and highlights."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Catalogue, Source
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.result import Hit, Page, Reason, Served, Slate
from wares.domain.sorting import distinct
from wares.engine.stages import Answer
from wares.retrieval.highlight import highlight

_MAX_REASONS = 2
_MARKED = ("title", "brand", "description")


def present(found: Answer, offset: int, k: int, catalogue: Catalogue) -> Page:
    """The hits `offset .. offset + k`, filled from the catalogue; a product that left in the meantime is skipped."""
    columns = found.view.columns
    rows = found.order[offset : offset + k]
    variants = _variants(rows, found)
    reasons = _reasons(offset, len(rows), found)
    unnamed = [reason for several in reasons for reason, _ in several if not reason.shown]
    about = [product_id for reason in unnamed for product_id in reason.about]
    known = catalogue.get(list(dict.fromkeys([columns.ids[row] for row in rows] + about)))
    view = found.view
    products = {product_id: product.seen(view.now_ms, view.market) for product_id, product in known.items()}
    words = frozenset(_words_to_mark(found))
    words_of = found.view.language.analyser.remembered_words
    names, values = found.features.names, found.features.values[offset : offset + k].tolist()
    hits: list[Hit] = []
    for i, row in enumerate(rows.tolist()):
        if (product := products.get(columns.ids[row])) is None:
            continue
        at = offset + i
        left = i - len(hits)  # products above that are gone, so that everything moves up
        ranked = at < len(found.slate)
        chances = found.slate.chances[at] if at < len(found.slate.chances) else {}
        marked = _marked(product, words, words_of) if words else {}
        hits.append(
            Hit(
                product=product,
                score=float(found.slate.scores[at]) if ranked else 0.0,
                priority=float(found.slate.priority[at]) if ranked else 0.0,
                reasons=tuple([_told(reason, part, products) for reason, part in reasons[i]]),
                adjustments=found.slate.adjustments[at] if ranked else (),
                variants=variants[i],
                highlights=marked,
                features=Served(names, values[i]) if ranked else {},
                parts=_parts_at(at, found),
                chances={place - left: chance for place, chance in chances.items()},
                sponsored=found.slate.sponsored.get(row) if ranked else None,
            )
        )
    return Page(
        hits=tuple(hits),
        total=len(found.order),
        facets=found.facets,
        notes=found.notes,
        correction=found.intent.correction,
        wishes=found.intent.wishes,
        snapshot=found.view.snapshot.name,
        explanation=found.explanation,
        banners=found.intent.actions.banners,
        redirect=found.intent.actions.redirect,
    )


def _variants(rows: NDArray[np.int32], found: Answer, most: int = 50) -> list[tuple[str, ...]]:
    """For each shown row the ids of the other shown rows of its group."""
    if found.shown is None:
        return [()] * len(rows)
    columns = found.view.columns
    others = found.view.state.filters.rows_of(distinct(columns.groups[rows]))  # a profile may show several of one
    others = others[found.shown.has(others)]
    by_group: dict[int, list[int]] = {}
    for row, group in zip(others.tolist(), columns.groups[others].tolist(), strict=True):
        by_group.setdefault(group, []).append(row)
    ids = columns.ids
    return [
        tuple([ids[other] for other in by_group.get(group, [])[: most + 1] if other != row])
        for row, group in zip(rows.tolist(), columns.groups[rows].tolist(), strict=True)
    ]


def _reasons(offset: int, k: int, found: Answer) -> list[list[tuple[Reason, float]]]:
    """Why the hits at the places `offset .. offset + k` are there, and what each adds to the score: money, pins, boosts
    and aims that lifted one first, then the sources that add most, up to the first that can name a product or a
    word."""
    ranked = max(min(offset + k, len(found.slate)) - offset, 0)
    if not ranked:
        return [[] for _ in range(k)]
    telling = [found.walk.sources.get(name) for name in found.features.names]
    columns = [i for i, source in enumerate(telling) if source is not None]
    sources = [(source, getattr(source, "why", source.name)) for source in telling if source is not None]
    some = slice(offset, offset + ranked)
    parts, values = found.parts[some, columns], found.features.values[some, columns]  # (ranked, s) each
    greatest_first = np.argsort(-parts, axis=1, kind="stable")
    counts = (parts > 0) & (values > 0)
    each = zip(
        range(offset, offset + ranked), found.slate.rows[some].tolist(), greatest_first.tolist(), parts.tolist(),
        counts.tolist(), strict=True,
    )  # fmt: skip
    return [
        _reasons_at(at, row, [(*sources[i], added[i]) for i in order if counted[i]], found)
        for at, row, order, added, counted in each
    ] + [[] for _ in range(k - ranked)]


def _reasons_at(
    at: int, row: int, spoken: list[tuple[Source, str, float]], found: Answer
) -> list[tuple[Reason, float]]:
    """Of one hit, for which these sources have `spoken`: what each tells of, and adds to its score, greatest first."""
    codes = {"pin": "pinned", "boost": "boosted"}
    paid, adjustments = found.slate.sponsored.get(row), found.slate.adjustments[at]
    reasons = [(Reason("sponsored", shown=(paid.label,)), 0.0)] if paid else []
    reasons += [(Reason(codes[a.why]), 0.0) for a in adjustments if a.why in codes]
    if not reasons and adjustments and _lifted_by_aims(at, found.slate):
        reasons = [(Reason("boosted"), 0.0)]
    said = set[str]()
    for source, why, part in spoken:
        if len(reasons) >= _MAX_REASONS:
            break
        if why in said:  # several models, one thing to say
            continue
        reason = source.reason(row, found.intent, found.view)
        if reason is not None:
            said.add(why)
            reasons.append((reason, part))
            if reason.about:  # something particular: nobody needs a second one
                break
    return reasons


def _lifted_by_aims(at: int, slate: Slate) -> bool:
    """Whether the shop's aims speak for this hit, and it stands higher than its score alone would have it."""
    gained = sum(one.amount for one in slate.adjustments[at] if one.policy == "aims")
    return gained > 0 and int((slate.scores > slate.scores[at]).sum()) > at


def _parts_at(at: int, found: Answer) -> Mapping[str, float]:
    parts = found.scored_by
    return dict(zip(parts.names, parts.values[at].tolist(), strict=True)) if parts and at < len(found.slate) else {}


def _told(reason: Reason, part: float, products: Mapping[str, Product]) -> Reason:
    """With its weight, and the titles of what it is about."""
    shown = reason.shown or tuple([products[one].title for one in reason.about if one in products])
    return Reason(reason.code, reason.about, shown, part)


def _marked(product: Product, words: frozenset[str], words_of: Callable[[str], Iterable[str]]) -> Mapping[str, str]:
    """Field -> its text with the words of the query marked, where it holds one."""
    marked = {name: highlight(getattr(product, name), words, words_of) for name in _MARKED}
    return {name: text for name, text in marked.items() if text}


def _words_to_mark(found: Answer) -> list[str]:
    intent = found.intent
    if not intent.terms:
        return []
    return [word for words in found.view.text_match(intent.terms).read_as for word in words]


def with_cursor(page: Page, request: Request, name: str, offset: int) -> Page:
    """The page with the cursor of the next one, if there is one."""
    following = offset + request.k
    return replace(page, cursor=f"{name}.{following}") if following < page.total else page

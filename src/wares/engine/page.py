"""The page: hits filled from the catalogue, with reasons, variants and highlights."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from wares.contracts import Catalogue
from wares.domain.product import Product
from wares.domain.request import Request
from wares.domain.result import Hit, Page, Reason, Slate
from wares.engine.stages import Answer, in_groups
from wares.retrieval.highlight import highlight

_MAX_REASONS = 2
_MARKED = ("title", "brand", "description")


def present(found: Answer, offset: int, k: int, catalogue: Catalogue) -> Page:
    """The hits `offset .. offset + k`, filled from the catalogue; a product that left in the meantime is skipped."""
    columns = found.view.columns
    rows = found.order[offset : offset + k]
    variants = _variants(rows, found)
    reasons = [_reasons(offset + i, found) for i in range(len(rows))]
    about = [product_id for several in reasons for reason in several for product_id in reason.about]
    known = catalogue.get(list(dict.fromkeys([columns.ids[row] for row in rows] + about)))
    view = found.view
    products = {product_id: product.seen(view.now_ms, view.market) for product_id, product in known.items()}
    words = frozenset(_words_to_mark(found))
    words_of = found.view.language.analyser.remembered_words
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
                reasons=tuple(_with_titles(reason, products) for reason in reasons[i]),
                adjustments=found.slate.adjustments[at] if ranked else (),
                variants=variants[i],
                highlights=marked,
                features=dict(zip(found.features.names, found.features.values[at].tolist(), strict=True))
                if ranked
                else {},
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
    columns = found.view.columns
    shown = np.flatnonzero(found.shown)
    others = shown[in_groups(rows, shown, columns)]
    by_group: dict[int, list[int]] = {}
    for row, group in zip(others.tolist(), columns.groups[others].tolist(), strict=True):
        by_group.setdefault(group, []).append(row)
    ids = columns.ids
    return [
        tuple([ids[other] for other in by_group.get(group, [])[: most + 1] if other != row])
        for row, group in zip(rows.tolist(), columns.groups[rows].tolist(), strict=True)
    ]


def _reasons(at: int, found: Answer) -> list[Reason]:
    """Why the hit at this place is there: money, pins, boosts and aims that lifted it first, then the sources that add
    most to its score, up to the first that can name a product or a word."""
    if at >= len(found.slate):
        return []
    codes = {"pin": "pinned", "boost": "boosted"}
    paid = found.slate.sponsored.get(int(found.slate.rows[at]))
    reasons = [Reason("sponsored", shown=(paid.label,))] if paid else []
    reasons += [Reason(codes[a.why]) for a in found.slate.adjustments[at] if a.why in codes]
    if not reasons and _lifted_by_aims(at, found.slate):
        reasons = [Reason("boosted")]
    if len(found.features.values):
        row = int(found.slate.rows[at])
        parts, values, said = found.parts[at].tolist(), found.features.values[at].tolist(), set[str]()
        for column in sorted(range(len(parts)), key=lambda column: -parts[column]):
            name = found.features.names[column]
            if parts[column] <= 0 or len(reasons) >= _MAX_REASONS:
                break
            source = found.walk.sources.get(name)
            if source is None or values[column] <= 0:
                continue
            if (why := getattr(source, "why", name)) in said:  # several models, one thing to say
                continue
            reason = source.reason(row, found.intent, found.view)
            if reason is not None:
                said.add(why)
                reasons.append(replace(reason, weight=parts[column]))
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


def _with_titles(reason: Reason, products: Mapping[str, object]) -> Reason:
    if reason.shown:
        return reason
    titles = tuple(str(getattr(products[p], "title", "")) for p in reason.about if p in products)
    return replace(reason, shown=titles)


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

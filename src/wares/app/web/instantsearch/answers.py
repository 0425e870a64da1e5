"""Pages as they are answered: hits as records, totals, facets and what the shop's rules say."""

import math
from collections.abc import Mapping, Sequence
from typing import Any

from wares.app.web.instantsearch.highlights import (
    Tags,
    highlight_result,
    matching_value,
    snippet_result,
    words_of,
)
from wares.app.web.instantsearch.names import LEVELS, Attribute, Index, numbers_of
from wares.app.web.instantsearch.parameters import Parameters
from wares.app.web.wire import product_json
from wares.domain.money import scale_of
from wares.domain.product import Product
from wares.domain.result import Facet, Hit, Page

_OTHERWISE = frozenset(("id", "category", "attributes"))  # fields that a record has by their names


def search_answer(
    page: Page, asked: Parameters, index: Index, facets: Sequence[Attribute], echo: str, notes: Sequence[str]
) -> dict[str, Any]:
    """The answer to one search."""
    counts = {facet.field: facet for facet in page.facets}
    per_page = asked.wanted
    told: dict[str, Any] = {
        "hits": [hit_json(hit, asked, index, page.correction or asked.query) for hit in page.hits],
        "nbHits": page.total,
        "page": asked.page if asked.offset is None else asked.first // max(per_page, 1),
        "nbPages": math.ceil(page.total / per_page) if per_page else 0,
        "hitsPerPage": per_page,
        "exhaustiveNbHits": True,
        "exhaustiveFacetsCount": True,
        "exhaustiveTypo": True,
        "exhaustive": {"nbHits": True, "facetsCount": True, "typo": True},
        "query": asked.query,
        "params": echo,
        "index": index.name,
        "processingTimeMS": math.ceil(page.took_ms),
        "renderingContent": _rendering(page, asked, index),
        "wares": {"correction": page.correction, "notes": list(page.notes), "snapshot": page.snapshot},
    }
    if asked.offset is not None:
        told |= {"offset": asked.first, "length": per_page}
    if facets:
        told["facets"] = {one.name: _values(one, counts[one.field], asked.maxValuesPerFacet) for one in facets}
        stats = {one.name: _stats(counts[one.field], index) for one in facets if one.level is None}
        told["facets_stats"] = {name: found for name, found in stats.items() if found}
    if page.banners:
        told["userData"] = [
            {"banner": {"text": one.text, "url": one.url, "image_url": one.image_url}} for one in page.banners
        ]
    if page.redirect:
        told.setdefault("userData", []).append({"redirect": page.redirect})
    if asked.clickAnalytics and page.impression_id:
        told["queryID"] = page.impression_id
    if notes:
        told["message"] = " ".join(notes)
    return told


def facet_answer(page: Page, attribute: Attribute, asked: Parameters) -> dict[str, Any]:
    """The values of one facet in which a word begins with each of the typed ones."""
    tags = Tags(asked.highlightPreTag, asked.highlightPostTag)
    typed, hits = words_of(asked.facetQuery), list[dict[str, Any]]()
    for value in page.facets[0].values if page.facets else ():
        if value.count and attribute.has(value.value) and (marked := matching_value(value.value, typed)) is not None:
            hits.append({"value": value.value, "highlighted": marked.written(tags), "count": value.count})
        if len(hits) == asked.maxFacetHits:
            break
    return {"facetHits": hits, "exhaustiveFacetsCount": True, "processingTimeMS": math.ceil(page.took_ms)}


def hit_json(hit: Hit, asked: Parameters, index: Index, query: str) -> dict[str, Any]:
    """One hit with what matched in it."""
    whole = record_json(hit.product, index.currency) | ({"variants": list(hit.variants)} if hit.variants else {})
    tags, words = Tags(asked.highlightPreTag, asked.highlightPostTag), words_of(query)
    told = retrieved(whole, asked.attributesToRetrieve)
    if asked.attributesToHighlight != ():
        told["_highlightResult"] = highlight_result(whole, hit, asked.attributesToHighlight, words, tags)
    if asked.attributesToSnippet:
        ellipsis = asked.snippetEllipsisText
        told["_snippetResult"] = snippet_result(whole, hit, asked.attributesToSnippet, words, tags, ellipsis)
    return told


def record_json(product: Product, currency: str) -> dict[str, Any]:
    """A product as a record: wares' fields, its attributes beside them (one value plain, several as a list), and the
    names that front ends mostly use: objectID, name, image, categories, hierarchicalCategories.

    A field of wares goes before an attribute that is called the same.
    """
    fields = {name: value for name, value in product_json(product, currency).items() if name not in _OTHERWISE}
    attributes = {name: one[0] if len(one) == 1 else list(one) for name, one in product.attributes.items()}
    usual = {
        "objectID": product.id,
        "name": product.title,
        "image": product.image_url,
        "categories": list(product.category),
        LEVELS: {f"lvl{level}": path for level, path in enumerate(product.category_levels)},
    }
    return {**attributes, **usual, **fields}


def retrieved(record: Mapping[str, Any], wanted: Sequence[str]) -> dict[str, Any]:
    """The wanted attributes; "*" = all, "-name" = not this one. Always with its id."""
    without = {name[1:] for name in wanted if name.startswith("-")}
    named = {name.partition(".")[0] for name in wanted if not name.startswith("-")}
    all_ = "*" in named or (without and not named)
    kept = {name: value for name, value in record.items() if (all_ or name in named) and name not in without}
    return {"objectID": record["objectID"]} | kept


def _values(attribute: Attribute, facet: Facet, most: int) -> dict[str, int]:
    """Of a price none: it has `facets_stats`."""
    values = [one for one in facet.values if one.count and attribute.has(one.value)]
    return {one.value: one.count for one in values[:most]}


def _stats(facet: Facet, index: Index) -> dict[str, float]:
    if facet.low is not None and facet.high is not None:
        scale = scale_of(index.currency) if facet.field == "price" else 1
        return {"min": facet.low / scale, "max": facet.high / scale}
    numbers = numbers_of(facet.field, index.columns)
    counted = [(numbers[one.value], one.count) for one in facet.values if one.count] if numbers else []
    if not counted:
        return {}
    total, many = math.fsum(number * count for number, count in counted), sum(count for _, count in counted)
    found = [number for number, _ in counted]
    return {"min": min(found), "max": max(found), "avg": total / many, "sum": total}


def _rendering(page: Page, asked: Parameters, index: Index) -> dict[str, Any]:
    told: dict[str, Any] = {}
    if "*" in asked.facets:
        order = [f"{LEVELS}.lvl0" if name == "category" else name for name in index.shop.settings.shop.facets]
        told["facetOrdering"] = {"facets": {"order": order}}
    if page.redirect:
        told["redirect"] = {"url": page.redirect}
    pictures = [one for one in page.banners if one.image_url]
    if pictures:
        told["widgets"] = {
            "banners": [
                {"image": {"urls": [{"url": one.image_url}], "title": one.text}}
                | ({"link": {"url": one.url}} if one.url else {})
                for one in pictures
            ]
        }
    return told

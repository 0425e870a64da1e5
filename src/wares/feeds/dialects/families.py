"""Variants and the article above them, where a feed gives each a row: variants inherit, the article is no product."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

from wares.feeds.dialects.columns import Told
from wares.feeds.readers import Row
from wares.feeds.report import Tally
from wares.feeds.values import is_missing

INHERITED = ("title", "description", "brand", "category", "price", "currency", "image_url", "url", "published")


@dataclass(slots=True)
class Families:
    """Rows of a feed whose variants may come before or after their article. Held in memory until the feed ends.

    `parent_of` says which article a row belongs to, by its key; an article that has variants makes no product.
    """

    tally: Tally
    inherited: tuple[str, ...] = INHERITED
    rows: list[Told] = field(default_factory=list)
    keys: list[tuple[str, ...]] = field(default_factory=list)  # how others may call each row
    parents: list[str] = field(default_factory=list)  # the key of each row's article, or ""

    def add(self, told: Told, keys: tuple[str, ...], parent: str = "") -> None:
        self.rows.append(told)
        self.keys.append(tuple(key for key in keys if key))
        self.parents.append(parent)

    def told(self, parent_of: Mapping[str, str] | None = None) -> Iterator[tuple[Told, Row | None, str]]:
        """Every row that is a product, in the order of the feed, with its article's row and what it calls its article.

        `parent_of` (key -> key of the article) counts for rows that name none.
        """
        place_of = {key: place for place, keys in reversed(list(enumerate(self.keys))) for key in keys}
        known, above = parent_of or {}, list[int]()
        for place, keys in enumerate(self.keys):
            parent = self.parents[place] or next((known[key] for key in keys if key in known), "")
            at = place_of.get(parent, -1) if parent else -1
            above.append(at if at != place else -1)
        articles = {place for place in above if place >= 0}
        used = 0
        for place, (line, own, raw) in enumerate(self.rows):
            self.tally.line = line
            if place in articles and above[place] < 0:
                self.tally.kept += 1
                used += 1
                continue
            article = self.rows[above[place]][1] if above[place] >= 0 else None
            yield (line, inherit(own, article, self.inherited) if article else own, raw), article, self.parents[place]
        if used:
            self.tally.note(f"{used:,} rows are articles with variants: what they say went to their variants.")


def inherit(own: Row, article: Row, names: tuple[str, ...] = INHERITED) -> Row:
    """The variant's row with what it lacks taken from its article, and the article's id as its group."""
    filled = {name: article[name] for name in names if is_missing(own.get(name)) and not is_missing(article.get(name))}
    shared = {name: value for name, value in article.get("attributes", {}).items() if name != "sku"}
    own = {**own, **filled, "group_id": article.get("id", "")}
    if attributes := {**shared, **own.get("attributes", {})}:
        own["attributes"] = attributes
    if article.get("available") is False:
        own["available"] = False
    return own

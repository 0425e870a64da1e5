"""A rule: the shopkeeper's own word over what was learnt. Which requests it is for, and what is to be done then."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from wares.domain.aims import AIMS
from wares.domain.filter import AnyOf, Filter
from wares.domain.product import PATH_SEPARATOR
from wares.domain.request import Request

Words = tuple[str, ...]  # tokens (`domain.text.tokens`)


@dataclass(frozen=True, slots=True)
class When:
    """The requests that a rule is for; what is left empty does not matter."""

    queries: tuple[Words, ...] = ()  # the query is one of these and nothing more
    containing: tuple[Words, ...] = ()  # the query has all words of one of these, in any order
    category: str = ""  # the page or the shopper's filter is this category or one below it
    surfaces: tuple[str, ...] = ()  # one of these
    segment: tuple[tuple[str, tuple[str, ...]], ...] = ()  # each attribute of the shopper has one of these values
    markets: tuple[str, ...] = ()  # one of these; "" = the shop's own
    from_ms: int | None = None  # first moment, Unix milliseconds
    until_ms: int | None = None  # first moment after

    def holds(self, request: Request, words: Words, attributes: Mapping[str, str]) -> bool:
        """Whether this request is meant; `words` are its query's, `attributes` the shopper's, {} of one not known."""
        return (
            (not self.surfaces or request.surface in self.surfaces)
            and (not self.queries or words in self.queries)
            and (not self.containing or _has_one(words, self.containing))
            and (not self.markets or request.market in self.markets)
            and (self.from_ms is None or request.now_ms >= self.from_ms)
            and (self.until_ms is None or request.now_ms < self.until_ms)
            and all(attributes.get(name) in values for name, values in self.segment)
            and (not self.category or any(map(self._covers, request.filter.choices_of("category", fixed=True))))
        )

    def is_of_page(self, request: Request) -> bool:
        """Whether it would hold without the shopper's own choice of categories."""
        page = [c for c in request.filter.clauses if isinstance(c, AnyOf) and c.fixed and c.field == "category"]
        return not self.category or any(self._covers(value) for clause in page for value in clause.values)

    def meets(self, other: "When") -> bool:
        """Whether some request could be meant by both."""
        return (
            self._words_meet(other)
            and (not (self.category and other.category) or self._covers(other.category) or other._covers(self.category))
            and _share(self.surfaces, other.surfaces)
            and _share(self.markets, other.markets)
            and all(_share(values, dict(other.segment).get(name, ())) for name, values in self.segment)
            and (self.from_ms is None or other.until_ms is None or self.from_ms < other.until_ms)
            and (other.from_ms is None or self.until_ms is None or other.from_ms < self.until_ms)
        )

    def _words_meet(self, other: "When") -> bool:
        mine, theirs = self.queries, other.queries
        if mine and theirs:
            return _share(mine, theirs)
        exact, loose = (mine, other.containing) if mine else (theirs, self.containing)
        return not (exact and loose) or any(set(part) <= set(whole) for part in loose for whole in exact)

    def _covers(self, chosen: str) -> bool:
        return (chosen + PATH_SEPARATOR).startswith(self.category + PATH_SEPARATOR)


@dataclass(frozen=True, slots=True)
class Weighting:
    """Products that count `factor` times as much: above 1 a boost, below 1 a bury.

    What is weighed is 1 for the last candidate up to 2 for the best, so that no scale of scores matters: 1.5 lifts a
    product from the middle above the best, 0.5 sends the best to the end.
    """

    where: Filter  # the field "id" means the product itself
    factor: float  # 0 or more


@dataclass(frozen=True, slots=True)
class Banner:
    """What the shop says above the hits. The addresses are http(s) or relative ones, or empty."""

    text: str
    url: str = ""
    image_url: str = ""


@dataclass(frozen=True, slots=True)
class Synonym:
    """The words of the query `said` (texts; "" = the whole query) are served by those of `meant`, too."""

    said: tuple[str, ...]
    meant: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Actions:
    """What is to be done. Where they disagree, hide and filter win over pin, and an earlier pin over a later one.

    `aims` say how much business aims count (`policies.aims`); of one aim the first weight holds. `names` are those of
    the rules that want it.
    """

    pins: tuple[tuple[str, int], ...] = ()  # (product id, position from 1)
    hide: tuple[str, ...] = ()  # product ids
    weightings: tuple[Weighting, ...] = ()
    filter: Filter = field(default_factory=Filter)
    synonyms: tuple[Synonym, ...] = ()
    banners: tuple[Banner, ...] = ()
    redirect: str = ""  # where the shopper should be sent; the first rule's
    names: tuple[str, ...] = ()
    aims: tuple[tuple[str, float], ...] = ()  # (aim, weight in [0, 1])

    @property
    def weighed_aims(self) -> tuple[tuple[str, float], ...]:
        """Each aim that counts with its weight, in the order of `AIMS`."""
        first = dict(reversed(self.aims))
        return tuple((aim, first[aim]) for aim in AIMS if first.get(aim))

    def then(self, more: "Actions") -> "Actions":
        """Both; these first."""
        return Actions(
            self.pins + more.pins,
            self.hide + more.hide,
            self.weightings + more.weightings,
            self.filter.and_also(*more.filter.clauses),
            self.synonyms + more.synonyms,
            self.banners + more.banners,
            self.redirect or more.redirect,
            self.names + more.names,
            self.aims + more.aims,
        )


@dataclass(frozen=True, slots=True)
class Rule:
    """One wish of the shopkeeper."""

    when: When
    actions: Actions
    name: str = ""


NOTHING = Actions()


def wanted(rules: Iterable[Rule], request: Request, words: Words, attributes: Mapping[str, str]) -> Actions:
    """Everything that the rules want of this request.

    A category that the shopper chose may change the order of what they see, not what belongs to it: its number was
    told beside the choice. So only boosts, buries, aims and banners are for it; all else is for a category's pages.
    """
    actions = NOTHING
    for rule in rules:
        if rule.when.holds(request, words, attributes):
            more = rule.actions
            if not rule.when.is_of_page(request):
                more = Actions(weightings=more.weightings, banners=more.banners, names=more.names, aims=more.aims)
            actions = actions.then(more)
    return actions


def _has_one(words: Words, phrases: tuple[Words, ...]) -> bool:
    """Whether `words` have all of one of these; asked of every such rule at every request."""
    for phrase in phrases:
        for word in phrase:
            if word not in words:
                break
        else:
            return True
    return False


def _share(some: tuple[object, ...], others: tuple[object, ...]) -> bool:
    """Whether two lists of allowed values have one in common; an empty list allows all."""
    return not some or not others or any(value in others for value in some)

"""Their filters -> one `Filter`. What no product has lets nothing through; it is no error, as with them."""

import math
import re
from collections.abc import Iterable, Sequence

from wares.app.web.instantsearch.names import ALWAYS_MET, Attribute, attribute_of, is_known, numbers_of
from wares.app.web.instantsearch.parameters import Parameters
from wares.domain.catalogue import Columns
from wares.domain.filter import AnyOf, Between, Clause, Either, Filter, NoneOf, Single
from wares.errors import InputError
from wares.feeds.migrations.filters import MAX_FILTER, FilterClause, FilterTree, algolia_tree
from wares.feeds.migrations.found import Untold

MOST_CONDITIONS = 1000  # of one search: each looks at the whole catalogue
MOST_CHARACTERS = 2_000  # of one condition
_SCORE = re.compile(r"<score=[^<>]*>")
# What stands beside an operator, never together with it: a pattern for both takes long for many blanks.
_VALUE = re.compile(r"[-+]?[\d.]+(?:[eE][-+]?\d+)?")
_END = re.compile(r"[-+.\d]+")
_NOTHING = AnyOf("id", ())  # met by no product
_STEP = 1e-5  # by which "above" is more than "at least": less than any price's unit, and kept by whatever rounds


def wanted(asked: Parameters, columns: Columns) -> Filter:
    """All that a request wants of a product. `filters` is the page's own, the others are the shopper's choices.

    Raises InputError for what cannot be read, and for OR between things that AND joins.
    """
    _check_size(asked)
    reader = _Reader(columns)
    clauses: list[Clause] = []
    if asked.filters.strip():
        clauses += reader.of_text(asked.filters)
    for one in asked.facetFilters:
        clauses += reader.joined([reader.facet(text) for text in _texts(one)])
    for one in asked.numericFilters:
        clauses += reader.joined([reader.number(text) for text in _texts(one)])
    for one in asked.tagFilters:
        tags = [text if ":" in text else f"_tags:{text}" for text in _texts(one)]
        clauses += reader.joined([reader.facet(text) for text in tags])
    return Filter(tuple(clauses), narrows_facets=True)


class _Reader:
    def __init__(self, columns: Columns) -> None:
        self._columns = columns

    def of_text(self, text: str) -> list[Clause]:
        """`filters`: AND, OR, NOT, brackets, comparisons and ranges."""
        try:
            tree = algolia_tree(_SCORE.sub("", text))
        except Untold as error:
            raise InputError(f"filters: {error}.") from None
        if _size(tree) > MOST_CONDITIONS:
            raise InputError(f"filters: has more than {MOST_CONDITIONS:,} conditions.")
        return [_set_by_page(clause) for clause in self._all(tree)]

    def _all(self, tree: FilterTree) -> list[Clause]:
        """The clauses that must all hold."""
        if isinstance(tree, FilterClause):
            return list(self._one(tree))
        joint, parts = tree
        if joint == "AND":
            return [clause for part in parts for clause in self._all(part)]
        return self.joined([self._single(part) for part in parts])

    def _single(self, tree: FilterTree) -> Single | None:
        """One of several alternatives; None = always met. Both ends of a range are one alternative."""
        if isinstance(tree, FilterClause):
            found = self._one(tree)
            return found[0] if found else None
        if tree[0] == "AND" and all(isinstance(part, FilterClause) for part in tree[1]):
            ends = [clause for part in tree[1] for clause in self._one(part)]
            if len({part.name for part in tree[1]}) == 1 and all(isinstance(end, Between) for end in ends):
                lows = [end.low for end in ends if isinstance(end, Between) and end.low is not None]
                highs = [end.high for end in ends if isinstance(end, Between) and end.high is not None]
                return Between(ends[0].field, max(lows, default=None), min(highs, default=None))
        raise InputError(
            "filters: OR between conditions that AND joins cannot be answered. Write it as AND of ORs: "
            "(a OR b) AND (a OR c) instead of a OR (b AND c)."
        )

    def _one(self, clause: FilterClause) -> Sequence[Single]:
        attribute = attribute_of(clause.name)
        if attribute.field in ALWAYS_MET:
            return ()
        value = clause.values[0]
        if clause.op in ("=", "!=") and attribute.field not in self._columns.numbers:
            return (self._has(attribute, value, clause.op == "!="),)
        return (self._compared(attribute, clause.op, value, clause.name),)

    def facet(self, text: str) -> Single | None:
        """ "brand:Acme", "brand:-Acme"; a backslash keeps a minus that is part of the value."""
        name, colon, value = text.partition(":")
        if not colon or not name.strip():
            raise InputError(f"facetFilters: {text[:80]!r} must be of the form attribute:value.")
        attribute = attribute_of(name.strip().removeprefix("-"))
        if attribute.field in ALWAYS_MET:
            return None
        value = value.strip()
        unwanted = value.startswith("-") or name.strip().startswith("-")
        value = value.removeprefix("-").removeprefix("\\")
        if attribute.field in self._columns.numbers:
            return self._compared(attribute, "!=" if unwanted else "=", value, text)
        return self._has(attribute, value, unwanted)

    def number(self, text: str) -> Single | None:
        """ "price>=10", "price:10 TO 20"."""
        if (ends := _range_in(text)) is not None:
            name, low, high = ends
            return self._between(attribute_of(name), _number(low, text), _number(high, text))
        if (found := _comparison_in(text)) is None:
            raise InputError(f"numericFilters: {text[:80]!r} must be a comparison with a number, or name:low TO high.")
        name, op, value = found
        attribute = attribute_of(name)
        if attribute.field in ALWAYS_MET:
            return None
        return self._compared(attribute, op, value, text)

    def joined(self, alternatives: Iterable[Single | None]) -> list[Clause]:
        """One of these must hold. Values of one field are one clause, so that the facet knows what was chosen."""
        found = list(alternatives)
        if not found or None in found:
            return []
        some = [one for one in found if one is not None]
        if len(some) == 1:
            return [some[0]]
        first = some[0]
        if isinstance(first, AnyOf) and all(isinstance(one, AnyOf) and one.field == first.field for one in some):
            values = [value for one in some if isinstance(one, AnyOf) for value in one.values]
            return [AnyOf(first.field, tuple(dict.fromkeys(values)))]
        return [Either(tuple(some))]

    def _has(self, attribute: Attribute, value: str, unwanted: bool) -> Single:
        if attribute.field != "id" and attribute.field not in self._columns.labels:
            return NoneOf("id", ()) if unwanted else _NOTHING
        values = (value,) if attribute.has(value) else ()
        return NoneOf(attribute.field, values) if unwanted else AnyOf(attribute.field, values)

    def _compared(self, attribute: Attribute, op: str, value: str, text: str) -> Single:
        number = _number(value, text)
        if op == "!=":
            return self._not_equal(attribute, number)
        step = 1.0 if attribute.field == "published" else _STEP  # milliseconds
        low = {">": number + step, ">=": number, "=": number}.get(op)
        high = {"<": number - step, "<=": number, "=": number}.get(op)
        return self._between(attribute, low, high)

    def _between(self, attribute: Attribute, low: float | None, high: float | None) -> Single:
        """A range of a number, or of an attribute whose values are all numbers."""
        if low is not None and high is not None and low > high:
            return _NOTHING
        if attribute.field in self._columns.numbers:
            return Between(attribute.field, low, high)
        numbers = numbers_of(attribute.field, self._columns) or {}
        inside = [
            value for value, n in numbers.items() if (low is None or n >= low) and (high is None or n <= high)
        ]  # fmt: skip
        return AnyOf(attribute.field, tuple(inside)) if inside else _NOTHING

    def _not_equal(self, attribute: Attribute, number: float) -> Single:
        numbers = numbers_of(attribute.field, self._columns)
        if numbers is not None:
            return NoneOf(attribute.field, tuple(value for value, n in numbers.items() if n == number))
        if not is_known(attribute, self._columns):
            return NoneOf("id", ())
        raise InputError(f"{attribute.name} != {number:g} cannot be answered. Ask for a range instead.")


def _check_size(asked: Parameters) -> None:
    """Before anything is read. Raises InputError for too many conditions, and for too long ones."""
    if len(asked.filters) > MAX_FILTER:
        raise InputError(f"filters: has {len(asked.filters):,} characters; at most {MAX_FILTER:,} are taken.")
    many = 0
    for parameter in ("facetFilters", "numericFilters", "tagFilters"):
        told = [text for one in getattr(asked, parameter) for text in _texts(one)]
        many += len(told)
        if (longest := max(map(len, told), default=0)) > MOST_CHARACTERS:
            raise InputError(
                f"{parameter}: a condition has {longest:,} characters; at most {MOST_CHARACTERS:,} are taken."
            )
    if many > MOST_CONDITIONS:
        raise InputError(f"The filters have more than {MOST_CONDITIONS:,} conditions.")


def _comparison_in(text: str) -> tuple[str, str, str] | None:
    """ "price >= 10" -> ("price", ">=", "10"), split at the last operator: a number has none."""
    at = max(text.rfind(sign) for sign in "<>=")
    start = at - 1 if text[at : at + 1] == "=" and text[:at].endswith(("<", ">", "!")) else at
    name, value = text[: max(start, 0)].strip(), text[at + 1 :].strip()
    return (name, text[start : at + 1], value) if name and _VALUE.fullmatch(value) else None


def _range_in(text: str) -> tuple[str, str, str] | None:
    """ "price: 10 TO 20" -> ("price", "10", "20")."""
    name, _, ends = text.rpartition(":")
    match ends.split():
        case [low, "TO", high] if name.strip() and _END.fullmatch(low) and _END.fullmatch(high):
            return name.strip(), low, high
    return None


def _size(tree: FilterTree) -> int:
    return 1 if isinstance(tree, FilterClause) else sum(_size(part) for part in tree[1])


def _set_by_page(clause: Clause) -> Clause:
    return AnyOf(clause.field, clause.values, fixed=True) if isinstance(clause, AnyOf) else clause


def _texts(one: str | Sequence[str]) -> Sequence[str]:
    return (one,) if isinstance(one, str) else one


def _number(text: str, told: str) -> float:
    try:
        number = float(text)
    except ValueError:
        number = math.nan
    if math.isnan(number):
        raise InputError(f"{told[:80]!r} compares with something that is no number.")
    return number

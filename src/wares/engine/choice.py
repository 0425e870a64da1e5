"""What people write to choose products by a field, in settings and in requests, read into filter clauses."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from wares.domain.filter import AnyOf, Between, Clause, Either, Filter, NoneOf, Single
from wares.errors import InputError

_Text = Annotated[str, StringConstraints(min_length=1)]
Texts = Annotated[tuple[_Text, ...], BeforeValidator(lambda value: [value] if isinstance(value, str) else value)]


class Choice(BaseModel):
    """The wanted values of one field: one of some, none of some, or a range of numbers."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    any: Texts = ()
    not_: Texts = Field((), alias="not")
    low: float | None = None
    high: float | None = None

    @model_validator(mode="before")
    @classmethod
    def _short_forms(cls, value: Any) -> Any:
        """A word or a list of words alone means any of them."""
        return {"any": value} if isinstance(value, str | list) else value

    @model_validator(mode="after")
    def _says_something(self) -> "Choice":
        if not (self.any or self.not_) and self.low is None and self.high is None:
            raise ValueError("needs a value, a list of values, { not = [...] } or { low = ..., high = ... }")
        if self.low is not None and self.high is not None and self.low > self.high:
            raise ValueError(f"low = {self.low:g} is above high = {self.high:g}")
        return self

    def clauses(self, name: str) -> list[Clause]:
        clauses: list[Clause] = []
        if self.any:
            clauses.append(AnyOf(name, self.any))
        if self.not_:
            clauses.append(NoneOf(name, self.not_))
        if self.low is not None or self.high is not None:
            clauses.append(Between(name, self.low, self.high))
        return clauses


def to_filter(choices: Mapping[str, Choice]) -> Filter:
    """All of these choices together."""
    return Filter(tuple(clause for name, choice in choices.items() for clause in choice.clauses(name)))


def wanted_filter(filters: Mapping[str, Any] | Filter, category: str, scale: int) -> Filter:
    """What a request asks for: the page's own category, which its facets keep, and the shopper's choices, with prices
    in whole units of a currency of which the smallest makes up 1 / `scale`. Raises InputError."""
    page = (AnyOf("category", (category,), fixed=True),) if category else ()
    wanted = filters if isinstance(filters, Filter) else _chosen(filters)
    return replace(wanted, clauses=(*page, *(_in_minor(clause, scale) for clause in wanted.clauses)))


def _chosen(filters: Mapping[str, Any]) -> Filter:
    try:
        return to_filter({name: Choice.model_validate(choice) for name, choice in filters.items()})
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"A filter cannot be read: {first['msg']} (got {str(first['input'])[:80]!r}).") from None


def _in_minor(clause: Clause, scale: int) -> Clause:
    """Shoppers count in dollars, the catalogue in cents."""
    if isinstance(clause, Either):
        return Either(tuple(_one_in_minor(one, scale) for one in clause.clauses))
    return _one_in_minor(clause, scale)


def _one_in_minor(clause: Single, scale: int) -> Single:
    if not isinstance(clause, Between) or clause.field != "price":
        return clause
    low = None if clause.low is None else round(clause.low * scale, 6)
    high = None if clause.high is None else round(clause.high * scale, 6)
    return Between("price", low, high)

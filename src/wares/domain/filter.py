"""A filter: which products may be shown, as a value that each backend turns into its own form."""

from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class AnyOf:
    """The field has at least one of these values. `fixed`: set by the page, not chosen by the shopper on it."""

    field: str
    values: tuple[str, ...]
    fixed: bool = False


@dataclass(frozen=True, slots=True)
class NoneOf:
    """The field has none of these values."""

    field: str
    values: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Between:
    """The number lies in [low, high]; None leaves that side open. A product without the number does not pass."""

    field: str
    low: float | None = None
    high: float | None = None


Single = AnyOf | NoneOf | Between


@dataclass(frozen=True, slots=True)
class Either:
    """At least one of these holds; for choices on different fields."""

    clauses: tuple[Single, ...]


Clause = Single | Either


@dataclass(frozen=True, slots=True)
class Filter:
    """All clauses must hold. The empty filter lets everything pass.

    `narrows_facets`: a facet counts the hits as they are; otherwise the field's own choice is left out, so that each
    value says how many there would be with it.
    """

    clauses: tuple[Clause, ...] = ()
    narrows_facets: bool = False

    def without_choices_of(self, field: str) -> "Filter":
        """What the facet of this field counts under: all but the shopper's own choice (AnyOf, Between) on it."""
        if self.narrows_facets:
            return self
        return replace(self, clauses=tuple(clause for clause in self.clauses if not _is_choice_of(field, clause)))

    def and_also(self, *clauses: Clause) -> "Filter":
        return replace(self, clauses=self.clauses + clauses)

    def choices_of(self, field: str, *, fixed: bool = False) -> tuple[str, ...]:
        """The values that the shopper chose on `field`; with `fixed` also those that the page sets."""
        return tuple(
            value
            for c in self.clauses
            if isinstance(c, AnyOf) and c.field == field and (fixed or not c.fixed)
            for value in c.values
        )


def _is_choice_of(field: str, clause: Clause) -> bool:
    if isinstance(clause, AnyOf):
        return clause.field == field and not clause.fixed
    return isinstance(clause, Between) and clause.field == field

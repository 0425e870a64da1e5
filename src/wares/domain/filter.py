"""A filter: which products may be shown, as a value that each backend turns into its own form."""

from dataclasses import dataclass


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


Clause = AnyOf | NoneOf | Between


@dataclass(frozen=True, slots=True)
class Filter:
    """All clauses must hold. The empty filter lets everything pass."""

    clauses: tuple[Clause, ...] = ()

    def without_choices_of(self, field: str) -> "Filter":
        """This filter without the shopper's own choice (AnyOf) on `field`, as a disjunctive facet counts."""
        return Filter(tuple(c for c in self.clauses if not (isinstance(c, AnyOf) and c.field == field and not c.fixed)))

    def and_also(self, *clauses: Clause) -> "Filter":
        return Filter(self.clauses + clauses)

    def choices_of(self, field: str, *, fixed: bool = False) -> tuple[str, ...]:
        """The values that the shopper chose on `field`; with `fixed` also those that the page sets."""
        return tuple(
            value
            for c in self.clauses
            if isinstance(c, AnyOf) and c.field == field and (fixed or not c.fixed)
            for value in c.values
        )

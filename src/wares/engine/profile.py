"""How a surface of the shop answers, as the settings say it: sources, formula, policies, and the places given away."""

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wares.ranking.formula import Scale, Term

Share = Annotated[float, Field(ge=0, le=1)]


class Section(BaseModel):
    """Of the settings: no name that is not known, nothing that changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class TermSettings(Section):
    """The weight of one feature; a plain number is a weight."""

    weight: float
    scale: Scale = "max"

    @model_validator(mode="before")
    @classmethod
    def _plain_number(cls, value: Any) -> Any:
        return {"weight": value} if isinstance(value, int | float) else value


class ExplorationSettings(Section):
    """Which places new products get where a profile's policies name `exploration`, and what is new."""

    share: Annotated[float, Field(ge=0, le=0.4)] = 0.05
    first: Annotated[int, Field(ge=1, le=1000)] = 4
    last: Annotated[int, Field(ge=1, le=1000)] = 24
    days: Annotated[float, Field(ge=0, le=3650)] = 30.0
    impressions: Annotated[int, Field(ge=0, le=1_000_000)] = 0

    @model_validator(mode="after")
    def _in_order(self) -> "ExplorationSettings":
        if self.first > self.last:
            raise ValueError(f"first = {self.first} lies behind last = {self.last}")
        return self


class SponsoredSettings(Section):
    """Which places a profile sells where its policies name `sponsored`, and how relevant what gets them must be."""

    places: Annotated[tuple[Annotated[int, Field(ge=1, le=1000)], ...], Field(max_length=20)] = (3, 9)
    floor: Share = 0.8
    only: bool = False
    reserve_minor: Annotated[int, Field(ge=1, le=10**12)] = 1

    @model_validator(mode="after")
    def _in_order(self) -> "SponsoredSettings":
        if list(self.places) != sorted(set(self.places)):
            raise ValueError(f"places = {list(self.places)} must grow: each once, the first one first")
        return self


class Profile(Section):
    """How one surface of the shop answers."""

    sources: Annotated[tuple[str, ...], Field(min_length=1)]
    formula: dict[str, TermSettings] = {"relevance": TermSettings(weight=1)}
    fusion: Literal["convex", "rrf"] = "convex"
    ranker: str = "formula"
    policies: tuple[str, ...] = ("aims", "availability", "rules")
    k_per_source: Annotated[int, Field(ge=1, le=100_000)] = 200
    diversity: Share = 0.0
    brand_cap: Annotated[int, Field(ge=0)] = 0
    swaps: Annotated[float, Field(ge=0, le=0.5)] = 0.0
    exploration: ExplorationSettings = ExplorationSettings()
    sponsored: SponsoredSettings = SponsoredSettings()
    all_matches: bool = False
    unsellable: Literal["sink", "hide", "show"] = "sink"
    exclude_seeds: bool = False
    exclude_bought: bool = False
    exclude_hidden: bool = True
    fold_variants: bool = True

    def terms(self) -> dict[str, Term]:
        """The formula as the ranker takes it."""
        return {name: Term(term.weight, term.scale) for name, term in self.formula.items()}

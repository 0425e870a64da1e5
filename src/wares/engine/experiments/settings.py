"""What an experiment's file says: which surface, which variants, for how long, and what must not happen meanwhile."""

import tomllib
from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from wares.engine.profile import Profile, Section, Share
from wares.engine.settings import Settings, merged_over, misnamed_in
from wares.engine.settings_errors import dotted, faults_of
from wares.errors import ExperimentError, UnknownName

CONTROL = "control"
INTERLEAVE = "interleave"
MEASURES = ("success", "clicked", "cart", "bought", "revenue", "abandoned", "empty", "seconds")
Measure = Literal["success", "clicked", "cart", "bought", "revenue", "abandoned", "empty", "seconds"]
Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]


class VariantSettings(BaseModel):
    """One way to answer: the surface's profile, or `profile`, with the keys that stand here in place of its own."""

    model_config = ConfigDict(extra="allow", frozen=True, allow_inf_nan=False)

    weight: Annotated[float, Field(gt=0, le=1000)] = 1.0
    profile: str = ""

    @property
    def changes(self) -> Mapping[str, Any]:
        """The keys of a profile that this variant sets."""
        return self.model_extra or {}


class GuardrailSettings(Section):
    """How much worse than control a variant may surely be before the server ends the experiment."""

    success: Share = 0.1  # by this share of control's rate it may fall; 1 = no bound
    empty: Share = 0.02  # by so much the share of answers without a hit may rise; 1 = no bound
    latency: Annotated[float, Field(ge=0, le=1000)] = 0.5  # by this share of control's mean time it may rise


class ExperimentFile(Section):
    """One experiment. Without a variant `control` there is one that changes nothing."""

    name: Name
    surface: str
    kind: Literal["ab", "interleave"] = "ab"
    share: Annotated[float, Field(gt=0, le=1)] = 1.0  # of the shoppers
    days: Annotated[float, Field(gt=0, le=366)] = 14.0
    measure: Measure = "success"
    variants: Annotated[dict[Name, VariantSettings], Field(min_length=1, max_length=10)]
    guardrails: GuardrailSettings = GuardrailSettings()

    @model_validator(mode="after")
    def _is_one(self) -> "ExperimentFile":
        control = self.variants.get(CONTROL)
        if control is not None and (control.profile or control.changes):
            raise ValueError("the variant control is the surface as it is: it sets nothing but its weight")
        if not self.others:
            raise ValueError("needs a variant beside control, as [variants.new]")
        if self.kind == "interleave" and len(self.others) != 1:
            raise ValueError(f"interleaving sets one variant against control; got {', '.join(sorted(self.others))}")
        return self

    @property
    def others(self) -> Mapping[str, VariantSettings]:
        """All but control."""
        return {name: variant for name, variant in self.variants.items() if name != CONTROL}

    @property
    def shares(self) -> Mapping[str, float]:
        """The share of the experiment's shoppers that each variant gets, control first; they sum to 1."""
        weights = {CONTROL: self.variants.get(CONTROL, VariantSettings()).weight}
        weights |= {name: variant.weight for name, variant in self.others.items()}
        total = sum(weights.values())
        return {name: weight / total for name, weight in weights.items()}


def read_experiment(text: str, where: str) -> ExperimentFile:
    """A file's text as an experiment; `where` names it. ExperimentError with every fault."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ExperimentError([f"{where}: this is not valid TOML: {error}."]) from None
    try:
        return ExperimentFile.model_validate(told)
    except ValidationError as error:
        found = faults_of(error, ExperimentFile, told)
        raise ExperimentError([f"{where}: {_at(place)}{sentence}" for place, sentence in found]) from None


def profile_of(variant: VariantSettings, surface: str, settings: Settings) -> Profile:
    """How this variant answers the surface. UnknownName for a profile that is not there; pydantic's ValidationError."""
    base = settings.profile(variant.profile or surface)
    given = merged_over(base.model_dump(exclude_unset=True), variant.changes)
    return Profile.model_validate(given)


def faults_in(file: ExperimentFile, settings: Settings, where: str) -> list[str]:
    """What stands in the way of running it in this shop, each a sentence with its place."""
    if file.surface not in settings.profiles:
        return [f"{where}: surface: {UnknownName('surface', file.surface, settings.profiles)}"]
    faults = list[str]()
    for name, variant in file.others.items():
        place = f"variants.{name}"
        try:
            profile = profile_of(variant, file.surface, settings)
        except UnknownName as error:
            faults.append(f"{where}: {place}.profile: {error}")
        except ValidationError as error:
            given = merged_over(
                settings.profile(variant.profile or file.surface).model_dump(exclude_unset=True), variant.changes
            )
            faults += [f"{where}: {place}.{_at(at)}{said}" for at, said in faults_of(error, Profile, given)]
        else:
            faults += [
                f"{where}: {at}: {said}" for at, said in misnamed_in(place, profile, settings.plugins, variant.changes)
            ]
            if profile == settings.profile(file.surface):
                faults.append(f"{where}: {place}: says nothing that control does not; set a key of the profile.")
            if profile.all_matches != settings.profile(file.surface).all_matches:
                faults.append(f"{where}: {place}.all_matches: stays as the surface has it: totals would not compare.")
    return faults


def _at(place: Any) -> str:
    return f"{dotted(place)}: " if place else ""

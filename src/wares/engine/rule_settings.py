"""The [[rules]] of a settings file, read into the values that the rules policy understands."""

from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, model_validator

from wares.domain.text import tokens
from wares.engine.choice import Choice, Texts, to_filter
from wares.policies.rules import Actions, Rule, Weighting, When


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WhenSettings(_Section):
    """Which requests a rule is for."""

    query: str = ""
    category: str = ""
    surface: Texts = ()
    from_: date | datetime | None = Field(None, alias="from")
    until: date | datetime | None = None

    @model_validator(mode="after")
    def _can_hold(self) -> "WhenSettings":
        if self.query and not tokens(self.query):
            raise ValueError(f"query = {self.query!r} holds no word")
        when = self.value()
        if when.from_ms is not None and when.until_ms is not None and when.until_ms <= when.from_ms:
            raise ValueError(f"until = {self.until} is before from = {self.from_}")
        return self

    def value(self) -> When:
        until = self.until
        if until is not None and not isinstance(until, datetime):
            until += timedelta(days=1)  # the last day counts whole
        return When(tuple(tokens(self.query)), self.category, self.surface, _ms(self.from_), _ms(until))


class BoostSettings(_Section):
    where: dict[str, Choice] = Field(min_length=1)
    factor: float = Field(1.5, ge=1, le=100)


class BurySettings(_Section):
    where: dict[str, Choice] = Field(min_length=1)
    factor: float = Field(0.5, ge=0, le=1)


class RuleSettings(_Section):
    """One [[rules]] block."""

    name: str = ""
    when: WhenSettings = Field(default_factory=lambda: WhenSettings.model_validate({}))
    pin: dict[str, Annotated[int, Field(ge=1, le=1000)]] = {}
    hide: Texts = ()
    boost: tuple[BoostSettings, ...] = ()
    bury: tuple[BurySettings, ...] = ()
    filter: dict[str, Choice] = {}

    @model_validator(mode="after")
    def _does_something(self) -> "RuleSettings":
        if not (self.pin or self.hide or self.boost or self.bury or self.filter):
            raise ValueError("a rule needs at least one of pin, hide, boost, bury and filter")
        return self

    def value(self) -> Rule:
        weighted: list[BoostSettings | BurySettings] = [*self.boost, *self.bury]
        weightings = tuple(Weighting(to_filter(one.where), one.factor) for one in weighted)
        actions = Actions(tuple(self.pin.items()), self.hide, weightings, to_filter(self.filter))
        return Rule(self.when.value(), actions, self.name)


def _ms(moment: date | datetime | None) -> int | None:
    """Unix milliseconds; a time without a zone is UTC's."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

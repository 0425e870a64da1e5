"""What a campaign's file says: whose products, on which pages, what a click is worth, and how much may be spent."""

import json
import tomllib
from collections.abc import Collection, Mapping
from typing import Annotated, Any

from pydantic import Field, ValidationError, model_validator

from wares.domain.catalogue import Columns
from wares.domain.filter import Filter
from wares.domain.selection import known_rows, passing
from wares.engine.choice import Choice, to_filter
from wares.engine.profile import Section
from wares.engine.rules.settings import WhenSettings
from wares.engine.settings import Settings
from wares.engine.settings_errors import dotted, faults_of
from wares.errors import CampaignError, UnknownName
from wares.policies.sponsored import NAME as SPONSORED

Name = Annotated[str, Field(pattern="^[A-Za-z0-9][A-Za-z0-9_-]{0,39}$")]
Minor = Annotated[int, Field(ge=1, le=10**12)]  # in the smallest unit of the shop's currency


class CampaignFile(Section):
    """One campaign. Its products are those of `products` and those that meet `where`."""

    name: Name
    label: Annotated[str, Field(min_length=1, max_length=60)]  # whose it is, for shoppers
    products: Annotated[tuple[Annotated[str, Field(min_length=1)], ...], Field(max_length=1000)] = ()
    where: dict[str, Choice] = Field({})
    when: WhenSettings = Field(default_factory=lambda: WhenSettings.model_validate({}))
    bid: Minor  # the most that a click may cost
    budget: Minor  # of the whole campaign
    budget_per_day: Minor | None = None
    per_shopper_per_day: Annotated[int, Field(ge=1, le=1000)] = 10  # times that one shopper is shown something of it

    @model_validator(mode="after")
    def _is_one(self) -> "CampaignFile":
        if not self.products and not self.where:
            raise ValueError("needs products: a list of ids in `products`, or a choice of them in `where`")
        if self.when.segment:
            raise ValueError("when.segment: campaigns do not choose shoppers by what is known of them; take it out")
        if not self.label.strip() or not self.label.isprintable():
            raise ValueError("label must be one line that shoppers can read")
        if self.bid > self.budget or self.bid > (self.budget_per_day or self.bid):
            raise ValueError(f"bid = {self.bid} is more than the budget: no click could be paid")
        return self

    @property
    def filter(self) -> Filter:
        """What `where` asks for; prices are in the smallest unit."""
        return to_filter(self.where)

    def to_json(self) -> str:
        """What `read_campaign` reads again as the same."""
        return json.dumps(self.model_dump(mode="json", by_alias=True, exclude_unset=True), ensure_ascii=False)


def parse_campaign(text: str, where: str) -> CampaignFile:
    """A TOML file's text; `where` names it. CampaignError with every fault."""
    try:
        told = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise CampaignError([f"{where}: this is not valid TOML: {error}."]) from None
    return read_campaign(told, where)


def read_campaign(told: Mapping[str, Any], where: str) -> CampaignFile:
    """A campaign as plain values. CampaignError with every fault."""
    try:
        return CampaignFile.model_validate(told)
    except ValidationError as error:
        found = faults_of(error, CampaignFile, told)
        raise CampaignError([f"{where}: {f'{dotted(at)}: ' if at else ''}{said}" for at, said in found]) from None


def faults_in(file: CampaignFile, settings: Settings, columns: Columns, where: str) -> list[str]:
    """What stands in the way of running it in this shop, each a sentence with its place."""
    faults = list[str]()
    for surface in file.when.surface:
        if surface not in settings.profiles:
            faults.append(f"{where}: when.surface: {UnknownName('surface', surface, settings.profiles)}")
        elif SPONSORED not in settings.profiles[surface].policies:
            faults.append(
                f"{where}: when.surface: {surface!r} sells no places. Those that do: {', '.join(selling(settings))}; "
                "put the policy sponsored behind rules in a profile's policies to add one."
            )
    for market in file.when.market:
        if market and market not in settings.markets:
            faults.append(f"{where}: when.market: {UnknownName('market', market, settings.markets)}")
    for product in file.products:
        if product not in columns.row_of:
            faults.append(f"{where}: products: {UnknownName('product', product, _like(product, columns.row_of))}")
    for name in file.where:
        known = {"id", *columns.labels, *columns.numbers}
        if name not in known:
            faults.append(f"{where}: where: {UnknownName('field', name, known)}")
    nothing = not (passing(file.filter, columns) & columns.alive).any()
    if not faults and nothing and not len(known_rows(file.products, columns)):
        faults.append(f"{where}: where: no product of the shop meets it now.")
    return faults


def selling(settings: Settings) -> list[str]:
    """The surfaces that sell places."""
    return [name for name, profile in settings.profiles.items() if SPONSORED in profile.policies]


def _like(product: str, known: Collection[str]) -> list[str]:
    """Ids to guess from: those that begin alike."""
    return [one for one in known if one[:2].lower() == product[:2].lower()][:5000]

"""The [[rules]] that a merchandiser writes, read into the values that the engine understands."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from wares.domain.aims import AIMS
from wares.domain.rule import Actions, Banner, Rule, Synonym, Weighting, When
from wares.domain.text import MAX_QUERY, tokens
from wares.engine.choice import Choice, Texts, to_filter
from wares.engine.settings_errors import Place, dotted, faults_of
from wares.errors import RulesError

_MOST_SAID = 4  # words of a query that a synonym may stand for
_HEAD = re.compile(r"^[ \t]*\[\[[ \t]*rules[ \t]*\]\]", re.MULTILINE)


def _safe_address(address: str) -> str:
    """An address that a page may link to: http(s), or relative to the shop's own."""
    fault = f"{address[:80]!r} is no address of a page; write https://..., http://... or a relative one, as /sale"
    if not address.isprintable() or "\\" in address or " " in address:
        raise ValueError(fault)
    try:
        parts = urlsplit(address)
    except ValueError:
        raise ValueError(fault) from None
    absolute = parts.scheme in ("http", "https") and bool(parts.hostname)
    relative = not parts.scheme and not parts.netloc and ":" not in address.partition("/")[0]
    if not (absolute or relative):
        raise ValueError(fault)
    return address


def _one_as_list(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


Address = Annotated[str, Field(min_length=1, max_length=2000), AfterValidator(_safe_address)]
Weight = Annotated[float, Field(ge=0, le=1, strict=True)]
Markets = Annotated[tuple[str, ...], BeforeValidator(_one_as_list)]  # "" = the shop's own


class _Section(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WhenSettings(_Section):
    """Which requests a rule is for."""

    query: Texts = ()
    query_contains: Texts = ()
    category: str = ""
    surface: Texts = ()
    segment: dict[str, Texts] = {}
    market: Markets = ()
    from_: date | datetime | None = Field(None, alias="from")
    until: date | datetime | None = None

    @model_validator(mode="after")
    def _can_hold(self) -> "WhenSettings":
        for name, texts in (("query", self.query), ("query_contains", self.query_contains)):
            for text in texts:
                if not tokens(text):
                    raise ValueError(f"{name} = {text!r} holds no word")
                if len(text) > MAX_QUERY:
                    raise ValueError(f"{name} has more than {MAX_QUERY} characters")
        if self.query and self.query_contains:
            raise ValueError("query and query_contains exclude each other; make two rules of it")
        for name, values in self.segment.items():
            if not values:
                raise ValueError(f"segment.{name} holds no value")
        when = self.value()
        if when.from_ms is not None and when.until_ms is not None and when.until_ms <= when.from_ms:
            raise ValueError(f"until = {self.until} is before from = {self.from_}")
        return self

    def value(self) -> When:
        until = self.until
        if until is not None and not isinstance(until, datetime):
            until += timedelta(days=1)  # the last day counts whole
        return When(
            queries=tuple(tuple(tokens(text)) for text in self.query),
            containing=tuple(tuple(tokens(text)) for text in self.query_contains),
            category=self.category,
            surfaces=self.surface,
            segment=tuple(self.segment.items()),
            markets=self.market,
            from_ms=_ms(self.from_),
            until_ms=_ms(until),
        )


class BoostSettings(_Section):
    where: dict[str, Choice] = Field(min_length=1)
    factor: float = Field(1.5, ge=1, le=100)


class BurySettings(_Section):
    where: dict[str, Choice] = Field(min_length=1)
    factor: float = Field(0.5, ge=0, le=1)


class BannerSettings(_Section):
    text: Annotated[str, Field(min_length=1, max_length=500)]
    url: Address | None = None
    image_url: Address | None = None


class AimsSettings(_Section):
    """How much business aims count, [aims] or a rule's `aims`: shares of the span of priorities, 0 = not at all."""

    margin: Weight | None = None
    stock_cover: Weight | None = None
    stock_age: Weight | None = None

    def value(self) -> tuple[tuple[str, float], ...]:
        """The aims that are named."""
        return tuple((aim, weight) for aim in AIMS if (weight := getattr(self, aim)) is not None)


class RuleSettings(_Section):
    """One [[rules]] block."""

    name: str = Field("", max_length=200)
    when: WhenSettings = Field(default_factory=lambda: WhenSettings.model_validate({}))
    pin: dict[str, Annotated[int, Field(ge=1, le=1000)]] = {}
    hide: Texts = ()
    boost: tuple[BoostSettings, ...] = ()
    bury: tuple[BurySettings, ...] = ()
    filter: dict[str, Choice] = {}
    synonym: Texts = ()
    banner: BannerSettings | None = None
    redirect: Address | None = None
    aims: AimsSettings = AimsSettings()

    @model_validator(mode="after")
    def _does_something(self) -> "RuleSettings":
        told = (self.pin, self.hide, self.boost, self.bury, self.filter, self.synonym, self.banner, self.redirect)
        if not any(told) and not self.aims.value():
            raise ValueError(
                "a rule needs at least one of pin, hide, boost, bury, filter, synonym, banner, redirect and aims"
            )
        if self.synonym:
            said = self.when.query or self.when.query_contains
            if not said:
                raise ValueError("synonym needs when.query or when.query_contains: the words that it stands for")
            for text in said:
                if len(text.split()) > _MOST_SAID:
                    raise ValueError(f"synonym stands for at most {_MOST_SAID} words, and {text[:80]!r} has more")
            for text in self.synonym:
                if not tokens(text):
                    raise ValueError(f"synonym = {text!r} holds no word")
        return self

    def value(self, number: int = 1) -> Rule:
        """`number`: of the block, by which answers know a rule without a name."""
        weighted: list[BoostSettings | BurySettings] = [*self.boost, *self.bury]
        banner = self.banner
        actions = Actions(
            pins=tuple(self.pin.items()),
            hide=self.hide,
            weightings=tuple(Weighting(to_filter(one.where), one.factor) for one in weighted),
            filter=to_filter(self.filter),
            synonyms=(Synonym(self.when.query_contains, self.synonym),) if self.synonym else (),
            banners=(Banner(banner.text, banner.url or "", banner.image_url or ""),) if banner else (),
            redirect=self.redirect or "",
            names=(self.name or f"rule {number}",),
            aims=self.aims.value(),
        )
        return Rule(self.when.value(), actions, self.name)


class RulesFile(_Section):
    """All rules of one version or draft, and the aims that count wherever no rule says otherwise."""

    rules: tuple[RuleSettings, ...] = ()
    aims: AimsSettings = AimsSettings()

    def values(self) -> tuple[Rule, ...]:
        """As the engine takes them; [aims] is one more rule, the last, which always holds."""
        rules = tuple(rule.value(number) for number, rule in enumerate(self.rules, 1))
        aims = self.aims.value()
        return (*rules, Rule(When(), Actions(aims=aims))) if aims else rules


def read_rules(text: str, where: str) -> RulesFile:
    """The rules of a TOML text; RulesError names each fault with `where`, the rule's number, name and line."""
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{where}:{line.group(1)}" if line else f"{where}, at its end"
        raise RulesError([f"{place}: this is not valid TOML: {error}."]) from None
    try:
        return RulesFile.model_validate(data)
    except ValidationError as error:
        lines = [text.count("\n", 0, head.start()) + 1 for head in _HEAD.finditer(text)]
        faults = faults_of(error, RulesFile, data)
        raise RulesError([f"{_at(place, where, lines, data)}: {told}" for place, told in faults]) from None


AIMS_TITLE = "[aims]"


def title_of(number: int, name: str) -> str:
    """How people know a rule: 'rule 2 "Christmas"'."""
    return f'rule {number} "{name}"' if name else f"rule {number}"


def _at(place: Place, where: str, lines: Sequence[int], data: Mapping[str, Any]) -> str:
    """("rules", 1, "when", "from") -> 'draft.toml:12: rule 2 "Christmas", when.from'."""
    if len(place) < 2 or place[0] != "rules" or not isinstance(place[1], int):
        return f"{where}: {dotted(place)}"
    blocks, number = data["rules"], place[1]
    line = f":{lines[number]}" if len(lines) == len(blocks) else ""
    block = blocks[number]
    name = block.get("name", "") if isinstance(block, dict) else ""
    inner = f", {dotted(place[2:])}" if len(place) > 2 else ""
    return f"{where}{line}: {title_of(number + 1, name if isinstance(name, str) else '')}{inner}"


def _ms(moment: date | datetime | None) -> int | None:
    """Unix milliseconds; a time without a zone is UTC's."""
    if moment is None:
        return None
    if not isinstance(moment, datetime):
        moment = datetime.combine(moment, time())
    return int((moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp() * 1000)

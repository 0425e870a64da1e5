"""The settings of one shop: the packaged defaults with the shop's `wares.toml` merged over them."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from importlib import resources
from pathlib import Path
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    Field,
    StrictFloat,
    StrictInt,
    ValidationError,
)

from wares.domain.offer import Market
from wares.engine.durable import replace_text
from wares.engine.profile import Profile, Section, Share
from wares.engine.settings_errors import explained
from wares.errors import InputError, SettingsError, UnknownName
from wares.features.table import PRODUCT_FEATURES
from wares.retrieval.sources import built_in_sources

FILE_NAME = "wares.toml"
POLICIES = ("aims", "availability", "distinct", "diversity", "brand_cap", "rules", "sponsored", "exploration", "swaps")
RANKERS = ("formula", "learned")
_FIRST_SURFACES = ("search", "browse", "home", "similar", "bought_together", "cart")  # there before any shop was

ModelName = Literal[
    "popular", "popular_lately", "buy_again", "co_bought", "item_knn", "ease", "als", "transitions", "graph", "sequence"
]  # fmt: skip


def _known_zone(name: str) -> str:
    try:
        if name != "UTC":  # known where no time zones are installed, too
            ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise ValueError(f"{name[:80]!r} is no time zone; write one of the IANA database, as Europe/Berlin") from None
    return name


Weight = Annotated[float, Field(ge=0, le=1000)]
Numbers = dict[str, StrictInt | StrictFloat]


class ShopSettings(Section):
    title: str
    about: str
    currency: Annotated[str, Field(pattern="^[A-Z]{3}$")]
    language: Annotated[str, Field(min_length=2)]
    facets: tuple[str, ...]
    shoppers: tuple[str, ...]
    timezone: Annotated[str, AfterValidator(_known_zone)] = "UTC"


class MarketSettings(Section):
    """Part of the shop with its own prices, availability and language; "" = as the shop's."""

    currency: Annotated[str, Field(pattern="^([A-Z]{3})?$")] = ""
    language: str = ""


class FieldBoosts(Section):
    """How much a word counts by where it stands."""

    title: Weight
    brand: Weight
    category: Weight
    attributes: Weight
    description: Weight


class SearchSettings(Section):
    boosts: FieldBoosts
    coverage: Share
    meaning: Annotated[float, Field(ge=0, le=100)]
    meaning_share: Share
    spelling: bool
    rank_depth: Annotated[int, Field(ge=1, le=100_000)]


class EncoderSettings(Section):
    source: Annotated[str, Field(min_length=1)]  # "default", "none" or a path
    threads: Annotated[int, Field(ge=0, le=1024)]


class SequenceSettings(Section):
    """How the shopper model is trained (`wares.training.recipe.Recipe`); None = as its size has it."""

    size: Literal["tiny", "small", "base", "large", "gpt2"] = "small"
    fitted: str = ""  # a file in the shop's folder with a model that takes the place of training one
    warm: bool = True  # begin with the serving snapshot's model where it has the same shape
    searches: bool | None = None  # read what shoppers searched for; None = where there are enough searches
    attributes: tuple[str, ...] = ()  # read these of what shoppers told about themselves
    dimension: Annotated[int, Field(ge=4, le=4096)] | None = None
    blocks: Annotated[int, Field(ge=1, le=48)] | None = None
    heads: Annotated[int, Field(ge=1, le=64)] | None = None
    max_history: Annotated[int, Field(ge=1, le=2048)] | None = None
    head: Literal["dot", "mlp"] | None = None
    own_inputs: bool | None = None
    epochs: Annotated[int, Field(ge=1, le=1000)] | None = None
    batch: Annotated[int, Field(ge=1, le=65_536)] | None = None
    negatives: Annotated[int, Field(ge=1, le=1_000_000)] | None = None
    rate: Annotated[float, Field(gt=0, le=1)] | None = None
    weight_decay: Annotated[float, Field(ge=0, le=10)] | None = None
    l1: Annotated[float, Field(ge=0, le=10)] | None = None
    dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    input_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    id_dropout: Annotated[float, Field(ge=0, lt=1)] | None = None
    hold_out: Annotated[float, Field(ge=0, le=1)] | None = None
    patience: Annotated[int, Field(ge=1, le=1000)] | None = None
    seconds: Annotated[float, Field(ge=0)] | None = None
    seed: Annotated[int, Field(ge=0)] | None = None
    device: Literal["auto", "cpu", "cuda"] = "auto"


class ModelsSettings(Section):
    """Which behaviour models are trained, and the numbers handed to their constructors."""

    train: tuple[ModelName, ...]
    popular: Numbers = Field(default_factory=dict)
    popular_lately: Numbers = Field(default_factory=dict)
    buy_again: Numbers = Field(default_factory=dict)
    co_bought: Numbers = Field(default_factory=dict)
    item_knn: Numbers = Field(default_factory=dict)
    ease: Numbers = Field(default_factory=dict)
    als: Numbers = Field(default_factory=dict)
    transitions: Numbers = Field(default_factory=dict)
    graph: Numbers = Field(default_factory=dict)
    sequence: SequenceSettings = SequenceSettings()

    def parameters(self, name: str) -> dict[str, int | float]:
        """The shop's own numbers for one model; what is missing is the model's default. The shopper model's are not
        its constructor's but its recipe's."""
        if name not in type(self).model_fields or name == "train":
            raise UnknownName("model", name, set(type(self).model_fields) - {"train"})
        return {} if name == "sequence" else dict(getattr(self, name))


class PromotionSettings(Section):
    """When what a training made takes the place of what serves."""

    compare: bool
    margin: Share
    guardrail: Share
    questions: Annotated[int, Field(ge=50, le=100_000)]


class PrivacySettings(Section):
    impressions_retention_days: Annotated[int, Field(ge=0, le=36_500)]
    merge_at_login: Literal["with_consent", "always", "never"]

    def why_apart(self, consent: bool) -> str:
        """Why an anonymous and a known shopper's histories stay apart at a login, in a sentence; "" = they join."""
        if self.merge_at_login == "always" or (consent and self.merge_at_login == "with_consent"):
            return ""
        if self.merge_at_login == "never":
            return "The histories stay apart: the setting privacy.merge_at_login is 'never'. Nothing was stored."
        return "The histories stay apart: the login tells of no consent (consent = true). Nothing was stored."

    def joins_imported(self, asked: bool | None) -> bool:
        """Whether an import joins the logins in its logs; None = it was not said. InputError where it may not."""
        if asked and self.merge_at_login == "never":
            raise InputError(
                "Logins are not to be joined: the setting privacy.merge_at_login is 'never'. Leave out --join-logins, "
                "or change the setting. Nothing was imported."
            )
        return self.merge_at_login == "always" if asked is None else asked


class ServerSettings(Section):
    host: Annotated[str, Field(min_length=1)]
    port: Annotated[int, Field(ge=0, le=65_535)]  # 0 = any free one
    admin_key_env: Annotated[str, Field(pattern="^[A-Za-z_][A-Za-z0-9_]*$")]
    storefront_key: str = ""  # a server that starts checks that it is one, and fit for a page
    rate_per_key: Annotated[int, Field(ge=0)] = 30_000  # requests per minute; 0 = any number, as of the next two
    rate_per_address: Annotated[int, Field(ge=0)] = 1_200
    rate_per_shopper: Annotated[int, Field(ge=0)] = 600
    answers_kept_s: Annotated[float, Field(ge=0, le=3600)] = 300.0
    answers_kept_mib: Annotated[int, Field(ge=1, le=65_536)] = 512
    answers_at_once: Annotated[int, Field(ge=0, le=1_000)] = 0  # 0 = one more than there are cores
    workers: Annotated[int, Field(ge=0, le=64, strict=True)] | Literal["auto"] = "auto"
    writes_at_once: Annotated[int, Field(ge=1, le=1_000)] = 32
    most_waiting: Annotated[int, Field(ge=0, le=100_000)] = 128
    patience_ms: Annotated[int, Field(ge=1, le=60_000)] = 1_000
    max_body_kib: Annotated[int, Field(ge=1, le=1_048_576)] = 16_384
    max_records: Annotated[int, Field(ge=1, le=10_000)] = 10_000
    max_record_kib: Annotated[int, Field(ge=1, le=1_048_576)] = 1_024
    max_query_characters: Annotated[int, Field(ge=1, le=20_000)] = 20_000
    access_log: bool = False
    log_format: Literal["auto", "json", "text"] = "auto"
    metrics: bool = True


class Settings(Section):
    """Everything a shopkeeper can decide."""

    shop: ShopSettings
    search: SearchSettings
    encoder: EncoderSettings
    models: ModelsSettings
    promotion: PromotionSettings
    profiles: dict[str, Profile]
    markets: dict[Annotated[str, Field(pattern="^[A-Za-z0-9_-]{1,40}$")], MarketSettings]
    plugins: dict[str, str]
    privacy: PrivacySettings
    server: ServerSettings

    def profile(self, surface: str) -> Profile:
        """How this surface answers; UnknownName if it has no profile."""
        if surface not in self.profiles:
            raise UnknownName("surface", surface, self.profiles)
        return self.profiles[surface]

    def market(self, name: str = "") -> Market:
        """The market of this name, "" = the shop's own; UnknownName if there is none."""
        shop = self.shop
        if not name:
            return Market("", shop.currency)
        if name not in self.markets:
            raise UnknownName("market", name, self.markets)
        market = self.markets[name]
        language = market.language if market.language != shop.language else ""
        return Market(name, market.currency or shop.currency, language, market.currency in ("", shop.currency))

    def of_products(self, now_ms: int, market: str = "") -> dict[str, Any]:
        """How product feeds are to be read, the shop's own or a market's."""
        currencies = {name: self.market(name).currency for name in self.markets}
        currency = self.market(market).currency
        return {**self.of_events(now_ms), "currency": currency, "markets": currencies, "market": market}

    def of_events(self, now_ms: int) -> dict[str, Any]:
        """How the shop's event logs are to be read."""
        return {"now_ms": now_ms, "currency": self.shop.currency, "timezone": self.shop.timezone}


def has_settings(folder: Path) -> bool:
    """Whether the shop in `folder` has a file of settings that says anything."""
    path = folder / FILE_NAME
    return path.is_file() and path.stat().st_size > 0


def load_settings(folder: Path) -> Settings:
    """The settings of the shop in `folder`; without a `wares.toml` the defaults.

    SettingsError names the file and the line, or the dotted path of the value, and says what is valid.
    """
    path = folder / FILE_NAME
    given = _read(path) if path.exists() else {}
    if "rules" in given:
        raise SettingsError(
            f"{path}: rules: they stand in a folder of their own, where each change is kept and can be undone. "
            f"`wares rules move {folder} --by YOUR_NAME` takes them there."
        )
    merged = merged_over(_without_own(_defaults(), given), given)
    try:
        settings = Settings.model_validate(merged)
    except ValidationError as error:
        raise SettingsError(explained(error, Settings, merged, path)) from None
    if faults := [f"{path}: {place}: {fault}" for place, fault in _misnamed(settings, given)]:
        raise SettingsError("\n".join(faults))
    return settings


def write_default_settings(path: Path) -> None:
    """The commented defaults as a new file; SettingsError if there is one already or it cannot be written."""
    if path.exists():
        raise SettingsError(f"{path}: there is such a file already; it was left as it is.")
    try:
        replace_text(path, _default_text())
    except OSError as error:
        raise SettingsError(f"{path}: cannot be written ({error.strerror}).") from error


def merged_over(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """Tables are merged key by key; anything else that is given replaces the default."""
    merged = dict(defaults)
    for key, value in given.items():
        if isinstance(value, Mapping) and isinstance(default := merged.get(key), Mapping):
            merged[key] = merged_over(default, value)
        else:
            merged[key] = value
    return merged


def _without_own(defaults: Mapping[str, Any], given: Mapping[str, Any]) -> dict[str, Any]:
    """The defaults without the later surfaces whose sources the file names: such a profile is the shop's own, perhaps
    older than the packaged one of its name."""
    said = given.get("profiles")
    tables = {name: one for name, one in said.items() if isinstance(one, Mapping)} if isinstance(said, Mapping) else {}
    own = {name for name, one in tables.items() if name not in _FIRST_SURFACES and "sources" in one}
    return {**defaults, "profiles": {name: one for name, one in defaults["profiles"].items() if name not in own}}


def _default_text() -> str:
    return (resources.files("wares.engine") / "default_settings.toml").read_text(encoding="utf-8")


def _defaults() -> dict[str, Any]:
    return tomllib.loads(_default_text())


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        place = f"{path}:{line.group(1)}" if line else f"{path}, at its end"
        raise SettingsError(f"{place}: this is not valid TOML: {error}.") from None
    except UnicodeDecodeError as error:
        raise SettingsError(f"{path}: must be UTF-8 text; byte {error.start} is not.") from None
    except OSError as error:
        raise SettingsError(f"{path}: cannot be read ({error.strerror}).") from error


def _misnamed(settings: Settings, given: Mapping[str, Any]) -> Iterator[tuple[str, UnknownName | str]]:
    """Names that nobody or more than one answers to, each with its dotted path; `given`: what the file says."""
    plugins, built_in = settings.plugins, set(built_in_sources())
    for name in {*built_in, *PRODUCT_FEATURES, *POLICIES, *RANKERS} & set(plugins):
        yield f"plugins.{name}", "this name belongs to a part of wares; choose another one."
    for surface, profile in settings.profiles.items():
        yield from misnamed_in(f"profiles.{surface}", profile, plugins, given.get("profiles", {}).get(surface, {}))


def misnamed_in(
    place: str, profile: Profile, plugins: Iterable[str], given: Iterable[str]
) -> Iterator[tuple[str, UnknownName | str]]:
    """What one profile, which stands at `place`, names that nobody answers to, and policies in a wrong order.

    `given`: the keys that are set there. A number that was only inherited, from the packaged defaults as from the
    surface of an experiment, is no fault where its policy is left out: it is not used.
    """
    plugins = set(plugins)
    sources = set(built_in_sources()) | plugins
    checks: list[tuple[str, str, Iterable[str], set[str]]] = [
        ("sources", "source", profile.sources, sources),
        ("formula", "feature", profile.formula, {*sources, *PRODUCT_FEATURES}),
        ("policies", "policy", profile.policies, {*POLICIES, *plugins}),
        ("ranker", "ranker", [profile.ranker], {*RANKERS, *plugins}),
    ]
    for key, what, names, known in checks:
        yield from ((f"{place}.{key}", UnknownName(what, name, known)) for name in names if name not in known)
    if "swaps" in profile.policies[:-1]:
        yield f"{place}.policies", "swaps must come last: its chances are of the order that is shown."
    if profile.swaps > 0 and "swaps" in given and "swaps" not in profile.policies:
        yield f"{place}.swaps", "exchanges need the policy swaps. Put it last into this profile's policies."
    yield from _missold(place, profile, given)
    if "exploration" in profile.policies:
        after = profile.policies[profile.policies.index("exploration") + 1 :]
        if set(after) - {"swaps"}:
            yield f"{place}.policies", "exploration must come last, but for swaps: its chances are of what is shown."
        if profile.swaps > 0 and "swaps" in profile.policies and profile.exploration.share > 0:
            yield f"{place}.swaps", "exchanges would make the chances of exploration untrue. Set one of both to 0."
    elif "exploration" in given:
        yield f"{place}.exploration", "it needs the policy exploration. Put it last into this profile's policies."


def _missold(place: str, profile: Profile, given: Iterable[str]) -> Iterator[tuple[str, str]]:
    """What stands in the way of selling places."""
    if "sponsored" in profile.policies:
        after = profile.policies[profile.policies.index("sponsored") + 1 :]
        if set(after) - {"exploration", "swaps"}:
            yield f"{place}.policies", "only exploration and swaps may follow sponsored: others would move paid places."
        if profile.sponsored.only and profile.all_matches:
            yield f"{place}.sponsored.only", "an ad slot does not page through all matches. Set one of both to false."
    elif "sponsored" in given:
        yield f"{place}.sponsored", "it needs the policy sponsored. Put it behind rules into this profile's policies."

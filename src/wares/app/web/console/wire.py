"""What the console sends when it changes something, or asks what a change would do."""

from pydantic import BaseModel, ConfigDict, Field

_MOST_RULES = 1_000_000  # characters


class _Sent(BaseModel):
    model_config = ConfigDict(extra="forbid")


class _Signed(_Sent):
    by: str = Field(max_length=200, description="who does it")


class RulesText(_Sent):
    text: str = Field(max_length=_MOST_RULES, description="rules, as TOML")


class PreviewAsk(RulesText):
    """Without a `surface` the requests that the changed rules are about."""

    surface: str = Field("", max_length=100)
    query: str = Field("", max_length=20_000)
    category: str = Field("", max_length=1_000)
    market: str = Field("", max_length=40)
    shopper: str | None = Field(None, max_length=200)
    k: int = Field(10, ge=1, le=100)


class DraftSent(RulesText, _Signed):
    was: str | None = Field(
        None, max_length=_MOST_RULES, description="what the draft said before; none = there was none"
    )


class DraftDiscarded(_Signed):
    was: str = Field(max_length=_MOST_RULES)


class Publication(DraftSent):
    note: str = Field("", max_length=600)
    anyway: bool = Field(False, description="in spite of new conflicts")


class Undoing(_Signed):
    serving: int = Field(ge=0, description="the version that serves, as the operator sees it")
    to: int | None = Field(None, ge=0, description="none = the version before; 0 = no rules")
    note: str = Field("", max_length=600)


class SynonymSent(_Signed):
    said: str = Field(min_length=1, max_length=200)
    meant: str = Field(min_length=1, max_length=200)
    one_way: bool = True


class SnapshotChosen(_Signed):
    name: str = Field("", max_length=200)
    serving: str = Field(max_length=200, description="the snapshot that is current, as the operator sees it")

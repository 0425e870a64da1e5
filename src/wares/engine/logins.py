"""Logins as the shop's settings allow them: who becomes one shopper, and what is said of those who do not."""

from collections.abc import Callable, Sequence

from wares.domain.shopper import Joined, Login
from wares.engine.settings import PrivacySettings
from wares.store.sqlite import Store

_BEFORE = "They were joined at an earlier login. If consent is withdrawn, undo that."


def unjoined(login: Login, privacy: PrivacySettings, store: Store) -> Joined | None:
    """What to say of a login that may not be joined; None = it may."""
    why = privacy.why_apart(login.consent)
    if why and store.aliases.has(login):
        return Joined(repeated=1, note=_BEFORE)
    return Joined(apart=1, note=why) if why else None


def join_all(
    logins: Sequence[Login], privacy: PrivacySettings, store: Store, writer: Callable[[], Store], now_ms: int
) -> Joined:
    """Join those that may be; the writer is asked for only where there are some."""
    kept = [unjoined(login, privacy, store) for login in logins]
    places = [place for place, outcome in enumerate(kept) if outcome is None]
    joined = writer().aliases.join_all((logins[place] for place in places), now_ms) if places else Joined()
    others = [outcome for outcome in kept if outcome is not None]
    return Joined(
        joined.new,
        joined.repeated + sum(one.repeated for one in others),
        sum(one.apart for one in others),
        tuple((places[place], why) for place, why in joined.refused),
        next((one.note for one in others), ""),
    )

"""An anonymous shopper logs in: the next answer knows both histories, and so does the next training."""

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wares.domain.shopper import Login
from wares.engine.learnt import current_snapshot
from wares.engine.snapshot import Snapshot
from wares.errors import AmbiguousShopper, InputError, SettingsError
from wares.shop import Shop, open_shop
from wares.store.impressions import ImpressionLog, read_known_impressions
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
SETTINGS = """
[encoder]
source = "none"
[models]
train = ["popular", "buy_again", "item_knn"]
[promotion]
compare = false
"""
GOODS: list[Row] = [{"id": f"p{i}", "title": f"Thing {i}", "price": 1} for i in range(12)]
START_MS = int((time.time() - 40 * 86_400) * 1000)


def event(shopper: str, product: int, hour: float, kind: str = "view") -> Row:
    return {"kind": kind, "time": START_MS + int(hour * 3_600_000), "shopper_id": shopper, "product_id": f"p{product}"}


def crowd() -> list[Row]:
    """Who looks at an even product buys the next one."""
    return [
        event(f"s{s}", 2 * (s % 6) + odd, 24 * week + s / 10, ("view", "purchase")[odd])
        for s in range(30)
        for week in range(3)
        for odd in (0, 1)
    ]


COOKIE = [event("cookie", 4, 700 + i) for i in range(3)]
ANNA = [event("anna", 0, 600 + i, "purchase") for i in range(2)]


def new_shop(folder: Path, more: str = "") -> Shop:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "wares.toml").write_text(SETTINGS + more, encoding="utf-8")
    shop = open_shop(folder)
    shop.put(GOODS)
    shop.record(crowd())
    return shop


@pytest.fixture
def shop(tmp_path: Path) -> Iterator[Shop]:
    """Trained, with what a cookie and a customer did since."""
    with new_shop(tmp_path / "shop") as opened:
        train_here(opened.folder, silent)
        opened.record([*COOKIE, *ANNA])
        yield opened


def scores(shop: Shop, shopper: str) -> dict[str, float]:
    page = shop.recommend(shopper, k=12)
    return {hit.product.id: hit.score for hit in page.hits}


def seen(shop: Shop, shopper: str) -> list[tuple[str, int]]:
    """(product, time) of the history that answers go by."""
    history, _ = shop.engine.history(shopper)
    ids = shop.engine.live.state.columns.ids
    return [(ids[row], time_ms) for row, time_ms in zip(history.rows.tolist(), history.times_ms.tolist(), strict=True)]


def test_what_an_anonymous_shopper_looked_at_changes_the_answer_right_after_the_login(shop: Shop) -> None:
    before = scores(shop, "anna")
    assert shop.identify("cookie", "anna", consent=True).new == 1
    after = scores(shop, "anna")
    assert after["p5"] > before["p5"], "who looked at p4 buys p5"
    assert scores(shop, "cookie") == after
    times = [time_ms for _, time_ms in seen(shop, "anna")]
    assert len(times) == 5 and times == sorted(times)


def test_a_program_that_only_reads_sees_a_login_at_once(shop: Shop) -> None:
    with open_shop(shop.folder) as reader:
        assert len(seen(reader, "anna")) == 2
        shop.identify("cookie", "anna", consent=True)
        assert len(seen(reader, "anna")) == 5


def test_what_the_device_does_later_belongs_to_its_owner(shop: Shop) -> None:
    shop.identify("cookie", "anna", consent=True)
    shop.record([event("cookie", 8, 720)])
    assert seen(shop, "anna")[-1][0] == "p8"
    assert shop.shopper("anna").events == 6


def test_without_consent_the_histories_stay_apart_and_nothing_is_stored(shop: Shop) -> None:
    told = shop.identify("cookie", "anna")
    assert (told.new, told.repeated, told.apart) == (0, 0, 1)
    assert "stay apart" in told.note and "consent" in told.note
    assert shop.store.aliases.count() == 0
    shop.identify("never seen", "nor this one")
    assert shop.store.shoppers.key("nor this one") is None


def test_a_later_login_without_consent_says_that_they_are_joined_already(shop: Shop) -> None:
    shop.identify("cookie", "anna", consent=True)
    told = shop.identify("cookie", "anna")
    assert (told.repeated, told.apart) == (1, 0) and "earlier login" in told.note
    assert shop.identify("cookie", "ben").apart == 1
    assert shop.identify_all([Login("cookie", "anna"), Login("x", "anna")]).apart == 1


def test_the_settings_may_join_always_or_never(tmp_path: Path) -> None:
    with new_shop(tmp_path / "always", '[privacy]\nmerge_at_login = "always"\n') as shop:
        assert shop.identify("cookie", "anna").new == 1
    with new_shop(tmp_path / "never", '[privacy]\nmerge_at_login = "never"\n') as shop:
        assert "merge_at_login" in shop.identify("cookie", "anna", consent=True).note
        with pytest.raises(InputError, match="never"):
            shop.record([], dialect="ga4", join_logins=True)
    with pytest.raises(SettingsError, match="merge_at_login"):
        new_shop(tmp_path / "wrong", '[privacy]\nmerge_at_login = "sometimes"\n')


def test_an_ambiguous_login_is_an_error_that_says_so(shop: Shop) -> None:
    shop.identify("cookie", "anna", consent=True)
    assert shop.identify("cookie", "anna", consent=True).repeated == 1
    with pytest.raises(AmbiguousShopper, match="another known shopper"):
        shop.identify("cookie", "ben", consent=True)
    with pytest.raises(AmbiguousShopper, match="never joined"):
        shop.identify("anna", "ben", consent=True)


def test_of_many_logins_the_good_ones_count(shop: Shop) -> None:
    told = shop.identify_all(
        [Login("x", "ben"), Login("cookie", "anna", True), Login("cookie", "ben", True), Login("cookie", "anna", True)]
    )
    assert (told.new, told.repeated, told.apart) == (1, 1, 1)
    assert [place for place, _ in told.refused] == [2]
    assert told.note


def test_a_login_can_be_undone(shop: Shop) -> None:
    before = seen(shop, "anna")
    shop.identify("cookie", "anna", consent=True)
    shop.record([event("cookie", 8, 720)])
    assert shop.separate("cookie")
    assert seen(shop, "anna") == before
    assert len(seen(shop, "cookie")) == 4
    assert not shop.separate("cookie")


def test_erasing_the_shopper_erases_all_devices_and_what_they_were_shown(shop: Shop) -> None:
    with ImpressionLog(shop.folder) as log:
        for name in ("cookie", "anna", "s1"):
            log.record({"page": 1}, shop.store.shoppers.hash(name))
    shop.identify("cookie", "anna", consent=True)
    assert shop.erase_shopper("anna") == 5
    assert [whose for whose, _ in read_known_impressions(shop.folder)] == [shop.store.shoppers.hash("s1")]
    for name in ("anna", "cookie"):
        assert not shop.shopper(name).known and seen(shop, name) == []


def test_erasing_a_device_takes_only_what_was_done_on_it(shop: Shop) -> None:
    before = seen(shop, "anna")
    shop.identify("cookie", "anna", consent=True)
    shop.record([event("cookie", 8, 720)])
    assert shop.erase_shopper("cookie") == 4
    assert seen(shop, "anna") == before
    assert not shop.shopper("cookie").known


def trained(folder: Path, rows: list[Row], logins: list[tuple[str, str]]) -> tuple[Snapshot, Shop]:
    shop = new_shop(folder)
    shop.record(rows)
    for anonymous, known in logins:
        shop.identify(anonymous, known, consent=True)
    train_here(folder, silent)
    return current_snapshot(folder, shop.settings)[0], shop


def test_a_training_learns_the_same_as_if_all_had_been_one_shopper_from_the_start(tmp_path: Path) -> None:
    phone = [event("phone", 9, 650 + i / 7) for i in range(4)]
    as_one = [{**row, "shopper_id": "anna"} for row in (*ANNA, *COOKIE, *phone)]
    joined, shop = trained(tmp_path / "a", [*ANNA, *COOKIE, *phone], [("cookie", "anna"), ("phone", "anna")])
    whole, other = trained(tmp_path / "b", as_one, [])
    with shop, other:
        assert joined.interactions.n_shoppers == whole.interactions.n_shoppers
        for name in ("rows", "times_ms", "kinds", "quantities"):
            assert np.array_equal(getattr(joined.interactions.events, name), getattr(whole.interactions.events, name))
        assert np.array_equal(joined.interactions.indptr, whole.interactions.indptr)
        for name, model in joined.models.items():
            mine, theirs = model.state(), whole.models[name].state()
            assert mine.keys() == theirs.keys()
            assert all(np.array_equal(mine[key], theirs[key]) for key in mine), name
        assert scores(shop, "anna") == pytest.approx(scores(other, "anna"), rel=1e-6)  # asked a moment later
        assert seen(shop, "phone") == seen(other, "anna"), "an id from before the login still finds its owner"


def test_a_login_between_two_trainings_is_seen_before_and_after_the_second(shop: Shop) -> None:
    shop.identify("cookie", "anna", consent=True)
    before = seen(shop, "anna")
    train_here(shop.folder, silent)
    shop.engine.refresh()
    assert shop.engine.live.snapshot.last_event == shop.store.events.last()
    assert seen(shop, "anna") == before

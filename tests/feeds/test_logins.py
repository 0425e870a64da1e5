"""Logins in the logs of others: rows that name the anonymous and the known shopper."""

import json
from pathlib import Path
from typing import Any

import pytest
from messy_logs import NOW_MS, told

from wares.domain.shopper import Login
from wares.feeds.event_feed import read_event_feed
from wares.feeds.logins import AMBIGUOUS, Logins
from wares.feeds.report import ImportReport

Row = dict[str, Any]
TIME = "2026-01-31T12:00:00Z"


def ga4(anonymous: object, known: object, name: str = "view_item") -> Row:
    items = [{"item_id": "mug"}]
    return {
        "event_name": name, "event_timestamp": 1769860800000000, "user_pseudo_id": anonymous, "user_id": known,
        "items": items,
    }  # fmt: skip


def segment(anonymous: object, known: object, **more: Any) -> Row:
    return {"type": "identify", "messageId": "m", "anonymousId": anonymous, "userId": known, "timestamp": TIME, **more}


def retail(anonymous: object, known: object) -> Row:
    return {
        "eventType": "home-page-view", "visitorId": anonymous, "userInfo": {"userId": known}, "eventTime": TIME,
    }  # fmt: skip


def algolia(anonymous: object, known: object) -> Row:
    return {
        "eventType": "view", "timestamp": 1769860800000, "userToken": anonymous, "authenticatedUserToken": known,
        "objectIDs": ["mug"],
    }  # fmt: skip


def heard(rows: list[Row], dialect: str) -> tuple[Logins, ImportReport]:
    logins = Logins(wanted=True)
    reading = read_event_feed(rows, now_ms=NOW_MS, dialect=dialect, logins=logins)
    list(reading)
    return logins, reading.report


@pytest.mark.parametrize(
    ("dialect", "row"), [("ga4", ga4), ("segment", segment), ("google-retail", retail), ("algolia", algolia)]
)
def test_a_row_that_names_both_shoppers_is_a_login_in_every_dialect(dialect: str, row: Any) -> None:
    rows = [row("c1", "anna"), row("c1", "anna"), row("c2", "anna"), row("c3", None), row("c4", ""), row(None, "ben")]
    logins, _ = heard([*rows, row(17, "ben"), row("anna", "anna")], dialect)
    assert list(logins) == [
        Login("c1", "anna", True), Login("c2", "anna", True), Login("17", "ben", True),
    ]  # fmt: skip


def test_a_row_that_is_no_act_on_a_product_may_be_a_login() -> None:
    logins, report = heard([ga4("c1", "anna", "login"), ga4("(not set)", "ben", "login")], "ga4")
    assert report.kept == 0
    assert list(logins) == [Login("c1", "anna", True)]


def test_a_flattened_export_may_write_its_names_otherwise() -> None:
    row = {"Event Name": "view_item", "Event Timestamp": 1769860800000000, "User Pseudo Id": "c1", "User-Id": "anna"}
    assert list(heard([row | {"Item Id": "mug"}], "ga4")[0]) == [Login("c1", "anna", True)]


def test_segments_alias_names_the_earlier_id() -> None:
    rows = [
        segment(None, "anna", type="alias", previousId="c1"),
        segment("c2", "anna", type="track", event="Signed In"),
    ]
    assert list(heard(rows, "segment")[0]) == [Login("c1", "anna", True), Login("c2", "anna", True)]


def test_one_device_of_several_people_is_ambiguous_and_named() -> None:
    rows = [segment("c1", "anna"), segment("c1", "ben"), segment("c1", "anna"), segment("c2", "ben")]
    logins, report = heard(rows, "segment")
    assert list(logins) == [Login("c2", "ben", True)]
    assert logins.ambiguous == 1
    assert told(report.remarks) == {f"login of {AMBIGUOUS}": [(2, "shopper_id", "another one than before")]}
    assert "anna" not in str(report) and "c1" not in str(report)


def test_without_being_asked_for_logins_are_only_noted(tmp_path: Path) -> None:
    path = tmp_path / "log.jsonl"
    path.write_text("\n".join(json.dumps(segment(f"c{i}", "anna")) for i in range(3)), encoding="utf-8")
    reading = read_event_feed(path, now_ms=NOW_MS)
    list(reading)
    (note,) = [note for note in reading.report.notes if "--join-logins" in note]
    assert "stay apart" in note

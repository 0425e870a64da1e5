"""Shopper tokens: signed by the shop's backend, for one shopper, for a while; whatever is not one opens nothing."""

import base64
import hashlib
import hmac
import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from served_shop import build
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.web.access.keys import Key, Keys
from wares.app.web.access.tokens import LONGEST_S, SKEW_S, Claims, make_token, read_token
from wares.app.web.told.refusals import Refused
from wares.errors import InputError

Made = tuple[str, Key]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build(tmp_path_factory.mktemp("shops") / "shop")


@pytest.fixture(scope="module")
def made(folder: Path) -> Made:
    """The text of a key that may search and send events, and what is kept of it."""
    return Keys(folder).new(["search", "events"], surfaces=["home", "search"])


def by_hand(text: str, payload: bytes) -> str:
    """A token as the docs tell a backend to make it, from the key's text alone."""
    signing = hmac.new(text.encode(), b"wares tokens 1", hashlib.sha256).digest()
    signed = f"wt1.{text.split('_')[1]}.{base64.urlsafe_b64encode(payload).decode().rstrip('=')}"
    signature = hmac.new(signing, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(signature).decode().rstrip('=')}"


def known(key: Key) -> Callable[[str], Key | None]:
    return {key.id: key}.get


def said(**claims: Any) -> bytes:
    return json.dumps({"shopper": "anna", "expires": int(time.time()) + 600, **claims}).encode()


def refusal(token: str, key: Key, **options: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        read_token(token, known(key), **options)
    return caught.value


def test_a_backend_can_make_the_same_token_from_the_key_alone(made: Made) -> None:
    text, key = made
    claims = Claims(shopper="änna 安娜", expires=int(time.time()) + 600, surfaces=("home",))
    told = {"expires": claims.expires, "shopper": claims.shopper, "surfaces": ["home"]}
    payload = json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
    assert make_token(key, claims) == by_hand(text, payload)
    for token in (make_token(key, claims), by_hand(text, json.dumps(told, indent=2).encode())):
        whose, caller = read_token(token, known(key))
        assert whose is key and caller.shopper == "änna 安娜" and caller.surfaces == ("home",)
        assert caller.scopes == {"search", "events"} and caller.key == key.id


def test_a_shoppers_id_is_read_as_feeds_read_it(made: Made) -> None:
    text, key = made
    assert read_token(by_hand(text, said(shopper=" anna ")), known(key))[1].shopper == "anna"


def test_a_token_never_has_more_than_search_and_events(folder: Path) -> None:
    for scopes, allowed in ((["admin"], {"search", "events"}), (["catalogue", "search"], {"search"})):
        _, key = Keys(folder).new(scopes)
        caller = read_token(make_token(key, Claims(shopper="anna", expires=int(time.time()) + 60)), known(key))[1]
        assert caller.scopes == allowed and not caller.may("admin") and not caller.may("catalogue")
    _, key = Keys(folder).new(["catalogue"])
    with pytest.raises(InputError, match="neither search nor send events"):
        make_token(key, Claims(shopper="anna", expires=int(time.time()) + 60))


def test_a_token_cannot_widen_its_key(made: Made) -> None:
    text, key = made
    assert read_token(by_hand(text, said()), known(key))[1].surfaces == ("home", "search")
    wider = refusal(by_hand(text, said(surfaces=["home", "cart"])), key)
    assert (wider.status_code, wider.code) == (403, "confined")
    with pytest.raises(Refused):
        make_token(key, Claims(shopper="anna", expires=int(time.time()) + 60, surfaces=("cart",)))


def test_a_token_holds_until_it_expires_and_clocks_may_differ_a_little(made: Made) -> None:
    text, key = made
    token = by_hand(text, said(expires=1_000_000))
    for now_s in (1_000_000 - LONGEST_S - SKEW_S + 1, 999_999, 1_000_000 + SKEW_S - 1):
        assert read_token(token, known(key), iter([now_s]).__next__)[1].shopper == "anna"
    assert refusal(token, key, now_s=lambda: 1_000_000 + SKEW_S + 1).code == "token-expired"
    too_long = refusal(token, key, now_s=lambda: 1_000_000 - LONGEST_S - SKEW_S - 1)
    assert too_long.code == "unauthorised" and "30 days" in str(too_long.detail)


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"{}",
        b"[]",
        b"null",
        b"\xff",
        b'{"shopper": "anna"}',
        b'{"expires": 9999999999}',
        said(shopper=""),
        said(shopper=" \t "),
        said(shopper="x" * 201),
        said(shopper=["anna"]),
        said(shopper=7),
        said(expires="9999999999"),
        said(expires=True),
        said(expires=1e400),
        said(surfaces="home"),
        said(surfaces=[""]),
        said(surfaces=["home"] * 51),
        said(admin=True),  # a field that is not known may have been meant to narrow
        said(scopes=["admin"]),
        b'{"shopper": "\\ud800", "expires": 9999999999}',
        b"[" * 2_000,
    ],
)
def test_a_signed_token_that_says_nonsense_opens_nothing(made: Made, payload: bytes) -> None:
    text, key = made
    told = refusal(by_hand(text, payload), key)
    assert (told.status_code, told.code) == (401, "unauthorised")


def test_a_token_of_another_or_an_unknown_key_opens_nothing(folder: Path, made: Made) -> None:
    text, key = made
    other, other_key = Keys(folder).new(["search"])
    token = by_hand(text, said())
    forged = token.replace(key.id, other_key.id)
    assert refusal(forged, other_key).code == "unauthorised"
    assert refusal(by_hand(other, said()), key).code == "unauthorised"
    with pytest.raises(Refused):
        read_token(token, lambda key_id: None)


@given(st.data())
@settings(max_examples=200, deadline=None)
def test_no_single_changed_character_passes(made: Made, data: st.DataObject) -> None:
    text, key = made
    token = by_hand(text, said())
    place = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters(codec="utf-8").filter(lambda c: c != token[place]))
    assert refusal(token[:place] + character + token[place + 1 :], key).status_code == 401


@given(st.text() | st.from_regex(r"wt1\.[0-9a-f]{8}\.[A-Za-z0-9_-]{0,80}\.[A-Za-z0-9_-]{0,50}", fullmatch=True))
@example("wt1." + "." * 5_000)
@example("wt1.")
@settings(max_examples=300, deadline=None)
def test_whatever_is_no_token_is_refused_and_nothing_else_happens(made: Made, text: str) -> None:
    assert (told := refusal(text, made[1])).status_code == 401 and told.code == "unauthorised"


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_whatever_a_key_signs_is_read_or_refused(made: Made, payload: bytes) -> None:
    text, key = made
    assert refusal(by_hand(text, payload), key).status_code == 401


def test_an_unknown_key_takes_the_same_work_as_a_wrong_signature(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    text, key = made
    compared: list[tuple[int, int]] = []

    def compare(one: Any, other: Any) -> bool:
        compared.append((len(one), len(other)))
        return False

    monkeypatch.setattr(hmac, "compare_digest", compare)
    token = by_hand(text, said())
    refusal(token, key)
    with pytest.raises(Refused):
        read_token(token, lambda key_id: None)
    assert compared == [(43, 43), (43, 43)]


def test_the_command_signs_a_token(folder: Path, made: Made) -> None:
    _, key = made
    words = ["keys", "token", str(folder), key.id, "--shopper", "anna", "--surface", "home", "--expires", "2h"]
    token = CliRunner().invoke(app, words).stdout.strip()
    caller = read_token(token, known(key))[1]
    assert (caller.shopper, caller.surfaces) == ("anna", ("home",))
    assert read_token(token, known(key), lambda: time.time() + 7_100)[1].shopper == "anna"
    assert refusal(token, key, now_s=lambda: time.time() + 7_400).code == "token-expired"
    for more, fault in (
        (["--expires", "31d"], "at most 30 days"),
        (["--surface", "cart"], "only narrow"),
        (["--shopper", "x" * 201], "cannot be made"),
    ):
        result = CliRunner().invoke(app, ["keys", "token", str(folder), key.id, "--shopper", "anna", *more])
        assert result.exit_code == 1 and fault in result.stderr
    Keys(folder).revoke(key.id)
    assert "is revoked" in CliRunner().invoke(app, words).stderr

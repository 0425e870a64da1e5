"""Who may ask what: scopes of routes, confined keys, tokens, limits, and pages of other origins."""

import hmac
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import iter_route_contexts
from hypothesis import given, settings
from hypothesis import strategies as st
from served_shop import build
from starlette.routing import Mount
from starlette.testclient import TestClient

from wares.app.web.access.caller import SCOPES, Caller
from wares.app.web.access.key_ring import KeyRing
from wares.app.web.access.keys import Key, Keys
from wares.app.web.access.rates import Buckets
from wares.app.web.access.scopes import NEEDS, ONCE, OPEN, route_of
from wares.app.web.access.tokens import Claims, make_token
from wares.app.web.console.changing import HEADER
from wares.app.web.gate import _address
from wares.app.web.http import make_app
from wares.app.web.limits import Limits
from wares.app.web.load import Load
from wares.app.web.wire import EventsSent
from wares.engine.settings import load_settings
from wares.errors import SettingsError
from wares.shop import Shop, open_shop

PAGE = "https://shop.example"
ADDRESSES = count()
SETTINGS = """
[server]
max_records = 3
max_record_kib = 1
max_body_kib = 8
max_query_characters = 50
rate_per_address = 40
rate_per_shopper = 30
"""


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(build(tmp_path_factory.mktemp("shops") / "shop", SETTINGS)) as opened:
        opened.engine.refresh()
        yield opened


@pytest.fixture
def keys(shop: Shop, tmp_path: Path) -> Keys:
    """A folder of keys of this test's own."""
    return Keys(tmp_path)


@pytest.fixture(scope="module")
def fuzzed(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    keys = Keys(tmp_path_factory.mktemp("keys"))
    keys.new(["search"], origins=[PAGE])
    return client(shop, keys)


def client(shop: Shop, keys: Keys, **options: Any) -> TestClient:
    """Of a server that needs keys; each call is a server of its own, with fresh rates."""
    return asking(server(shop, keys), **options)


def server(shop: Shop, keys: Keys) -> Any:
    return make_app({"default": shop}, ring=KeyRing(keys.place.parent, "the admin's own secret"), closed=True)


def asking(app: Any, **options: Any) -> TestClient:
    return TestClient(app, raise_server_exceptions=False, **{"base_url": "http://api.example", **options})


@pytest.fixture(scope="module")
def served(shop: Shop, tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, dict[str, str]]:
    """One server for tests that change nothing, and a key of each scope: making one takes longer than asking it."""
    keys = Keys(tmp_path_factory.mktemp("keys"))
    return server(shop, keys), {scope: keys.new([scope])[0] for scope in SCOPES}


@pytest.fixture
def somebody(served: tuple[Any, dict[str, str]]) -> TestClient:
    """Asks that server from an address of their own, so with fresh rates."""
    return asking(served[0], client=(f"10.0.{next(ADDRESSES)}.1", 50_000))


def bearer(text: str, **more: str) -> dict[str, str]:
    return {"authorization": f"Bearer {text}", **more}


@pytest.fixture
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """For rates: however long the requests of a test take, nothing of what was taken comes back meanwhile."""
    still = {**(Buckets.__init__.__kwdefaults__ or {}), "now_s": lambda: 0.0}
    monkeypatch.setattr(Buckets.__init__, "__kwdefaults__", still)


def token_of(key: Key, shopper: str = "anna", **claims: Any) -> str:
    return make_token(key, Claims(shopper=shopper, expires=int(time.time()) + 600, **claims))


def code(answer: Any) -> str:
    return f"{answer.status_code} {answer.json().get('code')}"


def filled(path: str) -> str:
    return "/".join("some" if part.startswith("{") else part for part in path.split("/"))


# -- scopes ------------------------------------------------------------------------------------------------------------


def all_routes() -> Iterator[tuple[str, str]]:
    """(method, path) of everything that the service answers."""
    for route in iter_route_contexts(make_app({}).routes):
        if isinstance(route.original_route, Mount):
            yield "GET", f"{route.original_route.path}/{{path:path}}"
        else:
            yield from ((method, str(route.path)) for method in route.methods or ())


def test_every_route_of_the_service_has_an_entry_and_every_entry_a_route() -> None:
    named = {f"{method} {path.replace('/v1/shops/{shop}/', '/v1/')}" for method, path in all_routes()}
    assert named == set(NEEDS)


@pytest.mark.parametrize("name", NEEDS)
def test_a_request_finds_the_entry_of_its_own_route(name: str) -> None:
    method, _, path = name.partition(" ")
    assert route_of(method, filled(path))[0].name == name
    if path.startswith("/v1/") and path not in ONCE:
        assert route_of(method, filled(path).replace("/v1/", "/v1/shops/toys/"))[0].name == name


def test_ids_with_slashes_lead_to_no_other_entry() -> None:
    assert route_of("GET", "/v1/products/a/interests")[0].name == "GET /v1/products/{product_id:path}"
    assert route_of("DELETE", "/v1/products/x/v1/search")[0].need.scope == "catalogue"
    assert route_of("GET", "/v1/shoppers/../products/p/interests")[0].need.scope == "admin"
    for path in ("/v1/nothing", "/V1/search", "//v1/search", "/v1/search/", "/v2/search", "/1/indexes", ""):
        assert route_of("POST", path)[0].need.scope == "admin"


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("name", [name for name, need in NEEDS.items() if need.scope != OPEN])
def test_a_key_opens_the_routes_of_its_scope_and_no_others(
    served: tuple[Any, dict[str, str]], somebody: TestClient, scope: str, name: str
) -> None:
    text = served[1][scope]
    method, _, path = name.partition(" ")
    answer = somebody.request(
        method, filled(path), headers=bearer(text) | {HEADER: "1"}, json=None if method == "GET" else {"x": 1}
    )
    if scope in (NEEDS[name].scope, "admin"):
        assert answer.status_code in (200, 204, 400, 404, 422), answer.text
        assert "not-found" not in answer.text
    else:
        assert code(answer) == "403 scope-missing" and NEEDS[name].scope in answer.json()["detail"]


@pytest.mark.parametrize(("name", "need"), list(NEEDS.items()))
def test_without_a_key_only_open_routes_answer(somebody: TestClient, name: str, need: Any) -> None:
    method, _, path = name.partition(" ")
    answer = somebody.request(method, filled(path))
    if need.scope == OPEN:
        assert answer.status_code in (200, 404)
    else:
        assert code(answer) == "401 unauthorised" and answer.headers["www-authenticate"] == "Bearer"


@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
@pytest.mark.parametrize("path", ["/v1/nothing", "/v1", "/elsewhere"])
def test_a_path_that_is_not_there_says_nothing_without_a_key(
    served: tuple[Any, dict[str, str]], somebody: TestClient, method: str, path: str
) -> None:
    assert code(somebody.request(method, path)) == "401 unauthorised"
    assert code(somebody.request(method, path, headers=bearer(served[1]["search"]))) == "404 not-found"


def test_a_wrong_method_is_told_to_who_has_a_key(shop: Shop, keys: Keys) -> None:
    text, _ = keys.new(["search"])
    assert code(client(shop, keys).get("/v1/search", headers=bearer(text))) == "405 method-not-allowed"
    assert code(client(shop, keys).get("/v1/search", headers=bearer("the admin's own secret"))) == (
        "405 method-not-allowed"
    )


@pytest.mark.parametrize(
    "given", ["", "wares_00000000_" + "0" * 64, "wares", "ä", "\x7f", "x" * 5_000, "wt1.", "null", "Bearer"]
)
def test_a_key_that_is_none_opens_nothing(somebody: TestClient, given: str) -> None:
    for headers in ({b"authorization": b"Bearer " + given.encode()}, {b"x-algolia-api-key": given.encode()}):
        assert code(somebody.get("/v1/shop", headers=headers)) == "401 unauthorised"


@given(
    st.binary(max_size=200),
    st.sampled_from([b"authorization", b"x-algolia-api-key", b"origin", b"host", b"content-length", b"content-type"]),
    st.sampled_from([b"", b"Bearer ", b"bearer  ", b"Bearer wares_", b"Bearer wt1."]),
)
@settings(max_examples=300, deadline=None)
def test_no_header_opens_anything_or_makes_a_fault(
    fuzzed: TestClient, value: bytes, name: bytes, before: bytes
) -> None:
    clean = bytes(byte for byte in before + value if byte not in b"\r\n\0")
    answer = fuzzed.get("/v1/shop", headers={name: clean})
    assert answer.status_code in (401, 413, 429), answer.text


def test_a_key_with_one_digit_changed_opens_nothing(shop: Shop, keys: Keys) -> None:
    text, _ = keys.new(["search"])
    asker = client(shop, keys)
    assert asker.get("/v1/shop", headers=bearer(text)).status_code == 200
    for place in (7, 20, 50, len(text) - 1):
        other = text[:place] + ("0" if text[place] != "0" else "1") + text[place + 1 :]
        assert code(asker.get("/v1/shop", headers=bearer(other))) == "401 unauthorised"


def test_every_wrong_key_is_compared_as_often_as_the_right_one(
    shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, _ = keys.new(["search"])
    asker, compared = client(shop, keys), list[int]()
    compare = hmac.compare_digest

    def counted(one: Any, other: Any) -> bool:
        compared.append(len(other))
        return compare(one, other)

    monkeypatch.setattr(hmac, "compare_digest", counted)
    seen = []
    for sent in (text, text[:-1] + "x", text[:-64] + "0" * 64, "wares_00000000_" + "0" * 64, "nonsense", ""):
        asker.get("/v1/shop", headers=bearer(sent))
        seen.append(compared.copy())
        compared.clear()
    assert len(seen[0]) == 2 and all(one == seen[0] for one in seen)


def test_expired_and_revoked_keys_open_nothing_nor_do_their_tokens(shop: Shop, keys: Keys) -> None:
    text, key = keys.new(["search"])
    token = token_of(key)
    path = keys.place / f"{key.id}.json"
    expired = key.model_copy(update={"expires": key.made})
    path.write_text(expired.model_dump_json(), encoding="utf-8")
    for sent in (text, token):
        assert code(client(shop, keys).get("/v1/shop", headers=bearer(sent))) == "401 key-expired"
    keys.revoke(key.id)
    for sent in (text, token):
        assert code(client(shop, keys).get("/v1/shop", headers=bearer(sent))) == "401 unauthorised"


def test_algolias_header_and_address_carry_a_key_as_well(shop: Shop, keys: Keys) -> None:
    text, _ = keys.new(["search"])
    asker = client(shop, keys)
    assert asker.get("/v1/shop", headers={"x-algolia-api-key": text}).status_code == 200
    assert code(asker.get(f"/v1/shop?x-algolia-api-key={text}")) == "401 unauthorised"  # addresses end up in logs
    in_address = f"/1/indexes/default/p1?x-algolia-api-key={text}"
    assert asker.get(in_address).json()["objectID"] == "p1"
    told = asker.get(in_address[:-1] + "x")
    assert (
        code(told) == "401 unauthorised" and told.json()["message"] == told.json()["detail"]
    )  # as their clients read it


def test_the_first_key_closes_a_server_that_was_open_for_good(shop: Shop, keys: Keys) -> None:
    app = make_app({"default": shop}, ring=(ring := KeyRing(keys.place.parent)))
    near = TestClient(app, client=("127.0.0.1", 1))
    assert near.get("/v1/shop").status_code == 200
    text, key = keys.new(["search"])
    ring._look_at_s = 0
    assert code(near.get("/v1/shop")) == "401 unauthorised"
    assert near.get("/v1/shop", headers=bearer(text)).status_code == 200
    keys.revoke(key.id)
    (keys.place / f"{key.id}.json").unlink()
    ring._look_at_s = 0
    assert code(near.get("/v1/shop")) == "401 unauthorised"


# -- tokens and confined keys ------------------------------------------------------------------------------------------


def test_a_token_asks_for_its_own_shopper_alone(shop: Shop, keys: Keys) -> None:
    _, key = keys.new(["search", "events"])
    asker, headers = client(shop, keys), bearer(token_of(key))
    asked: list[tuple[str, dict[str, Any]]] = [
        ("search", {"query": "milk"}), ("browse", {}), ("recommend", {}), ("similar", {"product": "p1"}),
    ]  # fmt: skip
    for route, body in asked:
        assert asker.post(f"/v1/{route}", json=body, headers=headers).status_code == 200
        assert asker.post(f"/v1/{route}", json={**body, "shopper": "anna"}, headers=headers).status_code == 200
        answer = asker.post(f"/v1/{route}", json={**body, "shopper": "bert"}, headers=headers)
        assert code(answer) == "403 confined" and "bert" not in answer.text and "anna" not in answer.text
    assert asker.get("/v1/shoppers/anna/interests", headers=headers).status_code == 200
    assert code(asker.get("/v1/shoppers/bert/interests", headers=headers)) == "403 confined"
    assert code(asker.post("/v1/identify", json={"logins": []}, headers=headers)) == "403 scope-missing"


def test_a_token_fills_in_its_shopper(shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    _, key = keys.new(["search"])
    asked: list[Any] = []
    answer = shop.ask

    def ask(*args: Any, **more: Any) -> Any:
        asked.append(more["shopper"])
        return answer(*args, **more)

    monkeypatch.setattr(shop, "ask", ask)
    client(shop, keys).post("/v1/recommend", json={}, headers=bearer(token_of(key)))
    assert asked == ["anna"]


def test_what_two_tokens_ask_alike_are_two_questions(shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    """Else the home page of each shopper would wait in the lane that is for kept answers, and all in one."""
    _, key = keys.new(["search"])
    asker, lanes, lane_for = client(shop, keys), list[Any](), Load.lane_for

    def found(*args: Any) -> Any:
        lane, answered = lane_for(*args)
        lanes.append(lane)
        return lane, answered

    monkeypatch.setattr(Load, "lane_for", found)
    for shopper in ("anna", "anna", "bert"):
        assert asker.post("/v1/recommend", json={}, headers=bearer(token_of(key, shopper))).status_code == 200
    assert lanes[0] is lanes[2] is not lanes[1]


@pytest.mark.parametrize("name", ["shopper_id", "user_id", "user_pseudo_id", "Shopper_ID", " user id "])
def test_a_token_tells_events_of_its_own_shopper_alone(shop: Shop, keys: Keys, name: str) -> None:
    _, key = keys.new(["events"])
    asker, headers, before = client(shop, keys), bearer(token_of(key, "carla")), shop.store.events.last()
    own = [{"kind": "view", "product_id": "p1", name: "carla"}, {"kind": "view", "product_id": "p2"}]
    other = {"kind": "view", "product_id": "p0", name: "bert"}
    answer = asker.post("/v1/events", json={"events": [*own, other]}, headers=headers)
    assert code(answer) == "403 confined" and shop.store.events.last() == before
    assert asker.post("/v1/events", json={"events": own}, headers=headers).json()["new"] == 2
    mixed = {"kind": "view", "product_id": "p2", "shopper_id": "carla", "user_id": "bert"}
    asker.post("/v1/events", json={"events": [mixed]}, headers=headers)
    assert shop.shopper("bert").events == 0
    shop.erase_shopper("carla")


@pytest.mark.parametrize(("scope", "joined"), [("events", 0), ("admin", 1)])
def test_a_key_that_lies_in_a_page_joins_no_two_shoppers(
    shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch, scope: str, joined: int
) -> None:
    """Not even where the shop joins all logins, and InstantSearch tells of one."""
    privacy = shop.settings.privacy.model_copy(update={"merge_at_login": "always"})
    monkeypatch.setattr(shop, "settings", shop.settings.model_copy(update={"privacy": privacy}))
    text, _ = keys.new([scope])
    event = {
        "eventType": "click",
        "eventName": "c",
        "index": "default",
        "objectIDs": ["p1"],
        "timestamp": 1_700_000_000_000,
    }
    login = [
        event | {"userToken": f"device-{scope}"},
        event | {"userToken": f"device-{scope}", "authenticatedUserToken": f"known-{scope}"},
    ]
    answer = client(shop, keys).post("/1/events", json={"events": login}, headers=bearer(text))
    assert answer.status_code == 200, answer.text
    assert len(shop.store.shoppers.keys_of(f"known-{scope}")) == 1 + joined


def test_a_confined_key_asks_on_its_surfaces_and_in_its_markets(shop: Shop, keys: Keys) -> None:
    text, key = keys.new(["search"], surfaces=["search", "home"], markets=["de", "at"])
    asker = client(shop, keys)
    for headers in (bearer(text), bearer(token_of(key))):
        for market, status in (("", 200), ("de", 200), ("at", 200), ("ch", 403)):
            assert asker.post("/v1/search", json={"market": market}, headers=headers).status_code == status
            assert asker.get(f"/v1/products/p1?market={market}", headers=headers).status_code == status
        assert code(asker.post("/v1/browse", json={}, headers=headers)) == "403 confined"
        assert code(asker.post("/v1/recommend", json={"surface": "cart"}, headers=headers)) == "403 confined"
    narrow = bearer(token_of(key, markets=("at",), surfaces=("home",)))
    assert asker.post("/v1/recommend", json={"market": "at"}, headers=narrow).status_code == 200
    assert code(asker.post("/v1/recommend", json={"market": "de"}, headers=narrow)) == "403 confined"
    assert code(asker.post("/v1/search", json={}, headers=narrow)) == "403 confined"


def test_where_no_market_is_named_the_keys_first_one_is_meant() -> None:
    caller = Caller(markets=("at", "de"))
    assert caller.ask("home") == (None, "at") and caller.ask("home", "anna", "de") == ("anna", "de")
    assert Caller().ask("home", "anna", "") == ("anna", "")


# -- rates and limits --------------------------------------------------------------------------------------------------


class Clock:
    now_s = 1_000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_minute_holds_as_many_requests_as_are_allowed() -> None:
    clock = Clock()
    buckets = Buckets(6, now_s=clock)
    assert [buckets.take("a") for _ in range(7)] == [0.0] * 6 + [10.0]
    assert buckets.take("b") == 0.0
    clock.now_s += 10
    assert buckets.take("a") == 0.0 and buckets.take("a") == 10.0
    clock.now_s += 3_600  # nothing is saved up beyond a minute's worth
    assert [buckets.take("a") > 0 for _ in range(7)] == [False] * 6 + [True]


def test_a_rate_of_nought_lets_everything_pass_and_remembers_nothing() -> None:
    buckets = Buckets(0)
    assert not any(buckets.take("a") for _ in range(1_000)) and len(buckets) == 0
    assert buckets.take("a", 1) == 0.0 and buckets.take("a", 1) > 0


def test_only_so_many_askers_are_remembered() -> None:
    buckets = Buckets(1, most=100)
    for i in range(1_000):
        buckets.take(f"asker {i}")
        buckets.take("busy")
    assert len(buckets) == 100 and buckets.take("busy") > 0


@pytest.mark.usefixtures("time_stands_still")
def test_a_key_has_its_own_rate_and_its_tokens_share_it(shop: Shop, keys: Keys) -> None:
    text, key = keys.new(["search"], rate=3)
    other, _ = keys.new(["search"], rate=3)
    asker = client(shop, keys)
    answers = [asker.get("/v1/shop", headers=bearer(sent)) for sent in (text, token_of(key), text, token_of(key, "b"))]
    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert code(answers[-1]) == "429 too-many-requests" and 1 <= int(answers[-1].headers["retry-after"]) <= 20
    assert asker.get("/v1/shop", headers=bearer(other)).status_code == 200
    admin = bearer("the admin's own secret")
    assert {asker.get("/v1/shop", headers=admin).status_code for _ in range(60)} == {200}


@pytest.mark.usefixtures("time_stands_still")
def test_an_address_has_a_rate_with_wrong_keys_browsers_keys_and_tokens(shop: Shop, keys: Keys) -> None:
    window, _ = keys.new(["search"], origins=[PAGE])
    backend, _ = keys.new(["search"])
    for headers in (bearer(window), bearer("wrong"), {}):
        asker = client(shop, keys)
        statuses = [asker.get("/v1/shop", headers=headers).status_code for _ in range(41)]
        assert statuses[-1] == 429 and 429 not in statuses[:-1]
        assert code(asker.get("/v1/shop", headers=bearer(window))) == "429 too-many-requests"
        assert asker.get("/v1/shop", headers=bearer(backend)).status_code == 200  # it asks for many shoppers
        assert asker.get("/healthz").status_code == 200
        elsewhere = TestClient(asker.app, client=("203.0.113.9", 1))
        assert elsewhere.get("/v1/shop", headers=bearer(window)).status_code == 200


@pytest.mark.usefixtures("time_stands_still")
def test_a_shopper_has_a_rate_with_tokens_and_another_with_each_key(shop: Shop, keys: Keys) -> None:
    text, key = keys.new(["search"])
    other, _ = keys.new(["search"])
    asker = client(shop, keys)

    def ask(sent: str, **body: str) -> Any:
        return asker.post("/v1/recommend", json=body, headers=bearer(sent))

    assert {ask(text, shopper="anna").status_code for _ in range(30)} == {200}
    assert code(ask(text, shopper="anna")) == "429 too-many-requests"
    # whoever holds a key may name any shopper; what the shopper may ask herself is untouched by that
    assert {ask(token_of(key)).status_code for _ in range(30)} == {200}
    answer = ask(token_of(key))
    assert code(answer) == "429 too-many-requests" and "anna" not in answer.text
    assert ask(other, shopper="anna").status_code == ask(text, shopper="bert").status_code == 200


def batch_of(many: int, **asked: Any) -> dict[str, Any]:
    return {"requests": [{"indexName": "default", "query": "milk", **asked}] * many}


QUERIES = "/1/indexes/*/queries"


def test_every_question_of_a_batch_counts(shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch) -> None:
    text, _ = keys.new(["search"], rate=10)
    asker, answer, asked = client(shop, keys), shop.ask, list[str]()

    def ask(surface: str, **more: Any) -> Any:
        asked.append(surface)
        return answer(surface, **more)

    monkeypatch.setattr(shop, "ask", ask)
    assert asker.post(QUERIES, json=batch_of(8), headers=bearer(text)).status_code == 200
    told = asker.post(QUERIES, json=batch_of(8), headers=bearer(text))
    assert told.status_code == 429 and len(asked) == 8, "nothing of it was answered"
    assert 40 <= int(told.headers["retry-after"]) <= 42, "7 of 10 a minute are missing"
    assert told.json()["status"] == 429 and "Ask again in" in told.json()["message"]
    related = {"requests": [{"indexName": "default", "model": "related-products", "objectID": "p1"}] * 8}
    assert asker.post("/1/indexes/*/recommendations", json=related, headers=bearer(text)).status_code == 429


def test_a_batch_that_no_minute_holds_is_refused_for_good(shop: Shop, keys: Keys) -> None:
    text, _ = keys.new(["search"], rate=2)
    told = client(shop, keys).post(QUERIES, json=batch_of(50), headers=bearer(text))
    assert told.status_code == 429 and "retry-after" not in told.headers
    assert "50 questions in one request are more than the 2 a minute of this key" in told.json()["message"]


@pytest.mark.usefixtures("time_stands_still")
@pytest.mark.parametrize("by", ["token", "key", "address"])
def test_a_batch_counts_for_its_shopper_and_its_address_too(shop: Shop, keys: Keys, by: str) -> None:
    text, key = keys.new(["search"], origins=[PAGE] if by == "address" else [])
    asker = client(shop, keys)
    sent, asked = (token_of(key), {}) if by == "token" else (text, {"userToken": "anna"} if by == "key" else {})
    most = 40 if by == "address" else 30
    for many, status in ((20, 200), (most - 20, 200), (1, 429)):
        told = asker.post(QUERIES, json=batch_of(many, **asked), headers=bearer(sent))
        assert told.status_code == status, told.text
    assert f"of this {'address' if by == 'address' else 'shopper'}" in told.text and "anna" not in told.text


def test_who_waits_as_long_as_told_is_answered() -> None:
    clock = Clock()
    buckets = Buckets(6, now_s=clock)
    assert buckets.take("a", many=5) == 0.0
    assert buckets.take("a") == 0.0  # the request that brings four more
    clock.now_s += 10
    assert buckets.take("a") == 0.0 and buckets.take("a", many=5, counted=1) == 50.0
    clock.now_s += 50
    assert buckets.take("a") == 0.0 and buckets.take("a", many=5, counted=1) == 0.0
    assert buckets.take("a", many=7) == float("inf") and buckets.take("a", 0, 7, 1) == float("inf")


@pytest.mark.parametrize(("records", "taken"), [(10_000, True), (10_001, False), (0, False)])
def test_no_setting_promises_more_records_than_a_request_may_bring(tmp_path: Path, records: int, taken: bool) -> None:
    (tmp_path / "wares.toml").write_text(f"[server]\nmax_records = {records}\n", encoding="utf-8")
    if taken:
        assert Limits.of(load_settings(tmp_path).server).records == records
        EventsSent(events=[{}] * records)
    else:
        with pytest.raises(SettingsError, match="max_records"):
            load_settings(tmp_path)


def test_a_household_of_ipv6_is_one_address() -> None:
    def at(host: str) -> str:
        return _address({"type": "http", "client": (host, 1)})

    assert at("2001:db8:1:2::1") == at("2001:db8:1:2:ffff::9") != at("2001:db8:1:3::1")
    assert at("203.0.113.9") != at("203.0.113.10") and at("::ffff:203.0.113.9") != at("::ffff:203.0.113.10")
    assert at("fe80::1%eth0") == at("fe80::2") and at("testclient") == "testclient"


def test_an_open_server_has_no_rate(shop: Shop) -> None:
    asker = TestClient(make_app({"default": shop}))
    assert {asker.get("/v1/shop").status_code for _ in range(100)} == {200}


@pytest.mark.parametrize(
    ("method", "route", "body", "told"),
    [
        ("PUT", "products", [{"id": f"n{i}", "title": "t"} for i in range(4)], "413 too-many-records"),
        ("PATCH", "products", [{"id": "p1", "price": i} for i in range(4)], "413 too-many-records"),
        ("POST", "events", {"events": [{"kind": "view", "product_id": "p1"}] * 4}, "413 too-many-records"),
        ("POST", "identify", {"logins": [{"anonymous": "a", "known": "b"}] * 4}, "413 too-many-records"),
        ("PUT", "products", [{"id": "n1", "title": "t"}, {"id": "n2", "title": "ä" * 600}], "413 record-too-large"),
        (
            "POST",
            "events",
            {"events": [{"kind": "view", "product_id": "p1", "note": "x" * 1_100}]},
            "413 record-too-large",
        ),
        ("PUT", "products", [{"id": "n1", "title": "x" * 9_000}], "413 too-large"),
        ("POST", "search", {"query": "x" * 51}, "413 query-too-long"),
    ],
)
def test_what_is_too_much_is_refused_whole(shop: Shop, method: str, route: str, body: Any, told: str) -> None:
    before = (shop.store.catalogue.ids(), shop.store.events.last())
    answer = TestClient(make_app({"default": shop})).request(method, f"/v1/{route}", json=body)
    assert code(answer) == told
    if told.endswith("record-too-large"):
        assert answer.json()["line"] == len(body if isinstance(body, list) else body["events"])
    assert (shop.store.catalogue.ids(), shop.store.events.last()) == before


def test_what_is_just_within_the_limits_is_taken(shop: Shop) -> None:
    asker = TestClient(make_app({"default": shop}))
    assert asker.post("/v1/search", json={"query": "x" * 50}).status_code == 200
    assert asker.get(f"/v1/suggest?q={'x' * 50}").status_code == 200
    assert code(asker.get(f"/v1/suggest?q={'x' * 51}")) == "413 query-too-long"
    assert asker.put("/v1/products", json=[{"id": f"p{i}", "title": "x" * 900} for i in range(3)]).json()["kept"] == 3


# -- pages of other origins --------------------------------------------------------------------------------------------

ASKS = {"origin": PAGE, "access-control-request-method": "POST", "access-control-request-headers": "authorization"}
CORS = "access-control-allow-origin"


def test_no_page_of_another_origin_may_ask_where_no_key_names_it(shop: Shop, keys: Keys) -> None:
    text, _ = keys.new(["search"])
    asker = client(shop, keys)
    preflight = asker.options("/v1/search", headers=ASKS)
    assert preflight.status_code != 204 and CORS not in preflight.headers
    for sent in (text, "the admin's own secret"):
        for answer in (
            asker.post("/v1/search", json={}, headers=bearer(sent, origin=PAGE)),
            asker.get("/v1/shop", headers=bearer(sent, origin=PAGE)),
            asker.get("/v1/shop", headers=bearer(sent, origin="null")),
        ):
            assert code(answer) == "403 foreign-origin" and CORS not in answer.headers


def test_pages_of_a_keys_origins_may_ask_with_it(shop: Shop, keys: Keys) -> None:
    text, key = keys.new(["search", "events"], origins=[PAGE])
    other, _ = keys.new(["search"], origins=["https://other.example"])
    asker = client(shop, keys)
    preflight = asker.options("/v1/search", headers=ASKS)
    assert preflight.status_code == 204 and preflight.headers[CORS] == PAGE
    assert "authorization" in preflight.headers["access-control-allow-headers"]
    assert preflight.headers["access-control-allow-methods"] == "GET, POST" and preflight.headers["vary"] == "Origin"
    for sent in (text, token_of(key)):
        answer = asker.post("/v1/search", json={"query": "milk"}, headers=bearer(sent, origin=PAGE))
        assert answer.status_code == 200 and answer.headers[CORS] == PAGE
        assert "access-control-allow-credentials" not in answer.headers
    wrong = asker.post("/v1/search", json={}, headers=bearer(other, origin=PAGE))
    assert code(wrong) == "403 foreign-origin"
    failed = asker.post("/v1/search", json={"k": 0}, headers=bearer(text, origin=PAGE))
    assert failed.status_code == 422 and failed.headers[CORS] == PAGE  # the page may read what was wrong
    for origin in ("https://evil.example", "https://shop.example.evil.example", "http://shop.example", "null"):
        answer = asker.post("/v1/search", json={}, headers=bearer(text, origin=origin))
        assert code(answer) == "403 foreign-origin" and CORS not in answer.headers
        assert CORS not in asker.options("/v1/search", headers={**ASKS, "origin": origin}).headers
    own = asker.post("/v1/search", json={}, headers=bearer(text, origin="http://api.example"))
    assert own.status_code == 200 and CORS not in own.headers
    assert asker.get("/healthz").headers["vary"] == "Accept-Encoding, Origin"


def test_a_revoked_key_takes_its_origins_with_it(shop: Shop, keys: Keys) -> None:
    _, key = keys.new(["search"], origins=[PAGE])
    keys.revoke(key.id)
    assert CORS not in client(shop, keys).options("/v1/search", headers=ASKS).headers


def test_an_open_server_answers_no_preflight(shop: Shop) -> None:
    answer = TestClient(make_app({"default": shop})).options("/v1/search", headers=ASKS)
    assert answer.status_code in (403, 405) and CORS not in answer.headers


# -- the storefront and faults -----------------------------------------------------------------------------------------


def test_the_storefronts_page_carries_the_key_that_is_for_it(
    shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch
) -> None:
    text, _ = keys.new(["search", "events"])
    assert "wares-key" not in client(shop, keys).get("/").text
    server = shop.settings.server.model_copy(update={"storefront_key": text})
    monkeypatch.setattr(shop, "settings", shop.settings.model_copy(update={"server": server}))
    page = client(shop, keys).get("/")
    assert f'<meta name="wares-key" content="{text}">\n  </head>' in page.text
    assert page.headers["cache-control"] == "no-cache" and page.headers["content-type"].startswith("text/html")


@pytest.mark.parametrize("path", ["/", "/healthz", "/v1/shop", "/storefront/js/main.js", "/nothing"])
def test_every_answer_has_safe_headers(shop: Shop, keys: Keys, path: str) -> None:
    headers = client(shop, keys).get(path).headers
    rules = dict(part.strip().partition(" ")[::2] for part in headers["content-security-policy"].split(";"))
    assert rules["default-src"] == rules["base-uri"] == rules["frame-ancestors"] == "'none'"
    assert rules["script-src"] == rules["style-src"] == rules["connect-src"] == "'self'"
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["x-content-type-options"] == "nosniff" and headers["x-frame-options"] == "DENY"


def test_a_fault_has_safe_headers_and_its_words_stay_out_of_the_log(
    shop: Shop, keys: Keys, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fails(*args: Any, **options: Any) -> Any:
        try:
            raise KeyError(f"shopper {options['shopper']}")
        except KeyError as error:
            raise RuntimeError(f"query {options['query']}") from error

    monkeypatch.setattr(shop, "ask", fails)
    text, _ = keys.new(["search"])
    asked = {"query": "SECRETWORDS", "shopper": "SECRETSHOPPER"}
    answer = client(shop, keys).post("/v1/search", json=asked, headers=bearer(text))
    assert code(answer) == "500 internal" and answer.headers["x-content-type-options"] == "nosniff"
    assert "RuntimeError" in caplog.text and "KeyError" in caplog.text and "test_gate.py" in caplog.text
    assert "SECRET" not in caplog.text and text not in caplog.text

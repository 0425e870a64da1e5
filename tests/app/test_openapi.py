"""The service's description is valid, complete, and true: whatever is sent, the answer is one that it describes."""

import os
from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st
from openapi_spec_validator import OpenAPIV31SpecValidator
from schemathesis import GenerationMode
from schemathesis.python import asgi
from schemathesis.specs.openapi import checks
from served_shop import build

from wares.app.web.access.scopes import NEEDS, OPEN
from wares.app.web.http import make_app
from wares.shop import Shop, open_shop

EXAMPLES = int(os.environ.get("WARES_FUZZ_EXAMPLES", "2"))  # of each route and kind; more for a longer run
SEED = int(os.environ.get("WARES_FUZZ_SEED", "7"))
MAY_BE_5XX = {"GET /readyz": {503}}
DESCRIPTION = make_app({}).openapi()
ROUTES = [(method.upper(), path) for path, methods in DESCRIPTION["paths"].items() for method in methods]


@pytest.fixture(scope="module")
def shop(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    with open_shop(build(tmp_path_factory.mktemp("shops") / "shop")) as opened:
        opened.record([{"kind": "cart", "time": 1_700_000_000_000, "shopper_id": "anna", "product_id": "p1"}])
        yield opened


@pytest.fixture(scope="module")
def session(shop: Shop) -> Iterator[asgi.ASGIClient]:
    app: Any = make_app({"default": shop})  # FastAPI's own types are narrower than those of the client
    with asgi.get_client(app) as client:
        yield client


def test_the_description_is_valid_openapi() -> None:
    assert DESCRIPTION["openapi"].startswith("3.1.")
    assert list(OpenAPIV31SpecValidator(DESCRIPTION).iter_errors()) == []


@pytest.mark.parametrize(("method", "path"), ROUTES, ids=[" ".join(route) for route in ROUTES])
def test_every_route_says_what_it_reads_answers_and_refuses(method: str, path: str) -> None:
    told = DESCRIPTION["paths"][path][method.lower()]
    assert told["summary"]
    good = [answer for status, answer in told["responses"].items() if status.startswith("2")]
    assert good and all(answer["description"] for answer in told["responses"].values())
    problems = [answer for status, answer in told["responses"].items() if status >= "400"]
    for answer in problems:
        assert any("json" in media for media in answer["content"])
    if method in ("POST", "PUT", "PATCH"):
        assert told["requestBody"]["content"]["application/json"]["schema"]
    need = {name.replace(":path}", "}"): need for name, need in NEEDS.items()}[
        f"{method} {path.replace('/v1/shops/{shop}', '/v1')}"
    ]
    assert ("security" in told) == (need.scope != OPEN)


SCHEMA = schemathesis.openapi.from_asgi("/v1/openapi.json", make_app({}))
READS = [  # of which something can be sent that does not fit: every text fits a place in the address
    (method, path)
    for method, path in ROUTES
    if "requestBody" in (told := DESCRIPTION["paths"][path][method.lower()])
    or any(parameter["in"] == "query" for parameter in told["parameters"])
]
SENT = [(*route, GenerationMode.POSITIVE) for route in ROUTES] + [(*route, GenerationMode.NEGATIVE) for route in READS]
CHECKS = [
    checks.status_code_conformance,
    checks.content_type_conformance,
    checks.response_schema_conformance,
    checks.response_headers_conformance,
]


@pytest.mark.parametrize(("method", "path", "mode"), SENT, ids=[f"{mode.value} {m} {path}" for m, path, mode in SENT])
def test_whatever_is_sent_the_answer_is_as_described(
    session: asgi.ASGIClient, method: str, path: str, mode: GenerationMode
) -> None:
    operation = SCHEMA[path][method]
    name = f"{method} {path}"

    @seeded(SEED)
    @settings(
        max_examples=EXAMPLES,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(st.data())
    def ask(data: st.DataObject) -> None:
        case: Any = data.draw(operation.as_strategy(generation_mode=mode))
        if "shop" in (case.path_parameters or {}):
            case.path_parameters["shop"] = "default"
        response = case.call(session=session)
        assert response.status_code < 500 or response.status_code in MAY_BE_5XX.get(name, ()), response.text
        case.validate_response(response, checks=CHECKS)

    ask()

"""Stable codes: each that is raised anywhere is explained, each that is explained is raised, and the address of a
problem's type leads to its explanation."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

import wares
from wares import errors
from wares.app.web.http import make_app
from wares.app.web.told import problems
from wares.app.web.told.error_codes import CODES

SOURCES = Path(str(wares.__file__)).parent


def refused_in(path: Path) -> Iterator[tuple[str, int]]:
    """(code, status) of everything that this module refuses."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Refused", "problem"):
            status, code = node.args[:2]
            if isinstance(status, ast.Constant) and isinstance(code, ast.Constant):
                yield str(code.value), int(str(status.value))


def classes_in(path: Path) -> Iterator[str]:
    """Codes of errors that this module adds to the tree."""
    for kind in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        for line in kind.body if isinstance(kind, ast.ClassDef) else ():
            if isinstance(line, ast.Assign) and [getattr(one, "id", "") for one in line.targets] == ["code"]:
                yield str(getattr(line.value, "value", ""))


def raised() -> dict[str, set[int]]:
    """Every code with the statuses that it comes with."""
    found: dict[str, set[int]] = {}
    for path in sorted((SOURCES / "app" / "web").glob("**/*.py")):
        for code, status in refused_in(path):
            found.setdefault(code, set()).add(status)
        for code in classes_in(path):
            found.setdefault(code, set())
    for status, code in problems._CODES.items():
        found.setdefault(code, set()).add(status)
    tree = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.WaresError)]
    for kind in tree:
        status = next((status for of, status in problems._STATUS if issubclass(kind, of)), 500)
        found.setdefault(kind.code, set()).add(status)
    found["unknown-name"].add(404)
    found.setdefault("invalid-request", set()).add(422)
    return found


def test_every_code_that_is_raised_is_explained_with_its_statuses() -> None:
    for code, statuses in raised().items():
        assert code in CODES, f"{code} has no entry in error_codes.py"
        assert statuses <= set(CODES[code].statuses) and CODES[code].statuses, code


def test_every_code_that_is_explained_is_raised() -> None:
    assert set(CODES) - {"http"} == set(raised())


def test_the_type_of_a_problem_leads_to_what_it_means() -> None:
    with TestClient(make_app({})) as client:
        told = client.get("/v1/nothing").json()
        assert told["type"] == "/v1/errors/not-found"
        meaning = client.get(told["type"])
        assert meaning.status_code == 200
        assert meaning.json()["statuses"] == [404] and meaning.json()["when"] and meaning.json()["remedy"]


def test_what_codes_mean_is_told_without_a_key() -> None:
    with TestClient(make_app({}, key="a long secret"), base_url="http://shop.example") as client:
        refusal = client.get("/v1/shop")
        assert refusal.status_code == 401
        assert client.get(refusal.json()["type"]).json()["code"] == "unauthorised"


@pytest.mark.parametrize("code", ["no-such-code", "%2e%2e", "x" * 5000])
def test_a_code_that_is_none_is_not_known(code: str) -> None:
    with TestClient(make_app({})) as client:
        answer = client.get(f"/v1/errors/{code}")
        assert answer.status_code == 404 and answer.headers["content-type"] == "application/problem+json"

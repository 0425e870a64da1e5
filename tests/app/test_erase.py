"""Forgetting a shopper by command and over HTTP."""

import time
from pathlib import Path

import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.web.http import make_app
from wares.shop import open_shop


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wares.toml").write_text('[encoder]\nsource = "none"\n', encoding="utf-8")
    with open_shop(tmp_path) as shop:
        shop.put([{"id": "mug", "title": "Mug"}])
        shop.record(
            [{"kind": "view", "time": time.time(), "shopper_id": w, "product_id": "mug"} for w in ("anna", "ben")]
        )
    return tmp_path


def events_of(folder: Path, shopper: str) -> int:
    with open_shop(folder, create=False) as shop:
        return shop.shopper(shopper).events


def test_a_shopper_is_forgotten_by_command_and_nobody_else(folder: Path) -> None:
    asked = CliRunner().invoke(app, ["erase", str(folder), "anna"])
    assert asked.exit_code == 1 and "cannot be undone" in asked.output and events_of(folder, "anna") == 1
    done = CliRunner().invoke(app, ["erase", str(folder), "anna", "--yes"])
    assert done.exit_code == 0 and "Forgotten: 1 event," in done.output
    assert (events_of(folder, "anna"), events_of(folder, "ben")) == (0, 1)
    again = CliRunner().invoke(app, ["erase", str(folder), "anna", "--yes"])
    assert again.exit_code == 1 and "There is no shopper 'anna'" in again.output


def test_a_shopper_is_forgotten_over_http(folder: Path) -> None:
    with open_shop(folder) as shop, TestClient(make_app({"default": shop})) as client:
        assert client.delete("/v1/shoppers/anna").json() == {"erased": 1}
        assert client.delete("/v1/shoppers/anna").json() == {"erased": 0}
    assert (events_of(folder, "anna"), events_of(folder, "ben")) == (0, 1)

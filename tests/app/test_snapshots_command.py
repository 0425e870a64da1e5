"""`wares snapshots`, `promote` and `rollback`, over a shop that was trained through the command line."""

import json
import random
import shutil
import time
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from typer.testing import CliRunner, Result

import wares.errors
from wares.app.cli import app
from wares.app.web.http import DEFAULT_SHOP, make_app
from wares.shop import open_shop

SOURCE = str(Path(wares.errors.__file__).parents[1])
DAY_MS = 86_400_000
START_MS = 1_760_000_000_000
GOOD = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular", "buy_again"]\n'
WORSE = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="wares")


def answer(*words: object) -> Any:
    """What a command says with --json, which is JSON and nothing else."""
    result = wares_(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def refused(*words: object) -> str:
    result = wares_(*words)
    assert (result.exit_code, result.stdout) == (1, ""), result.output
    return result.stderr


@pytest.fixture(autouse=True)
def _no_shop_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WARES_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "250")
    monkeypatch.setenv("PYTHONPATH", SOURCE)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Sixty shoppers with habits, eight weeks; 000002 is as good as 000001, 000003 is worse."""
    folder = tmp_path_factory.mktemp("shops") / "corner"
    folder.mkdir()
    (folder / "wares.toml").write_text(GOOD)
    draw = random.Random(0)
    with open_shop(folder) as shop:
        shop.put([{"id": f"p{i}", "title": f"thing number {i}", "price": 1} for i in range(60)])
        shop.record(
            {
                "kind": "purchase",
                "time": START_MS + week * 7 * DAY_MS + shopper,
                "shopper_id": f"s{shopper}",
                "product_id": f"p{product}",
            }
            for week in range(8)
            for shopper in range(60)
            for product in draw.sample([(shopper * 7 + i * 13) % 60 for i in range(4)], 3)
        )
    patch = pytest.MonkeyPatch()
    patch.setenv("PYTHONPATH", SOURCE)
    for toml in (GOOD, GOOD, WORSE):
        (folder / "wares.toml").write_text(toml)
        assert wares_("train", folder).exit_code == 0
    (folder / "wares.toml").write_text(GOOD)
    patch.undo()
    return folder


@pytest.fixture
def shop(trained: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(trained, tmp_path / "corner"))


def states(folder: Path) -> dict[str, str]:
    return {one["name"]: one["state"] for one in answer("snapshots", folder)["snapshots"]}


def served(folder: Path) -> str:
    """By a process that starts now."""
    return str(answer("recommend", folder, "--shopper", "s1")["snapshot"])


def test_training_says_what_became_of_the_snapshot_and_how_to_take_it(shop: Path) -> None:
    (shop / "wares.toml").write_text(WORSE)
    told = wares_("train", shop)
    assert told.exit_code == 0
    assert "Snapshot 000004: 60 products" in told.stdout
    assert "recall@10 0." in told.stdout and "coverage 10 hits, 000002 60 hits (-83.3%)" in told.stdout
    assert "Kept aside, 000002 goes on serving: recall@10 may be too much worse" in told.stderr
    assert f"`wares promote {shop} 000004` takes it all the same." in told.stderr.replace("\n", " ")
    (shop / "wares.toml").write_text(GOOD)
    assert served(shop) == "000002"
    told = wares_("train", shop)
    assert "It serves now: about as good as 000002 or better." in told.stdout


def test_training_tells_the_report_as_json(shop: Path) -> None:
    (shop / "wares.toml").write_text(WORSE)
    told = answer("train", shop)
    assert (told["snapshot"], told["promotion"]["promoted"], told["promotion"]["serving"]) == (
        "000004",
        False,
        "000002",
    )
    assert told["promotion"] == json.loads((shop / "snapshots" / "000004" / "promotion.json").read_text())


def test_snapshots_are_listed_with_their_states_and_figures(shop: Path) -> None:
    told = answer("snapshots", shop)
    assert (told["current"], told["held"]) == ("000002", "")
    first, second, third = told["snapshots"]
    assert [one["state"] for one in told["snapshots"]] == ["older", "current", "kept aside"]
    assert (first["products"], first["events"], first["models"]) == (60, 1440, ["popular", "buy_again"])
    assert first["report"]["why"] == ["the first snapshot of this shop"]
    assert second["report"]["promoted"] and second["why"] == ""
    assert third["why"].startswith("recall@10 may be too much worse")
    shown = wares_("snapshots", shop).stdout
    assert "kept aside: recall@10 may be" in shown and "1,440" in shown and "60 shoppers" in shown


def test_a_shop_without_a_snapshot_says_so(tmp_path: Path) -> None:
    with open_shop(tmp_path / "new"):
        pass
    assert "There is no snapshot yet" in wares_("snapshots", tmp_path / "new").stdout
    assert answer("snapshots", tmp_path / "new") == {"current": "", "held": "", "snapshots": []}
    assert "no snapshot older than none" in refused("rollback", tmp_path / "new")


def test_rollback_goes_to_the_one_before_and_survives_a_restart(shop: Path) -> None:
    assert served(shop) == "000002"
    assert answer("rollback", shop) == {"current": "000001", "before": "000002", "held": True}
    assert states(shop) == {"000001": "current", "000002": "kept aside", "000003": "kept aside"}
    assert served(shop) == served(shop) == "000001"
    assert "000001 was put back by hand" in wares_("snapshots", shop).stderr
    assert "no snapshot older than 000001" in refused("rollback", shop)


def test_after_a_rollback_no_training_jumps_forward_until_one_is_promoted(shop: Path) -> None:
    wares_("rollback", shop)
    told = wares_("train", shop)
    assert "Kept aside, 000001 goes on serving: the shop went back to 000001 by hand" in told.stderr
    assert served(shop) == "000001"
    assert answer("promote", shop, "000004")["current"] == served(shop) == "000004"
    assert states(shop)["000004"] == "current"
    assert "It serves now" in wares_("train", shop).stdout


def test_promote_takes_what_was_kept_aside_and_rollback_returns(shop: Path) -> None:
    told = wares_("promote", shop, "000003")
    assert "Snapshot 000003 serves now; before it was 000002." in told.stdout
    assert served(shop) == "000003"
    told = wares_("rollback", shop, "000001")
    assert "Snapshot 000001 serves now" in told.stdout
    assert "Trainings are kept aside from now on" in told.stderr
    assert served(shop) == "000001"


def test_a_running_server_swaps_by_itself(shop: Path) -> None:
    def until(client: TestClient, name: str) -> None:
        deadline_s = time.monotonic() + 10
        while client.post("/v1/recommend", json={"shopper": "s1"}).json()["snapshot"] != name:
            assert time.monotonic() < deadline_s
            time.sleep(0.1)

    with open_shop(shop) as opened, TestClient(make_app({DEFAULT_SHOP: opened}, "")) as client:
        until(client, "000002")
        assert wares_("rollback", shop).exit_code == 0
        until(client, "000001")
        assert wares_("promote", shop, "000003").exit_code == 0
        until(client, "000003")


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_an_unknown_name_gets_the_known_ones(shop: Path, command: str) -> None:
    said = refused(command, shop, "000020")
    assert "There is no snapshot '000020'." in said
    assert "Known: 000001, 000002, 000003." in said
    assert states(shop)["000002"] == "current"


def test_names_that_make_no_sense_are_refused(shop: Path) -> None:
    assert "Snapshot 000002 serves already." in refused("rollback", shop, "000002")
    assert "Snapshot 000003 is newer than 000002, which serves: `wares promote` it." in refused(
        "rollback", shop, "000003"
    )
    assert "There is no snapshot '../corner'" in refused("promote", shop, "../corner")
    assert wares_("promote", shop).exit_code == 2
    assert states(shop)["000002"] == "current"


@pytest.mark.parametrize("command", ["promote", "rollback"])
def test_a_damaged_snapshot_is_not_taken(shop: Path, command: str) -> None:
    (shop / "snapshots" / "000001" / "text.npz").write_bytes(b"")
    assert "file text.npz was cut or altered" in refused(command, shop, "000001")
    assert served(shop) == "000002"


def test_a_damaged_manifest_is_listed_as_such(shop: Path) -> None:
    (shop / "snapshots" / "000001" / "manifest.json").write_text("{")
    assert states(shop)["000001"] == "damaged"
    assert "damaged: The manifest of snapshot 000001 cannot be read" in wares_("snapshots", shop).stdout


@pytest.mark.parametrize(
    "report", ["", "[]", '{"compared": true}', '{"compared": true, "serving": 1, "guardrails": {"x": 3}}']
)
def test_an_altered_report_changes_nothing_but_what_is_told(shop: Path, report: str) -> None:
    (shop / "snapshots" / "000002" / "promotion.json").write_text(report)
    told = wares_("snapshots", shop)
    assert told.exit_code == 0, told.output
    assert ("its promotion.json cannot be read" in told.stdout) == report.startswith("{")
    assert states(shop)["000002"] == "current"

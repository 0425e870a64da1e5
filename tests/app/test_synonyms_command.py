"""`wares synonyms`: what may stand for what, and nothing is changed until somebody accepts it."""

import json
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.app.commands.synonyms import accept_lines
from wares.shop import open_shop
from wares.training.synonyms import Proposal

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'
DAY = "2024-05-01"


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="wares")


def answer(*words: object) -> Any:
    result = wares_(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Shoppers who ask for a swingbed choose hammocks."""
    monkeypatch.delenv("WARES_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "200")
    folder = tmp_path / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS)
    with open_shop(folder) as made:
        made.put(
            [{"id": f"h{i}", "title": f"Hammock of cotton {i}"} for i in range(6)]
            + [{"id": f"k{i}", "title": f"Kettle of steel {i}"} for i in range(30)]
        )
        done = made.record(
            {"kind": "click", "shopper_id": f"{who}{s}", "product_id": f"h{p}", "query": query, "time": DAY}
            for who, query in (("a", "cotton hammock"), ("b", "swingbed outside"))
            for s in range(6)
            for p in range(6)
        )
        assert done.kept == 72, done
    return folder


def test_it_lists_what_speaks_for_each_and_changes_nothing(shop: Path) -> None:
    told = answer("synonyms", shop)
    first = told["proposals"][0]
    assert (first["number"], first["line"]) == (1, "swingbed outside => cotton hammock")
    assert (first["sign"], first["evidence"]["shoppers"]) == ("behaviour", 12)
    assert first["titles"][0].startswith("Hammock") and 0 < first["score"] <= 1
    assert told["accepted"] == []
    assert not (shop / "synonyms.txt").exists()
    shown = wares_("synonyms", shop)
    assert shown.exit_code == 0 and "swingbed" in shown.stdout and "Nothing is changed" in shown.stderr


def test_what_is_accepted_is_appended_once_and_then_serves(shop: Path) -> None:
    (shop / "synonyms.txt").write_bytes(b"# mine\r\ntea, brew")
    number = {one["line"]: one["number"] for one in answer("synonyms", shop)["proposals"]}
    done = wares_("synonyms", shop, "--accept", number["swingbed outside => cotton hammock"])
    assert done.exit_code == 0 and "swingbed outside => cotton hammock" in done.stdout
    assert (shop / "synonyms.txt").read_bytes() == b"# mine\r\ntea, brew\nswingbed outside => cotton hammock\n"
    assert "swingbed outside => cotton hammock" not in [one["line"] for one in answer("synonyms", shop)["proposals"]]
    assert sorted(path.name for path in shop.glob("synonyms*")) == ["synonyms.txt"]
    with open_shop(shop) as opened:
        assert opened.search("swingbed outside").total == 0
        opened.train()
        assert opened.search("swingbed outside").total == 6


def test_write_takes_all_that_are_listed(shop: Path) -> None:
    told = answer("synonyms", shop, "--most", 2, "--write")
    assert len(told["proposals"]) == 2
    assert (
        (shop / "synonyms.txt").read_text().splitlines() == told["accepted"] == [p["line"] for p in told["proposals"]]
    )


@pytest.mark.parametrize("wrong", ["0", "99", "x", "1,99"])
def test_a_wrong_number_changes_nothing(shop: Path, wrong: str) -> None:
    done = wares_("synonyms", shop, "--accept", wrong)
    assert done.exit_code == 1 and "no number of the list" in done.stderr
    assert not (shop / "synonyms.txt").exists()


def test_a_line_that_the_file_says_in_other_words_is_not_added(tmp_path: Path) -> None:
    def one(said: str, meant: str, *, one_way: bool) -> Proposal:
        return Proposal(said, meant, one_way, "behaviour", 1.0, {})

    (tmp_path / "synonyms.txt").write_text("Couch, Sofas\nlamp => light\n")
    again = [one("sofa", "couch", one_way=False), one("lamp", "light", one_way=True)]
    assert accept_lines(tmp_path, again, "en") == []
    assert accept_lines(tmp_path, [one("lamp", "light", one_way=False)], "en") == ["lamp, light"]


def test_accepting_both_ways_at_once_is_wrong_usage(shop: Path) -> None:
    assert wares_("synonyms", shop, "--accept", "1", "--write").exit_code == 2

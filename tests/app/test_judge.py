"""`wares judge`, over a shop of a few products."""

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.domain.judgement import Judgement
from wares.store.sqlite import Store

SETTINGS = '[encoder]\nsource = "none"\n[models]\ntrain = ["popular"]\n'
PRODUCTS = """id,title,group_id
oak,Oak ladder 2 m,
step3,Step ladder 3 m,step
step5,Step ladder 5 m,step
green,Green tea,
black,Black tea [loose],
"""
JUDGED = """query,product_id,label
ladder,oak,2
ladder,step5,3
tea,black,3
tea,green,1
samovar,green,3
wheel,tyre,3
,green,3
tea,green,good
"""


def wares_(*words: object) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="wares")


def answer(*words: object) -> Any:
    """What a command says with --json, which is JSON and nothing else."""
    result = wares_(*words, "--json")
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


@pytest.fixture(autouse=True)
def _no_shop_in_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WARES_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


@pytest.fixture(scope="module")
def imported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "shop"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS)
    (folder.parent / "products.csv").write_text(PRODUCTS)
    done = wares_("import", folder, "--products", folder.parent / "products.csv")
    assert done.exit_code == 0, done.output
    return folder


@pytest.fixture
def shop(imported: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(imported, tmp_path / "shop"))


@pytest.fixture
def judged(tmp_path: Path) -> Path:
    path = tmp_path / "judged.csv"
    path.write_text(JUDGED)
    return path


def test_a_file_is_imported_with_a_report_and_the_search_is_measured(shop: Path, judged: Path) -> None:
    told = wares_("judge", shop, judged, "--lowest", "1")
    assert told.exit_code == 0, told.output
    assert "read 8, kept 6, repaired 0, rejected 2" in told.stdout
    assert "relevance is no number" in told.stdout
    assert "ndcg@10" in told.stdout and "recall@100" in told.stdout and "no results" in told.stdout
    assert "Black tea [loose]" in told.stdout
    assert "wares train" in told.stderr
    with Store.open(shop, "read") as store:
        assert store.judgements.count() == 6
        assert Judgement("ladder", "oak", 1.0) in store.judgements.read()


def test_the_figures_are_those_of_what_the_shop_answers(shop: Path, judged: Path) -> None:
    told = answer("judge", shop, judged, "--lowest", "1")
    assert (told["queries"], told["judgements"], told["imported"]["rejected"]) == (4, 6, 2)
    assert told["figures"]["no results"]["mean"] == 0.5
    assert told["figures"]["recall@100"]["mean"] == pytest.approx(2 / 3, abs=1e-6)
    ndcg = told["figures"]["ndcg@10"]
    assert ndcg["mean"] == pytest.approx(sum(line["ndcg@10"] for line in told["worst"]) / 3, abs=1e-6)
    assert ndcg["low"] <= ndcg["mean"] <= ndcg["high"]


def test_the_worst_queries_say_what_was_wanted_and_what_came(shop: Path, judged: Path) -> None:
    told = answer("judge", shop, judged, "--lowest", "1")
    first = told["worst"][0]
    assert first == {
        "query": "samovar",
        "ndcg@10": 0.0,
        "recall@100": 0.0,
        "wanted": [{"id": "green", "title": "Green tea"}],
        "came": [],
    }
    tea = next(line for line in told["worst"] if line["query"] == "tea")
    assert [one["id"] for one in tea["wanted"]] == ["black"]  # the green one was judged to be worth nothing
    assert {one["title"] for one in tea["came"]} == {"Green tea", "Black tea [loose]"}
    assert len(answer("judge", shop, "--worst", "1")["worst"]) == 1
    assert "wanted first" not in wares_("judge", shop, "--worst", "0").stdout


def test_a_judged_variant_counts_at_the_place_of_its_hit(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "variants.csv").write_text("query,product_id,label\nstep,step5,1\nstep,step3,1\nstep,oak,0\n")
    told = answer("judge", shop, tmp_path / "variants.csv")
    assert [one["id"] for one in told["worst"][0]["came"]] in (["step3"], ["step5"])
    assert told["figures"]["ndcg@10"]["mean"] == told["figures"]["recall@100"]["mean"] == 1


def test_later_the_same_judgements_are_asked_without_a_file(shop: Path, judged: Path) -> None:
    before = answer("judge", shop, judged, "--lowest", "1")
    after = answer("judge", shop)
    assert after["imported"] is None
    assert after["figures"] == before["figures"] and after["worst"] == before["worst"]


def test_products_that_the_catalogue_lacks_are_counted_and_said(shop: Path, judged: Path) -> None:
    told = answer("judge", shop, judged, "--lowest", "1")
    assert (told["products_missing"], told["queries_left_out"]) == (1, 1)
    said = wares_("judge", shop).stderr
    assert "Judged products that the catalogue lacks: 1." in said
    assert "Queries that want nothing the catalogue has: 1." in said


def test_depth_and_threshold_can_be_chosen(shop: Path, judged: Path) -> None:
    answer("judge", shop, judged, "--lowest", "1")
    told = answer("judge", shop, "--k", "1", "--relevant", "2")
    assert told["relevant_from"] == 2
    assert set(told["figures"]) == {"ndcg@1", "recall@100", "no results"}
    assert {line["ndcg@1"] for line in told["worst"]} <= {0.0, 0.5, 1.0}


def test_the_environment_can_name_the_shop(shop: Path, judged: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARES_SHOP", str(shop))
    assert answer("judge", judged, "--lowest", "1")["judgements"] == 6
    assert answer("judge")["judgements"] == 6


def test_clear_forgets_and_with_a_file_makes_room_for_it(shop: Path, judged: Path, tmp_path: Path) -> None:
    answer("judge", shop, judged, "--lowest", "1")
    (tmp_path / "new.jsonl").write_text('{"query": "tea", "product_id": "green", "relevance": 1}\n')
    assert answer("judge", shop, tmp_path / "new.jsonl", "--clear")["judgements"] == 1
    assert "Forgot 1 judgements." in wares_("judge", shop, "--clear").stdout
    assert answer("judge", shop, "--clear")["forgotten"] == 0


def test_a_shop_without_judgements_says_how_to_get_some(shop: Path) -> None:
    told = wares_("judge", shop)
    assert told.exit_code == 1
    assert told.stdout == ""
    assert "has no judgements. Import some: wares judge" in told.stderr


def test_a_file_without_a_usable_judgement_changes_nothing(shop: Path, judged: Path, tmp_path: Path) -> None:
    answer("judge", shop, judged, "--lowest", "1")
    (tmp_path / "bad.csv").write_text("query,product_id,label\ntea,green,good\n")
    told = wares_("judge", shop, tmp_path / "bad.csv", "--clear")
    assert told.exit_code == 1
    assert "no judgement that can be used" in told.stderr and "Line 2: relevance is no number" in told.stderr
    assert answer("judge", shop)["judgements"] == 6


def test_judgements_of_another_shop_are_told_apart_from_a_bad_search(shop: Path, tmp_path: Path) -> None:
    (tmp_path / "other.csv").write_text("query,product_id,label\ntea,999,3\n")
    told = wares_("judge", shop, tmp_path / "other.csv")
    assert told.exit_code == 1
    assert "kept 1" in told.stdout
    assert "The catalogue has none of the products" in told.stderr


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (["{shop}/none"], "There is no shop in"),
        (["{shop}", "{shop}/none.csv"], "There is no file"),
        (["{shop}", "--relevant", "0"], "Valid is a number above 0"),
        (["{shop}", "{shop}/wares.toml", "--lowest", "nan"], "lowest relevance is nan"),
    ],
)
def test_faults_are_one_line_on_stderr_and_exit_code_1(shop: Path, words: list[str], told: str) -> None:
    result = wares_("judge", *(word.format(shop=shop) for word in words))
    assert result.exit_code == 1
    assert result.stdout == ""
    assert told in result.stderr
    assert "Traceback" not in result.stderr


def test_a_depth_beyond_what_is_asked_is_wrong_usage(shop: Path) -> None:
    assert wares_("judge", shop, "--k", "101").exit_code == 2

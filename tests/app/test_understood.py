"""What the shop read in a query, on the surfaces: the HTTP service, the command line and its `--explain`, `doctor`."""

import json
import shutil
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient
from typer.testing import CliRunner, Result

from wares.app.cli import app
from wares.app.commands.doctor import examine
from wares.app.commands.explaining import print_explanation
from wares.app.commands.finding import Finding
from wares.app.commands.screen import stdout
from wares.app.web.http import make_app
from wares.app.web.wire import PageOut
from wares.domain.judgement import Judgement
from wares.domain.request import Request
from wares.engine.learnt import SNAPSHOTS, current_snapshot
from wares.engine.live import Live
from wares.engine.snapshot import write_snapshot
from wares.ranking.boosted import Boosted
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

Row = dict[str, Any]
SETTINGS = """
[shop]
title = "Clothes"
currency = "USD"
[encoder]
source = "none"
[models]
train = ["popular"]
"""
RULES = """
[[rules]]
when = { query = "jacket" }
boost = [{ where = { brand = "Harbour" }, factor = 1.5 }]
"""
THINGS = ("jacket", "jacket with hood", "winter coat", "scarf", "trousers", "belt")
COLOURS = ("Red", "Blue", "Green")
GOODS: list[Row] = [
    {
        "id": f"{thing} {colour} {brand}".lower().replace(" ", "-"),
        "title": f"{colour} {thing}",
        "brand": brand,
        "category": "Clothes",
        "price": 20 + 10 * i + 7 * j + k,
        "colour": colour,
    }
    for i, thing in enumerate(THINGS)
    for j, colour in enumerate(COLOURS)
    for k, brand in enumerate(("Harbour", "Moor"))
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shops") / "clothes"
    folder.mkdir()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put(GOODS)
        shop.rules.publish("Ann", text=RULES)
        shop.record(
            {"kind": "purchase", "time": time.time() - 86_400, "shopper_id": f"s{i}", "product_id": GOODS[i % 5]["id"]}
            for i in range(12)
        )
        train_here(folder, silent)
    return folder


@pytest.fixture(scope="module")
def shop(folder: Path) -> Iterator[Shop]:
    with open_shop(folder) as opened:
        yield opened


@pytest.fixture(scope="module")
def client(shop: Shop) -> TestClient:
    return TestClient(make_app({"default": shop}))


@pytest.fixture
def copy(folder: Path, tmp_path: Path) -> Path:
    """The same shop for a test that changes it."""
    return Path(shutil.copytree(folder, tmp_path / "copy"))


@pytest.fixture(autouse=True)
def _wide_terminal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WARES_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "200")


def asked(client: TestClient, query: str, **more: Any) -> Row:
    answer = client.post("/v1/search", json={"query": query, "k": 50, **more})
    assert answer.status_code == 200, answer.text
    told: Row = answer.json()
    assert told == PageOut.model_validate(told, strict=False).model_dump(mode="json")
    return told


def wares_(*words: object) -> Result:
    result = CliRunner().invoke(app, [str(word) for word in words], prog_name="wares")
    assert result.exit_code == 0, result.output
    return result


def ids(page: Row) -> set[str]:
    return {hit["product"]["id"] for hit in page["hits"]}


# -- the HTTP service --------------------------------------------------------------------------------------------------


def test_a_correction_is_told_and_can_be_refused(client: TestClient) -> None:
    told = asked(client, "jackett")
    assert told["correction"] == "jacket" and told["total"] == 12
    assert asked(client, "jacket")["correction"] == ""
    exact = asked(client, "jackett", as_typed=True)
    assert exact["correction"] == "" and exact["total"] != 12


def test_a_price_wish_comes_in_whole_units_and_can_be_taken_back(client: TestClient) -> None:
    told = asked(client, "jacket under $30")
    (wish,) = told["wishes"]
    assert (wish["kind"], wish["said"], wish["strict"]) == ("price", "under $30", True)
    assert (wish["field"], wish["low"], wish["high"], wish["values"]) == ("price", None, 30.0, [])
    assert told["hits"] and all(hit["product"]["price"] <= 30 for hit in told["hits"])
    without = asked(client, "jacket under $30", without_wishes=[wish["key"]])
    assert without["wishes"] == []
    assert max(hit["product"]["price"] for hit in without["hits"]) > 30


def test_wishes_name_the_fields_and_values_that_they_mean(client: TestClient) -> None:
    wishes = {wish["kind"]: wish for wish in asked(client, "red moor jacket without hood")["wishes"]}
    assert (wishes["colour"]["field"], wishes["colour"]["values"]) == ("colour", ["Red"])
    assert (wishes["brand"]["said"], wishes["brand"]["values"], wishes["brand"]["strict"]) == ("moor", ["Moor"], False)
    assert wishes["exclusion"]["excluded"] == ["hood"]
    assert not any("hood" in product for product in ids(asked(client, "red moor jacket without hood")))


def test_the_description_tells_of_wishes_and_of_what_may_be_refused(client: TestClient) -> None:
    schemas = client.get("/v1/openapi.json").json()["components"]["schemas"]
    assert {"correction", "wishes"} <= schemas["PageOut"]["properties"].keys()
    assert {"as_typed", "without_wishes"} <= schemas["SearchAsk"]["properties"].keys()
    assert "exclusion" in schemas["WishKind"]["enum"]


@pytest.mark.parametrize("more", [{"as_typed": "perhaps"}, {"without_wishes": "price"}, {"without_wishes": [1]}])
def test_what_cannot_be_refused_so_is_an_error(client: TestClient, more: Row) -> None:
    assert client.post("/v1/search", json={"query": "scarf", **more}).status_code == 422


def test_only_a_search_has_words_to_refuse(client: TestClient) -> None:
    assert client.post("/v1/browse", json={"as_typed": True}).status_code == 422


# -- the command line --------------------------------------------------------------------------------------------------


def test_the_command_line_says_how_it_read_the_words_and_how_to_refuse(folder: Path) -> None:
    told = wares_("search", folder, "red jackett under $40").stdout
    assert "Showing results for 'red jacket under $40' (as typed: --as-typed)" in told
    assert "Read as: price at most 40.00 (--without 'price:under $40')" in told
    assert "Read as: colour Red, preferred (--without colour:red)" in told


def test_the_command_line_refuses_what_it_is_told_to(folder: Path) -> None:
    keys = ("--without", "price:under $40", "--without", "colour:red")
    told = wares_("search", folder, "red jackett under $40", "--as-typed", *keys).stdout
    assert "Showing results for" not in told and "Read as" not in told


def test_json_has_the_correction_and_the_wishes(folder: Path) -> None:
    page = json.loads(wares_("search", folder, "jackett under $40", "--json").stdout)
    assert page["correction"] == "jacket under $40"
    assert [wish["key"] for wish in page["wishes"]] == ["price:under $40"]
    assert "explanation" not in page and "explanation" not in page["hits"][0]


# -- explained ---------------------------------------------------------------------------------------------------------


def learned(shop: Shop) -> Boosted:
    """Trees that like what holds the words and costs little, grown on invented candidates with the shop's features."""
    names = shop.engine.retrieve(Request("search", int(time.time() * 1000), query="jacket"))[2].names
    rng = np.random.default_rng(0)
    features = rng.random((2000, len(names))).astype(np.float32)
    gains = np.floor(3 * features[:, names.index("lexical")]) + (features[:, names.index("price")] < 0.5)
    return Boosted.fit(features, gains, [20] * 100, names, rounds=20, threads=1)


@pytest.fixture
def taught(copy: Path) -> Iterator[Shop]:
    """The shop with a learned order."""
    with open_shop(copy) as opened:
        snapshot = replace(opened.engine.live.snapshot, ranker=learned(opened))
        opened.engine.serving.now = Live(snapshot, None)
        yield opened


def sums(shop: Shop, query: str, **more: Any) -> None:
    page = shop.search(query, explain=True, k=100, **more)
    assert page.hits
    for hit in page.hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-4)
        assert hit.priority == pytest.approx(hit.score + sum(one.amount for one in hit.adjustments), abs=1e-4)


def test_the_parts_of_a_score_add_up_to_it_in_the_formula(shop: Shop) -> None:
    assert shop.search("jacket", explain=True).explanation.ranker == "formula"  # type: ignore[union-attr]
    sums(shop, "jacket")


def test_the_parts_of_a_score_add_up_to_it_in_the_learned_order(taught: Shop) -> None:
    page = taught.search("jacket", explain=True)
    assert page.explanation is not None and page.explanation.ranker == "learned"
    assert set(page.hits[0].parts) == {*page.hits[0].features, ""}
    sums(taught, "jacket")
    assert any(hit.adjustments for hit in page.hits), "the rule for Harbour changed a priority"


def test_the_parts_of_later_pages_add_up_as_well(taught: Shop) -> None:
    first = taught.search("jacket", explain=True, k=5)
    for hit in taught.search("jacket", explain=True, k=5, cursor=first.cursor).hits:
        assert sum(hit.parts.values()) == pytest.approx(hit.score, abs=1e-4)


def test_an_ordinary_answer_is_the_same_and_carries_no_explanation(taught: Shop) -> None:
    plain, explained = taught.search("red jacket"), taught.search("red jacket", explain=True)
    assert [(h.product.id, h.score) for h in plain.hits] == [(h.product.id, h.score) for h in explained.hits]
    assert plain.explanation is None and not any(hit.parts for hit in plain.hits)


def test_another_sort_has_no_scores_to_explain(shop: Shop) -> None:
    page = shop.search("jacket", sort="price", explain=True)
    assert page.explanation is not None and page.explanation.ranker == ""
    assert not any(hit.parts for hit in page.hits)


def test_an_explanation_tells_the_readings_of_each_term_and_the_match_set(folder: Path) -> None:
    page = json.loads(wares_("search", folder, "jackett trous", "--explain", "--json").stdout)
    explained = page["explanation"]
    assert (explained["ranker"], explained["text"].strip()) == ("formula", "jacket trous")
    assert explained["matched"] >= page["total"] > 0
    readings = {term["said"]: {r["why"] for r in term["readings"]} for term in explained["terms"]}
    assert readings["jacket"] == {""} and "prefix" in readings["trous"]
    for hit in page["hits"]:
        assert sum(one["part"] for one in hit["explanation"].values()) == pytest.approx(hit["score"], abs=1e-4)
        assert {"lexical", "price"} <= hit["explanation"].keys()


def test_an_explanation_fits_a_terminal(taught: Shop, capsys: pytest.CaptureFixture[str]) -> None:
    page = taught.search("jacket without hood", explain=True, k=2)
    print_explanation(stdout(), page)
    told = capsys.readouterr().out
    assert "ranked by learned" in told and "(base)" in told and "more" in told
    assert "left out: products with hood" in told
    for hit in page.hits:
        assert f"{hit.score:.4f}" in told
        for name in sorted(hit.parts, key=lambda name: -abs(hit.parts[name]))[:3]:
            assert name in told


def test_recommendations_are_explained_too(folder: Path) -> None:
    told = wares_("recommend", folder, "--explain", "-k", "2").stdout
    assert "proposed by the sources, ranked by formula" in told and "popular" in told and "score" in told


# -- doctor ------------------------------------------------------------------------------------------------------------


def finding(what: str, folder: Path | None = None) -> Finding:
    return next(found for found in examine(folder) if found.what == what)


def test_doctor_says_which_ranker_answers(copy: Path, shop: Shop) -> None:
    assert "the formula: there are no judgements" in finding("ranker", copy).found
    with open_shop(copy) as opened:
        opened.writer().judgements.put([Judgement("jacket", GOODS[0]["id"], 1.0)])
        settings = opened.settings
    waiting = finding("ranker", copy)
    assert waiting.state == "warning" and "1 judgements" in waiting.found and "wares train" in waiting.advice
    snapshot, _ = current_snapshot(copy, settings)
    order = {"queries": 1200, "kept": True, "ndcg_formula": 0.4, "ndcg_learned": 0.45}
    snapshot = replace(snapshot, name="000002", facts={**snapshot.facts, "order": order}, ranker=learned(shop))
    write_snapshot(snapshot, copy / SNAPSHOTS)
    told = finding("ranker", copy)
    assert told.state == "ok" and told.found.startswith("learned from 1,200 judged queries: nDCG@10 0.450")


def test_doctor_names_the_system_package_where_lightgbm_cannot_be_loaded(monkeypatch: pytest.MonkeyPatch) -> None:
    assert finding("learned order").state == "ok"
    monkeypatch.setitem(sys.modules, "lightgbm", None)
    missing = finding("learned order")
    assert missing.state == "warning" and "libgomp1" in missing.advice


@pytest.mark.parametrize(
    ("text", "state", "told"),
    [
        (None, "ok", "0 groups"),
        ("# ours\njacket, anorak\nparka => jacket, coat\n", "ok", "2 groups of the shop's own"),
        ("jacket, anorak\nparka\n", "problem", "synonyms.txt:2: only one member"),
    ],
)
def test_doctor_reads_the_shops_synonyms(copy: Path, text: str | None, state: str, told: str) -> None:
    if text is not None:
        (copy / "synonyms.txt").write_text(text, encoding="utf-8")
    found = finding("synonyms", copy)
    assert found.state == state and told in found.found


def test_doctor_looks_for_the_packages_of_the_languages() -> None:
    found = finding("packages").found
    assert all(name in found for name in ("lightgbm", "snowballstemmer", "opencc", "rjieba", "pypinyin"))

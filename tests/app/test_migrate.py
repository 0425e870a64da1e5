"""A shop moves in from another search engine: what maps serves, what does not is said, and everything is counted."""

import gzip
import json
import shutil
import tempfile
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from typer.testing import CliRunner, Result

import wares
from wares.app.cli import app
from wares.app.commands.migrated_files import settle_rules, settle_synonyms
from wares.engine.rules.book import RuleBook
from wares.engine.rules.settings import read_rules
from wares.engine.settings import load_settings
from wares.feeds.migrations.found import Found, FoundRule, FoundSynonym, FoundWhen, Ledger
from wares.retrieval.language.synonyms.groups import Synonyms

EXPORTS = Path(__file__).resolve().parents[1] / "feeds" / "exports"
ENGINES = ("algolia", "elasticsearch", "typesense")
NO_ENCODER = '\n[encoder]\nsource = "none"\n'


def run(*words: str | Path) -> Result:
    return CliRunner().invoke(app, [str(word) for word in words], prog_name="wares", env={"COLUMNS": "240"})


def migrate(engine: str, *words: str | Path) -> dict[str, Any]:
    result = run("migrate", engine, *words, "--json")
    assert result.exit_code == 0, result.output
    told: dict[str, Any] = json.loads(result.stdout)
    return told


def whole_shop(engine: str, shop: Path) -> dict[str, Any]:
    """Everything of the export in a shop that serves it, without an encoder."""
    told = migrate(engine, shop, EXPORTS / engine)
    with (shop / "wares.toml").open("a", encoding="utf-8") as file:
        file.write(NO_ENCODER)
    book = RuleBook(shop)
    draft = book.draft()
    assert draft is not None
    book.publish(draft.text, "Anna")
    assert run("train", shop).exit_code == 0
    return told


def hits(shop: Path, query: str) -> list[str]:
    with wares.open(shop, create=False) as opened:
        return [hit.product.id for hit in opened.search(query).hits]


def counted(told: dict[str, Any], kind: str) -> tuple[int, int, int, int]:
    things = told["things"][kind]
    return things["read"], things["mapped"], things["in part"], things["not mapped"]


# -- from the outside --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("engine", "synonym", "finds", "pinned", "first", "hidden"),
    [
        ("algolia", "slacks", "trs-1", "photo", "tri-1", "bag-1"),
        ("elasticsearch", "brotröster", "1002", "teezeit", "1001", ""),
        ("typesense", "godasse", "p1", "randonnée", "p4", "p2"),
    ],
)
def test_a_migrated_shop_knows_its_synonyms_and_its_pins_stand(
    tmp_path: Path, engine: str, synonym: str, finds: str, pinned: str, first: str, hidden: str
) -> None:
    shop = tmp_path / "shop"
    whole_shop(engine, shop)
    assert finds in hits(shop, synonym)
    assert hits(shop, pinned)[0] == first
    assert hidden not in hits(shop, pinned)


@pytest.mark.parametrize("engine", ENGINES)
def test_everything_that_was_read_has_one_outcome(tmp_path: Path, engine: str) -> None:
    told = migrate(engine, tmp_path / "shop", EXPORTS / engine)
    for kind, things in told["things"].items():
        assert things["read"] == things["mapped"] + things["in part"] + things["not mapped"] > 0, kind
        lines = [line for line in told["lines"] if line["thing"] == kind]
        assert sum(line["count"] for line in lines) == things["read"]
        assert all(line["why"] for line in lines if line["outcome"] != "mapped")


def test_algolias_things_are_counted(tmp_path: Path) -> None:
    told = migrate("algolia", tmp_path / "shop", EXPORTS / "algolia")
    assert counted(told, "records") == (6, 5, 0, 1)
    assert counted(told, "settings") == (22, 15, 1, 6)
    assert counted(told, "synonyms") == (8, 4, 2, 2)
    assert counted(told, "rules") == (11, 3, 4, 4)
    assert told["synonyms"] == [
        "trousers, pants, slacks", "support => tripod, monopod", "lumix => lumo", "bag, holdall",
    ]  # fmt: skip


def test_elasticsearchs_things_are_counted(tmp_path: Path) -> None:
    told = migrate("elasticsearch", tmp_path / "shop", EXPORTS / "elasticsearch")
    assert counted(told, "records") == (7, 4, 0, 3)
    assert counted(told, "fields") == (11, 7, 1, 3)
    assert counted(told, "settings") == (8, 6, 0, 2)
    assert counted(told, "synonyms") == (9, 4, 2, 3)
    assert counted(told, "rules") == (5, 2, 1, 2)


def test_typesenses_things_are_counted(tmp_path: Path) -> None:
    told = migrate("typesense", tmp_path / "shop", EXPORTS / "typesense")
    assert counted(told, "records") == (5, 4, 0, 1)
    assert counted(told, "fields") == (11, 6, 3, 2)
    assert counted(told, "settings") == (4, 2, 0, 2)
    assert counted(told, "synonyms") == (4, 2, 1, 1)
    assert counted(told, "rules") == (7, 2, 2, 3)
    assert counted(told, "stop words") == (1, 0, 0, 1)


def test_records_become_products_with_their_nested_values(tmp_path: Path) -> None:
    for engine in ENGINES:
        migrate(engine, tmp_path / engine, EXPORTS / engine)
    with wares.open(tmp_path / "algolia") as shop:
        camera = shop.store.catalogue.get(["cam-1"])["cam-1"]
    assert (camera.title, camera.brand, camera.price_minor) == ("Lumo A7 Mirrorless Camera", "Lumo", 129900)
    assert camera.category == ("Cameras", "Mirrorless") and camera.group_id == "a7"
    assert camera.description == "Full frame, 24 megapixels."
    assert camera.attributes["tags"] == ("new", "pro") and "_highlightResult" not in camera.attributes
    with wares.open(tmp_path / "elasticsearch") as shop:
        kettle, iron = (shop.store.catalogue.get([one])[one] for one in ("1001", "1004"))
    assert (kettle.brand, kettle.price_minor, kettle.category) == ("Warm & Co", 3999, ("Küche", "Kleingeräte"))
    assert kettle.attributes["variants.farbe"] == ("weiß", "schwarz") and "title_vector" not in kettle.attributes
    assert iron.title == "Bügeleisen"
    with wares.open(tmp_path / "typesense") as shop:
        bag = shop.store.catalogue.get(["p3"])["p3"]
    assert (bag.category, bag.available, bag.group_id) == (("Sacs", "Randonnée"), False, "sac-1")


def test_settings_of_an_export_are_those_of_a_new_shop(tmp_path: Path) -> None:
    for engine in ENGINES:
        migrate(engine, tmp_path / engine, EXPORTS / engine)
    algolia, elastic, typesense = (load_settings(tmp_path / engine) for engine in ENGINES)
    assert algolia.shop.facets == ("brand", "category", "price", "color") and algolia.shop.currency == "EUR"
    boosts = algolia.search.boosts
    assert boosts.title > boosts.brand == boosts.category > boosts.description > boosts.attributes
    assert (elastic.shop.language, typesense.shop.language) == ("de", "fr")
    assert typesense.shop.facets == ("brand", "price", "category", "couleur")


# -- rules -------------------------------------------------------------------------------------------------------------


def test_rules_become_a_draft_that_serves_only_once_published(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    migrate("algolia", shop, EXPORTS / "algolia")
    assert RuleBook(shop).last() == 0
    draft = RuleBook(shop).draft()
    assert draft is not None and draft.based_on == 0
    whole_shop("elasticsearch", tmp_path / "other")
    rules = {rule.name: rule for rule in RuleBook(tmp_path / "other").read(1).rules}
    assert rules["tee"].pin == {"1001": 1, "1003": 2} and rules["tee"].when.query == ("tee", "teezeit")
    assert rules["frühstück"].when.query_contains == ("frühstück",)
    assert rules["kein-rot"].hide == ("1003",)


def test_a_rule_keeps_its_filter_time_banner_redirect_and_other_words(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    whole_shop("algolia", shop)
    rules = {rule.name: rule for rule in RuleBook(shop).read(1).rules}
    season = rules["qr-season"]
    assert season.filter["price"].high == 14999 and season.filter["brand"].any == ("Lumo", "Stativ")
    assert season.filter["color"].not_ == ("olive",)
    assert str(season.when.from_) == "2098-12-01 00:00:00+00:00"  # the range of 2025 is over
    assert rules["qr-boost"].boost[0].where["brand"].any == ("Stativ",)
    assert rules["qr-boost"].bury[0].where["color"].any == ("silver",)
    assert rules["qr-replace"].synonym == ("camera",)
    assert rules["qr-redirect"].redirect == "https://shop.example/returns"
    banner = rules["qr-banner"].banner
    assert banner is not None and (banner.text, banner.url) == ("Two years of warranty", "/warranty")
    assert rules["qr-banner"].when.category == "Cameras"
    assert rules["qr-lost-product"].pin == {"cam-2": 2, "drone-9": 3}


def test_a_category_is_found_by_its_own_name(tmp_path: Path) -> None:
    page = {
        "objectID": "b",
        "conditions": [{"filters": "categories:Mirrorless"}],
        "consequence": {"hide": [{"objectID": "x"}]},
    }
    (tmp_path / "page.json").write_text(json.dumps([page]), encoding="utf-8")
    told = migrate("algolia", tmp_path / "shop", EXPORTS / "algolia" / "records.json", tmp_path / "page.json")
    assert 'when = { category = "Cameras > Mirrorless" }' in told["rules"]


def test_a_rule_for_everything_is_for_searches_and_category_pages(tmp_path: Path) -> None:
    """The other engine did not answer the home page or the cart, and a query for all is a page without words."""
    everything = {"objectID": "a", "consequence": {"hide": [{"objectID": "x"}]}}
    (tmp_path / "algolia.json").write_text(json.dumps([everything]), encoding="utf-8")
    page: dict[str, Any] = {
        "objectID": "b",
        "conditions": [{"pattern": "", "anchoring": "is", "filters": '"categories.lvl0":"Tea"'}],
    }
    page |= {"consequence": {"promote": [{"objectID": "t", "position": 0}]}}
    (tmp_path / "page.json").write_text(json.dumps([page]), encoding="utf-8")
    rules = migrate("algolia", tmp_path / "shop", tmp_path / "algolia.json", tmp_path / "page.json")["rules"]
    assert 'when = { surface = ["search", "browse"] }' in rules and 'when = { category = "Tea" }' in rules
    star = {"id": "c", "rule": {"query": "*", "match": "exact"}, "includes": [{"id": "t", "position": 1}]}
    (tmp_path / "star.json").write_text(json.dumps({"overrides": [star]}), encoding="utf-8")
    told = migrate("typesense", tmp_path / "other", tmp_path / "star.json")
    assert 'when = { surface = ["browse"] }' in told["rules"] and counted(told, "rules") == (1, 1, 0, 0)


def test_products_that_a_rule_names_and_the_shop_lacks_are_told(tmp_path: Path) -> None:
    told = migrate("algolia", tmp_path / "shop", EXPORTS / "algolia")
    assert any("drone-9" in note for note in told["notes"])


def test_a_draft_that_is_being_worked_on_is_left_as_it_is(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    mine = '[[rules]]\nname = "mine"\nhide = ["x"]\n'
    RuleBook(shop).begin_draft(mine)
    told = migrate("algolia", shop, EXPORTS / "algolia")
    draft = RuleBook(shop).draft()
    assert draft is not None and draft.text == mine
    assert 'name = "qr-pin"' in (shop / "rules" / "from-algolia.toml").read_text(encoding="utf-8")
    assert any("from-algolia.toml" in note for note in told["notes"])


def test_rules_that_serve_stay_in_the_draft_and_are_not_repeated(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    whole_shop("algolia", shop)
    RuleBook(shop).discard_draft()
    again = migrate("algolia", shop, EXPORTS / "algolia")
    assert again["rules"] == "" and RuleBook(shop).draft() is None
    (tmp_path / "more.json").write_text(
        json.dumps([{"objectID": "new", "condition": {"pattern": "lens", "anchoring": "is"},
                     "consequence": {"hide": [{"objectID": "cam-1"}]}}]), encoding="utf-8",
    )  # fmt: skip
    migrate("algolia", shop, tmp_path / "more.json")
    draft = RuleBook(shop).draft()
    assert draft is not None and 'name = "qr-pin"' in draft.text and 'name = "new"' in draft.text


# -- a shop that is there already --------------------------------------------------------------------------------------


def test_a_shops_own_settings_change_only_when_asked(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    own = '[shop]  # mine\nfacets = ["brand"]\n' + NO_ENCODER
    (shop / "wares.toml").write_text(own, encoding="utf-8")
    told = migrate("algolia", shop, EXPORTS / "algolia")
    assert (shop / "wares.toml").read_text(encoding="utf-8") == own
    changes = {change["key"]: (change["now"], change["wanted"]) for change in told["settings"]}
    assert changes["shop.facets"] == (["brand"], ["brand", "category", "price", "color"])
    migrate("algolia", shop, EXPORTS / "algolia", "--settings")
    assert load_settings(shop).shop.facets == ("brand", "category", "price", "color")
    assert "# mine" in (shop / "wares.toml").read_text(encoding="utf-8")
    assert migrate("algolia", shop, EXPORTS / "algolia")["settings"] == []


def test_a_shops_own_synonyms_stay_and_none_is_repeated(tmp_path: Path) -> None:
    shop = tmp_path / "shop"
    shop.mkdir()
    own = "# mine\npants, trousers, slacks\nmacaroon, macaron"
    (shop / "synonyms.txt").write_text(own, encoding="utf-8")
    told = migrate("algolia", shop, EXPORTS / "algolia")
    assert "trousers, pants, slacks" not in told["synonyms"]
    lines = (shop / "synonyms.txt").read_text(encoding="utf-8")
    assert lines == f"{own}\nsupport => tripod, monopod\nlumix => lumo\nbag, holdall\n"
    assert migrate("algolia", shop, EXPORTS / "algolia")["synonyms"] == []
    assert (shop / "synonyms.txt").read_text(encoding="utf-8") == lines


@pytest.mark.parametrize("engine", ENGINES)
def test_a_dry_run_tells_the_same_and_writes_nothing(tmp_path: Path, engine: str) -> None:
    shop = tmp_path / "shop"
    tried = migrate(engine, shop, EXPORTS / engine, "--dry-run")
    assert not shop.exists()
    done = migrate(engine, shop, EXPORTS / engine)
    for key in ("things", "lines", "settings", "synonyms", "rules"):
        assert tried[key] == done[key], key


# -- files and options -------------------------------------------------------------------------------------------------


def test_one_configuration_file_holds_settings_rules_and_synonyms(tmp_path: Path) -> None:
    held = {name: json.loads((EXPORTS / "algolia" / f"{name}.json").read_text("utf-8")) for name in
            ("settings", "rules", "synonyms")}  # fmt: skip
    path = tmp_path / "config.json.gz"
    path.write_bytes(gzip.compress(json.dumps(held).encode()))
    told = migrate("algolia", tmp_path / "shop", path, EXPORTS / "algolia" / "records.json")
    apart = migrate("algolia", tmp_path / "other", EXPORTS / "algolia")
    assert told["things"] == apart["things"]


def test_hits_of_searches_and_dumps_are_read_as_bulk_files_are(tmp_path: Path) -> None:
    lines = [json.loads(line) for line in (EXPORTS / "elasticsearch" / "bulk.ndjson").read_text("utf-8").splitlines()]
    hits = [
        {"_index": "products", "_id": action["index"]["_id"], "_source": document}
        for action, document in pairwise(lines)
        if "index" in action and "title" in document
    ]
    forms = {
        "answer.json": json.dumps({"took": 3, "hits": {"total": {"value": 2}, "hits": hits}}),
        "dump.jsonl": "\n".join(map(json.dumps, hits)),
        "list.json": json.dumps(hits),
        "scroll.ndjson": "\n".join(json.dumps({"_scroll_id": "x", "hits": {"hits": [one]}}) for one in hits),
    }
    for name, text in forms.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
        told = migrate("elasticsearch", tmp_path / f"of {name}", tmp_path / name)
        assert counted(told, "records") == (2, 2, 0, 0), name
        with wares.open(tmp_path / f"of {name}") as shop:
            assert shop.store.catalogue.get(["1002"])["1002"].brand == "Warm & Co"


def test_columns_are_shown_and_can_be_put_right(tmp_path: Path) -> None:
    result = run("migrate", "algolia", tmp_path / "shop", EXPORTS / "algolia" / "records.json")
    assert "is read as" in result.stderr and "hierarchical" not in result.stderr
    path = EXPORTS / "algolia" / "records.json"
    migrate("algolia", tmp_path / "other", path, "--columns", "title=description,brand=color")
    with wares.open(tmp_path / "other") as shop:
        assert shop.store.catalogue.get(["tri-1"])["tri-1"].title == "Carbon, 1.2 kg."
    wrong = run("migrate", "algolia", tmp_path / "third", path, "--columns", "title=nothing")
    assert wrong.exit_code == 1 and "no column 'nothing'" in wrong.output and not (tmp_path / "third").exists()


def test_several_files_of_records_are_read_alike(tmp_path: Path) -> None:
    """The second one would be guessed otherwise by itself, and lacks columns of the first."""
    first = [{"id": str(i), "label": f"Green tea {i}", "name": f"tea-{i}", "price": 3} for i in range(3)]
    (tmp_path / "a.jsonl").write_text("\n".join(map(json.dumps, first)), encoding="utf-8")
    (tmp_path / "b.jsonl").write_text(json.dumps({"id": "9", "label": "Rye bread", "text": "x"}), encoding="utf-8")
    files = (tmp_path / "a.jsonl", tmp_path / "b.jsonl")
    migrate("typesense", tmp_path / "shop", *files, "--columns", "title=label")
    with wares.open(tmp_path / "shop") as shop:
        assert {one.title for one in shop.store.catalogue.get(["0", "9"]).values()} == {"Green tea 0", "Rye bread"}


def test_the_table_ends_with_the_sum_of_each_kind(tmp_path: Path) -> None:
    result = run("migrate", "algolia", tmp_path / "shop", EXPORTS / "algolia")
    assert "rules: 11 read = 3 mapped, 4 in part, 4 not mapped" in result.stdout
    assert "in no export" in result.stdout and "Reading" not in result.stderr
    assert "wares rules publish" in result.stderr


def test_the_page_shows_the_account_and_nothing_of_it_is_markup(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    shutil.copytree(EXPORTS / "algolia", folder)
    evil = "<script>alert(1)</script>"
    rule = {
        "objectID": evil,
        "conditions": [{"pattern": "x", "anchoring": "is"}],
        "consequence": {"hide": [{"objectID": evil}]},
    }
    (folder / "evil.json").write_text(json.dumps([rule]), encoding="utf-8")
    migrate("algolia", tmp_path / "shop", folder, "--report", tmp_path / "report.html")
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Migration from Algolia" in page and "What became of everything" in page and "qr-boost" in page
    assert evil not in page and "&lt;script&gt;" in page


def test_wrong_names_are_told_with_what_is_valid(tmp_path: Path) -> None:
    engine = run("migrate", "solr", tmp_path / "shop", EXPORTS / "algolia")
    assert engine.exit_code == 1 and "algolia, elasticsearch, typesense" in engine.output
    missing = run("migrate", "algolia", tmp_path / "shop", tmp_path / "nothing.json")
    assert missing.exit_code == 1 and "Nothing was migrated" in missing.output
    (tmp_path / "empty").mkdir()
    empty = run("migrate", "algolia", tmp_path / "shop", tmp_path / "empty")
    assert empty.exit_code == 1 and "no file of an export" in empty.output
    assert not (tmp_path / "shop").exists()


# -- whatever an export says -------------------------------------------------------------------------------------------

_TEXT = st.text(max_size=12) | st.sampled_from(
    ["a, b", "x => y", "#", 'say "hi"', "\\", "\x7f\n", "\ud800", "/x y", "鞋"]
)
_IDS = st.lists(_TEXT, max_size=3)


@settings(max_examples=200, deadline=None)
@given(said=st.lists(_TEXT, min_size=1, max_size=3), meant=_IDS, own=st.booleans())
def test_any_words_make_lines_that_can_be_read(said: list[str], meant: list[str], own: bool) -> None:
    found = Found(Ledger())
    found.synonyms.append(FoundSynonym("s", tuple(said), tuple(meant)))
    with tempfile.TemporaryDirectory() as folder:
        lines = settle_synonyms(Path(folder), found, "en")
        Synonyms.read(lines, "lines", str.split)
        if lines:
            Path(folder, "synonyms.txt").write_text(lines[0], encoding="utf-8")
            found.synonyms[:] = [FoundSynonym("again", tuple(said), tuple(meant))]
            assert settle_synonyms(Path(folder), found, "en") == []
            assert found.ledger.count("synonyms", "not mapped") == 0
    assert sum(line.count for line in found.ledger.lines) == (2 if lines else 1)


@settings(max_examples=200, deadline=None)
@given(
    name=_TEXT,
    query=_TEXT,
    contains=st.booleans(),
    ids=_IDS,
    values=_IDS,
    text=_TEXT,
    start=st.none() | st.integers(1, 10**14),
)
def test_any_rule_becomes_blocks_that_can_be_read(
    name: str, query: str, contains: bool, ids: list[str], values: list[str], text: str, start: int | None
) -> None:
    found = Found(Ledger())
    where = {text: {"any": values}}
    when = FoundWhen(query, contains, "", "", start, None)
    rule = FoundRule(
        name, (when, FoundWhen("tea")), {one: 1 + place for place, one in enumerate(ids)}, tuple(ids), ((where, 1.5),),
        (), where, text, {"text": text, "url": text}, text, (text,),
    )  # fmt: skip
    found.rules.extend((rule, rule))
    with tempfile.TemporaryDirectory() as folder:
        draft = settle_rules(Path(folder), found, "Algolia", 0)
        names = [one.name for one in read_rules(draft.text, "the draft").rules]
        assert len(set(names)) == len(names)
    assert sum(line.count for line in found.ledger.lines) == 2

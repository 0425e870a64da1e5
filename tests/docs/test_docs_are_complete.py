"""The docs name everything there is, their links lead somewhere, and their examples run."""

import dataclasses
import inspect
import io
import json
import re
import shlex
import shutil
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import redirect_stdout
from importlib import resources
from pathlib import Path
from typing import Any, get_args

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

import wares
from wares import contracts, errors
from wares.app.bench.figures import PARTS
from wares.app.cli import app
from wares.app.web import wire
from wares.app.web.access import scopes
from wares.app.web.http import make_app
from wares.app.web.told import problems
from wares.app.web.told.error_codes import CODES
from wares.domain.event import INTEREST, EventKind
from wares.domain.request import Sort
from wares.domain.result import Hit, Page
from wares.engine.learnt import MODELS
from wares.engine.rules import check as rule_check
from wares.engine.rules.settings import RulesFile
from wares.engine.settings import POLICIES, RANKERS, Settings
from wares.features.table import PRODUCT_FEATURES
from wares.feeds import events, products, shoppers, xml_items
from wares.feeds.dialects import algolia, flat_table, google_retail, product_feeds, segment
from wares.feeds.dialects.entry import folded
from wares.feeds.event_feed import DIALECTS, OWN
from wares.feeds.report import ImportReport
from wares.feeds.returns import BULK
from wares.models.tifu_knn import TifuKNN
from wares.retrieval.sources import built_in_sources
from wares.shop import Shop

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"
REFERENCE = DOCS / "reference"
TUTORIAL = DOCS / "tutorial" / "first-shop.md"
FLAT_TABLE = DOCS / "tutorial" / "flat-table.md"
PAGES = sorted(path for folder in (ROOT, DOCS) for path in folder.glob("*.md" if folder == ROOT else "**/*.md"))
WITH_CODE = [TUTORIAL, FLAT_TABLE, *sorted((DOCS / "how-to").glob("*.md"))]
FENCE = re.compile(r"^```(\w*)[^\n]*\n(.*?)^```$", re.MULTILINE | re.DOTALL)


def page(name: str) -> str:
    return (REFERENCE / name).read_text(encoding="utf-8")


def code_spans(text: str) -> set[str]:
    return set(re.findall(r"`([^`\n]+)`", FENCE.sub("", text)))


def table_rows(text: str) -> dict[str, list[str]]:
    """The first cell's code span -> the cells of its row; of several rows of one name the last."""
    rows = {}
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("| `"):
            rows[cells[0].split("`")[1]] = cells
    return rows


# -- commands ----------------------------------------------------------------------------------------------------------


def commands() -> Iterator[tuple[str, Any]]:
    """(its words, the command) of everything that can be called."""
    root: Any = typer.main.get_command(app)
    waiting = [("wares", root)]
    while waiting:
        name, command = waiting.pop()
        inner = getattr(command, "commands", None)
        if inner:
            waiting += [(f"{name} {word}", one) for word, one in inner.items()]
        else:
            yield name, command


@pytest.mark.parametrize(("name", "command"), list(commands()))
def test_every_command_and_option_is_documented(name: str, command: Any) -> None:
    sections = re.split(r"^## ", page("commands.md"), flags=re.MULTILINE)
    section = next((part for part in sections if f"`{name}`" in part.partition("\n")[0]), "")
    assert section, f"{name} has no section"
    for param in command.params:
        if param.param_type_name == "option" and "--help" not in param.opts:
            for option in (*param.opts, *param.secondary_opts):
                assert f"`{option}`" in section, f"{name} {option}"


def test_every_part_of_the_bench_is_documented() -> None:
    assert set(PARTS) <= code_spans(page("commands.md"))


# -- settings ----------------------------------------------------------------------------------------------------------


def paths(model: type[BaseModel], before: str = "") -> Iterator[str]:
    """The dotted path of every setting: tables with names of one's own have NAME or FEATURE in them."""
    for name, field in model.model_fields.items():
        path = f"{before}{field.alias or name}"
        inner = model_in(field.annotation)
        if inner is None or inner.__name__ == "Choice":  # what people write to choose products
            yield path
        elif name in ("profiles", "markets"):
            yield from paths(inner, f"{path}.NAME.")
        elif name == "formula":
            yield path
            yield from paths(inner, f"{path}.FEATURE.")
        else:
            yield from paths(inner, f"{path}.")


def model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := model_in(part))), None)


@pytest.mark.parametrize("path", list(paths(Settings)))
def test_every_setting_is_documented(path: str) -> None:
    assert path in table_rows(page("settings.md"))


@pytest.mark.parametrize("path", list(paths(RulesFile)))
def test_every_key_of_a_rule_is_documented(path: str) -> None:
    assert path in table_rows(page("rules.md"))


def test_every_kind_of_conflict_is_documented() -> None:
    source = Path(str(rule_check.__file__)).read_text(encoding="utf-8")
    kinds = set(re.findall(r'(?:yield|Conflict\()\s*"([a-z-]+)"', source)) | set(
        re.findall(r'\("([a-z-]+)", told\)', source)
    )
    assert {"same-position", "two-redirects", "same-name", "never"} <= kinds <= set(table_rows(page("rules.md")))


def test_every_default_of_the_packaged_settings_is_documented() -> None:
    defaults = tomllib.loads((resources.files("wares.engine") / "default_settings.toml").read_text(encoding="utf-8"))
    rows = table_rows(page("settings.md"))
    named = dict(leaves({name: table for name, table in defaults.items() if name not in ("profiles", "plugins")}))
    assert named
    for path, default in named.items():
        assert tomllib.loads(f"x = {rows[path][1].strip('`')}")["x"] == default, path
    for surface in defaults["profiles"]:
        assert f"`{surface}`" in page("settings.md")


def leaves(table: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in table.items():
        if isinstance(value, dict):
            yield from leaves(value, f"{before}{name}.")
        else:
            yield before + name, value


def test_every_name_a_profile_can_use_is_documented() -> None:
    names = {*built_in_sources(), *POLICIES, *RANKERS, *PRODUCT_FEATURES, *MODELS}
    assert names <= code_spans(page("settings.md"))


def test_every_environment_variable_is_documented() -> None:
    sources = [
        *(ROOT / "src").glob("**/*.py"),
        *(ROOT / "tests").glob("**/*.py"),
        ROOT / "Makefile",
        ROOT / ".ci" / "run",
    ]
    found = {name for path in sources for name in re.findall(r"WARES_[A-Z_]+", path.read_text(encoding="utf-8"))}
    assert found <= code_spans(page("settings.md"))


# -- http and errors ---------------------------------------------------------------------------------------------------


def routes() -> list[str]:
    described = make_app({}).openapi()["paths"]
    return [
        f"{method.upper()} {path.removeprefix('/v1/shops/{shop}')}" for path in described for method in described[path]
    ]


def test_every_route_is_documented() -> None:
    assert (
        {"POST /search", "GET /healthz"}
        <= set(routes())
        == {
            name
            for name in table_rows(page("http-api.md"))
            if name.partition(" ")[0] in ("GET", "POST", "PUT", "PATCH", "DELETE")
        }
    )


def test_the_scope_of_every_route_is_documented() -> None:
    rows = table_rows(page("http-api.md"))
    for name, need in scopes.NEEDS.items():
        documented = re.sub(r":path}", "}", name.replace(" /v1/", " /"))
        if documented in rows:
            assert rows[documented][1].strip("`").startswith("none" if need.scope == scopes.OPEN else need.scope), name


def test_every_field_of_a_question_and_of_an_answer_is_documented() -> None:
    models: list[type[BaseModel]] = [
        *(wire.SearchAsk, wire.BrowseAsk, wire.RecommendAsk, wire.SimilarAsk, wire.EventsSent, wire.ProductOut),
        *(wire.ReasonOut, wire.AdjustmentOut, wire.HitOut, wire.FacetOut, wire.FacetValueOut, wire.PageOut),
    ]
    assert {name for model in models for name in model.model_fields} <= code_spans(page("http-api.md"))
    assert {sort.value for sort in Sort} <= code_spans(page("http-api.md"))


def test_every_error_and_its_status_is_documented() -> None:
    classes = [kind for kind in vars(errors).values() if isinstance(kind, type) and issubclass(kind, errors.WaresError)]
    rows = table_rows(page("errors.md"))
    for kind in classes:
        code, status = kind.code, next((s for k, s in problems._STATUS if issubclass(kind, k)), 500)
        assert rows[kind.__name__][1] == f"`{code}`"
        assert rows[kind.__name__][2].startswith(str(status)), kind.__name__


@pytest.mark.parametrize("code", CODES)
def test_every_error_code_has_its_section(code: str) -> None:
    """Whoever adds a code to `CODES` adds the section that this test prints."""
    told = CODES[code]
    statuses = ", ".join(map(str, told.statuses)) or "as it is"
    section = f"### `{code}`\n\nHTTP {statuses}. {told.when}\n\n{told.remedy}\n"
    assert section in page("errors.md"), section


def test_every_section_on_an_error_is_of_a_code_that_there_is() -> None:
    assert re.findall(r"^### `([a-z-]+)`$", page("errors.md"), re.MULTILINE) == list(CODES)


# -- feeds -------------------------------------------------------------------------------------------------------------


def test_every_column_and_its_other_names_are_documented() -> None:
    about = page("events-and-products.md")
    of_products, rest = about.split("## Events")
    of_events, of_shoppers = rest.split("## Shoppers")
    assert {*products.FIELDS, *products.ALIASES} <= code_spans(of_products)
    named = {name for names in events.NAMES.values() for name in names}
    assert {*named, *events.NESTED, *events.SKIPPED} <= code_spans(of_events)
    of_shoppers, of_flat_tables = of_shoppers.split("## Flat table")
    assert set(shoppers.ID_NAMES) <= code_spans(of_shoppers)
    assert {name for names in flat_table.NAMES.values() for name in names} <= code_spans(of_flat_tables)


def of_import(option: str) -> str:
    """What the docs say of an option of `wares import`."""
    section = page("commands.md").split("## `wares import`")[1].split("\n## ")[0]
    return table_rows(section)[option][1]


def test_every_dialect_of_events_is_documented_with_what_it_reads() -> None:
    rows = table_rows(page("events-and-products.md"))
    assert {OWN, *DIALECTS} <= code_spans(of_import("--dialect"))
    for name, kinds in {
        "segment": segment.KINDS,
        "google-retail": google_retail.KINDS,
        "algolia": algolia.KINDS,
    }.items():
        told = folded(" ".join(rows[name]).replace(",", " ").replace("`", " "))
        assert all(kind in told or kind == "order canceled" for kind in kinds), name
    assert f"{BULK:,} units" in page("events-and-products.md")


def test_every_dialect_of_products_is_documented() -> None:
    of_products = page("events-and-products.md").split("## Events")[0]
    assert {dialect.name for dialect in product_feeds.DIALECTS} | {product_feeds.FREE} <= set(table_rows(of_products))
    assert set(product_feeds.NAMES) <= code_spans(of_import("--dialect"))
    assert {"sale_price", "sale_until", *xml_items.ITEMS} <= {name.lower() for name in code_spans(of_products)}


@pytest.mark.parametrize("kind", list(EventKind))
def test_every_kind_of_event_is_documented_with_its_ga4_name_and_interest(kind: EventKind) -> None:
    rows = [line for line in page("events-and-products.md").splitlines() if line.startswith(f"| `{kind.value}` |")]
    cells = [cell.strip() for cell in rows[-1].strip("|").split("|")]
    assert float(cells[2]) == INTEREST[kind]
    for name, meaning in events.GA4_KINDS.items():
        if meaning is kind:
            assert f"`{name}`" in cells[1]


# -- python and models -------------------------------------------------------------------------------------------------


def test_every_public_name_is_documented() -> None:
    about = page("python-api.md")
    members = [name for name in dir(Shop) if not name.startswith("_")] + ["settings", "folder"]
    for name in members:
        assert re.search(rf"`{name}\b", about), name
    spans = code_spans(about)
    assert set(wares.__all__) <= spans
    assert {f.name for kind in (Page, Hit) for f in dataclasses.fields(kind)} <= spans
    assert {f.name for f in dataclasses.fields(ImportReport)} <= spans
    protocols = {name for name, kind in vars(contracts).items() if getattr(kind, "_is_protocol", False)}
    assert protocols - {"Protocol"} <= spans


def test_every_option_of_a_question_is_documented() -> None:
    options = {name for verb in (Shop.ask, Shop.suggest) for name in inspect.signature(verb).parameters} - {"self"}
    assert {"as_typed", "without_wishes"} <= options
    about = page("python-api.md")
    for name in options:
        assert re.search(rf"`{name}`|[(, ]{name}[,=)]", about), name


OWN_NUMBERS = [(name, model) for name, model in MODELS.items() if name != "sequence"]  # whose numbers are its recipe's


@pytest.mark.parametrize(("name", "model"), [*OWN_NUMBERS, ("tifu_knn", TifuKNN)])
def test_every_number_of_a_model_is_documented_with_its_default(name: str, model: Any) -> None:
    text = (DOCS / "models.md").read_text(encoding="utf-8")
    table = text.partition(f"| `{name}` | default |")[2].partition("\n\n")[0]
    told = {key: float(cells[1]) for key, cells in table_rows(table).items()}
    assert told == {f.name: float(getattr(model(), f.name)) for f in dataclasses.fields(model) if f.init}


# -- all pages ---------------------------------------------------------------------------------------------------------


def anchors(text: str) -> set[str]:
    heads = re.findall(r"^#+ (.*)$", FENCE.sub("", text), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = FENCE.sub("", path.read_text(encoding="utf-8"))
    for target in re.findall(r"\]\(([^)\s]+)\)", text):
        if re.match(r"[a-z]+:", target):
            continue
        file, _, anchor = target.partition("#")
        place = (path.parent / file).resolve() if file else path
        assert place.exists(), f"{target} in {path.name}"
        assert place.is_relative_to(ROOT), f"{target} leaves the repository"
        if anchor:
            assert anchor in anchors(place.read_text(encoding="utf-8")), target


def test_every_page_is_in_the_index() -> None:
    index = (DOCS / "README.md").read_text(encoding="utf-8")
    decisions = (DOCS / "decisions" / "README.md").read_text(encoding="utf-8")
    for path in DOCS.glob("**/*.md"):
        listed = decisions if path.parent.name == "decisions" and path.name != "README.md" else index
        assert path.name in listed or path == DOCS / "README.md", path.name


# -- the examples ------------------------------------------------------------------------------------------------------


@pytest.fixture
def somewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder with the files of the tutorial."""
    for file in (DOCS / "tutorial").glob("*.csv"):
        shutil.copy(file, tmp_path)
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("WARES_SHOP", raising=False)
    monkeypatch.setenv("COLUMNS", "160")
    monkeypatch.setenv("PYTHONPATH", str(ROOT / "src"))
    monkeypatch.setenv("POLARS_TABLE_WIDTH", "100")
    return tmp_path


@pytest.mark.parametrize("path", WITH_CODE, ids=lambda path: path.stem)
def test_the_examples_of_a_page_run_and_print_what_it_says(path: Path, somewhere: Path) -> None:
    """Python blocks run one after the other; a block that begins with "# shop/FILE" is written to that file. A "text"
    block right behind a Python block is what it prints."""
    names: dict[str, Any] = {"__name__": "example"}
    printed: str | None = None
    for language, block in FENCE.findall(path.read_text(encoding="utf-8")):
        file = re.match(r"# (shop/[\w.]+)\n", block)
        if file and language in ("python", "toml"):
            (somewhere / "shop").mkdir(exist_ok=True)
            (somewhere / file.group(1)).write_text(block, encoding="utf-8")
        elif language == "python":
            output = io.StringIO()
            with redirect_stdout(output):
                exec(compile(block, path.name, "exec"), names)
            printed = output.getvalue()
        elif language == "text":
            assert block.rstrip() == (printed or "").rstrip()
            printed = None


def test_the_commands_of_the_tutorial_run(somewhere: Path) -> None:
    blocks = [block for language, block in FENCE.findall(TUTORIAL.read_text(encoding="utf-8")) if language == "sh"]
    lines = [shlex.split(line) for block in blocks for line in block.splitlines() if line.startswith("wares ")]
    assert len(lines) >= 8
    for words in lines:
        result = CliRunner().invoke(app, words[1:], prog_name="wares")
        assert result.exit_code == 0, (words, result.output)


def test_the_flat_table_leads_to_ten_products_on_the_command_line(somewhere: Path) -> None:
    """Every command of the page but those of the real run, whose data is not here."""
    here = FLAT_TABLE.read_text(encoding="utf-8").partition("## 5. The real run")[0]
    blocks = [block for language, block in FENCE.findall(here) if language == "sh"]
    lines = [shlex.split(line) for block in blocks for line in block.splitlines()]
    assert [words[1] for words in lines] == ["import", "train", "recommend"]
    for words in lines:
        last = words is lines[-1]
        result = CliRunner().invoke(app, [*words[1:], *(["--json"] if last else [])], prog_name="wares")
        assert result.exit_code == 0, (words, result.output)
    ids = [hit["product"]["id"] for hit in json.loads(result.stdout)["hits"]]
    printed = next(block for language, block in FENCE.findall(here) if "blue-cheese" in block and language == "text")
    assert ids == printed.split()
    assert len(set(ids)) == 10


def test_the_commands_in_all_pages_exist_with_their_options() -> None:
    known = {name: {option for param in one.params for option in param.opts} for name, one in commands()}
    for path in PAGES:
        for language, block in FENCE.findall(path.read_text(encoding="utf-8")):
            for line in block.splitlines() if language == "sh" else ():
                if not line.startswith("wares "):
                    continue
                words = shlex.split(line, comments=True)
                name = " ".join(words[: 3 if words[1] in ("bench", "campaigns", "experiments", "keys", "rules") else 2])
                options = {word for word in words if word.startswith("-") and len(word) > 1}
                assert options - {"--serve", "--no-serve", "--json"} <= known[name], line

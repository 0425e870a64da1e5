import tomllib
from pathlib import Path

import pytest

from wares.engine.plugins import load_plugin, load_plugins
from wares.engine.settings import Settings, load_settings, merged_over, write_default_settings
from wares.errors import SettingsError, UnknownName
from wares.ranking.formula import Formula, Term

DAY_MS = 86_400_000


def given(folder: Path, text: str) -> Settings:
    (folder / "wares.toml").write_text(text, encoding="utf-8")
    return load_settings(folder)


def test_a_shop_without_a_file_has_the_defaults(tmp_path: Path) -> None:
    settings = load_settings(tmp_path)
    assert settings.shop.facets == ("category", "brand", "price")
    assert settings.search.meaning == 2.0
    assert settings.search.spelling
    assert settings.server.admin_key_env == "WARES_ADMIN_KEY"
    assert set(settings.profiles) == {
        *("search", "browse", "home", "similar", "bought_together", "alternatives", "cart", "buy_again", "ideas"),
        *("ad", "recent", "wish_list", "hidden"),
    }


def test_the_defaults_name_every_setting_that_has_one(tmp_path: Path) -> None:
    packaged = write_and_read(tmp_path / "wares.toml")
    assert set(packaged) == set(Settings.model_fields)


def write_and_read(path: Path) -> dict[str, object]:
    write_default_settings(path)
    return tomllib.loads(path.read_text(encoding="utf-8"))


def test_a_new_shop_gets_the_defaults_as_a_file_that_loads(tmp_path: Path) -> None:
    defaults = load_settings(tmp_path)
    write_default_settings(tmp_path / "wares.toml")
    assert load_settings(tmp_path) == defaults


def test_a_shops_file_is_never_overwritten(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text("mine = 1")
    with pytest.raises(SettingsError, match="already"):
        write_default_settings(tmp_path / "wares.toml")
    assert (tmp_path / "wares.toml").read_text() == "mine = 1"


def test_one_key_changes_and_its_neighbours_stay(tmp_path: Path) -> None:
    settings = given(tmp_path, "[profiles.home]\ndiversity = 0.5\n[profiles.home.formula]\nease = 0\n")
    defaults = load_settings(tmp_path.parent / "nowhere")
    assert settings.profile("home").diversity == 0.5
    assert settings.profile("home").sources == defaults.profile("home").sources
    assert settings.profile("home").terms()["ease"] == Term(0.0)
    assert settings.profile("home").terms()["buy_again"] == defaults.profile("home").terms()["buy_again"]


def test_a_list_replaces_the_whole_default() -> None:
    assert merged_over({"a": [1, 2], "b": {"c": 1, "d": 2}}, {"a": [3], "b": {"c": 4}}) == {
        "a": [3],
        "b": {"c": 4, "d": 2},
    }


def test_a_surface_of_ones_own_is_a_profile(tmp_path: Path) -> None:
    settings = given(tmp_path, "[profiles.newsletter]\nsources = ['popular']\n")
    assert settings.profile("newsletter").terms() == {"relevance": Term(1.0)}


def test_an_unknown_surface_names_the_nearest(tmp_path: Path) -> None:
    with pytest.raises(UnknownName, match="Did you mean 'home'"):
        load_settings(tmp_path).profile("hmoe")


def test_a_formula_weighs_by_number_or_table(tmp_path: Path) -> None:
    text = "[profiles.mail]\nsources = ['popular']\n"
    text += "formula = { popular = 2, freshness = { weight = 1, scale = 'log' } }"
    terms = given(tmp_path, text).profile("mail").terms()
    assert terms == {"popular": Term(2.0), "freshness": Term(1.0, "log")}
    assert Formula(terms, known=["popular", "freshness"]).terms == terms


def test_a_models_numbers_reach_its_constructor_as_written(tmp_path: Path) -> None:
    models = given(tmp_path, "[models.als]\nfactors = 64\nshrink = 0.5\n").models
    assert models.parameters("als") == {"factors": 64, "shrink": 0.5}
    assert isinstance(models.parameters("als")["factors"], int)
    assert models.parameters("ease") == {}
    with pytest.raises(UnknownName, match="Did you mean 'ease'"):
        models.parameters("eese")


@pytest.mark.parametrize(
    ("text", "place", "advice"),
    [
        ("[serch]", "serch: ", "Did you mean 'search'?"),
        ("[search]\ncovrage = 1", "search.covrage: ", "Did you mean 'coverage'?"),
        ("[search]\ncoverage = 1.5", "search.coverage: ", "less than or equal to 1; got 1.5"),
        ("[search]\ncoverage = nan", "search.coverage: ", "finite"),
        ("[search]\nboosts = { titel = 1 }", "search.boosts.titel: ", "Did you mean 'title'?"),
        ("[search]\nboosts = 3", "search.boosts: ", "should be a table; got 3"),
        ("[shop]\ncurrency = 'dollars'", "shop.currency: ", "got 'dollars'"),
        ("[models]\ntrain = ['ese']", "models.train[0]: ", "Did you mean 'ease'?"),
        ("[models.ease]\nlambda = 'x'", "models.ease.lambda: ", "should be a number; got 'x'"),
        ("[profiles.hmoe]\ndiversity = 0.1", "profiles.hmoe.sources: ", "Did you mean 'home'?"),
        ("[profiles.home]\nsources = ['lexicl']", "profiles.home.sources: ", "Did you mean 'lexical'?"),
        ("[profiles.home]\npolicies = ['rule']", "profiles.home.policies: ", "Did you mean 'rules'?"),
        ("[profiles.home]\nranker = 'formal'", "profiles.home.ranker: ", "Did you mean 'formula'?"),
        ("[profiles.home]\nfusion = 'rff'", "profiles.home.fusion: ", "Did you mean 'rrf'?"),
        ("[profiles.home.formula]\neasy = 1", "profiles.home.formula: ", "Did you mean 'ease'?"),
        ("[profiles.home.formula]\nease = {weight = 1, scale = 'lg'}", "formula.ease.scale: ", "Did you mean 'log'?"),
        ("[plugins]\nlexical = 'a.py:A'", "plugins.lexical: ", "choose another"),
    ],
)
def test_a_wrong_setting_is_named_with_its_place(tmp_path: Path, text: str, place: str, advice: str) -> None:
    with pytest.raises(SettingsError) as raised:
        given(tmp_path, text)
    message = str(raised.value)
    assert message.startswith(f"{tmp_path / 'wares.toml'}: ")
    assert place in message
    assert advice in message
    assert "\n" not in message


def test_all_faults_are_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(SettingsError) as raised:
        given(tmp_path, "[search]\ncoverage = 2\nmeaning = -1\n")
    assert len(str(raised.value).splitlines()) == 2


def test_a_fault_of_syntax_names_its_line(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"wares\.toml:2: "):
        given(tmp_path, "[search]\ncoverage = = 1\n")


def test_a_file_that_is_not_text_is_refused(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_bytes(b"\xff\xfe")
    with pytest.raises(SettingsError, match="UTF-8"):
        load_settings(tmp_path)


def test_a_byte_order_mark_does_no_harm(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_bytes(b"\xef\xbb\xbf[shop]\ntitle = 'Wares'\n")
    assert load_settings(tmp_path).shop.title == "Wares"


def test_rules_in_an_older_file_are_refused_with_the_command_that_moves_them(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=f"wares rules move {tmp_path} --by"):
        given(tmp_path, "[[rules]]\nhide = ['a']\n")


PLUGINS = """
from dataclasses import dataclass

@dataclass(frozen=True)
class Margin:
    name: str = "margin"
    def arrange(self, slate, intent, view):
        return slate

class Season:
    name = "season"
    def score(self, intent, view, rows=None): ...
    def reason(self, row, intent, view): ...

class Best:
    def score(self, features, names): ...

class Nothing: ...

class Broken:
    def __init__(self):
        raise RuntimeError("no licence")
"""


def test_a_plugin_is_known_by_what_it_can_do(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(PLUGINS)
    plugins = load_plugins(tmp_path, {"margin": "mine.py:Margin", "season": "mine.py:Season", "best": "mine.py:Best"})
    assert (list(plugins.policies), list(plugins.sources), list(plugins.rankers)) == (["margin"], ["season"], ["best"])


@pytest.mark.parametrize(
    ("name", "spec", "message"),
    [
        ("a", "mine.Margin", "must look like"),
        ("a", "other.py:Margin", "is not there"),
        ("a", "../mine.py:Margin", "outside"),
        ("a", "mine.py:Margn", "Did you mean 'Margin'"),
        ("a", "mine.py:Broken", "no licence"),
        ("a", "mine.py:Nothing", "is no plugin"),
        ("a", "mine.py:Margin", "calls itself 'margin'"),
        ("a", "cut.py:Margin", r"cut\.py:1: the plugin cannot be loaded: SyntaxError"),
    ],
)
def test_a_wrong_plugin_says_what_is_wrong(tmp_path: Path, name: str, spec: str, message: str) -> None:
    (tmp_path / "mine.py").write_text(PLUGINS)
    (tmp_path / "cut.py").write_text("class Margin(")
    with pytest.raises(SettingsError, match=message):
        load_plugins(tmp_path, {name: spec})


def test_a_profile_may_name_a_plugin(tmp_path: Path) -> None:
    text = "[plugins]\nmargin = 'mine.py:Margin'\n[profiles.home]\npolicies = ['margin']\n"
    settings = given(tmp_path, text)
    (tmp_path / "mine.py").write_text(PLUGINS)
    assert settings.profile("home").policies == ("margin",)
    assert load_plugin(tmp_path, settings.plugins["margin"]).name == "margin"

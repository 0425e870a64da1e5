"""Numbers are written into a settings file without disturbing what a shopkeeper wrote there."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wares.engine.settings import load_settings, write_default_settings
from wares.engine.settings_file import with_values, write_values
from wares.errors import SettingsError

MINE = """# our shop
[shop]
title = "Corner"  # as over the door

[models]
train = ["popular",
  "item_knn"]  # no more

[models.item_knn]
k = 70        # tried in May
# shrink = 3

# ---- profiles
[profiles.mine]
sources = ["popular"]
"""


def test_a_known_key_keeps_its_line_and_comment_and_a_new_one_stands_at_the_end_of_its_table() -> None:
    text = with_values(MINE, "models.item_knn", {"k": 90, "shrink": 12.5})
    assert text == MINE.replace("k = 70        # tried in May\n", "k = 90        # tried in May\nshrink = 12.5\n")


def test_a_new_table_stands_behind_the_one_it_belongs_to() -> None:
    text = with_values(MINE, "models.ease", {"penalty": 40.0})
    assert text == MINE.replace("# no more\n", "# no more\n\n[models.ease]\npenalty = 40.0\n")


def test_an_empty_file_gets_the_table() -> None:
    assert with_values("", "models.ease", {"k": 3}) == "[models.ease]\nk = 3\n"


def test_what_cannot_be_changed_line_by_line_is_left_and_the_lines_are_shown() -> None:
    inline = "[models]\nease = { k = 5 }\n"
    with pytest.raises(SettingsError, match=r"by hand:\n\[models.ease\]\nk = 3"):
        with_values(inline, "models.ease", {"k": 3})
    hidden = 'about = """\n[models.ease]\nk = 1\n"""\n'
    with pytest.raises(SettingsError, match="by hand"):
        with_values(hidden, "models.ease", {"k": 3})


def test_windows_line_ends_stay() -> None:
    text = with_values("[models.ease]\r\nk = 1\r\n", "models.ease", {"k": 2})
    assert text == "[models.ease]\r\nk = 2\r\n"


def test_the_packaged_defaults_can_be_changed_and_still_load(tmp_path: Path) -> None:
    write_default_settings(tmp_path / "wares.toml")
    before = (tmp_path / "wares.toml").read_text()
    write_values(tmp_path, {"models.item_knn": {"half_life_days": 33.0}, "models.als": {"factors": 20}})
    after = (tmp_path / "wares.toml").read_text()
    settings = load_settings(tmp_path)
    assert settings.models.parameters("item_knn") == {"half_life_days": 33.0}
    assert settings.models.parameters("als") == {"factors": 20}
    assert [line for line in before.splitlines() if line not in after.splitlines()] == []


def test_a_shop_without_settings_gets_a_file_with_these_alone(tmp_path: Path) -> None:
    write_values(tmp_path, {"models.ease": {"k": 9}})
    assert load_settings(tmp_path).models.parameters("ease") == {"k": 9}


def test_if_one_table_cannot_be_written_none_is(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text("[models]\nease = { k = 5 }\n")
    with pytest.raises(SettingsError):
        write_values(tmp_path, {"models.item_knn": {"k": 9}, "models.ease": {"k": 9}})
    assert (tmp_path / "wares.toml").read_text() == "[models]\nease = { k = 5 }\n"


@given(st.dictionaries(st.sampled_from(["k", "shrink", "damping", "new"]), st.integers() | st.floats(allow_nan=False)))
def test_whatever_is_written_is_what_is_read_back(values: dict[str, int | float]) -> None:
    found = tomllib.loads(with_values(MINE, "models.item_knn", values))
    assert found["models"]["item_knn"] == {"k": 70, **values}
    assert found["shop"] == {"title": "Corner"}

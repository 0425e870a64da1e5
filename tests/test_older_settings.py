"""A shop whose settings an older version wrote, with all of that version's defaults in full, goes on as before."""

import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from wares.engine.experiments.settings import faults_in, read_experiment
from wares.engine.settings import load_settings
from wares.errors import SettingsError
from wares.shop import Shop, open_shop
from wares.training.child import train_here
from wares.training.progress import silent

WRITTEN = sorted((Path(__file__).parent / "older_settings").glob("*.toml"))  # never to be changed
DAY_MS = 86_400_000
NAMES = ("Whole milk", "Oat milk", "Rye bread", "Butter", "Green tea", "Dark coffee", "Milk chocolate", "Jam")


@pytest.fixture(scope="module", params=WRITTEN, ids=lambda path: path.stem)
def shop(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Shop]:
    """One that opens with such a file, sells eight products and has learnt from what five shoppers did."""
    folder = tmp_path_factory.mktemp("older") / "shop"
    folder.mkdir()
    shutil.copy(request.param, folder / "wares.toml")
    now_ms = int(time.time() * 1000)
    with open_shop(folder) as shop:
        shop.put(
            {"id": f"p{i}", "title": name, "brand": "AB"[i % 2], "category": "Food", "price": 1 + i / 2}
            for i, name in enumerate(NAMES)
        )
        shop.record(
            {
                "kind": kind,
                "time": now_ms - week * 7 * DAY_MS,
                "shopper_id": f"s{s}",
                "product_id": f"p{(s + more) % 8}",
            }
            for s in range(5)
            for week in range(1, 5)
            for more, kind in enumerate(("purchase", "purchase", "view", "wish", "hide", "like"))
        )
        train_here(folder, silent)
        shop.log_impressions()  # as a server does: chance has its part
        yield shop


def test_it_answers_on_every_surface_that_there_is_now(shop: Shop) -> None:
    for surface in shop.settings.profiles:
        words: dict[str, Any] = {"query": "milk"} if surface == "search" else {}
        page = shop.ask(surface, shopper="s0", seeds=() if words else ["p3"], **words)
        assert page.snapshot, surface
        if surface not in ("alternatives", "ad"):  # butter is not sold out, and nobody pays for a place
            assert page.hits, surface


def test_what_it_says_itself_holds(shop: Shop) -> None:
    home = shop.settings.profile("home")
    assert "exploration" not in home.policies
    shown = [shop.recommend("s1").hits for _ in range(20)]
    assert not any(hit.chances for hits in shown for hit in hits)


@pytest.mark.parametrize(
    ("said", "fault"),
    [
        ('policies = ["rules"]\nexploration = { share = 0.1 }', "home.exploration: it needs the policy exploration"),
        ('policies = ["rules"]\nswaps = 0.1', "home.swaps: exchanges need the policy swaps"),
        ('policies = ["exploration", "rules"]', "exploration must come last"),
        ('policies = ["swaps", "rules"]', "swaps must come last"),
        ('policies = ["exploration", "swaps"]\nswaps = 0.1', "chances of exploration untrue"),
        ('policies = ["rules"]', ""),
        ('policies = ["rules", "swaps"]\nswaps = 0.1', ""),
        ("exploration = { share = 0.1 }", ""),
    ],
)
def test_a_number_is_a_fault_without_its_policy_where_the_file_itself_sets_it(
    said: str, fault: str, tmp_path: Path
) -> None:
    (tmp_path / "wares.toml").write_text(f"[profiles.home]\n{said}\n")
    if not fault:
        load_settings(tmp_path)
        return
    with pytest.raises(SettingsError, match=fault):
        load_settings(tmp_path)


def test_a_variant_may_leave_out_a_policy_whose_number_the_surface_sets(tmp_path: Path) -> None:
    (tmp_path / "wares.toml").write_text("[profiles.home]\nexploration = { share = 0.1 }\n")
    text = 'name = "plain"\nsurface = "home"\n[variants.plain]\npolicies = ["rules"]\n'
    settings = load_settings(tmp_path)
    assert faults_in(read_experiment(text, "plain.toml"), settings, "plain.toml") == []
    said = faults_in(read_experiment(text + "exploration = { share = 0.2 }", "plain.toml"), settings, "plain.toml")
    assert "variants.plain.exploration: it needs the policy exploration" in said[0]


@pytest.mark.parametrize("surface", ["alternatives", "buy_again", "ideas", "ad", "recent", "wish_list", "hidden"])
def test_a_shops_own_profile_stays_its_own_when_wares_brings_one_of_that_name(surface: str, tmp_path: Path) -> None:
    said = 'sources = ["popular"]\nformula = { popular = 1.0 }\nbrand_cap = 2\n'
    (tmp_path / "wares.toml").write_text(f"[profiles.{surface}]\n{said}[profiles.own]\n{said}")
    settings = load_settings(tmp_path)
    assert settings.profile(surface) == settings.profile("own")


def test_a_key_of_a_packaged_profile_is_set_without_its_sources(tmp_path: Path) -> None:
    packaged = load_settings(tmp_path)
    (tmp_path / "wares.toml").write_text('[profiles.ad]\nk_per_source = 50\n[profiles.home]\nsources = ["popular"]\n')
    changed = load_settings(tmp_path)
    assert changed.profile("ad") == packaged.profile("ad").model_copy(update={"k_per_source": 50})
    assert changed.profile("home") == packaged.profile("home").model_copy(update={"sources": ("popular",)})

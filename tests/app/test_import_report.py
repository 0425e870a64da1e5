"""The report of an import as a page: every number is there, nothing of a feed is markup, imports are compared."""

import json
import re
from html import unescape
from pathlib import Path

import pytest
from typer.testing import CliRunner

from wares.app.cli import app
from wares.app.commands.import_report import import_html, keep_profile, last_profile
from wares.feeds.profile import Profile

EVIL = '<script>alert("x")</script>'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "wares.toml").write_text('[encoder]\nsource = "none"\n[shop]\ncurrency = "EUR"\n')
    return tmp_path


def products(folder: Path, factor: int = 1) -> Path:
    path = folder / "products.csv"
    rows = [f'p{i},"{EVIL.replace(chr(34), chr(34) * 2)}",{EVIL[:8]},Tea,{(i + 10) * factor},-1' for i in range(200)]
    far = [f'far,"Dear {EVIL.replace(chr(34), chr(34) * 2)}",B,Tea,{10**6 * factor},3']
    path.write_text("id,title,brand,category,price,stock\n" + "\n".join([*rows, *far, f",{EVIL[:8]},x,y,1,1"]) + "\n")
    return path


def events(folder: Path) -> Path:
    path = folder / "events.csv"
    rows = [f"purchase,2026-01-{1 + i % 3:02d}T10:00:00Z,u{i % 5},p{i},1,{i + 1}.50,b{i}" for i in range(30)]
    path.write_text(
        "kind,time,shopper_id,product_id,quantity,value,basket_id\n"
        + "\n".join([*rows, f"{EVIL[:8]},2026-01-01,u,p,1,1,b"])
    )
    return path


def wares(*words: str | Path) -> str:
    done = CliRunner().invoke(app, [str(word) for word in words])
    assert done.exit_code == 0, done.output
    return done.output


def imported(folder: Path, *more: str | Path) -> str:
    wares("import", folder / "shop", "--report", folder / "report.html", *more)
    return (folder / "report.html").read_text(encoding="utf-8")


def words(page: str) -> str:
    """What a person reads, charts left out."""
    told = re.sub(r"<(svg|style).*?</\1>", "", page, flags=re.DOTALL)
    return " ".join(unescape(re.sub(r"<[^>]+>", " ", told)).split())


def test_the_page_tells_what_became_of_the_rows_and_how_to_mend_them(folder: Path) -> None:
    told = words(imported(folder, "--products", products(folder), "--events", events(folder)))
    assert "202 rows read: 201 kept, 1 rejected. 200 repairs" in told
    assert f"1 no id {folder / 'products.csv'} 203 id Give each product its own 'id'." in told
    assert "200 negative stock: 0" in told
    assert "31 rows read: 30 kept, 1 rejected" in told
    assert f"1 unknown kind {folder / 'events.csv'} 32 kind {EVIL[:8]}" in told


def test_the_page_profiles_products_and_events(folder: Path) -> None:
    page = imported(folder, "--products", products(folder), "--events", events(folder))
    told = words(page)
    assert "201 products." in told and "30 events." in told
    assert "1 of 201." in told and f"far Dear {EVIL} 1,000,000 Tea" in told
    assert 'aria-label="Missing values. title: 0.0; description: 100.0; brand: 0.0; category: 0.0; price: 0.0' in page
    assert 'aria-label="events per day. 2026-01-01: 10; 2026-01-02: 10; 2026-01-03: 10"' in page
    assert 'aria-label="events per shopper. 4+: 5"' in page
    assert 'aria-label="stock. 0: 200; 1+: 0; 2+: 1"' not in page  # 3 lies between 2 and 4, and so:
    assert 'aria-label="stock. 0: 200; 2+: 1"' in page
    assert "first import with a report" in told


def test_nothing_that_a_feed_says_becomes_markup(folder: Path) -> None:
    page = imported(folder, "--products", products(folder), "--events", events(folder))
    assert "<script" not in page
    assert page.count("&lt;script&gt;") >= 5
    bare = import_html([], [])
    assert set(re.findall(r"<(\w+)", page)) - set(re.findall(r"<(\w+)", bare)) <= {
        *("h2", "h3", "p", "ul", "li", "div", "figure", "figcaption", "strong", "span", "svg", "rect", "text", "line"),
        *("path", "table", "thead", "tbody", "tr", "th", "td"), "title",
    }  # fmt: skip
    assert not re.search(r"(src|href)=", page)


def test_the_next_import_is_compared_with_the_last_one(folder: Path) -> None:
    imported(folder, "--products", products(folder))
    kept = (folder / "shop" / "profiles" / "products.json").read_text()
    assert EVIL not in kept and json.loads(kept)["rows"] == 201
    told = words(imported(folder, "--products", products(folder, factor=8)))
    assert "201 products; 201 at the last import with a report" in told
    assert re.search(r"price, EUR moved much \d", told)
    assert re.search(r"missing: price steady 0.000", told)
    again = words(imported(folder, "--products", products(folder, factor=8)))
    assert re.search(r"price, EUR steady 0.000", again)


def test_a_dry_run_compares_and_keeps_nothing(folder: Path) -> None:
    page = imported(folder, "--products", products(folder), "--dry-run")
    assert "this was a dry run" in page
    assert "Products: what the data look like" in page
    assert not (folder / "shop" / "profiles").exists()


def test_a_sync_and_an_update_have_a_page_too(folder: Path) -> None:
    imported(folder, "--products", products(folder))
    wares("sync", folder / "shop", products(folder), "--yes", "--report", folder / "sync.html")
    told = words((folder / "sync.html").read_text())
    assert "Every product of the shop is in this feed" in told and "price, EUR steady" in told
    (folder / "change.csv").write_text(f"id,price\np1,5\n{EVIL[:8]},1\n")
    wares("update", folder / "shop", folder / "change.csv", "--report", folder / "update.html")
    told = words((folder / "update.html").read_text())
    assert (
        "2 rows read: 1 kept, 1 rejected" in told and f"unknown product {folder / 'change.csv'} 3 id {EVIL[:8]}" in told
    )


@pytest.mark.parametrize("content", ["", "[]", '{"kind": 1}', '{"kind": "products", "rows": "x"}', "null"])
def test_a_damaged_profile_is_as_none(tmp_path: Path, content: str) -> None:
    keep_profile(tmp_path, Profile("products", 3))
    assert last_profile(tmp_path, "products") == Profile("products", 3)
    (tmp_path / "profiles" / "products.json").write_text(content)
    assert last_profile(tmp_path, "products") is None

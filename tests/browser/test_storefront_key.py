"""The storefront of a shop with keys: its page carries one of its own, and works with it alone."""

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from wares.app.web.access.keys import Keys

from .conftest import make_shop, served, visitor

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytestmark = pytest.mark.browser


def test_the_storefront_works_with_the_key_of_its_page(browser: "Browser", tmp_path: Path) -> None:
    make_shop(tmp_path)
    text, _ = Keys(tmp_path).new(["search", "events"], name="storefront")
    settings = (tmp_path / "wares.toml").read_text(encoding="utf-8")
    (tmp_path / "wares.toml").write_text(f'{settings}\n[server]\nstorefront_key = "{text}"\n', encoding="utf-8")
    with served(tmp_path) as address:
        for page in visitor(browser, address + "/", width=1280, height=900):
            answers: list[tuple[str, int]] = []
            page.on("response", lambda answer: answers.append((answer.url, answer.status)))  # noqa: B023
            page.goto("")
            page.locator("article.card").first.wait_for()
            page.goto("#/search?q=milk")
            page.locator(".total strong").wait_for()
            page.locator("article.card a").first.click()
            page.locator("h1").first.wait_for()
            asked = [(url, status) for url, status in answers if "/v1/" in url]
            assert len(asked) > 3 and {status for _, status in asked} == {200}
            assert not any(text in url for url, _ in asked)

"""A shop, its server and a browser.

`WARES_TEST_URL` names a running server to drive instead, `WARES_CHROMIUM` the browser. With `WARES_REQUIRE_BROWSER` a
test fails, instead of being skipped, where something is missing.
"""

import os
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from queue import Empty, Queue
from typing import TYPE_CHECKING, NoReturn

import pytest

from .small_shop import RULES, SETTINGS, events, products

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
START_S = 120
ADDRESS = re.compile(r"http://127\.0\.0\.1:\d+")


@pytest.fixture(scope="session")
def shop_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a served small shop, with a slash at the end."""
    if running := os.environ.get("WARES_TEST_URL"):
        yield running.rstrip("/") + "/"
        return
    folder = tmp_path_factory.mktemp("shop")
    make_shop(folder)
    with served(folder) as address:
        yield address + "/"


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The address of a server of this shop in a process of its own."""
    command = [sys.executable, "-m", "wares", "serve", str(folder), "--port", "0"]
    said: Queue[str] = Queue()
    environment = {**os.environ, "PYTHONUNBUFFERED": "1", "NO_COLOR": "1", "COLUMNS": "200"}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
    ) as server:
        listener = threading.Thread(target=listen, args=(server, said), daemon=True)
        listener.start()
        try:
            yield address_in(said)
        finally:
            server.terminate()
            listener.join()  # it reads until the server has closed its output, which is ours to close only then


def make_shop(folder: Path) -> None:
    import wares

    rows = products()
    (folder / "wares.toml").write_text(SETTINGS, encoding="utf-8")
    shop = wares.open(folder)
    shop.put(rows)
    shop.record(events(rows))
    shop.train()
    shop.rules.publish("Tests", text=RULES)
    shop.close()


def listen(server: "subprocess.Popen[str]", said: "Queue[str]") -> None:
    assert server.stdout is not None
    for line in server.stdout:
        said.put(line)
    said.put("")


def address_in(said: "Queue[str]") -> str:
    """The first address that the server prints; what it said instead when it never does."""
    heard = ""
    while True:
        try:
            line = said.get(timeout=START_S)
        except Empty:
            line = ""
        if not line:
            pytest.fail(f"The server printed no address within {START_S} s, only:\n{heard}")
        heard += line
        if found := ADDRESS.search(line):
            return found.group()


def absent(why: str) -> NoReturn:
    """What a test needs is not there: it is skipped, or fails where it must run."""
    if os.environ.get("WARES_REQUIRE_BROWSER"):
        pytest.fail(why)
    pytest.skip(why)


@pytest.fixture(scope="session")
def browser() -> "Iterator[Browser]":
    try:
        from playwright import sync_api as playwright
    except ImportError:
        absent("needs the extra: pip install 'wares[browser]'")
    names = (os.environ.get("WARES_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome")
    path = next((found for name in names if name and (found := shutil.which(name))), None)
    if path is None:
        absent("no Chromium on the PATH; name one in WARES_CHROMIUM")
    with playwright.sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, headless=True, args=list(SWITCHES))
        yield chromium
        chromium.close()


@pytest.fixture
def page(browser: "Browser", shop_url: str) -> "Iterator[Page]":
    """A fresh desktop visitor who speaks English; no test may leave an error in the console."""
    yield from visitor(browser, shop_url, width=1280, height=900)


@pytest.fixture
def phone(browser: "Browser", shop_url: str) -> "Iterator[Page]":
    """The same with a phone of 360 px."""
    yield from visitor(browser, shop_url, width=360, height=740)


def visitor(browser: "Browser", shop_url: str, width: int, height: int) -> "Iterator[Page]":
    context = browser.new_context(
        base_url=shop_url, viewport={"width": width, "height": height}, locale="en-US", reduced_motion="reduce"
    )
    faults: list[str] = []
    context.add_init_script(
        "addEventListener('securitypolicyviolation', e => console.error('CSP', e.violatedDirective, e.blockedURI))"
    )
    visit = context.new_page()
    visit.set_default_timeout(15_000)
    visit.on("console", lambda message: faults.append(message.text) if message.type in ("error", "warning") else None)
    visit.on("pageerror", lambda error: faults.append(str(error)))
    yield visit
    context.close()
    assert not faults, f"the console is not clean: {faults}"

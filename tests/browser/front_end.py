"""A shop's own front end on another origin than wares: the page of the how-to, served with the real libraries."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
LIBRARIES = HERE / "node_modules"
HOW_TO = HERE.parents[1] / "docs" / "how-to" / "use-instantsearch.md"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, *args: Any) -> None:
        """Nothing: a test says what went wrong."""


@contextmanager
def front_end(folder: Path) -> Iterator[str]:
    """Serve the files of `folder` on an origin of its own; gives that origin."""
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield f"http://localhost:{server.server_port}"
        finally:
            server.shutdown()


def page_of_the_how_to(wares: str, key: str) -> str:
    """The page as it stands there, for this server and key."""
    found = re.search(r"^```html\n(<!doctype.*?)^```$", HOW_TO.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)
    assert found
    page, servers = re.subn(r"http://127\.0\.0\.1:8000", wares, found[1])
    page, keys = re.subn(r'const KEY = "[^"]*"', f'const KEY = "{key}"', page)
    assert servers == keys == 1
    return page

"""A small shop for the tests of the service, and a server of it in a process of its own."""

import json
import os
import signal
import subprocess
import sys
from http.client import HTTPConnection
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from wares.shop import open_shop

SETTINGS = """
[encoder]
source = "none"
[models]
train = ["popular"]
[markets.at]
[markets.de]
"""
GOODS = [{"id": f"p{i}", "title": title, "price": 1 + i} for i, title in enumerate(("Oat milk", "Rye bread", "Jam"))]


def build(folder: Path, settings: str = "") -> Path:
    """A shop with three products."""
    folder.mkdir(parents=True)
    (folder / "wares.toml").write_text(SETTINGS + settings, encoding="utf-8")
    with open_shop(folder) as shop:
        shop.put(GOODS)
    return folder


class Server:
    """`python -m wares serve`; `said` is all that it wrote, once it has ended."""

    def __init__(self, folder: Path, *options: str, **environment: str) -> None:
        command = [sys.executable, "-m", "wares", "serve", str(folder), "--port", "0", *options]
        inherited = {name: value for name, value in os.environ.items() if name != "WARES_ADMIN_KEY"}
        self.process = subprocess.Popen(
            command, env=inherited | environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        assert self.process.stdout is not None
        self.said = self.process.stdout.readline()
        at = self.said.find("http://")
        if at < 0:
            self.said += self.end(signal.SIGKILL)
            raise AssertionError(self.said)
        self.port = int(urlsplit(self.said[at:].split()[0]).port or 0)

    def ask(self, method: str, path: str, body: object = None, key: str = "", **headers: str) -> tuple[int, Any]:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            sent = {"connection": "close", "content-type": "application/json"} | headers
            if key:
                sent["authorization"] = f"Bearer {key}"
            connection.request(method, path, None if body is None else json.dumps(body), sent)
            answer = connection.getresponse()
            text = answer.read()
            is_json = "json" in answer.headers.get("content-type", "")
            return answer.status, json.loads(text) if is_json else text.decode()
        finally:
            connection.close()

    def end(self, how: signal.Signals = signal.SIGTERM) -> str:
        self.process.send_signal(how)
        rest, _ = self.process.communicate(timeout=20)
        self.said += rest
        return self.said

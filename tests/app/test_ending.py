"""A server that is told to end says so at once, and answers what it has begun."""

import json
import os
import signal
import socket
from pathlib import Path

import pytest
from served_shop import Server, build

_EVENT = json.dumps({"events": [{"kind": "view", "shopper_id": "s", "product_id": "p1"}]}).encode()
_HEAD = (
    f"POST /v1/events HTTP/1.1\r\nhost: localhost\r\ncontent-type: application/json\r\ncontent-length: {len(_EVENT)}"
)


@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C cannot be sent to one child")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_server_with_a_request_in_flight_says_that_it_drains_and_then_ends(
    tmp_path: Path, how: signal.Signals
) -> None:
    server = Server(build(tmp_path / "shop"))
    try:
        with socket.create_connection(("127.0.0.1", server.port), timeout=20) as slow:
            slow.sendall(_HEAD.encode() + b"\r\n\r\n" + _EVENT[:10])
            while server.ask("GET", "/metrics")[1].find("wares_requests_running 2.0") < 0:
                pass  # until it has come
            assert server.ask("GET", "/readyz")[0] == 200
            server.process.send_signal(how)
            while (answer := server.ask("GET", "/readyz"))[0] == 200:
                pass  # until the signal has come
            assert (answer[0], answer[1]["shops"]["default"]["code"]) == (503, "draining")
            assert server.ask("POST", "/v1/search", {"query": "milk"})[0] == 200  # who has not heard of it yet
            slow.sendall(_EVENT[10:])
            assert slow.recv(1000).startswith(b"HTTP/1.1 200")
        said = server.process.communicate(timeout=20)[0]
        assert server.process.returncode == 0 and "Traceback" not in said, said
    finally:
        server.process.kill()
        server.process.communicate()


@pytest.mark.skipif(os.name == "nt", reason="a console's Ctrl-C cannot be sent to one child")
@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_server_that_has_only_said_where_it_answers_ends_as_wished(tmp_path: Path, how: signal.Signals) -> None:
    server = Server(build(tmp_path / "shop"))
    said = server.end(how)
    assert server.process.returncode == 0 and "Traceback" not in said, said

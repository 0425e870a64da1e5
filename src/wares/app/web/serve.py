"""Runs the HTTP service for one shop until it is told to stop."""

import ipaddress
import json
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import uvicorn
from threadpoolctl import threadpool_limits

from wares.app.counting import Counting
from wares.app.web.access.key_ring import KeyRing
from wares.app.web.allocator import GivingBack, share_one_arena
from wares.app.web.ending import EndingServer
from wares.app.web.garbage import look_seldom, set_aside
from wares.app.web.http import DEFAULT_SHOP, make_app
from wares.app.web.threads import SWITCH_S
from wares.app.web.watching.logs import begin_log
from wares.errors import SettingsError
from wares.shop import open_shop


def serve(folder: Path, host: str | None = None, port: int | None = None, *, as_json: bool = False) -> None:
    """Serve the shop in `folder`; prints where as soon as it answers. Ctrl-C ends it after the running requests.

    Any address but this machine's own needs a key: of the shop's folder, or an admin key in the environment. `port` 0 =
    any free one.
    """
    share_one_arena()
    with open_shop(folder, create=False) as shop:
        settings = shop.settings.server
        host, port = host or settings.host, settings.port if port is None else port
        ring, away = KeyRing(folder, os.environ.get(settings.admin_key_env, "")), not is_loopback(host)
        if away and not ring.has_active_keys():
            raise SettingsError(
                f"Address {host} can be reached from other machines, and this shop has no valid key. Make one with "
                f"`wares keys new {folder} --scope admin` or set {settings.admin_key_env} to a long random key, or "
                "serve on 127.0.0.1."
            )
        ring.check_storefront_key(settings.storefront_key)
        store = shop.writer()
        with bound(host, port) as listening:
            url = f"http://{_shown(host)}:{listening.getsockname()[1]}"
            shop.engine.refresh()
            shop.log_impressions()
            shop.keep_answers()
            store.announce(url)
            workers = None if settings.workers == "auto" else settings.workers
            app = make_app({DEFAULT_SHOP: shop}, ring=ring, closed=away, loaded=set_aside, workers=workers)
            begin_log(settings.log_format)
            said: dict[str, Any] = {"log_config": None, "log_level": "warning", "access_log": False}
            config = uvicorn.Config(app, **said)
            told = {"title": shop.settings.shop.title, "url": url, "api": f"{url}/v1/openapi.json"}
            words = f"{told['title']}: {url}  (API: {told['api']}). Ctrl-C ends it."
            with _until_told():  # from here on, for whoever reads where it answers may end it
                print(json.dumps(told) if as_json else words, flush=True)
                sys.setswitchinterval(SWITCH_S)
                look_seldom()
                # one thread of BLAS: many requests share the cores, and one needs no more than one
                counting = Counting(folder, shop.settings, shop.engine.warn)
                with threadpool_limits(1, user_api="blas"), GivingBack(), counting:
                    EndingServer(config, app.state.service).run(sockets=[listening])


@contextmanager
def _until_told() -> Iterator[None]:
    """Ctrl-C or SIGTERM ends the block, as wished; uvicorn raises them again once the running requests are answered."""
    before = signal.getsignal(signal.SIGTERM)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    except KeyboardInterrupt:
        return
    finally:
        if threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, before)


def bound(host: str, port: int) -> socket.socket:
    """A socket that listens there; port 0 = any free one. SettingsError where that cannot be."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With its protocol named: asyncio tells only such connections to send at once (TCP_NODELAY). Else the body of an
    # answer waits for the client to confirm the headers, which takes 40 ms.
    listening = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
        listening.listen(2048)
    except OSError as error:
        listening.close()
        raise SettingsError(f"Cannot listen on {host}:{port}: {error.strerror}. Choose another with --port.") from error
    return listening


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach it."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host

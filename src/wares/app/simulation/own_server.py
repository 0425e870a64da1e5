"""A server of its own for a simulation: a process that serves the shop on a free port as long as it is needed."""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from wares.errors import InputError

ENDING_S = 20.0


@contextmanager
def own_server(folder: Path, **environment: str) -> Iterator[str]:
    """Its address. InputError with what it said where it does not start. SIGTERM is as Ctrl-C meanwhile: no server
    outlives its simulation."""
    with _sigterm_as_ctrl_c(), _started(folder, environment) as url:
        yield url


@contextmanager
def _started(folder: Path, environment: dict[str, str]) -> Iterator[str]:
    command = [sys.executable, "-m", "wares", "serve", str(folder), "--host", "127.0.0.1", "--port", "0", "--json"]
    with tempfile.TemporaryFile() as said:
        process = subprocess.Popen(  # noqa: S603 (this very program)
            command,
            env=os.environ | environment,
            stdout=subprocess.PIPE,
            stderr=said,
            start_new_session=True,  # Ctrl-C is for the simulation, which ends the server when it is done with it
        )
        try:
            assert process.stdout is not None
            first = process.stdout.readline()
            try:
                url = str(json.loads(first)["url"])
            except (ValueError, KeyError):
                process.kill()
                process.wait()
                said.seek(0)
                told = said.read().decode(errors="replace").strip().removeprefix("Error: ")
                raise InputError(f"No server could be started for {folder}: {told or 'it said nothing'}") from None
            yield url
        finally:
            process.terminate()
            try:
                process.wait(ENDING_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
            if process.stdout is not None:
                process.stdout.close()


@contextmanager
def _sigterm_as_ctrl_c() -> Iterator[None]:
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)

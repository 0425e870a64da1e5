"""How a process that answers is begun, with its pipes."""

import asyncio
import os
import sys
from asyncio.subprocess import PIPE, Process
from io import FileIO
from pathlib import Path
from typing import Any

_BUFFER = 2**20  # bytes of an answer that are read at once
_ALONE = {"OPENBLAS_NUM_THREADS": "1", "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}  # there is one for each core


async def begun(folder: Path) -> tuple[Process, asyncio.WriteTransport]:
    """A process for the shop in `folder`, which reads questions from its standard input and writes answers to its
    standard output; and the pipe to its other thread, for what it most likely has kept. Raises OSError where there is
    no memory, or too many processes or files."""
    command = (sys.executable, "-m", "wares.app.web.workers", str(folder))
    pipes: dict[str, Any] = {"stdin": PIPE, "stdout": PIPE, "limit": _BUFFER}
    theirs, ours = os.pipe()
    try:
        writing = asyncio.get_running_loop().connect_write_pipe(asyncio.BaseProtocol, FileIO(ours, "w"))
        again, _ = await writing  # which closes it
        try:
            process = await asyncio.create_subprocess_exec(
                *command, str(theirs), pass_fds=(theirs,), env={**os.environ, **_ALONE}, **pipes
            )
        except BaseException:
            again.close()
            raise
    finally:
        os.close(theirs)
    return process, again

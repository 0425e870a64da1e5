"""What a terminal shows: results on stdout; progress, notes and faults on stderr. With --json, stdout is JSON alone."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import typer

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress, TaskID

    from wares.training.progress import Tell


def stdout() -> "Console":
    """Texts from feeds are shown as they are: nothing in them is markup."""
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False)


def stderr() -> "Console":
    from rich.console import Console

    return Console(markup=False, highlight=False, emoji=False, stderr=True)


def print_json(value: Any) -> None:
    """One JSON document on stdout."""
    sys.stdout.write(json.dumps(value, ensure_ascii=False, indent=2, allow_nan=False, default=str) + "\n")


def note(text: str) -> None:
    """Something worth knowing that is not the result."""
    typer.secho(shown(text), fg=typer.colors.YELLOW, err=True)


def complain(text: str) -> None:
    """What went wrong."""
    typer.secho(f"Error: {shown(text)}", fg=typer.colors.RED, err=True)


def shown(text: str) -> str:
    """Without control characters, which could steer the terminal; line ends stay."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() or c == "\n" else " " for c in text)


@contextmanager
def progress() -> Iterator["Tell"]:
    """A bar per stage, with the time left; gives the function to call with (stage, done, total). Total 0 = unknown."""
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    columns = (
        TextColumn("{task.description:<24}", markup=False),
        BarColumn(bar_width=32),
        MofNCompleteColumn(),
        TimeRemainingColumn(elapsed_when_finished=True),
    )
    with Progress(*columns, console=stderr()) as bars:
        yield _Bars(bars)


class _Bars:
    """Remembers which bar belongs to which stage."""

    def __init__(self, bars: "Progress") -> None:
        self._bars = bars
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, stage: str, done: int, total: int) -> None:
        known = total if total > 1 or done else None  # a single step only pulses until it is done
        name = stage.partition(",")[0]  # what follows are figures that change, such as the loss
        if name not in self._tasks:
            self._tasks[name] = self._bars.add_task(stage, total=known)
        self._bars.update(self._tasks[name], description=stage, completed=done, total=known)

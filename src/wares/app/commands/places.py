"""Which shop a command means: the folder it names, or else the one that WARES_SHOP names."""

import os
from collections.abc import Sequence
from pathlib import Path

import typer

VARIABLE = "WARES_SHOP"


def shop_folder(given: str | None) -> Path:
    """Wrong usage (exit 2) where neither names one."""
    folder = given or os.environ.get(VARIABLE, "")
    if not folder:
        raise typer.BadParameter(f"Name the shop's folder, or set {VARIABLE} to it.", param_hint="FOLDER")
    return Path(folder)


def shop_and_all(first: str | None, others: Sequence[str], what: str) -> tuple[Path, list[str]]:
    """The folder and the words after it, at least one. With WARES_SHOP set, a first word that is no shop is such a
    word, too."""
    if first is not None and others and os.environ.get(VARIABLE) and not (Path(first) / "wares.sqlite").exists():
        return shop_folder(None), [first, *others]
    place, word = shop_and(first, others[0] if others else None, what)
    return place, [word, *others[1:]]


def shop_and(first: str | None, second: str | None, what: str = "") -> tuple[Path, str]:
    """The folder and the word after it. With WARES_SHOP set, a lone word that is no shop is that word.

    `what` names the word where there must be one.
    """
    alone = first is not None and second is None
    if alone and os.environ.get(VARIABLE) and (what or not (Path(str(first)) / "wares.sqlite").exists()):
        first, second = None, first
    folder = shop_folder(first)
    if second is None and what:
        raise typer.BadParameter(f"Say which: wares ... {folder} {what}", param_hint=what)
    return folder, second or ""

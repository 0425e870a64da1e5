"""What all `wares bench` commands read and print alike."""

from collections.abc import Mapping
from typing import Any

from wares.app.commands import screen


def listed(names: str) -> list[str]:
    """`A,B` as a list."""
    return [name.strip() for name in names.split(",") if name.strip()]


def show(figures: Mapping[str, Any], as_json: bool) -> None:
    """Figures as JSON, or as tables."""
    if as_json:
        screen.print_json(figures)
        return
    from wares.app.commands.tables import print_figures

    print_figures(screen.stdout(), figures)

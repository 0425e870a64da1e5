"""The command that completes what is being typed: suggest."""

from pathlib import Path

from rich import box
from rich.table import Table

from wares.app.commands import screen
from wares.shop import open_shop


def suggest_for(folder: Path, typed: str, k: int, *, as_json: bool) -> None:
    """Open the shop and show its suggestions, best first."""
    with open_shop(folder, create=False) as shop:
        found = shop.suggest(typed, k)
        untrained = not shop.engine.live.snapshot.name
        for warning in shop.engine.warnings:
            screen.note(warning)
    if untrained:
        screen.note("Suggestions are learnt: run `wares train` first.")
    if as_json:
        from wares.app.web.wire import suggestions_json

        screen.print_json(suggestions_json(found))
        return
    table = Table("suggestion", "kind", "leads to", box=box.SIMPLE_HEAD, pad_edge=False, collapse_padding=True)
    for one in found:
        table.add_row(screen.shown(one.text), one.kind.value, screen.shown(one.about))
    screen.stdout().print(table if found else "Nothing begins like this.")

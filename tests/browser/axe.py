"""What axe-core, the accessibility checker, says of a page. Its serious and critical findings fail a test."""

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from playwright.sync_api import Page

LIBRARY = Path(__file__).parent / "node_modules" / "axe-core" / "axe.min.js"
GRAVE = ("serious", "critical")


def findings(page: "Page") -> list[str]:
    """Each grave finding with its rule and elements; [] = none. Needs `npm ci` in this folder (make test-browser)."""
    # As if typed into the console: a page that allows no foreign script is checked as it is.
    page.evaluate(LIBRARY.read_text(encoding="utf-8"))
    found: dict[str, Any] = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    return [
        f"{one['id']}: {one['help']}: {node['html'][:160]} {node['failureSummary'][:300]}"
        for one in found["violations"]
        if one["impact"] in GRAVE
        for node in one["nodes"][:3]
    ]

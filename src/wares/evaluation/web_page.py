"""A page of figures as one HTML file that needs nothing else: no script, no font, no picture from elsewhere."""

from collections.abc import Iterable
from html import escape

STYLE = """
:root { color-scheme: light dark; --page: #fbfaf8; --card: #fff; --ink: #1c1b1a; --quiet: #66615b; --line: #e4dfd8;
  --mark: #2f6f62; --other: #b9833a; }
@media (prefers-color-scheme: dark) { :root { --page: #161514; --card: #1f1e1c; --ink: #efece7; --quiet: #a8a198;
  --line: #37342f; --mark: #5cb8a4; --other: #d9a75f; } }
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--ink); font: 16px/1.5 system-ui, sans-serif; }
main { max-width: 84rem; margin: 0 auto; padding: 3rem 1.25rem 4rem; }
h1 { font-size: clamp(1.6rem, 4vw, 2.3rem); line-height: 1.15; margin: 0 0 .75rem; letter-spacing: -.015em; }
h2 { font-size: 1.2rem; margin: 3rem 0 1rem; }
p, ul { max-width: 46rem; margin: .4rem 0; } ul { padding-left: 1.2rem; }
code { font: .875rem/1.6 ui-monospace, monospace; }
pre { background: var(--card); border: 1px solid var(--line); border-radius: 8px;
  padding: .75rem 1rem; overflow-x: auto; }
.charts { display: grid; grid-template-columns: repeat(auto-fit, minmax(min(100%, 32rem), 1fr)); gap: 1.25rem; }
figure { margin: 0; background: var(--card); border: 1px solid var(--line); border-radius: 10px; padding: 1rem 1.1rem; }
figcaption { margin-bottom: .75rem; } figcaption strong { display: block; }
figcaption span, .quiet { color: var(--quiet); font-size: .9rem; }
svg { display: block; width: 100%; height: auto; font: 13px system-ui, sans-serif; overflow: visible; }
svg text { fill: var(--ink); } svg .tick { fill: var(--quiet); font-size: 12px; }
svg .figure { font-variant-numeric: tabular-nums; }
.mark { fill: var(--mark); } .other { fill: var(--other); } .unsure { fill: var(--card); stroke: var(--quiet); }
.whisker { stroke: var(--ink); stroke-width: 1.4; fill: none; } .axis { stroke: var(--quiet); }
.grid { stroke: var(--line); }
.wide { overflow-x: auto; } table { border-collapse: collapse; font-size: .9rem; font-variant-numeric: tabular-nums; }
th, td { padding: .5rem .8rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap; }
th:first-child { text-align: left; position: sticky; left: 0; background: var(--page); } thead th { font-weight: 600; }
tbody th { font-weight: 400; } td small { display: block; color: var(--quiet); } th small { color: var(--other); }
"""


def web_page(title: str, parts: Iterable[str]) -> str:
    """The whole page around its parts, which are HTML; empty ones are left out."""
    body = "\n".join(part for part in parts if part)
    return (
        '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{escape(title)}</title>\n<style>{STYLE}</style>\n</head>\n<body>\n<main>\n{body}\n</main>\n</body>\n"
        "</html>\n"
    )


def side_by_side(drawn: Iterable[str]) -> str:
    """Several charts side by side."""
    return f'<div class="charts">{"".join(drawn)}</div>'


def figure(name: str, meaning: str, svg: str) -> str:
    """A chart with its caption."""
    return (
        f"<figure><figcaption><strong>{escape(name)}</strong><span>{escape(meaning)}</span></figcaption>{svg}</figure>"
    )

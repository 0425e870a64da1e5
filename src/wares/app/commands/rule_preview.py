"""`wares rules preview`: what the draft would change, before and after beside each other."""

import time
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console

from wares.app.commands import screen
from wares.app.commands.rule_json import preview_json
from wares.app.commands.tables import new_table
from wares.domain.filter import AnyOf, Filter
from wares.domain.request import Request
from wares.engine.rules.preview import Preview, Question, Rank, Side
from wares.shop import open_shop

_MOST = 10  # questions that are shown at a terminal


def preview_rules(
    folder: Path,
    asked: Sequence[tuple[str, str]],
    *,
    surface: str,
    shopper: str | None,
    market: str,
    k: int,
    as_json: bool,
) -> None:
    """`asked`: ("query" or "category", its text); empty = what the changed rules are about."""
    now_ms = int(time.time() * 1000)
    if not asked and (surface or shopper or market):
        asked = [("", "")]
    questions = [_question(kind, text, surface, shopper, market, now_ms) for kind, text in asked]
    with open_shop(folder, create=False) as shop:
        found = shop.rules.preview(questions, k=k)
        is_draft = shop.rules.draft is not None
    if as_json:
        screen.print_json([preview_json(one) for one in found])
        return
    if not is_draft:
        screen.note("There is no draft, so nothing would change. `wares rules draft` begins one.")
    console = screen.stdout()
    shown = sorted(found, key=lambda one: not one.changes)[:_MOST]
    for one in shown:
        _print_preview(console, one, now_ms)
    if not found:
        console.print("No rule differs from what serves.")
    if len(found) > len(shown):
        screen.note(f"{len(found) - len(shown):,} more requests are concerned: --json has all, --query asks for one.")


def _question(kind: str, text: str, surface: str, shopper: str | None, market: str, now_ms: int) -> Question:
    where = Filter((AnyOf("category", (text,), fixed=True),)) if kind == "category" else Filter()
    query = text if kind == "query" else ""
    named = surface or ("search" if kind == "query" else "browse" if kind == "category" else "home")
    return Question(Request(named, now_ms, query, shopper, filter=where, market=market))


def _print_preview(console: Console, one: Preview, now_ms: int) -> None:
    before, after = one.before, one.after
    day = ""
    if abs(one.question.request.now_ms - now_ms) > 60_000:
        day = f", as of {datetime.fromtimestamp(one.question.request.now_ms / 1000, UTC):%Y-%m-%d}"
    console.print(f"\n{screen.shown(one.question.label)}{day}", style="bold", soft_wrap=True)
    if not one.changes:
        console.print(f"Nothing changes: {before.total:,} hits.")
        return
    moved = f"{before.total:,} hits" if before.total == after.total else f"{before.total:,} -> {after.total:,} hits"
    console.print(moved)
    for name, old, new in (("redirect", *_redirects(one)), ("banners", *_banners(one)), ("notes", *_notes(one))):
        if old != new:
            console.print(f"{name}: {screen.shown(old) or 'none'} -> {screen.shown(new) or 'none'}", soft_wrap=True)
    titles = {rank.id: rank.title for rank in one.ranks}
    ranks = {rank.id: rank for rank in one.ranks}
    table = new_table("#", "before", "after", "moves", right=(0,))
    for place in range(max(len(before.ids), len(after.ids))):
        old, new = _at(before, place), _at(after, place)
        move = _move(ranks[new], len(before.ids)) if new else ""
        cells = [f"{screen.shown(titles[name])}\n{screen.shown(name)}" if name else "" for name in (old, new)]
        table.add_row(str(place + 1), *cells, move)
    console.print(table)
    if left := [rank for rank in one.ranks if rank.id not in after.ids]:
        told = ", ".join(f"{screen.shown(rank.id)} (now {rank.after or 'gone'})" for rank in left)
        console.print(f"left the first {len(after.ids)}: {told}", soft_wrap=True)


def _at(side: Side, place: int) -> str:
    return side.ids[place] if place < len(side.ids) else ""


def _move(rank: Rank, shown: int) -> str:
    """How a product came to its new place."""
    if rank.before is None or rank.after is None:
        return "new"
    if rank.before == rank.after:
        return ""
    came = f", came in from {rank.before}" if rank.before > shown else ""
    return f"{'▲' if rank.after < rank.before else '▼'}{abs(rank.before - rank.after)}{came}"


def _redirects(one: Preview) -> tuple[str, str]:
    return one.before.redirect, one.after.redirect


def _banners(one: Preview) -> tuple[str, str]:
    old, new = (" · ".join(banner.text for banner in side.banners) for side in (one.before, one.after))
    return old, new


def _notes(one: Preview) -> tuple[str, str]:
    return " ".join(one.before.notes), " ".join(one.after.notes)

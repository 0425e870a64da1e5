"""`wares synonyms`: words that may stand for one another in this shop, and what speaks for them; kept if accepted."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from rich import box
from rich.table import Table

from wares.app.commands import screen
from wares.engine.durable import replace_bytes
from wares.engine.learnt import SYNONYMS, own_synonyms
from wares.errors import InputError
from wares.retrieval.language.synonyms.groups import Synonyms, key
from wares.shop import Shop, open_shop
from wares.training.synonyms import Proposal, propose

_TITLE = 60  # characters of a title that are shown


def synonyms_of(folder: Path, accept: str, write: bool, most: int, *, as_json: bool) -> None:
    """List the `most` best proposals; append those that `accept` numbers (`1,3`), or all listed ones with `write`, to
    the shop's synonyms. Raises InputError for a number that is not in the list, DataError for a faulty file."""
    with open_shop(folder, create=False) as shop:
        found = found_in(shop)[:most]
        untrained, language = not shop.engine.live.snapshot.name, shop.settings.shop.language
    chosen = found if write else [found[number - 1] for number in _numbers(accept, len(found))]
    added = accept_lines(folder, chosen, language)
    if untrained:
        screen.note("Synonyms are sought among what was learnt: run `wares train` first.")
    if as_json:
        proposals = [{"number": n, **asdict(one), "line": one.line} for n, one in enumerate(found, 1)]
        screen.print_json({"proposals": proposals, "accepted": added})
        return
    if accept or write:
        for line in added:
            screen.stdout().print(screen.shown(line))
        screen.note(
            f"Added {len(added):,} to {folder / SYNONYMS}. They serve from the next `wares train` or restart on."
        )
        return
    screen.stdout().print(_table(found) if found else "Nothing found that the shop does not know already.")
    if found:
        screen.note("Nothing is changed. `--accept 1,3` adds those lines to the shop's synonyms; `--write` adds all.")


def found_in(shop: Shop) -> list[Proposal]:
    """All proposals for the shop as it is now."""
    from wares.engine.assembly import new_encoder

    live, store = shop.engine.live, shop.store
    columns = live.state.columns
    title_of = {product.id: product.title for _, _, _, product in store.catalogue.changes() if product is not None}
    titles = [""] * len(columns)
    for product_id, row in columns.row_of.items():
        titles[row] = title_of.get(product_id, "")
    queries = store.events.typed_queries(1)
    encoder = new_encoder(shop.settings, shop.folder)
    language = live.snapshot.language.with_synonyms(own_synonyms(shop.folder))  # as the file says now
    return propose(titles, columns, language, store.events.read(), queries, encoder)


def accept_lines(folder: Path, proposals: Sequence[Proposal], language: str) -> list[str]:
    """Append to the shop's synonyms what they do not say yet, all or nothing; the lines that are new."""
    own = Synonyms.read(own_synonyms(folder), SYNONYMS, str.split, language=language).others
    added = [one.line for one in proposals if not _says(own, one, language)]
    append_lines(folder, added)
    return added


def accept_line(folder: Path, said: str, meant: str, language: str, *, one_way: bool) -> str:
    """Add one line of two members to the shop's synonyms; the line, "" = they say so already. InputError for a member
    that a line cannot hold, DataError for a faulty file."""
    for member in (said, meant):
        if (
            not key(member, language)
            or not member.isprintable()
            or any(mark in member for mark in ",#")
            or "=>" in member
        ):
            raise InputError(
                f"{member[:80]!r} cannot stand in a line of synonyms: words, without a comma, '#' and '=>'."
            )
    if key(said, language) == key(meant, language):
        raise InputError(f"{said[:80]!r} and {meant[:80]!r} are the same word here.")
    line = f"{said.strip()} => {meant.strip()}" if one_way else f"{said.strip()}, {meant.strip()}"
    others = Synonyms.read([line], SYNONYMS, str.split, language=language).others
    own = Synonyms.read(own_synonyms(folder), SYNONYMS, str.split, language=language).others
    known = all(
        {key(other, language) for other in meanings} <= {key(other, language) for other in own.get(member, ())}
        for member, meanings in others.items()
    )
    if known:
        return ""
    append_lines(folder, [line])
    return line


def append_lines(folder: Path, lines: Sequence[str]) -> None:
    """Put these at the end of the shop's synonyms, all or none."""
    if lines:
        path = folder / SYNONYMS
        before = path.read_bytes() if path.exists() else b""
        if before and not before.endswith(b"\n"):
            before += b"\n"
        replace_bytes(path, before + "".join(f"{line}\n" for line in lines).encode())


def _says(own: Mapping[str, Mapping[str, float]], one: Proposal, language: str) -> bool:
    def says(said: str, meant: str) -> bool:
        return key(meant, language) in {key(other, language) for other in own.get(key(said, language), ())}

    return says(one.said, one.meant) and (one.one_way or says(one.meant, one.said))


def _numbers(accept: str, n: int) -> list[int]:
    """'1, 3' -> [1, 3], each once."""
    found = list[int]()
    for part in filter(None, (piece.strip() for piece in accept.split(","))):
        if not (part.isascii() and part.isdecimal() and 1 <= int(part) <= n):
            listed = f"1 to {n}" if n else "none: there are no proposals"
            raise InputError(f"{part!r} is no number of the list; nothing was changed. Valid: {listed}.")
        found.append(int(part))
    return list(dict.fromkeys(found))


def _table(found: Sequence[Proposal]) -> Table:
    table = Table("#", "line", "sign", "score", "evidence", "titles", box=box.SIMPLE_HEAD, pad_edge=False)
    for number, one in enumerate(found, 1):
        titles = "\n".join(f"{t[: _TITLE - 1]}…" if len(t) > _TITLE else t for t in one.titles)
        row: list[Any] = [str(number), one.line, one.sign, f"{one.score:.2f}"]
        evidence = ", ".join(f"{name} {value:g}" for name, value in one.evidence.items())
        table.add_row(*map(screen.shown, [*row, evidence, titles]))
    return table

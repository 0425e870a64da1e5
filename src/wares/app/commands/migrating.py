"""`wares migrate`: a shop of the export of another search engine, and an account of everything in it."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wares.app.commands import screen
from wares.app.commands.import_report import write_import_report
from wares.app.commands.importing import NOT_WRITTEN, Feeds, How, import_files
from wares.app.commands.migrated_files import (
    Difference,
    differences,
    settle_rules,
    settle_synonyms,
    write_rules,
    write_settings,
)
from wares.app.commands.profile_charts import table, text
from wares.app.commands.recognising import chosen_columns, show_columns
from wares.app.commands.synonyms import append_lines
from wares.app.commands.tables import new_table
from wares.domain.money import scale_of
from wares.engine.learnt import SYNONYMS
from wares.engine.rules.book import DRAFT
from wares.engine.settings import FILE_NAME, load_settings
from wares.errors import UnknownName
from wares.feeds.dialects.columns import Numbered
from wares.feeds.dialects.product_feeds import FREE, check_names
from wares.feeds.migrations.exports import ENGINES, ExportFile, Sample, files_in, read_sample, sort_file, with_columns
from wares.feeds.migrations.found import PRODUCTS, Engine, Found, Ledger, Part
from wares.feeds.report import ImportReport, Tally
from wares.shop import open_shop

if TYPE_CHECKING:
    from wares.training.progress import Tell

_HEAD = ("thing", "count", "", "into", "why, or what to do")
_SHOWN_BEFORE = ("Read as ", "The column ")  # what columns are taken for
_DATABASE = "wares.sqlite"
_UNKNOWN_SHOWN = 5  # products that rules name and the shop lacks


@dataclass(slots=True)
class Migration:
    """What became of an export. `notes` are sentences for a person; `changed` are settings that are not as exported."""

    engine: Engine
    ledger: Ledger
    files: list[ExportFile]
    reports: list[ImportReport] = field(default_factory=list)
    changed: list[Difference] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)  # of synonyms, new to the shop
    draft: str = ""  # the rules as TOML
    notes: list[str] = field(default_factory=list)

    @property
    def record_files(self) -> list[Path]:
        return [one.path for one in self.files if one.has_records]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, ready for JSON."""
        return {
            "engine": self.engine.name,
            "files": [{"path": str(one.path), "holds": one.holds} for one in self.files],
            "things": self.ledger.to_dict(),
            "lines": [line.to_dict() for line in self.ledger.lines],
            "settings": [
                {"key": f"{one.table}.{one.key}", "now": one.now, "wanted": one.wanted} for one in self.changed
            ],
            "synonyms": self.lines,
            "rules": self.draft,
            "never_exported": dict(self.engine.never),
            "notes": self.notes,
            "imports": [report.to_dict() for report in self.reports],
        }


def migrate(
    engine_name: str,
    folder: Path,
    paths: Sequence[Path],
    tell: "Tell",
    *,
    columns: Sequence[str] = (),
    dry_run: bool = False,
    with_settings: bool = False,
    rejects: Path | None = None,
    page: Path | None = None,
) -> Migration:
    """Read an export into a shop; makes the shop where there is none. A new shop takes the export's settings, one that
    has settings only with `with_settings`. Synonyms are added without repeats, rules become a draft.

    Raises UnknownName for an engine, field or column that there is not, InputError for a file that is no export.
    """
    if engine_name not in ENGINES:
        raise UnknownName("engine to migrate from", engine_name, ENGINES)
    engine, chosen = ENGINES[engine_name], chosen_columns(columns)
    check_names(FREE, chosen)
    ledger = Ledger()
    done = Migration(engine, ledger, [sort_file(path, engine, ledger) for path in files_in(paths, engine)])
    parts = [part for one in done.files for part in one.parts]
    is_new = not (folder / FILE_NAME).exists() and not (folder / _DATABASE).exists()
    takes = is_new or with_settings
    sample = read_sample(done.record_files, engine, chosen, engine.columns(parts))
    currency = sample.currency if takes and sample.currency else load_settings(folder).shop.currency
    sample = replace(sample, names=replace(sample.names, scale=scale_of(currency)))
    found = _found(done, parts, sample)
    done.changed = differences(folder, found)
    if done.changed and takes and not dry_run:
        write_settings(folder, done.changed)
        done.notes.append(
            f"The settings are in {folder / FILE_NAME}; a running server reads them when it is started again."
        )
    elif done.changed:
        how = "" if takes else " They are not written; --settings writes them."
        done.notes.append(f"{_n(len(done.changed), 'setting')} would change {folder / FILE_NAME}.{how}")
    language = str(found.settings.get("shop", {}).get("language", "")) if takes else ""
    done.lines = settle_synonyms(folder, found, language or load_settings(folder).shop.language)
    rules = settle_rules(folder, found, engine.title, int(time.time() * 1000))
    done.draft = rules.text
    _import(done, folder, sample.chosen, tell, dry_run=dry_run, rejects=rejects, page=page)
    if dry_run:
        done.notes.append(NOT_WRITTEN)
        return done
    if done.lines:
        folder.mkdir(parents=True, exist_ok=True)
        append_lines(folder, done.lines)
        done.notes.append(f"{_n(len(done.lines), 'line')} of synonyms added to {folder / SYNONYMS}.")
    if rules.text:
        folder.mkdir(parents=True, exist_ok=True)
        path = write_rules(folder, rules, engine.title)
        done.notes.append(_told(path, folder))
    _note_unknown(done, folder, rules.products)
    return done


def _found(done: Migration, parts: Sequence[Part], sample: Sample) -> Found:
    """Everything but the records, in wares' words. Shows what the records' columns are taken for."""
    if sample.guesses:
        show_columns(f"{done.record_files[0]}: what its columns are taken for:", sample.guesses)
    found = Found(done.ledger)
    if sample.currency:
        found.set("shop", "currency", sample.currency)
    for part in parts:
        done.engine.settle(part, found, sample.names)
    done.engine.finish(parts, found, sample.names)
    return found


def _import(
    done: Migration,
    folder: Path,
    chosen: Mapping[str, str],
    tell: "Tell",
    *,
    dry_run: bool,
    rejects: Path | None,
    page: Path | None,
) -> None:
    """The records through the reader of product feeds."""

    def lead(reports: Sequence[ImportReport]) -> tuple[str, str]:
        _settle_records(reports, done.ledger)
        return f"Migration from {done.engine.title}", _section(done)

    def unfold(rows: Iterator[Numbered], tally: Tally) -> Iterator[Numbered]:
        return with_columns(done.engine.records(rows, tally), chosen.values())

    if not done.record_files:
        if page is not None:
            write_import_report(page, [], None, folder, keep=False, lead=lead)
        return
    how = How(dialect=FREE, columns=chosen, unfold=unfold, rejects=rejects)
    done.reports = import_files(
        folder, Feeds(products=done.record_files), how, tell, dry_run=dry_run, page=page, lead=lead
    )
    if page is None:
        _settle_records(done.reports, done.ledger)


def _settle_records(reports: Sequence[ImportReport], ledger: Ledger) -> None:
    for report in reports:
        ledger.see("records", report.read)
        if report.kept:
            ledger.settle("records", "mapped", PRODUCTS, count=report.kept)
        for finding in report.rejections:
            fix = finding.examples[0].fix if finding.examples else ""
            ledger.settle("records", "not mapped", why=f"{finding.rule}. {fix}".strip(), count=finding.count)


def _note_unknown(done: Migration, folder: Path, named: frozenset[str]) -> None:
    if not named or not (folder / _DATABASE).exists():
        return
    with open_shop(folder, create=False) as shop:
        unknown = sorted(named - set(shop.store.catalogue.get(sorted(named))))
    if unknown:
        more = ", ..." if len(unknown) > _UNKNOWN_SHOWN else ""
        listed = ", ".join(one[:80] for one in unknown[:_UNKNOWN_SHOWN]) + more
        done.notes.append(f"{_n(len(unknown), 'product')} named by rules but not in the shop: {listed}")


def _n(count: int, thing: str) -> str:
    return f"{count:,} {thing}{'s' * (count != 1)}"


def _told(path: Path, folder: Path) -> str:
    if path.name != DRAFT:
        return f"There is a draft of rules already, which was left as it is. The migrated rules are in {path}."
    look = f"Look: `wares rules check {folder}`, `wares rules preview {folder}`"
    return f"The rules are a draft, {path}; none of them serves yet. {look}; then `wares rules publish`."


# -- showing -----------------------------------------------------------------------------------------------------------


def show_migration(done: Migration) -> None:
    """What the files held; what the settings would change; one table with everything; notes."""
    console = screen.stdout()
    for one in done.files:
        console.print(screen.shown(f"{one.path}: {one.holds}"), style="dim")
    if done.changed:
        changes = new_table("setting", "in the shop", "in the export")
        for change in done.changed:
            changes.add_row(*map(screen.shown, (f"{change.table}.{change.key}", str(change.now), str(change.wanted))))
        console.print(changes)
    things = new_table(*_HEAD, right=(1,))
    for row in _rows(done):
        things.add_row(*map(screen.shown, row))
    console.print(things)
    for kind, counts in done.ledger.to_dict().items():
        told = ", ".join(f"{counts[name]:,} {name}" for name in ("mapped", "in part", "not mapped"))
        console.print(f"{kind}: {counts['read']:,} read = {told}")
    for report in done.reports:
        for note in report.notes:
            if not note.startswith(_SHOWN_BEFORE):
                screen.note(note)
    for note in done.notes:
        screen.note(note)


def _rows(done: Migration) -> list[tuple[str, str, str, str, str]]:
    rows = []
    for line in done.ledger.lines:
        named = f" ({', '.join(line.names)}{', ...' if line.count > len(line.names) else ''})" if line.names else ""
        rows.append((line.kind, f"{line.count:,}", line.outcome, line.into, f"{line.why}{named}".strip()))
    return rows + [(thing, "", "in no export", "", what) for thing, what in done.engine.never]


def _section(done: Migration) -> str:
    changes = [(f"{one.table}.{one.key}", str(one.now), str(one.wanted)) for one in done.changed]
    rules = f"<h2>The rules, as a draft</h2><pre>{text(done.draft)}</pre>" if done.draft else ""
    settings = table("Settings", ("setting", "in the shop", "in the export"), changes) if changes else ""
    files = "".join(f"<li>{text(f'{one.path}: {one.holds}')}</li>" for one in done.files)
    return f"<ul>{files}</ul>" + table("What became of everything", _HEAD, _rows(done)) + settings + rules

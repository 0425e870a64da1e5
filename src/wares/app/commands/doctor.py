"""`wares doctor`: is everything in order here? One line per thing that was looked at, and what to do about it."""

import os
import platform
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from wares.app.commands.finding import Finding
from wares.app.commands.upkeep import look_after
from wares.engine.settings import Settings, load_settings
from wares.engine.snapshot import Snapshot
from wares.errors import WaresError
from wares.version import VERSION

_PACKAGES = (
    *("numpy", "scipy", "polars", "pydantic", "onnxruntime", "tokenizers", "rapidfuzz", "fastapi", "uvicorn"),
    *("lightgbm", "snowballstemmer", "opencc", "rjieba", "pypinyin"),
)
_OPENMP = (
    "Install the system's OpenMP library: apt install libgomp1 (Debian, Ubuntu), dnf install libgomp (Fedora), "
    "apk add libgomp (Alpine), brew install libomp (macOS). Until then the declared formula orders all answers."
)
_OLDEST = (3, 11)
_LEAST_MEMORY_GB = 3.0  # what building the demo shop takes
_SLOW_QUERY_MS = 25.0
_OLD_SNAPSHOT_DAYS = 30.0
_KEYS_END_DAYS = 14


def examine(folder: Path | None, backups: Path | None = None) -> Iterator[Finding]:
    """The machine, and the shop in `folder` if one is named; of the folder `backups` the newest one."""
    yield from _machine()
    settings = None
    if folder is not None:
        try:
            settings = load_settings(folder)
        except WaresError as error:
            yield Finding("problem", "settings", str(error), "Put the file right; nothing else in it was looked at.")
    yield from _encoder(settings, folder)
    if folder is not None:
        yield from _shop(folder, settings, backups)


def _machine() -> Iterator[Finding]:
    python = platform.python_version()
    if sys.version_info < _OLDEST:
        yield Finding("problem", "Python", python, "Use Python 3.11 or newer.")
    else:
        yield Finding("ok", "Python", f"{python} on {platform.platform(terse=True)}, wares {VERSION}")
    missing, found = [], []
    for name in _PACKAGES:
        try:
            found.append(f"{name} {version(name)}")
        except PackageNotFoundError:
            missing.append(name)
    if missing:
        yield Finding("problem", "packages", f"missing: {', '.join(missing)}", "Run `pip install wares` again.")
    else:
        yield Finding("ok", "packages", ", ".join(found))
    yield _lightgbm()
    memory = _memory_gb()
    told = f"{os.cpu_count() or 1} cores" + (f", {memory:.1f} GB of memory" if memory else "")
    if memory and memory < _LEAST_MEMORY_GB:
        yield Finding("warning", "machine", told, f"Training a large shop may need {_LEAST_MEMORY_GB:g} GB.")
    else:
        yield Finding("ok", "machine", told)


def _lightgbm() -> Finding:
    """A wheel cannot bring the system's OpenMP library, without which LightGBM does not load."""
    try:
        import lightgbm
    except (ImportError, OSError) as error:
        return Finding("warning", "learned order", f"LightGBM cannot be loaded ({error})", _OPENMP)
    return Finding("ok", "learned order", f"LightGBM {lightgbm.__version__} can be loaded")


def _memory_gb() -> float | None:
    """What the machine has, or the container may use; None = it does not say."""
    try:
        whole = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return None
    try:
        limit = int(Path("/sys/fs/cgroup/memory.max").read_text())
    except (OSError, ValueError):
        limit = whole
    return float(min(whole, limit) / 2**30)


def _encoder(settings: Settings | None, folder: Path | None) -> Iterator[Finding]:
    from wares.engine.assembly import new_encoder
    from wares.models.encoder import TextEncoder

    try:
        known = settings is not None and folder is not None
        encoder = new_encoder(settings, folder) if settings is not None and folder is not None else TextEncoder.load()
    except WaresError as error:
        yield Finding("problem", "encoder", str(error), "Set [encoder] source to a whole model, or reinstall wares.")
        return
    if encoder is None:
        yield Finding("ok", "encoder", "none: the settings say that this shop goes by words alone")
        return
    encoder.encode(["warm up"], "query")
    took_ms = min(_milliseconds(lambda: encoder.encode(["sparkling water lemon"], "query")) for _ in range(5))
    named = f"{getattr(encoder, 'name', 'encoder')} ({encoder.dimension}-d), one query in {took_ms:.1f} ms"
    where = "" if known else ", as packaged"
    if took_ms > _SLOW_QUERY_MS:
        yield Finding("warning", "encoder", named + where, "The machine is slow or busy; `encoder.threads` may help.")
    else:
        yield Finding("ok", "encoder", named + where)


def _milliseconds(work: Callable[[], object]) -> float:
    started = time.perf_counter()
    work()
    return (time.perf_counter() - started) * 1000


def _shop(folder: Path, settings: Settings | None, backups: Path | None) -> Iterator[Finding]:
    from wares.store.sqlite import Store

    if settings is not None:
        yield Finding("ok", "settings", f"{settings.shop.title!r}: {len(settings.profiles)} surfaces")
    try:
        with Store.open(folder, "read") as store:
            products = sum(product is not None for _, _, _, product in store.catalogue.changes())
            events, judgements = store.events.last(), store.judgements.count()
    except WaresError as error:
        yield Finding("problem", "store", str(error), "Name the folder of a shop, or restore the file from a backup.")
        return
    told = f"{products:,} products, {events:,} events"
    if not products:
        yield Finding("warning", "store", told, "Import products: wares import FOLDER --products FILE")
    elif not events:
        yield Finding("warning", "store", told, "Without events, answers go by words and meaning alone.")
    else:
        yield Finding("ok", "store", told)
    yield from _rules(folder)
    yield from _keys(folder)
    yield (synonyms := _synonyms(folder))
    if settings is not None and synonyms.state == "ok":
        yield from _snapshot(folder, settings, events, judgements)
    yield from look_after(folder, settings, backups, int(time.time() * 1000))


def _keys(folder: Path) -> Iterator[Finding]:
    from wares.app.web.access.keys import Keys

    book = Keys(folder)
    keys, faults = book.all()
    for fault in faults:
        yield Finding("problem", "keys", fault, "The key of this file opens nothing.")
    if open_to_others := [path.name for path in book.files() if os.name != "nt" and path.stat().st_mode & 0o077]:
        told = f"others on this machine may read {', '.join(open_to_others[:3])}"
        yield Finding("warning", "keys", told, f"Who reads them can sign shopper tokens: chmod 600 {book.place}/*.json")
    now = datetime.now(UTC)
    active = [key for key in keys if key.state(now) == "active"]
    ending = [key.id for key in active if key.expires and (key.expires - now).days < _KEYS_END_DAYS]
    if ending:
        told = f"{', '.join(ending[:3])} will expire within {_KEYS_END_DAYS} days"
        yield Finding("warning", "keys", told, f"Make another in time: wares keys new {folder}")
    elif keys and not faults:
        yield Finding("ok", "keys", f"{len(active):,} valid, {len(keys) - len(active):,} expired or revoked")


def _snapshot(folder: Path, settings: Settings, events: int, judgements: int) -> Iterator[Finding]:
    from wares.engine.learnt import current_snapshot

    snapshot, damaged = current_snapshot(folder, settings)
    for text in damaged:
        yield Finding("problem", "snapshot", text, "Run `wares train`; until then an older one answers, or none.")
    if not snapshot.name:
        if not damaged:
            yield Finding("warning", "snapshot", "none yet", f"Run `wares train {folder}`.")
        return
    age_days = (time.time() * 1000 - float(snapshot.facts.get("made_ms", 0))) / 86_400_000
    later = events - snapshot.last_event
    told = f"{snapshot.name}, verified, {age_days:.1f} days old, {later:,} events since"
    if age_days > _OLD_SNAPSHOT_DAYS:
        yield Finding("warning", "snapshot", told, f"Run `wares train {folder}` to learn what is new.")
    else:
        yield Finding("ok", "snapshot", told)
    yield _ranker(snapshot, settings, judgements)


def _ranker(snapshot: Snapshot, settings: Settings, judgements: int) -> Finding:
    """Which ranker answers a search, and why that one."""
    order = snapshot.facts.get("order", {})
    if (named := settings.profile("search").ranker) != "learned":
        return Finding("ok", "ranker", f"{named}, as the settings say")
    if snapshot.unavailable:
        return Finding("warning", "ranker", "the formula: the learned order cannot be loaded", _OPENMP)
    if snapshot.ranker is not None:
        told = f"learned from {order['queries']:,} judged queries" if "queries" in order else "learned"
        if {"ndcg_learned", "ndcg_formula"} <= order.keys():
            told += f": nDCG@10 {order['ndcg_learned']:.3f} on held-out ones (formula {order['ndcg_formula']:.3f})"
        return Finding("ok", "ranker", told)
    if order:
        why = f", {order['why']}" if order.get("why") else ""
        return Finding("ok", "ranker", f"the formula ({order.get('queries', 0):,} judged queries{why})")
    if judgements:
        waiting = f"the formula; {judgements:,} judgements were not learnt from yet"
        return Finding("warning", "ranker", waiting, "Run `wares train`.")
    return Finding("ok", "ranker", "the formula: there are no judgements to learn an order from")


def _rules(folder: Path) -> Iterator[Finding]:
    """Whether the newest published rules are those that serve."""
    from wares.engine.rules.book import RuleBook

    version, warnings = RuleBook(folder).current()
    if version.number:
        found = f"version {version.number} by {version.by}: {len(version.rules)}"
        yield Finding("ok", "rules", f"{found}. `wares rules check` looks for conflicts.")
    for warning in warnings:
        yield Finding(
            "problem", "rules", warning, "wares rules undo FOLDER --by NAME publishes an older version again."
        )


def _synonyms(folder: Path) -> Finding:
    from wares.engine.learnt import SYNONYMS, own_synonyms
    from wares.retrieval.language.synonyms.groups import Synonyms

    try:
        lines = own_synonyms(folder)
        Synonyms.read(lines, SYNONYMS, lambda text: (text,))
    except (WaresError, OSError, UnicodeDecodeError) as error:
        advice = f"Put {folder / SYNONYMS} right: UTF-8, one group a line. Until then the shop does not answer."
        return Finding("problem", "synonyms", str(error), advice)
    groups = sum(bool(line.partition("#")[0].strip()) for line in lines)
    return Finding(
        "ok",
        "synonyms",
        f"{groups:,} {'group' if groups == 1 else 'groups'} of the shop's own, besides those of the package",
    )

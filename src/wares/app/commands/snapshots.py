"""The commands that look after snapshots: snapshots, promote, rollback."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from wares.app.commands import screen
from wares.app.commands.tables import new_table
from wares.engine.assembly import new_encoder
from wares.engine.learnt import SNAPSHOTS, new_model
from wares.engine.settings import Settings
from wares.engine.shelf import (
    Kept,
    all_snapshot_names,
    current_name,
    go_back,
    held_at,
    kept_snapshots,
    make_current,
    snapshot_names,
)
from wares.engine.snapshot import load_snapshot
from wares.errors import EncoderError, InputError, UnknownName
from wares.shop import open_shop


def list_snapshots(folder: Path, *, as_json: bool) -> None:
    """Every snapshot with its state and key figures, oldest first."""
    with open_shop(folder, create=False):
        place = folder / SNAPSHOTS
        kept, held = kept_snapshots(place), held_at(place)
    if as_json:
        screen.print_json(snapshots_json(folder))
        return
    if not kept:
        print("There is no snapshot yet. Run `wares train` to make one.")
        return
    table = new_table("snapshot", "made", "events", "products", "state", "compared", right=(2, 3))
    for one in kept:
        facts = one.facts
        counts = [f"{facts[name]:,}" if name in facts else "" for name in ("events", "products")]
        state = f"{one.state}: {one.why}" if one.why else one.state
        table.add_row(one.name, _made(facts), *counts, screen.shown(state), "\n".join(figures(one.report)))
    screen.stdout().print(table)
    if held:
        screen.note(f"{held} was put back by hand: trainings are kept aside until `wares promote` takes one.")


def promote(folder: Path, name: str, *, as_json: bool) -> None:
    """Let a snapshot serve, whatever the comparison said."""
    with open_shop(folder, create=False) as shop:
        before = let_serve(folder, shop.settings, name)
    _say(before, name, as_json, held=False)


def let_serve(folder: Path, settings: Settings, name: str) -> str:
    """Make this snapshot the current one once it is known to be whole; the name of the one before. UnknownName,
    SnapshotError, EncoderError."""
    place = folder / SNAPSHOTS
    before = current_name(place)
    _check(folder, settings, name)
    make_current(place, name)
    return before


def roll_back(folder: Path, name: str, *, as_json: bool) -> None:
    """Let an older snapshot serve again; without a name the newest older one that may."""
    with open_shop(folder, create=False) as shop:
        before, name = go_to_older(folder, shop.settings, name)
    _say(before, name, as_json, held=True)


def go_to_older(folder: Path, settings: Settings, name: str = "") -> tuple[str, str]:
    """Let an older snapshot serve, "" = the newest older one that may; (the one before, the one that serves now).
    InputError where there is none, or `name` is no older one; else as `let_serve`."""
    place = folder / SNAPSHOTS
    before = current_name(place)
    older = [one for one in snapshot_names(place) if one < before]
    if not name and not older:
        raise InputError(f"There is no snapshot older than {before or 'none'} to go back to.")
    name = name or older[-1]
    _check(folder, settings, name)
    if name >= before:
        which = "serves already" if name == before else f"is newer than {before}, which serves: `wares promote` it"
        raise InputError(f"Snapshot {name} {which}.")
    go_back(place, name)
    return before, name


def snapshots_json(folder: Path) -> dict[str, Any]:
    """Every snapshot with its state, its facts and how it was compared, oldest first."""
    place = folder / SNAPSHOTS
    kept, held = kept_snapshots(place), held_at(place)
    return {"current": current_name(place), "held": held, "snapshots": [_plain(one) for one in kept]}


def figures(report: Mapping[str, Any]) -> list[str]:
    """What a report says in a few lines; [] without one. It is only told, so one that was altered is no error."""
    try:
        return list(_figures(report)) if report.get("compared") else []
    except (KeyError, TypeError, ValueError, AttributeError):
        return ["its promotion.json cannot be read"]


def _figures(report: Mapping[str, Any]) -> Iterator[str]:
    old = report["serving"]
    for name, found in report.items():
        if isinstance(found, dict) and "difference" in found:
            yield (
                f"{name} {found['candidate']:.4f}, {old} {found['serving']:.4f} ({found['difference']:+.4f}, "
                f"95% {found['low']:+.4f} to {found['high']:+.4f}; {report['questions']} shoppers)"
            )
    for name, found in report["guardrails"].items():
        change = "" if found["change"] is None else f" ({found['change']:+.1%})"
        new, before = (f"{found[side]:.4g} {found['unit']}".strip() for side in ("candidate", "serving"))
        yield f"{name} {new}, {old} {before}{change}"


def _check(folder: Path, settings: Settings, name: str) -> None:
    """Raises UnknownName, SnapshotError where it is not whole, EncoderError where its vectors could not be used."""
    place = folder / SNAPSHOTS
    if name not in (known := all_snapshot_names(place)):
        raise UnknownName("snapshot", name, known)
    whole = load_snapshot(place / name, lambda model: new_model(model, settings), settings.search.boosts.model_dump())
    encoder = new_encoder(settings, folder) if whole.encoder else None
    if encoder is not None and whole.encoder != encoder.fingerprint:
        raise EncoderError(
            f"The vectors of snapshot {name} were made by another encoder than the settings name now. Set the old "
            "encoder again, or run `wares train`."
        )


def _say(before: str, name: str, as_json: bool, *, held: bool) -> None:
    if as_json:
        screen.print_json({"current": name, "before": before, "held": held})
        return
    print(f"Snapshot {name} serves now; before it was {before or 'none'}. A running server takes it up by itself.")
    if held:
        screen.note("Trainings are kept aside from now on, until `wares promote` takes one.")


def _plain(one: Kept) -> dict[str, Any]:
    facts, report = dict(one.facts), dict(one.report)
    return {
        "name": one.name,
        "state": one.state,
        "why": one.why,
        "made": _made(facts),
        "models": list(one.models),
        "events": facts.get("events"),
        "products": facts.get("products"),
        "facts": facts,
        "report": report,
    }


def _made(facts: Mapping[str, Any]) -> str:
    """ISO 8601, in UTC; "" = unknown."""
    if "made_ms" not in facts:
        return ""
    return datetime.fromtimestamp(facts["made_ms"] / 1000, UTC).isoformat(sep=" ", timespec="seconds")

"""What a snapshot's folder says that it holds: its manifest."""

from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from wares.engine.manifest import is_whole, read_sealed
from wares.errors import SnapshotError

FORMAT = 2
MANIFEST = "manifest.json"  # in a snapshot's folder: its files with their checksums
REMEDY = "Run `wares train` to make a new one; the shop's data is safe in wares.sqlite."
_SAID: Mapping[str, type] = {
    "name": str, "last_event": int, "last_change": int, "encoder": str, "models": list, "facts": dict, "files": dict,
}  # fmt: skip


def read_manifest(place: Path) -> dict[str, Any]:
    """Of the snapshot in this folder. SnapshotError where it is missing, altered, or not of this version."""
    try:
        manifest = read_sealed(place / MANIFEST)
    except FileNotFoundError:
        raise SnapshotError(f"Snapshot {place.name} has no manifest. {REMEDY}") from None
    except (ValueError, OSError) as error:
        raise SnapshotError(f"The manifest of snapshot {place.name} cannot be read ({error}). {REMEDY}") from error
    if manifest.get("format") != FORMAT:
        raise SnapshotError(
            f"Snapshot {place.name} has format {manifest.get('format')!r}, this version reads {FORMAT}. {REMEDY}"
        )
    if not is_whole(manifest):
        raise SnapshotError(f"The manifest of snapshot {place.name} was altered. {REMEDY}")
    wrong = [name for name, kind in _SAID.items() if type(manifest.get(name)) is not kind]
    if not wrong and not all(type(one) is str for one in (*manifest["models"], *manifest["files"].values())):
        wrong = ["models or files"]
    if not wrong and manifest["name"] != place.name:
        wrong = [f"name, {manifest['name'][:80]!r}"]
    if not wrong and {path.name for path in place.glob("*.npz")} - manifest["files"].keys():
        wrong = ["list of files"]
    if not wrong and {f"model-{name}.npz" for name in manifest["models"]} != _model_files(manifest["files"]):
        wrong = ["list of models"]
    if wrong:
        raise SnapshotError(f"The manifest of snapshot {place.name} is not one: wrong {', '.join(wrong)}. {REMEDY}")
    return manifest


def _model_files(files: Collection[str]) -> set[str]:
    return {name for name in files if name.startswith("model-")}

"""Training in a process of its own, so that a server never stops answering and never loads what only training needs.

`python -m wares.training.child FOLDER` writes a new snapshot and tells its progress as JSON lines.
"""

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from wares.engine.assembly import new_encoder
from wares.engine.learnt import SNAPSHOTS
from wares.engine.settings import load_settings
from wares.engine.shelf import current_name, prune
from wares.engine.snapshot import write_snapshot
from wares.errors import TrainingError, WaresError
from wares.store.sqlite import Store
from wares.store.vector_cache import CachedEncoder
from wares.training.build import build_snapshot
from wares.training.plan import Plan, apply
from wares.training.progress import Tell, silent
from wares.training.promotion import consider
from wares.training.refit import refitting
from wares.training.shopper_model import earlier_model

CHECKPOINT = "shopper_model.checkpoint.npz"  # in the shop's folder while a training goes on, and after a cut one


def train_in_child(folder: Path, tell: Tell = silent, plan: Plan | None = None) -> str:
    """Train the shop in `folder` in a child process, by a plan where there is one; the name of the new snapshot.

    Raises TrainingError with the child's own words. Ctrl-C ends the child, too, and leaves the last snapshot in place.
    """
    command = [sys.executable, "-m", "wares.training.child", str(folder)]
    if plan is not None:
        command.append(json.dumps(plan.to_dict()))
    return str(told_by_child(command, "snapshot", tell)["snapshot"])


def told_by_child(command: list[str], wanted: str, tell: Tell = silent) -> dict[str, Any]:
    """Run a command that tells its progress as JSON lines, and last an object with the key `wanted`; that object.

    Raises TrainingError with the child's own words. Ctrl-C ends the child, too.
    """
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:  # noqa: S603
        try:
            assert child.stdout is not None and child.stderr is not None
            result, problem = dict[str, Any](), ""
            for line in child.stdout:
                said = json.loads(line)
                if "stage" in said:
                    tell(said["stage"], said["done"], said["total"])
                result, problem = said if wanted in said else result, said.get("problem", problem)
            stderr = child.stderr.read()
            if child.wait() != 0 or not result:
                raise TrainingError(problem or f"Training stopped with status {child.returncode}: {stderr[-800:]}")
            return result
        except BaseException:
            child.terminate()
            raise


def train_here(folder: Path, tell: Tell, plan: Plan | None = None) -> str:
    """Train in this process. Reads the store, writes a snapshot folder, makes it current or keeps it aside."""
    settings = load_settings(folder)
    if plan is not None:
        settings = apply(plan, settings)
    snapshots = folder / SNAPSHOTS
    served = current_name(snapshots)
    encoder = new_encoder(settings, folder)
    with Store.open(folder, "read") as store:
        cached = CachedEncoder(encoder, folder) if encoder is not None else None
        try:
            earlier = earlier_model(folder, settings, cached.fingerprint if cached is not None else "")
            snapshot = build_snapshot(
                store, settings, cached, snapshots, int(time.time() * 1000), tell,
                earlier=earlier, checkpoint=folder / CHECKPOINT,
            )  # fmt: skip
            again = refitting(snapshot, settings, folder, earlier)
            verdict = consider(snapshot, folder, store, settings, cached, tell, refit=again)
        finally:
            if cached is not None:
                cached.close()
    tell("Writing the snapshot", 0, 1)
    if current_name(snapshots) != served:
        verdict = verdict.against("another snapshot was put in its place by hand while this one was made")
    write_snapshot(snapshot, snapshots, report=verdict.report, aside="" if verdict.promoted else "; ".join(verdict.why))
    (folder / CHECKPOINT).unlink(missing_ok=True)
    prune(snapshots)
    tell("Writing the snapshot", 1, 1)
    return snapshot.name


def _say(**what: object) -> None:
    print(json.dumps(what), flush=True)


def main() -> int:
    """The child's side."""
    try:
        plan = Plan.from_json(sys.argv[2]) if len(sys.argv) > 2 else None
        name = train_here(Path(sys.argv[1]), lambda stage, done, total: _say(stage=stage, done=done, total=total), plan)
    except (WaresError, OSError, MemoryError) as error:
        _say(problem=str(error) or type(error).__name__)
        return 1
    except KeyboardInterrupt:
        return 130
    _say(snapshot=name)
    return 0


if __name__ == "__main__":
    sys.exit(main())

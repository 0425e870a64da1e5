"""The shopper model of a demo shop: the one that comes with wares, or one that is trained here."""

from collections.abc import Callable
from importlib import resources
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from wares.app.commands import extra, screen
from wares.engine.settings import SequenceSettings, load_settings
from wares.errors import InputError
from wares.training.early_model import early_model_in_child
from wares.training.model_file import copy_model

if TYPE_CHECKING:
    from wares.training.progress import Tell

FILE = "shopper_model.npz"  # in the shop's folder; the demo's settings name it
LEARN_SECONDS = 480.0
SHIPPED = ("groceries",)  # shops with a model among wares' weights

Train = Callable[[Path, Path, SequenceSettings, "Tell"], dict[str, Any]]


def be_ready_to_learn(name: str, *, yes: bool) -> None:
    """Install the extra `train` where torch is missing. InputError for a shop that has no place for a shopper model."""
    if name not in SHIPPED:
        raise InputError(f"--learn trains the shopper model of {', '.join(SHIPPED)}; {name!r} has none.")
    if find_spec("torch") is None:
        extra.install(extra.requirements("train"), yes=yes)
    if find_spec("torch") is None:
        raise InputError("torch was installed, but this Python does not find it. Start the demo again.")


def put_shipped(name: str, folder: Path, moved_ms: int) -> bool:
    """Copy the model that comes with wares into the shop's folder, its dates moved like the shop's; whether there is
    one."""
    if name not in SHIPPED:
        return False
    with resources.as_file(resources.files("wares.weights") / name / FILE) as path:
        copy_model(path, folder / FILE, moved_ms)
    return True


def learn_model(folder: Path, tell: "Tell", train: Train = early_model_in_child) -> dict[str, Any]:
    """Train the shop's model in the time that the demo has; figures for people.

    Raises InputError where the shop's settings do not take it, TrainingError where training fails.
    """
    if load_settings(folder).models.sequence.fitted != FILE:
        raise InputError(
            f"{folder}/wares.toml does not say [models.sequence] fitted = {FILE!r}: an earlier wares built the shop, "
            f"or it was changed. Choose another --folder."
        )
    told = train(folder, folder / FILE, SequenceSettings(size="small", seconds=LEARN_SECONDS), tell)
    screen.note(f"Shopper model: {told['how']}, of {told['events']:,} events, in {told['seconds']:.0f} s.")
    return told

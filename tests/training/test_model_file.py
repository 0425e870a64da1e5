"""A shopper model travels as one small file from one shop's folder to another's."""

from pathlib import Path

import numpy as np
import pytest
from made_model import N, bought, made

from wares.errors import SettingsError
from wares.models.sequence import SequenceModel, unit
from wares.training.model_file import read_model, write_model

IDS = [f"ä-{i}" for i in range(N)]


@pytest.mark.parametrize("own_inputs", [False, True])
def test_what_was_written_comes_back_within_a_byte_per_number(tmp_path: Path, own_inputs: bool) -> None:
    model, path = made(own_inputs=own_inputs), tmp_path / "model.npz"
    write_model(path, IDS, model)
    ids, back = read_model(path)
    assert list(ids) == IDS and set(back.arrays) == set(model.arrays)
    for name, array in model.arrays.items():
        got = back.arrays[name]
        if name in ("inputs", "products"):
            largest = np.abs(np.asarray(array, np.float32)).max(axis=1, keepdims=True)
            assert (np.abs(got - array) <= largest * 0.012).all(), name  # type: ignore[operator]
        else:
            assert np.array_equal(got, array), name
    assert back.until_ms == model.until_ms
    scores, before = (one.score(bought(1, 7, 3), 0) for one in (back, model))
    assert np.corrcoef(scores, before)[0, 1] > 0.999 and np.abs(scores - before).max() < 0.05 * np.ptp(before)


def test_tables_take_a_byte_per_number(tmp_path: Path) -> None:
    rng = np.random.default_rng(1)
    inputs = rng.normal(size=(5_000, 64)).astype(np.float32)
    arrays = made().arrays | {"inputs": inputs, "products": unit(inputs), "biases": np.zeros(5_000, np.float32)}
    write_model(tmp_path / "model.npz", [f"p{i}" for i in range(5_000)], SequenceModel(arrays))
    assert (tmp_path / "model.npz").stat().st_size < 1.2 * inputs.size
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]  # no draft stays


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"models\.sequence\.fitted: there is no file .*none\.npz"):
        read_model(tmp_path / "none.npz")


@pytest.mark.parametrize(
    "damage", ["cut", "empty", "text", "another npz", "another format", "without weights", "folder"]
)
def test_a_file_that_is_no_shopper_model_is_named(tmp_path: Path, damage: str) -> None:
    path = tmp_path / "model.npz"
    write_model(path, IDS, made())
    if damage in ("cut", "empty"):
        path.write_bytes(path.read_bytes()[: path.stat().st_size // 2 if damage == "cut" else 0])
    elif damage == "text":
        path.write_text("not a model")
    elif damage == "folder":
        path.unlink()
        path.mkdir()
    else:
        with np.load(path) as file:
            state = {name: file[name] for name in file.files}
        if damage == "another format":
            state["format"] = np.array(99)
        kept = {"another npz": ["biases"], "without weights": [name for name in state if name != "out"]}
        np.savez(path, **{name: state[name] for name in kept.get(damage, list(state))})
    with pytest.raises((SettingsError), match=r"models\.sequence\.fitted: .*model\.npz is no shopper model"):
        read_model(path)

"""What pydantic found wrong in a settings file, in the words of the person who wrote it."""

import difflib
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

Place = Sequence[str | int]

_PLAIN = {
    "model_type": "should be a table",
    "dict_type": "should be a table",
    "tuple_type": "should be a list",
    "int_type": "should be a number",
    "float_type": "should be a number",
    "too_short": "should hold at least one entry",
}


def explained(error: ValidationError, model: type[BaseModel], data: Any, file: Path) -> str:
    """One line per fault: file, dotted path, what was found, what is valid, "did you mean". `data` was validated."""
    return "\n".join(f"{file}: {dotted(place)}: {sentence}" for place, sentence in faults_of(error, model, data))


def faults_of(error: ValidationError, model: type[BaseModel], data: Any) -> list[tuple[Place, str]]:
    """Each fault once: where in the file, and a sentence about it."""
    faults: dict[str, tuple[Place, str]] = {}
    for fault in error.errors(include_url=False):
        place = _within(data, fault["loc"])
        faults.setdefault(dotted(place), (place, _sentence(fault, place, model, data)))
    return list(faults.values())


def dotted(place: Place) -> str:
    """("rules", 0, "pin") -> "rules[0].pin"."""
    text = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
    return text.removeprefix(".")


def _within(data: Any, loc: Place) -> Place:
    """The part of a location that the file knows: pydantic also names the branch of a union that it tried."""
    for depth, part in enumerate(loc):
        try:
            data = data[part]
        except (KeyError, IndexError, TypeError):
            missing_key = isinstance(data, dict)
            return loc[: depth + missing_key]
    return loc


def _sentence(fault: ErrorDetails, place: Place, model: type[BaseModel], data: Any) -> str:
    if fault["type"] == "extra_forbidden":
        known = _keys_at(model, place[:-1])
        return f"there is no such setting.{_nearest(str(place[-1]), known)} Known: {', '.join(known)}."
    if fault["type"] == "missing":
        beside = [key for key in _at(data, place[:-2]) if key != place[-2]] if len(place) > 1 else []
        return f"is missing.{_nearest(str(place[-2]), beside) if beside else ''}"
    message = _PLAIN.get(fault["type"], fault["msg"]).removeprefix("Value error, ").removeprefix("Input ")
    if isinstance(fault["input"], dict):
        return f"{message}."
    sentence = f"{message}; got {repr(fault['input'])[:80]}."
    if fault["type"] == "literal_error" and isinstance(fault["input"], str):
        sentence += _nearest(fault["input"], re.findall(r"'([^']*)'", fault["ctx"]["expected"]))
    return sentence


def _at(data: Any, place: Place) -> Any:
    for part in place:
        data = data[part]
    return data


def _nearest(name: str, known: Sequence[str]) -> str:
    nearest = difflib.get_close_matches(name, known, n=1)
    return f" Did you mean {nearest[0]!r}?" if nearest else ""


def _keys_at(model: type[BaseModel], place: Place) -> list[str]:
    """The keys of the table at `place` in files of this model."""
    for part in place:
        field = next((f for name, f in model.model_fields.items() if (f.alias or name) == part), None)
        if field is not None:
            model = _model_in(field.annotation) or model
    return sorted(field.alias or name for name, field in model.model_fields.items())


def _model_in(annotation: Any) -> type[BaseModel] | None:
    """The one model named in a type such as dict[str, Profile]."""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next((found for part in get_args(annotation) if (found := _model_in(part))), None)

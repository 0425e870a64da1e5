"""The shopper model fitted anew for a comparison: without the answers, as its recipe would have fitted it then."""

from pathlib import Path

import numpy as np

from wares.contracts import BehaviourModel
from wares.domain.interactions import Interactions
from wares.engine.settings import SequenceSettings, Settings
from wares.engine.snapshot import Snapshot
from wares.errors import TrainingError
from wares.models.sequence import SequenceModel
from wares.training.comparison import Refit, fitted_anew
from wares.training.progress import Tell, silent
from wares.training.shopper_model import NAME, shopper_model
from wares.training.warm import EPOCHS, Earlier, has_own_inputs

MOST_S = 600.0  # that a comparison may take for it


def refitting(
    candidate: Snapshot, settings: Settings, folder: Path, earlier: Earlier | None, tell: Tell = silent
) -> Refit:
    """How to fit the models of a new snapshot, and of the one that serves, on earlier events.

    A shopper model begins as the `earlier` one only where that has seen none of the answers: begun as itself, it would
    remember them. One that is fitted from a file is taken as it is where it learnt from nothing later. It raises
    TrainingError for a shopper model that would take more than `MOST_S` or has a limit of time.
    """
    took_s = float(candidate.facts.get("shopper_model_s", 0.0))
    begun_warm = str(candidate.facts.get("shopper_model", "")).startswith("warm")
    known: dict[tuple[int, ...], SequenceModel] = {}

    def learn(model: SequenceModel, interactions: Interactions) -> SequenceModel:
        own = settings.models.sequence
        until_ms = int(interactions.events.times_ms.max(initial=0))
        if own.fitted:
            made = candidate.models.get(NAME)
            if isinstance(made, SequenceModel) and made.until_ms <= until_ms and _same_network(made, model):
                return made
            raise TrainingError(f"{own.fitted} learnt from later events than these")
        if own.seconds:
            raise TrainingError("The shopper model's time has a limit, and it would take as long again.")
        warm = earlier is not None and earlier.model.until_ms <= until_ms
        expected_s = took_s / EPOCHS if begun_warm and not warm else took_s
        if expected_s > MOST_S:
            raise TrainingError(
                f"Fitting the shopper model anew takes about {expected_s:.0f} s, more than {MOST_S:.0f}."
            )
        found = shopper_model(
            interactions, candidate.columns, candidate.vectors, _shaped(own, model), folder, tell, earlier=earlier
        )
        if found.model is None:
            raise TrainingError(found.how)
        return found.model

    def refit(model: BehaviourModel, interactions: Interactions, now_ms: int) -> BehaviourModel:
        if not isinstance(model, SequenceModel):
            return fitted_anew(model, interactions, now_ms)
        key = (now_ms, len(interactions.events), *_numbers(model).values())
        if key not in known:  # both sides with one recipe become one model
            known[key] = learn(model, interactions)
        return known[key]

    return refit


def _numbers(model: SequenceModel) -> dict[str, int]:
    """The shape that a model was given."""
    arrays = model.arrays
    return {
        "dimension": arrays["products"].shape[1],
        "blocks": sum(name.endswith(".qkv.weight") for name in arrays),
        "heads": int(arrays["heads"]),
        "max_history": model.max_history,
        "mlp": int("head.narrow" in arrays),
        "own_inputs": int(has_own_inputs(model)),
        "searches": int(model.reads_searches),
        "attributes": int(model.reads_attributes),
    }


def _shaped(settings: SequenceSettings, model: SequenceModel) -> SequenceSettings:
    """The settings as they would make a model of this shape."""
    numbers = _numbers(model)
    told = {
        "head": "mlp" if numbers.pop("mlp") else "dot", "own_inputs": bool(numbers.pop("own_inputs")),
        "searches": settings.searches if numbers.pop("searches") else False,
        "attributes": settings.attributes if numbers.pop("attributes") else (),
    }  # fmt: skip
    return settings.model_copy(update={**numbers, **told})


def _same_network(a: SequenceModel, b: SequenceModel) -> bool:
    return all(np.array_equal(a.arrays[name], b.arrays[name]) for name in ("out", "near", "norm.weight"))

"""The text encoder's ONNX graph in torch, so that its last layers can be tuned and put back as they are served.

It knows the operators of the packaged encoder (`recipes/encoder`) and no others. Weights that are served in 8 bits are
tuned as what they stand for, and rounded again in the same way afterwards.
"""

import importlib
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from wares.errors import TrainingError
from wares.training.network import load_torch

Tensor = Any  # torch has no types here, and serving never imports it
Weights = dict[str, NDArray[Any]]
_NORMS = 2  # of each layer; one more belongs to the embedding
_MASK, _IDS, _RESULT = "attention_mask", "input_ids", "vectors"
_EIGHT_BITS = "DynamicQuantizeMatMul"


class EncoderGraph:
    """The `layers` upper layers are tuned; what lies below them stays as it is.

    `tuned` (name of a constant -> tensor) are their numbers. Raises TrainingError for an encoder of another kind.
    """

    def __init__(self, path: Path, layers: int) -> None:
        torch, onnx = load_torch(), _load_onnx()
        graph = onnx.load(str(path)).graph
        self._nodes = list(graph.node)
        self._attributes = [
            {a.name: onnx.helper.get_attribute_value(a) for a in node.attribute} for node in self._nodes
        ]
        if unknown := sorted({node.op_type for node in self._nodes} - _OPERATORS.keys()):
            raise TrainingError(f"The text encoder cannot be tuned: its operators {', '.join(unknown)} are not known.")
        norms = [i for i, node in enumerate(self._nodes) if node.op_type == "LayerNormalization"]
        below = len(norms) - 1 - _NORMS * layers
        if below < 0 or {_MASK, _IDS} != {one.name for one in graph.input} or graph.output[0].name != _RESULT:
            raise TrainingError(f"The text encoder cannot be tuned: it has no {layers} layers of the known kind.")
        self._cut = norms[below] + 1
        self._hidden = self._nodes[norms[below]].output[0]
        self._of_mask = [i for i in range(self._cut) if list(self._nodes[i].input) == [_MASK]]
        stored = {one.name: onnx.numpy_helper.to_array(one) for one in graph.initializer}
        self._scales = {n.input[1]: n.input[2] for n in self._nodes if n.op_type == _EIGHT_BITS}
        self._steps = {name: int(np.abs(stored[name].astype(np.int16)).max()) for name in self._scales}
        self._constants: dict[str, Tensor] = {}
        for name, value in stored.items():
            if name in self._scales:
                value = value.astype(np.float32) * stored[self._scales[name]]
            elif value.dtype == np.float16:
                value = value.astype(np.float32)
            self._constants[name] = torch.tensor(value)
        used = {name for node in self._nodes[self._cut :] for name in node.input}
        scales = set(self._scales.values())
        self.tuned: dict[str, Tensor] = {
            name: value
            for name, value in self._constants.items()
            if name in used and name not in scales and value.is_floating_point() and value.numel() > 1
        }

    def lower(self, ids: Tensor, mask: Tensor) -> Tensor:
        """Pieces (b, t) -> what the upper layers are given (b, t, d)."""
        values = {_IDS: ids, _MASK: mask}
        self._run(range(self._cut), values, 0.0)
        return values[self._hidden]

    def upper(self, hidden: Tensor, mask: Tensor, dropout: float = 0.0) -> Tensor:
        """(b, t, d), (b, t) -> unit vectors (b, d)."""
        values = {self._hidden: hidden, _MASK: mask}
        self._run([*self._of_mask, *range(self._cut, len(self._nodes))], values, dropout)
        return values[_RESULT]

    def exported(self) -> Weights:
        """The tuned numbers as the served graph holds them, by the names of its constants."""
        found: Weights = {}
        for name, value in self.tuned.items():
            plain = value.detach().numpy()
            if name in self._scales:
                scale = np.maximum(np.abs(plain).max(axis=0), 1e-9) / self._steps[name]
                found[name] = np.round(plain / scale).astype(np.int8)
                found[self._scales[name]] = scale.astype(np.float32)
            else:
                found[name] = plain.astype(np.float32)
        return found

    def _run(self, places: Sequence[int], values: dict[str, Tensor], dropout: float) -> None:
        for place in places:
            node = self._nodes[place]
            given: list[Any] = [values[n] if n in values else self._constants.get(n) for n in node.input]  # "" = none
            result = _OPERATORS[node.op_type](given, self._attributes[place], values[_MASK])
            if dropout and node.op_type == _EIGHT_BITS and given[1].shape[1] == values[self._hidden].shape[-1]:
                result = load_torch().nn.functional.dropout(result, dropout)
            parts = result if isinstance(result, tuple) else (result,)
            values.update(zip(node.output, parts, strict=True))


def _load_onnx() -> Any:
    try:
        return importlib.import_module("onnx")
    except ImportError as error:
        raise TrainingError("Tuning the encoder needs onnx. Install it: pip install 'wares[train]'") from error


# -- the operators -----------------------------------------------------------------------------------------------------

Given = list[Any]
Attributes = Mapping[str, Any]


def _linear(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    x, weight = given[:2]
    product = x @ weight
    return product if len(given) < 5 else product + given[4]


def _attention(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    *parts, biases = given[:4]
    n, t, d = parts[0].shape
    seen = [
        (part + bias).view(n, t, how["num_heads"], -1).transpose(1, 2)
        for part, bias in zip(parts, biases.chunk(3), strict=True)
    ]
    attend = load_torch().nn.functional.scaled_dot_product_attention
    return attend(*seen, attn_mask=mask.bool()[:, None, None]).transpose(1, 2).reshape(n, t, d)


def _norm(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    x, weight, bias = given
    return load_torch().nn.functional.layer_norm(x, x.shape[-1:], weight, bias, how["epsilon"])


def _gelu(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    return load_torch().nn.functional.gelu(given[0] + given[1])


def _unit(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    return load_torch().nn.functional.normalize(given[0], dim=how["axis"])


def _shift(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    return given[0] >> given[1]  # the only one there is goes to the right


def _shape(given: Given, how: Attributes, mask: Tensor) -> Tensor:
    return load_torch().tensor(given[0].shape[how["start"] : how["end"]])


_OPERATORS: Mapping[str, Callable[[Given, Attributes, Tensor], Any]] = {
    "Add": lambda given, how, mask: given[0] + given[1],
    "BiasGelu": _gelu,
    "BitShift": _shift,
    "BitwiseAnd": lambda given, how, mask: given[0] & given[1],
    "Cast": lambda given, how, mask: given[0].float(),
    "Concat": lambda given, how, mask: load_torch().cat(given, how["axis"]),
    _EIGHT_BITS: _linear,
    "Gather": lambda given, how, mask: given[0][given[1]],
    "Identity": lambda given, how, mask: given[0],
    "LayerNormalization": _norm,
    "LpNormalization": _unit,
    "MatMul": lambda given, how, mask: given[0] @ given[1],
    "Max": lambda given, how, mask: load_torch().maximum(given[0], given[1]),
    "Mul": lambda given, how, mask: given[0] * given[1],
    "MultiHeadAttention": _attention,
    "Reciprocal": lambda given, how, mask: given[0].reciprocal(),
    "ReduceMax": lambda given, how, mask: given[0].amax(-1, keepdim=True),
    "Reshape": lambda given, how, mask: given[0].reshape(*given[0].shape[:2], -1),
    "Shape": _shape,
    "Slice": lambda given, how, mask: given[0][: int(given[2])],
    "Split": lambda given, how, mask: given[0].chunk(how["num_outputs"], how["axis"]),
    "Squeeze": lambda given, how, mask: given[0].squeeze(int(given[1])),
    "Sub": lambda given, how, mask: given[0] - given[1],
    "Unsqueeze": lambda given, how, mask: given[0].unsqueeze(int(given[1])),
}

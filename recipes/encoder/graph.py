"""The encoder as one ONNX graph: ids in, unit vectors out.

    vectors = normalise(mean over tokens(layers(embedding)))        input_ids, attention_mask (n, t) -> vectors (n, 384)

The embedding table keeps the 4 bits of its source: gathered bytes are split into halves and multiplied by the scale of
their block, so nothing is lost. Linear layers are int8 with a scale per output; activations are quantised as they come.
Opset 18 and the fused operators that every onnxruntime for CPUs carries (domain com.microsoft).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import onnx
from image import Image
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

OPSET = 18
IR_VERSION = 8
FUSED = "com.microsoft"
GELU_LOWEST = -0.17  # a GELU never yields less
SHARE = 0.65  # of a channel's size that moves into the weights

Floats = NDArray[np.float32]


@dataclass(frozen=True)
class Precision:
    """How linear layers become int8.

    Attributes:
        top: largest step of a weight; 127 uses all, up to 64 no sum of two products leaves 16 bits on older processors.
        peaks: the size of each channel after each layer norm, from `calibration`.
    """

    top: int
    peaks: list[Floats]


class Graph:
    """Nodes and constants in the order in which they are added; `precision` None keeps float32 (the reference)."""

    def __init__(self, precision: Precision | None) -> None:
        self.precision = precision
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[onnx.TensorProto] = []

    def constant(self, value: NDArray[Any] | Sequence[int] | float) -> str:
        """Add a constant (whole numbers become int64, others float32) and give its name."""
        if not isinstance(value, np.ndarray):
            value = np.asarray(value, np.float32 if isinstance(value, float) else np.int64)
        name = f"c{len(self.constants)}"
        self.constants.append(numpy_helper.from_array(np.asarray(value, order="C"), name))
        return name

    def add(self, operator: str, *inputs: str, domain: str = "", **attributes: Any) -> str:
        """Add a node with one output and give the output's name."""
        name = f"n{len(self.nodes)}"
        self.nodes.append(helper.make_node(operator, inputs, [name], name, domain=domain, **attributes))
        return name

    def linear(self, x: str, weight: Floats, bias: Floats | None = None, norm: int | None = None) -> str:
        """x @ weight.T + bias, weight (outputs, inputs); `norm` is the layer norm that x comes from, if any."""
        if self.precision is None:
            product = self.add("MatMul", x, self.constant(weight.T))
            return product if bias is None else self.add("Add", product, self.constant(bias))
        if norm is not None:
            ease = _ease(self.precision.peaks[norm], weight)
            x, weight = self.add("Mul", x, self.constant(1 / ease)), weight * ease
        scale = np.abs(weight).max(axis=1) / self.precision.top  # (outputs,)
        steps = np.round(weight / scale[:, None]).astype(np.int8)
        inputs = [x, self.constant(steps.T), self.constant(scale), ""]
        inputs += [] if bias is None else [self.constant(bias)]
        return self.add("DynamicQuantizeMatMul", *inputs, domain=FUSED)

    def linear_after_gelu(self, x: str, weight: Floats, bias: Floats) -> str:
        """The same, but each token is scaled to at most 1 before it is quantised.

        Else the peak of one token would set the steps of all the others: this alone removes two thirds of the error.
        """
        if self.precision is None:
            return self.linear(x, weight, bias)
        peak = self.add("ReduceMax", x, self.constant([-1]), keepdims=1)  # (n, t, 1)
        peak = self.add("Max", peak, self.constant(-GELU_LOWEST))
        scaled = self.add("Mul", x, self.add("Reciprocal", peak))
        return self.add("Add", self.add("Mul", self.linear(scaled, weight), peak), self.constant(bias))


def build(image: Image, rows: Sequence[int], max_tokens: int, precision: Precision | None) -> onnx.ModelProto:
    """Make the model.

    Args:
        image: the weights.
        rows: the kept pieces, in the order of their new ids.
        max_tokens: length of the position table.
        precision: of the linear layers; None keeps float32.
    """
    g = Graph(precision)

    def vector(name: str) -> str:
        return g.constant(image.floats(name))

    def norm(x: str, name: str) -> str:
        return g.add("LayerNormalization", x, vector(name + ".w"), vector(name + ".b"), axis=-1, epsilon=image.epsilon)

    x = norm(_embed(g, image, rows, max_tokens), "emb.ln")
    mask = g.add("Cast", "attention_mask", to=TensorProto.INT32)
    for layer in range(image.layers):
        p = f"l{layer}."
        qkv = np.concatenate([image.matrix(p + k + ".w", image.hidden) for k in "qkv"])  # (3 h, h)
        qkv_bias = np.concatenate([image.floats(p + k + ".b") for k in "qkv"])
        joined = g.linear(x, qkv, norm=2 * layer)  # (n, t, 3 h)
        parts = [f"{joined}.{k}" for k in "qkv"]
        g.nodes.append(helper.make_node("Split", [joined], parts, axis=-1, num_outputs=3))
        seen = g.add("MultiHeadAttention", *parts, g.constant(qkv_bias), mask, domain=FUSED, num_heads=image.heads)
        seen = g.linear(seen, image.matrix(p + "ao.w", image.hidden), image.floats(p + "ao.b"))
        x = norm(g.add("Add", x, seen), p + "aln")
        wide = g.linear(x, image.matrix(p + "fi.w", image.hidden), norm=2 * layer + 1)  # (n, t, inner)
        wide = g.add("BiasGelu", wide, vector(p + "fi.b"), domain=FUSED)
        wide = g.linear_after_gelu(wide, image.matrix(p + "fo.w", image.inner), image.floats(p + "fo.b"))
        x = norm(g.add("Add", x, wide), p + "oln")
    return _model(g, _pool(g, x), image.hidden)


def _ease(peaks: Floats, weight: Floats) -> Floats:
    """What each channel of the activations is divided by and its weights are multiplied with, (inputs,).

    Powers of two: they cost no rounding, and last-digit differences between processors do not change them.
    """
    reach = np.abs(weight).max(axis=0)
    exponent = SHARE * np.log2(np.maximum(peaks, 1e-3)) - (1 - SHARE) * np.log2(np.maximum(reach, 1e-3))
    ease: Floats = np.exp2(np.round(exponent - np.median(exponent))).astype(np.float32)
    return ease


def _embed(g: Graph, image: Image, rows: Sequence[int], max_tokens: int) -> str:
    """Word + position + type, (n, t, h)."""
    scales, packed = image.blocks("emb.word", image.hidden)
    scale = g.add("Gather", g.constant(scales[rows]), "input_ids")  # (n, t, h / 32)
    scale = g.add("Unsqueeze", g.add("Cast", scale, to=TensorProto.FLOAT), g.constant([-1]))
    halves = g.add("Gather", g.constant(packed[rows]), "input_ids")  # (n, t, h / 32, 16)
    low = g.add("BitwiseAnd", halves, g.constant(np.array(15, np.uint8)))
    high = g.add("BitShift", halves, g.constant(np.array(4, np.uint8)), direction="RIGHT")
    values = g.add("Cast", g.add("Concat", low, high, axis=-1), to=TensorProto.FLOAT)  # (n, t, h / 32, 32)
    values = g.add("Mul", g.add("Sub", values, g.constant(8.0)), scale)
    words = g.add("Reshape", values, g.constant([0, 0, image.hidden]))
    places = image.floats("emb.pos").reshape(-1, image.hidden)[:max_tokens] + image.floats("emb.type")[: image.hidden]
    length = g.add("Shape", "input_ids", start=1, end=2)
    place = g.add("Slice", g.constant(places), g.constant([0]), length, g.constant([0]))  # (t, h)
    return g.add("Add", words, place)


def _pool(g: Graph, x: str) -> str:
    """The mean over real tokens at unit length, (n, h); their number cancels out, so a sum will do."""
    real = g.add("Unsqueeze", g.add("Cast", "attention_mask", to=TensorProto.FLOAT), g.constant([1]))  # (n, 1, t)
    total = g.add("Squeeze", g.add("MatMul", real, x), g.constant([1]))
    return g.add("LpNormalization", total, axis=-1, p=2)


def _model(g: Graph, result: str, hidden: int) -> onnx.ModelProto:
    g.nodes.append(helper.make_node("Identity", [result], ["vectors"]))
    names = ("input_ids", "attention_mask")
    inputs = [helper.make_tensor_value_info(name, TensorProto.INT64, ["n", "t"]) for name in names]
    output = helper.make_tensor_value_info("vectors", TensorProto.FLOAT, ["n", hidden])
    body = helper.make_graph(g.nodes, "encoder", inputs, [output], g.constants)
    opsets = [helper.make_opsetid("", OPSET), helper.make_opsetid(FUSED, 1)]
    return helper.make_model(body, ir_version=IR_VERSION, opset_imports=opsets, producer_name="wares")

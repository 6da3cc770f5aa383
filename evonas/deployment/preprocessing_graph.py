"""Preprocessing inside a model: resize, crop and scaling of photos of any size as nodes before the network.

The resampling is two products with matrices of weights that the graph computes from the photo's size, as Pillow does it
(`Image.resize` with a box: horizontally, then vertically, weights of 22 bits, rounded after each), or as arrays are
resized. ONNX's own Resize has neither the box that lies between pixels nor the rounding in between. Sums are in double
precision: where a side is halved, ties are common, and single precision would decide them by its own rounding.
"""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

from evonas.errors import SettingsError
from evonas.runtime.checks import check_model, strip

__all__ = ["OLDEST_INSIDE", "check_inside", "photo_settings", "settings_text", "with_preprocessing"]

OLDEST_INSIDE = 18
"""Operator set that the nodes are written for."""
PREFIX = "preprocess_"
PRECISION = float(2**22)
"""Steps of one that Pillow rounds weights to."""


def check_inside(settings: dict[str, Any], opset: int) -> None:
    """Refuse preprocessing inside a model that it cannot be in.

    Args:
        settings: As `evonas.data.preprocessing.preprocessing_of` has them.
        opset: ONNX operator set of the model.

    Raises:
        SettingsError: The opset is too low, photos have other channels than the model, or are padded or stretched.
    """
    if opset < OLDEST_INSIDE:
        raise SettingsError(
            f"Expected --opset of {OLDEST_INSIDE} or more for --preprocessing inside, got {opset}: raise it, or deploy "
            "with the preprocessing outside"
        )
    if settings["mode"] is None:
        raise SettingsError(
            f"Expected images of 1, 3 or 4 channels for --preprocessing inside, these have {settings['channels']}: "
            "deploy without it"
        )
    if settings["fit"] != "crop":
        raise SettingsError(
            f"Expected cropped photos for --preprocessing inside, these are read with --fit {settings['fit']}: "
            "deploy without it"
        )


def with_preprocessing(model: onnx.ModelProto, settings: dict[str, Any]) -> onnx.ModelProto:
    """Return a model that takes uint8 photos, shape (n, height, width, channels), of any size.

    Args:
        model: Takes float32 ``images`` in [0, 1], shape (n, c, height, width).
        settings: As `evonas.data.preprocessing.preprocessing_of` has them.

    Raises:
        ExportError: The result does not pass the ONNX checker.
    """
    whole = onnx.ModelProto()
    whole.CopyFrom(model)
    entry = whole.graph.input[0]
    pixels = f"{PREFIX}pixels"
    for node in whole.graph.node:
        node.input[:] = [pixels if name == entry.name else name for name in node.input]
    steps = _Steps(settings)
    steps.write(entry.name, pixels)
    nodes = list(whole.graph.node)
    del whole.graph.node[:]
    whole.graph.node.extend([*steps.nodes, *nodes])
    whole.graph.initializer.extend(steps.constants)
    first = entry.type.tensor_type.shape.dim[0]
    batch = first.dim_param or first.dim_value
    photos = helper.make_tensor_value_info(
        entry.name, TensorProto.UINT8, [batch, "height", "width", settings["channels"]]
    )
    whole.graph.input[0].CopyFrom(photos)
    strip(whole)
    check_model("the model with its preprocessing", whole)
    return whole


def photo_settings(settings: dict[str, Any], *, inside: bool) -> dict[str, Any]:
    """Return settings of a model with its preprocessing inside, or outside as they were."""
    if not inside:
        return settings
    return {**settings, "inside": True, "layout": "NHWC", "type": "uint8", "range": [0, 255]}


def settings_text(settings: dict[str, Any]) -> str:
    """Return settings as they travel in a model's metadata."""
    return json.dumps(settings, ensure_ascii=False)


class _Steps:
    """Nodes from photos to a network's input."""

    def __init__(self, settings: dict[str, Any]) -> None:
        self.settings = settings
        self.size = int(settings["size"][0]), int(settings["size"][1])
        self.nodes: list[onnx.NodeProto] = []
        self.constants: list[TensorProto] = []

    def write(self, photos: str, out: str) -> None:
        """Add all nodes.

        Args:
            photos: Name of the uint8 input.
            out: Name of the float32 result.
        """
        pillow = self.settings["resize"] == "pillow"
        height, width = (self.node("Shape", photos, start=i, end=i + 1) for i in (1, 2))
        part = self.part(height, width)
        if not pillow:
            photos = self.cropped(photos, (height, width), part)
            height, width = part
        planes = self.node("Cast", self.node("Transpose", photos, perm=[0, 3, 1, 2]), to=TensorProto.DOUBLE)
        columns = self.node("Transpose", self.weights(width, part[1], self.size[1], pillow), perm=[1, 0])
        rows = self.weights(height, part[0], self.size[0], pillow)
        values = self.node("MatMul", planes, columns)
        values = self.node("MatMul", rows, self.rounded_up(values) if pillow else values)
        values = self.rounded_up(values) if pillow else self.node("Round", values)
        values, levels = self.node("Cast", values, to=TensorProto.FLOAT), self.settings["levels"]
        if levels != 255:
            values = self.node("Round", self.node("Mul", values, self.constant(np.float32(levels / 255.0))))
        self.node("Div", values, self.constant(np.float32(levels)), out=out)

    def part(self, height: str, width: str) -> tuple[str, str]:
        """Height and width of the largest part of photos that has the result's shape, as `cropped_size` has them."""
        rows, columns = self.size
        if rows == columns:
            side = self.node("Min", height, width)
            return side, side
        return self.shorter(height, width, rows, columns), self.shorter(width, height, columns, rows)

    def shorter(self, extent: str, other: str, length: int, other_length: int) -> str:
        """A side, or what is as long to the other as the result's sides are, where that is shorter; at least 1."""
        twice, up, down, one = (
            self.constant(np.array([number], dtype=np.int64))
            for number in (2 * length, other_length, 2 * other_length, 1)
        )
        ratio = self.node("Div", self.node("Add", self.node("Mul", other, twice), up), down)
        return self.node("Min", extent, self.node("Max", ratio, one))

    def cropped(self, photos: str, extents: tuple[str, str], part: tuple[str, str]) -> str:
        """Cut a part at the center of photos out, whole pixels to each side."""
        two = self.constant(np.array([2], dtype=np.int64))
        starts = [
            self.node("Div", self.node("Sub", extent, side), two) for extent, side in zip(extents, part, strict=True)
        ]
        ends = [self.node("Add", start, side) for start, side in zip(starts, part, strict=True)]
        start, end = (self.node("Concat", *pair, axis=0) for pair in (starts, ends))
        return self.node("Slice", photos, start, end, self.constant(np.array([1, 2], dtype=np.int64)))

    def weights(self, extent: str, side: str, size: int, pillow: bool) -> str:
        """Weight that each of an axis' pixels has in each of `size` pixels of the result, shape (size, extent)."""
        whole, part = (self.node("Cast", name, to=TensorProto.DOUBLE) for name in (extent, side))
        half, one = self.constant(np.float64(0.5)), self.constant(np.float64(1.0))
        offset = self.node("Mul", self.node("Sub", whole, part), half)
        scale = self.node("Div", part, self.constant(np.float64(size)))
        middles = self.constant(np.arange(size, dtype=np.float64)[:, None] + 0.5)
        centers = self.node("Add", self.node("Mul", middles, scale), offset)
        zero, step = (self.constant(np.int64(number)) for number in (0, 1))
        numbers = self.node("Range", zero, self.node("Squeeze", extent), step)
        positions = self.node("Add", self.node("Cast", numbers, to=TensorProto.DOUBLE), half)
        away = self.node("Abs", self.node("Sub", positions, centers))
        slope = self.node("Sub", one, self.node("Div", away, self.node("Max", scale, one)))
        raw = self.node("Max", slope, self.constant(np.float64(0.0)))
        total = self.node("ReduceSum", raw, self.constant(np.array([1], dtype=np.int64)), keepdims=1)
        weights = self.node("Div", raw, total)
        if pillow:
            steps = self.constant(np.float64(PRECISION))
            scaled = self.node("Floor", self.node("Add", self.node("Mul", weights, steps), half))
            weights = self.node("Div", scaled, steps)
        return weights

    def rounded_up(self, values: str) -> str:
        """Round to whole numbers as Pillow does, halves up."""
        return self.node("Floor", self.node("Add", values, self.constant(np.float64(0.5))))

    def node(self, operator: str, *inputs: str, out: str | None = None, **attributes: Any) -> str:
        """Add a node; return the name of its output."""
        name = f"{PREFIX}{operator.lower()}_{len(self.nodes)}"
        output = out or f"{name}_out"
        self.nodes.append(helper.make_node(operator, list(inputs), [output], name, **attributes))
        return output

    def constant(self, value: Any) -> str:
        """Add a constant, equal ones once; return its name."""
        array = np.asarray(value)
        for held in self.constants:
            other = numpy_helper.to_array(held)
            if other.dtype == array.dtype and other.shape == array.shape and np.array_equal(other, array):
                return held.name
        tensor = numpy_helper.from_array(array, f"{PREFIX}constant_{len(self.constants)}")
        self.constants.append(tensor)
        return tensor.name

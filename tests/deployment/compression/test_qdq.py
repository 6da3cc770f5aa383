from __future__ import annotations

import logging
from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto
from torch import nn

from evonas.deployment.compression.qdq import ends, quantize
from evonas.errors import ExportError
from evonas.runtime import export, logits
from evonas.runtime.gates import gates


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    return export(network, torch.zeros(2, 1, 8, 8), exporter="quick", metadata={"space": "none"})


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((64, 1, 8, 8), dtype=np.float32)


def test_int8_follows_the_float_model(model, images):
    before = model.SerializeToString()
    quantized = quantize(model, images)
    assert model.SerializeToString() == before
    kinds = {node.op_type for node in quantized.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= kinds
    assert {weight.data_type for weight in quantized.graph.initializer} >= {3}  # int8
    assert {entry.key: entry.value for entry in quantized.metadata_props} == {"space": "none"}
    expected, got = logits(model, images), logits(quantized, images)
    assert np.abs(expected - got).max() < 0.05 * np.ptp(expected)
    assert not np.array_equal(expected, got)


def test_the_root_logger_is_left_as_it_was(model, images, caplog):
    handlers, filters = list(logging.getLogger().handlers), list(logging.getLogger().filters)
    quantize(model, images)
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger().filters == filters
    assert not caplog.records


def test_too_few_images_are_refused(model, images):
    with pytest.raises(ExportError, match="at least 32 validation images to calibrate int8 on, got 31"):
        quantize(model, images[:31])


def test_what_cannot_be_quantized_is_told_in_one_line(model, images):
    with pytest.raises(ExportError, match="could not be calibrated: ") as caught:
        quantize(model, images[:, :, :4])
    assert "\n" not in str(caught.value)


class Gated(nn.Module):
    """Squeeze and excitation behind a convolution."""

    def __init__(self):
        super().__init__()
        self.stem, self.down, self.up = nn.Conv2d(1, 8, 3), nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)
        self.head = nn.Linear(8, 4)

    def forward(self, x):
        x = torch.relu(self.stem(x))
        gate = nn.functional.hardsigmoid(self.up(torch.relu(self.down(x.mean((2, 3), keepdim=True)))))
        return self.head((x * gate).mean((2, 3)))


def as_run(model, folder):
    """Return a model as onnxruntime runs it."""
    options = onnxruntime.SessionOptions()
    options.optimized_model_filepath = str(folder / "run.onnx")
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return onnx.load(folder / "run.onnx")


def test_gates_stay_in_float_and_others_run_on_integers(images, tmp_path):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = export(Gated(), torch.zeros(2, 1, 8, 8), exporter="quick")
    assert {"down", "up"} <= set(gates(model))
    assert not {"stem", "head"} & set(gates(model))
    quantized = quantize(model, images)
    maker = {name: node.op_type for node in quantized.graph.node for name in node.output}
    reads = {node.name: maker.get(node.input[0]) for node in quantized.graph.node if node.op_type in ("Conv", "Gemm")}
    assert reads["stem"] == reads["head"] == "DequantizeLinear"
    assert "DequantizeLinear" not in (reads["down"], reads["up"])
    run = Counter(node.op_type for node in as_run(quantized, tmp_path).graph.node)
    assert run["QLinearConv"] == 1  # the stem
    assert run["Conv"] + run["FusedConv"] == 2  # the gate's
    assert run["QGemm"] + run["QLinearMatMul"] == 1  # the head
    kept = quantize(model, images, keep=ends(model))
    maker = {name: node.op_type for node in kept.graph.node for name in node.output}
    weights = {node.name: maker.get(node.input[1]) for node in kept.graph.node if node.op_type in ("Conv", "Gemm")}
    assert weights == {"stem": None, "down": None, "up": None, "head": None}


def test_first_and_last_weights_are_the_ends(model):
    assert ends(model) == ["0", "3"]


def test_activations_are_unsigned_and_weights_signed(model, images):
    quantized = quantize(model, images)
    kinds = {weight.name: weight.data_type for weight in quantized.graph.initializer}
    points = {kinds[node.input[2]] for node in quantized.graph.node if node.op_type == "QuantizeLinear"}
    assert points == {TensorProto.UINT8}
    assert kinds["0.weight_quantized"] == kinds["3.weight_quantized"] == TensorProto.INT8


def test_an_opset_without_scales_for_channels_is_refused(images):
    network = nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 4))
    model = export(network, torch.zeros(2, 1, 8, 8), opset=12)
    with pytest.raises(ExportError, match=r"opset 13 or more, .* got 12"):
        quantize(model, images)

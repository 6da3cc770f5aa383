from __future__ import annotations

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from onnx import TensorProto, numpy_helper
from torch import nn

from evonas.deployment.compression.weights import store_weights
from evonas.runtime import export, logits


@pytest.fixture(scope="module")
def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)).eval()


@pytest.fixture(scope="module")
def model(network):
    return export(network, torch.zeros(2, 1, 8, 8), exporter="quick")


def held(model):
    return {weight.name: weight for weight in model.graph.initializer}


@pytest.mark.parametrize(("storage", "kind"), [("int8", TensorProto.INT8), ("fp16", TensorProto.FLOAT16)])
@pytest.mark.parametrize("opset", [18, 11])
def test_outputs_are_those_of_a_network_with_rounded_weights(network, storage, kind, opset):
    model = export(network, torch.zeros(2, 1, 8, 8), opset=opset)
    before = model.SerializeToString()
    stored = store_weights(model, storage)
    assert model.SerializeToString() == before
    assert stored.ByteSize() < (0.45 if storage == "int8" else 0.65) * model.ByteSize()
    assert {held(stored)[name].data_type for name in held(stored) if name.endswith((".int8", ".half"))} == {kind}
    images = torch.rand(5, 1, 8, 8, generator=torch.Generator().manual_seed(0))
    rounded = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4)).eval()
    state = network.state_dict()
    for name, value in state.items():
        if storage == "fp16" and value.numel() >= 64:
            state[name] = value.half().float()
        elif storage == "int8" and value.dim() > 1 and value.numel() >= 64:
            scale = value.flatten(1).abs().amax(1).view(-1, *[1] * (value.dim() - 1)) / 127
            state[name] = (value / scale).round() * scale
    rounded.load_state_dict(state)
    with torch.no_grad():
        np.testing.assert_allclose(logits(stored, images), rounded(images).numpy(), atol=1e-5)


def test_nodes_that_are_kept_keep_their_weights(model):
    stored = store_weights(model, "int8", keep=["3"])
    assert held(stored)["3.weight"].data_type == TensorProto.FLOAT
    assert "0.weight.int8" in held(stored)


def test_weights_beyond_half_precision_stay(model):
    own = onnx.ModelProto()
    own.CopyFrom(model)
    weight = next(w for w in own.graph.initializer if w.name == "0.weight")
    values = numpy_helper.to_array(weight).copy()
    values[0, 0, 0, 0] = 1e5
    weight.CopyFrom(numpy_helper.from_array(values, weight.name))
    assert held(store_weights(own, "fp16"))["0.weight"].data_type == TensorProto.FLOAT


@pytest.mark.parametrize("storage", ["int8", "fp16"])
def test_a_runtime_restores_them_when_it_loads_the_model(model, storage, tmp_path):
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_BASIC
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    onnxruntime.InferenceSession(store_weights(model, storage).SerializeToString(), options)
    operations = {node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node}
    assert not operations & {"Cast", "Mul", "DequantizeLinear"}

from __future__ import annotations

import collections

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from evonas.runtime import export, logits, parity
from evonas.runtime.simplify import simplify


def operations(model: onnx.ModelProto) -> collections.Counter[str]:
    return collections.Counter(node.op_type for node in model.graph.node)


def normed(*parts: nn.Module) -> nn.Module:
    """Parts in a row whose norms hold statistics that matter."""
    module = nn.Sequential(*parts)
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2.0)
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
    return module.eval()


class Halves(nn.Module):
    """A factorized reduction: two convolutions of shifted pixels, concatenated."""

    def __init__(self):
        super().__init__()
        self.left = nn.Conv2d(3, 2, 1, stride=2, bias=False)
        self.right = nn.Conv2d(3, 3, 1, stride=2, bias=True)

    def forward(self, x):
        return torch.cat([self.left(x), self.right(x[:, :, 1:, 1:])], dim=1)


class Scaled(nn.Module):
    def __init__(self, network: nn.Module, mean=(0.4, 0.5, 0.6), std=(0.2, 0.3, 0.4)):
        super().__init__()
        self.network = network
        self.mean, self.std = (torch.tensor(values).view(1, -1, 1, 1) for values in (mean, std))

    def forward(self, x):
        return self.network((x - self.mean) / self.std)


class Whole(nn.Module):
    def forward(self, x):
        return torch.relu(x[:, :, 0:, 0:])


HEAD = (nn.AdaptiveAvgPool2d(1), nn.Flatten(1), nn.Linear(5, 4))


@pytest.mark.parametrize(
    ("module", "expected"),
    [
        (normed(Halves(), nn.BatchNorm2d(5)), {"Conv": 2, "Slice": 1, "Concat": 1}),
        (normed(nn.MaxPool2d(2), nn.BatchNorm2d(3)), {"MaxPool": 1, "Conv": 1}),
        (normed(nn.Conv2d(3, 5, 3), nn.BatchNorm2d(5), nn.ReLU(), nn.BatchNorm2d(5)), {"Conv": 2, "Relu": 1}),
        (Scaled(nn.Conv2d(3, 5, 3)), {"Conv": 1}),
        (Scaled(nn.Conv2d(3, 5, 3, padding=1)), {"Sub": 1, "Conv": 1}),
        (Scaled(nn.Conv2d(3, 6, 3, padding=1, groups=3, bias=False)), {"Sub": 1, "Conv": 1}),
        (Scaled(nn.MaxPool2d(2)), {"Sub": 1, "Div": 1, "MaxPool": 1}),
        (nn.Sequential(nn.Conv2d(3, 5, 1), *HEAD), {"Conv": 1, "GlobalAveragePool": 1, "Flatten": 1, "Gemm": 1}),
        (Whole(), {"Relu": 1}),
    ],
    ids=["concat", "pool", "relu", "input", "padded-input", "groups", "no-convolution", "head", "idle-slice"],
)
@pytest.mark.parametrize("opset", [18, 13, 11])
def test_folds_and_keeps_the_function(module, expected, opset):
    images = torch.rand(4, 3, 8, 8, generator=torch.Generator().manual_seed(1))
    model = export(module, images, opset=opset)
    assert operations(model) == expected
    with torch.no_grad():
        truth = module.double()(images.double()).numpy()
    module.float()
    np.testing.assert_allclose(logits(model, images), truth, atol=2e-6 * np.abs(truth).max())


def test_nothing_is_left_over_in_a_network_with_every_operation(mixed, images):
    model = export(mixed, images)
    assert not {"BatchNormalization", "Identity", "Shape", "Gather", "Range", "ReduceMean", "Reshape"} & {
        *operations(model)
    }
    assert operations(model)["GlobalAveragePool"] == 2
    assert not model.graph.value_info
    assert model.ir_version == 8  # the least for opset 18
    names = [node.name for node in model.graph.node]
    assert len(set(names)) == len(names)
    assert {"depthwise.1", "head", "excite.squeeze"} <= set(names)
    used = [name for node in model.graph.node for name in node.input]
    contents = [weight.raw_data for weight in model.graph.initializer]
    assert all(weight.name in used for weight in model.graph.initializer)
    assert len(set(contents)) == len(contents)


@pytest.mark.parametrize(("opset", "ir"), [(11, 6), (13, 7), (17, 8), (18, 8), (20, 9)])
def test_the_least_ir_version_of_each_opset(mixed, images, opset, ir):
    model = export(mixed, images, opset=opset)
    assert model.ir_version == ir
    assert model.opset_import[0].version == opset
    parity(mixed, model, images).require()


def test_onnxslim_finds_nothing_left(mixed, images):
    onnxslim = pytest.importorskip("onnxslim")
    model = export(mixed, images)
    slim = onnxslim.slim(model)
    assert operations(slim) == operations(model)


def by_hand(nodes, weights, shape=(1, 2, 4, 4), output=None) -> onnx.ModelProto:
    graph = helper.make_graph(
        nodes,
        "graph",
        [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)],
        [numpy_helper.from_array(np.asarray(values), name) for name, values in weights.items()],
    )
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)


def same(model: onnx.ModelProto) -> onnx.ModelProto:
    """Simplify a copy and hold its outputs against the original's."""
    changed = onnx.ModelProto()
    changed.CopyFrom(model)
    simplify(changed)
    onnx.checker.check_model(changed, full_check=True)
    x = np.random.default_rng(0).normal(size=(1, 2, 4, 4)).astype(np.float32)
    np.testing.assert_allclose(logits(changed, x), logits(model, x), atol=1e-5)
    return changed


NORM = {name: np.array(values, dtype=np.float32) for name, values in
        {"g": [2, -3], "b": [1, 0], "m": [0.5, -1], "v": [4, 0.25]}.items()}  # fmt: skip
CONV = {"w": np.random.default_rng(1).normal(size=(2, 2, 3, 3)).astype(np.float32)}


def test_a_norm_stays_out_of_a_convolution_that_something_else_takes_too():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]),
        helper.make_node("Add", ["c", "n"], ["y"]),
    ]
    assert operations(same(by_hand(nodes, CONV | NORM, output=[1, 2, 4, 4]))) == {"Conv": 2, "Add": 1}


def test_shared_weights_are_scaled_for_one_convolution_alone():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["c"], pads=[1] * 4),
        helper.make_node("BatchNormalization", ["c", "g", "b", "m", "v"], ["n"]),
        helper.make_node("Conv", ["n", "w"], ["y"], pads=[1] * 4),
    ]
    assert operations(same(by_hand(nodes, CONV | NORM, output=[1, 2, 4, 4]))) == {"Conv": 2}


def test_names_of_outputs_stay_where_their_node_goes():
    nodes = [
        helper.make_node("Relu", ["x"], ["r"]),
        helper.make_node("Identity", ["r"], ["i"]),
        helper.make_node("Identity", ["i"], ["y"]),
    ]
    simplified = same(by_hand(nodes, {}, output=[1, 2, 4, 4]))
    assert operations(simplified) == {"Relu": 1}
    assert simplified.graph.output[0].name == "y"


def test_an_input_that_is_the_output_keeps_its_identity():
    assert operations(same(by_hand([helper.make_node("Identity", ["x"], ["y"])], {}, output=[1, 2, 4, 4]))) == {
        "Identity": 1
    }


@pytest.mark.parametrize(("start", "end", "left"), [(0, 4, 0), (0, 2**63 - 1, 0), (1, 4, 1), (0, 3, 1), (0, -1, 1)])
def test_slices_go_that_take_all(start, end, left):
    weights = {name: np.array([value], dtype=np.int64) for name, value in {"s": start, "e": end, "a": 2}.items()}
    nodes = [helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Slice", ["r", "s", "e", "a"], ["y"])]
    size = len(range(4)[start : min(end, 2**31)])
    assert operations(same(by_hand(nodes, weights, output=[1, 2, size, 4])))["Slice"] == left


def test_slices_of_one_axis_written_twice_are_left_alone():
    weights = {name: np.array([value], dtype=np.int64) for name, value in
               {"s": 1, "e": 8, "a": -1, "t": 2, "b": 1}.items()}  # fmt: skip
    nodes = [
        helper.make_node("Flatten", ["x"], ["f"]),
        helper.make_node("Slice", ["f", "s", "e", "a"], ["i"]),
        helper.make_node("Slice", ["i", "t", "e", "b"], ["y"]),
    ]
    assert operations(same(by_hand(nodes, weights, output=[1, 5])))["Slice"] == 2


def test_weights_are_scaled_in_float64_and_rounded_once():
    """Behind a concatenation, where no exporter folds a norm itself."""
    halves, norm = module = normed(Halves(), nn.BatchNorm2d(5))
    constants = [numpy_helper.to_array(one) for one in export(module, torch.zeros(1, 3, 8, 8)).graph.initializer]
    scale = (norm.weight.detach().double() / (norm.running_var.double() + norm.eps).sqrt()).view(-1, 1, 1, 1)
    for convolution, own in ((halves.left, scale[:2]), (halves.right, scale[2:])):
        once = (convolution.weight.detach().double() * own).float().numpy()
        assert any(np.array_equal(once, constant) for constant in constants)


class Padded(nn.Module):
    """A convolution behind a padding of one more at the end, and channels that change places between two groups."""

    def __init__(self, value=0.0):
        super().__init__()
        self.conv, self.value = nn.Conv2d(4, 4, 3, stride=2), value

    def forward(self, x):
        rows = self.conv(nn.functional.pad(x, (0, 1, 0, 1), value=self.value))
        n, c, h, w = rows.shape
        return rows.reshape(n, 2, c // 2, h, w).transpose(1, 2).reshape(n, c, h, w)


def gives_the_same(module, model, images):
    with torch.no_grad():
        assert np.allclose(logits(model, images), module(images).numpy(), rtol=0, atol=1e-6)


@pytest.mark.parametrize("opset", [11, 13, 18])
def test_sizes_are_constants_and_convolutions_pad_themselves(opset):
    module, images = Padded().eval(), torch.rand(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    model = export(module, images, opset=opset)
    assert operations(model) == {"Conv": 1, "Reshape": 2, "Transpose": 1}
    gives_the_same(module, model, images)
    gives_the_same(module, model, images[:1])


def test_a_padding_of_something_else_stays():
    module, images = Padded(1.0).eval(), torch.rand(3, 4, 8, 8, generator=torch.Generator().manual_seed(0))
    model = export(module, images, opset=13)
    assert operations(model)["Pad"] == 1
    gives_the_same(module, model, images)

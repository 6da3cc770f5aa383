"""Graphs of whole networks: which operations a deployed model may hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.networks import Network, build
from evonas.networks.unit_input import UnitInput
from evonas.runtime import export, parity
from evonas.spaces import load_space

OPERATIONS = {
    "Add", "AveragePool", "Clip", "Concat", "Conv", "Flatten", "Gemm", "GlobalAveragePool", "HardSigmoid", "HardSwish",
    "MaxPool", "Mul", "Relu", "Sigmoid", "Slice", "Sub",
}  # fmt: skip
SPECIAL = {"darts_open": {"Shape", "ConstantOfShape"}, "fbnet": {"Reshape", "Transpose"}}
"""Zeros of a node without inputs, as large as the batch; the shuffle of channels between groups."""
OLDER = {"Div", "MatMul"}
"""Of operator sets below 18: HardSwish before 14, and a layer without bias."""
EVERYWHERE = "lhd", "mobilenet_v3"
RARE = (
    "darts",
    "darts_open",
    "efficientnet_lite",
    "fbnet",
    "lhd_3ops",
    "mobilenet_v2",
    "nasbench201",
    "nasbench_macro",
    "proxyless",
)


def with_images(network: Network) -> tuple[UnitInput, torch.Tensor]:
    side = network.skeleton.resolution
    images = torch.rand(4, 3, side, side, generator=torch.Generator().manual_seed(0))
    network.train()
    with torch.no_grad():
        network(images)  # norms whose statistics matter
    return UnitInput(network, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]).eval(), images


@pytest.mark.parametrize("opset", [11, 13, 17])
@pytest.mark.parametrize("name", ["fbnet", *(pytest.param(n, marks=pytest.mark.slow) for n in (*EVERYWHERE, *RARE))])
def test_older_operator_sets_leave_no_arithmetic_on_sizes(name, opset):
    space = load_space(name)
    skeleton = space.skeleton("small").replace(in_channels=3, classes=4, width=0.5)
    architecture = space.canonical(space.decode(space.sample(1, np.random.default_rng(0))[0]))
    module, images = with_images(build(space, skeleton, architecture, seed=0))
    model = export(module, images, opset=opset)
    found = {node.op_type for node in model.graph.node}
    special = SPECIAL.get(name, set())
    if name == "darts_open":
        special = special | {"Gather", "Unsqueeze", "Reshape"}  # zeros as large as the batch
    assert found <= OPERATIONS | OLDER | special
    parity(module, model, images).require()


@pytest.mark.parametrize("name", [*EVERYWHERE, *(pytest.param(name, marks=pytest.mark.slow) for name in RARE)])
def test_graphs_hold_these_operations_and_no_others(name):
    space = load_space(name)
    skeleton = space.skeleton("small").replace(in_channels=3, classes=4)
    architecture = space.canonical(space.decode(space.sample(1, np.random.default_rng(0))[0]))
    module, images = with_images(build(space, skeleton, architecture, seed=0))
    model = export(module, images)
    found = {node.op_type for node in model.graph.node}
    assert found <= OPERATIONS | SPECIAL.get(name, set())
    assert sum(node.op_type == "Sub" for node in model.graph.node) <= 1  # of the input; its division is folded
    assert len({node.name for node in model.graph.node}) == len(model.graph.node)
    assert model.ir_version == 8
    parity(module, model, images).require()


def test_newer_operator_sets_are_written():
    space = load_space("nasbench201")
    skeleton = space.skeleton("small").replace(in_channels=3, classes=4, width=0.5, resolution=8)
    architecture = space.canonical(space.decode(space.sample(1, np.random.default_rng(0))[0]))
    module, images = with_images(build(space, skeleton, architecture, seed=0))
    model = export(module, images, opset=26)  # its exporter names the values of means as buffers may be named
    parity(module, model, images).require()

from __future__ import annotations

from collections import Counter

import numpy as np
import onnx
import onnxruntime
import pytest
import torch

from evonas import runtime
from evonas.networks import build
from evonas.objectives.cost.assemble import assemble, export_block, heads_of
from evonas.objectives.cost.block_graph import Block
from evonas.objectives.cost.graph_builder import GraphBuilder
from evonas.spaces import load_space


def operations(model: onnx.ModelProto, tmp_path) -> Counter[str]:
    """What onnxruntime runs once it has optimized the graph, layouts of one processor left out."""
    options = onnxruntime.SessionOptions()
    options.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_ENABLE_EXTENDED
    options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
    options.log_severity_level = 3
    onnxruntime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
    return Counter(node.op_type for node in onnx.load(options.optimized_model_filepath).graph.node)


@pytest.mark.parametrize("name", ["darts", "lhd", "mobilenet_v3", "nasbench201", "fbnet"])
def test_an_assembled_network_runs_what_the_exported_one_runs(name: str, draw, tmp_path):
    space = load_space(name)
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    graphs = GraphBuilder(space, skeleton)
    (form,) = draw(space, 1, seed=4)
    block_graph = graphs(form)
    models = {step.block.key: export_block(step.block) for step in block_graph.steps if step.reads}
    network = build(space, skeleton, form).eval()
    image = torch.zeros(1, 3, skeleton.resolution, skeleton.resolution)
    whole = runtime.export(network, image, dynamic_batch=False, exporter="quick")
    ours, theirs = (operations(model, tmp_path) for model in (assemble(block_graph, models), whole))
    for shape in ("Flatten", "Reshape"):
        ours.pop(shape, None), theirs.pop(shape, None)
    if name == "lhd":
        ours["Concat"] -= 1  # the exporter makes one of the last cell's concatenation and that of its two streams
    assert ours == theirs


def test_an_assembled_network_computes_what_its_blocks_compute(tiny, draw):
    block_graph = GraphBuilder(tiny.space, tiny.skeleton)(draw(tiny.space, 1)[0])
    models = {step.block.key: export_block(step.block) for step in block_graph.steps if step.reads}
    image = np.random.default_rng(0).standard_normal(block_graph.shapes[0]).astype(np.float32)
    values = {0: image}
    for step in block_graph.steps:
        feed = {
            f"input_{i}": values[number].reshape(shape)
            for i, (number, shape) in enumerate(zip(step.reads, step.block.shapes, strict=True))
        }
        (values[step.writes],) = runtime.session(models[step.block.key]).run(None, feed)
    (whole,) = runtime.session(assemble(block_graph, models)).run(None, {"value_0": image})
    np.testing.assert_allclose(whole, values[block_graph.output], atol=1e-4)


def test_heads_are_the_weightless_beginnings(tiny):
    layers = torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Conv2d(4, 4, 1))
    block = Block("relu conv", layers, ((1, 4, 8, 8),), "x", "x")
    (head,) = heads_of(export_block(block), block)
    assert head.startswith("Relu ")
    plain = Block("conv", torch.nn.Conv2d(4, 4, 1), ((1, 4, 8, 8),), "x", "x")
    assert heads_of(export_block(plain), plain) == {}
    wide = Block("wide", torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Conv2d(8, 4, 1)), ((1, 8, 8, 8),), "x", "x")
    assert next(iter(heads_of(export_block(wide), wide))) != head

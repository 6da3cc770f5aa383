from __future__ import annotations

import io

import numpy as np
import onnx
import pytest
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

from evonas.errors import GraphError
from evonas.graphs import graph_of_module, read_model, read_onnx
from evonas.graphs.primitive import primitive
from evonas.runtime import export
from evonas.runtime.quiet import quiet


class Gate(nn.Module):
    """Squeeze and excitation."""

    def __init__(self):
        super().__init__()
        self.squeeze, self.expand = nn.Conv2d(8, 4, 1), nn.Conv2d(4, 8, 1)

    def forward(self, x):
        pooled = nn.functional.adaptive_avg_pool2d(x, 1)
        return x * nn.functional.hardsigmoid(self.expand(torch.relu(self.squeeze(pooled))))


class Everything(nn.Module):
    """Operations that exporters write in different ways, and equal ones that some write once."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Conv2d(8, 8, 5, padding=2, groups=8)
        self.wide = nn.Sequential(nn.ReLU6(), nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=2), nn.BatchNorm2d(8))
        self.pool = nn.Sequential(nn.AvgPool2d(3, stride=1, padding=1), nn.BatchNorm2d(8, affine=False))
        self.gate, self.last = Gate(), nn.BatchNorm2d(24)
        self.norm, self.classify = nn.LayerNorm(24), nn.Linear(24, 10)

    def forward(self, x):
        x = self.stem(x)
        a = torch.relu(x) + self.pool(x)
        b = torch.relu(x) + self.pool(x) + self.depthwise(a)
        c = nn.functional.silu(self.wide(x)) + nn.functional.gelu(a)
        x = torch.relu(self.last(torch.cat([self.gate(b)[:, :, 1:, 1:], a[:, :, 1:, 1:], c[:, :, :-1, :-1]], dim=1)))
        return self.classify(self.norm(x.mean((2, 3))))


@pytest.fixture(scope="module")
def network():
    torch.manual_seed(0)
    return Everything().eval()


IMAGE = torch.zeros(1, 3, 8, 8)


def test_two_operator_sets_give_one_graph(network):
    old, new = (read_onnx(export(network, IMAGE, opset=opset, exporter="quick")) for opset in (13, 18))
    assert old == new
    assert old.counts == {
        "conv": 4, "depthwise": 1, "hard_swish": 1, "avg_pool": 1, "relu": 3, "relu6": 1, "swish": 1, "gelu": 1,
        "add": 3, "global_pool": 2, "hard_sigmoid": 1, "mul": 1, "slice": 3, "concat": 1, "layer_norm": 1, "linear": 1,
    }  # fmt: skip
    assert not old.unknown
    assert old == graph_of_module(network, IMAGE)


@pytest.mark.slow
def test_the_newer_exporter_gives_the_same_graph(network):
    quick, dynamo = (export(network, IMAGE, exporter=exporter) for exporter in ("quick", "dynamo"))
    assert read_onnx(quick) == read_onnx(dynamo)


def test_operators_that_simplification_did_not_touch_give_the_same_graph(network):
    """What torch writes, norms and arithmetic on shapes included, read as it is."""
    for mode, folded in ((torch.onnx.TrainingMode.EVAL, True), (torch.onnx.TrainingMode.PRESERVE, False)):
        raw = io.BytesIO()
        with quiet():
            torch.onnx.export(
                network, (IMAGE,), raw, dynamo=False, opset_version=13, training=mode, input_names=["x"],
                do_constant_folding=folded, dynamic_axes={"x": {0: "batch"}},
            )  # fmt: skip
        model = onnx.load_model_from_string(raw.getvalue())
        norms = sum(node.op_type == "BatchNormalization" for node in model.graph.node)
        assert norms == (2 if folded else 4)
        assert read_onnx(model) == graph_of_module(network, IMAGE)


def test_order_and_names_do_not_matter(network):
    model = export(network, IMAGE, exporter="quick")
    rng = np.random.default_rng(0)
    shuffled = onnx.ModelProto()
    shuffled.CopyFrom(model)
    waiting, known = list(model.graph.node), {value.name for value in (*model.graph.input, *model.graph.initializer)}
    del shuffled.graph.node[:]
    while waiting:
        ready = [node for node in waiting if {*node.input} - {""} <= known]
        node = ready[rng.integers(len(ready))]
        waiting.remove(node)
        known.update(node.output)
        shuffled.graph.node.append(node)
        if node.op_type in ("Add", "Mul"):
            shuffled.graph.node[-1].input[:] = node.input[::-1]
    for node in shuffled.graph.node:
        node.name = ""
        node.output[:] = [f"other {name}" if name != "logits" else name for name in node.output]
        node.input[:] = [
            f"other {name}" if any(name in n.output for n in model.graph.node) else name for name in node.input
        ]
    onnx.checker.check_model(shuffled)
    first, second = read_onnx(model), read_onnx(shuffled)
    assert first.nodes != second.nodes
    assert first == second


def test_other_wiring_and_other_sizes_are_other_graphs():
    class Two(nn.Module):
        def __init__(self, shared: bool, kernel: int = 3, groups: int = 1):
            super().__init__()
            self.shared = shared
            self.a, self.b = (nn.Conv2d(4, 4, kernel, padding=kernel // 2, groups=groups) for _ in range(2))

        def forward(self, x):
            a = self.a(x)
            return torch.relu(a) + (torch.sigmoid(a) if self.shared else torch.sigmoid(self.b(x)))

    image = torch.zeros(1, 4, 8, 8)
    made = [Two(True), Two(False), Two(False, kernel=5), Two(False, groups=2)]
    graphs = [graph_of_module(module, image) for module in made]
    assert len({graph.key for graph in graphs}) == 4
    assert graphs[1].flops == 2 * 4 * 4 * 9 * 64
    assert graphs[3].flops == graphs[1].flops // 2


def model_of(nodes, shape=(1, 3, 8, 8), weights=(), value_info=(), output=None, domains=()):
    inputs = [helper.make_tensor_value_info("x", TensorProto.FLOAT, shape)]
    outputs = [helper.make_tensor_value_info("y", TensorProto.FLOAT, output)]
    graph = helper.make_graph(nodes, "g", inputs, outputs, list(weights), value_info=list(value_info))
    opsets = [helper.make_opsetid("", 18), *(helper.make_opsetid(domain, 1) for domain in domains)]
    return helper.make_model(graph, opset_imports=opsets, ir_version=8)


def weight(name, *shape):
    return numpy_helper.from_array(np.zeros(shape, dtype=np.float32), name)


def test_dead_operations_and_constants_are_left_out():
    nodes = [
        helper.make_node("Conv", ["x", "w"], ["a"], pads=[1, 1, 1, 1]),
        helper.make_node("Conv", ["x", "w"], ["dead"], pads=[1, 1, 1, 1]),
        helper.make_node("Relu", ["w"], ["constant"]),
        helper.make_node("ReduceSum", ["constant"], ["shift"], keepdims=0),
        helper.make_node("Add", ["a", "shift"], ["y"]),
    ]
    facts = read_model(model_of(nodes, weights=[weight("w", 5, 3, 3, 3)]))
    assert [node.name for node in facts.graph.nodes] == ["input", "conv", "output"]
    assert facts.graph.flops == 5 * 3 * 9 * 64
    assert facts.parameters == 5 * 3 * 9


def test_a_file_is_read_though_its_weights_lie_outside(tmp_path, network):
    model, path = export(network, IMAGE, exporter="quick"), tmp_path / "model.onnx"
    onnx.save(model, path, save_as_external_data=True, location="weights", size_threshold=0)
    assert read_onnx(path) == graph_of_module(network, IMAGE)


def test_custom_operators_are_named_and_counted_where_their_shape_is_known():
    nodes = [helper.make_node("Blur", ["x"], ["a"], domain="com.example"), helper.make_node("Relu", ["a"], ["y"])]
    known = [helper.make_tensor_value_info("a", TensorProto.FLOAT, (1, 3, 8, 8))]
    facts = read_model(model_of(nodes, value_info=known, domains=["com.example"]))
    assert facts.custom == {"com.example::Blur": 1}
    assert facts.graph.unknown == {"blur": 1}
    with pytest.raises(GraphError, match=r"no shape for the output of the operator com\.example::Blur \('a'\)"):
        read_model(model_of(nodes, domains=["com.example"]))


def test_open_sizes_are_refused_unless_given():
    nodes = [helper.make_node("Relu", ["x"], ["y"])]
    model = model_of(nodes, shape=("n", 3, "h", "w"))
    with pytest.raises(GraphError, match=r"the input 'x': give the resolution"):
        read_onnx(model)
    assert read_onnx(model, (4, 6)).nodes[0].result == (3, 4, 6)


def test_control_flow_and_what_is_no_model_are_refused(tmp_path):
    body = helper.make_graph([], "body", [], [helper.make_tensor_value_info("x", TensorProto.FLOAT, None)])
    node = helper.make_node("If", ["c"], ["y"], name="branch", then_branch=body, else_branch=body)
    with pytest.raises(GraphError, match=r"operator If \('branch'\)"):
        read_onnx(model_of([node]))
    (tmp_path / "text.onnx").write_text("no model")
    with pytest.raises(GraphError, match="which is none or damaged"):
        read_onnx(tmp_path / "text.onnx")
    with pytest.raises(GraphError, match="cannot be read"):
        read_onnx(tmp_path / "missing.onnx")


def chain_of(nodes, **options) -> tuple[list, int]:
    """Return names, sizes and reads of a model's operations, and its parameters."""
    facts = read_model(model_of(nodes, **options))
    inner = [(n.name, n.source, n.result, n.flops) for n in facts.graph.nodes[1:-1]]
    return inner, facts.parameters


def quantized(name, kind, *shape):
    return numpy_helper.from_array(np.zeros(shape, dtype=kind), name)


def test_quantized_layers_count_as_those_that_they_stand_for():
    scale, zero = quantized("s", np.float32), quantized("z", np.uint8)
    bias = quantized("b", np.int32, 5)
    kernel, matrix = quantized("w", np.uint8, 5, 3, 3, 3), quantized("m", np.uint8, 80, 10)
    flat = helper.make_node("Flatten", ["c"], ["f"])
    image = helper.make_node("QuantizeLinear", ["x", "s", "z"], ["q"])
    static = [
        image,
        helper.make_node("QLinearConv", ["q", "s", "z", "w", "s", "z", "s", "z", "b"], ["c"]),
        flat,
        helper.make_node("QLinearMatMul", ["f", "s", "z", "m", "s", "z", "s", "z"], ["l"]),
        helper.make_node("DequantizeLinear", ["l", "s", "z"], ["y"]),
    ]
    moving = [
        helper.make_node("DynamicQuantizeLinear", ["x"], ["q", "qs", "qz"]),
        helper.make_node("ConvInteger", ["q", "w", "qz"], ["i"]),
        helper.make_node("Cast", ["i"], ["g"], to=TensorProto.FLOAT),
        helper.make_node("DynamicQuantizeLinear", ["g"], ["c", "cs", "cz"]),
        flat,
        helper.make_node("MatMulInteger", ["f", "m", "cz"], ["l"]),
        helper.make_node("Cast", ["l"], ["y"], to=TensorProto.FLOAT),
    ]
    layers = [("conv", (3, 6, 6), (5, 4, 4), 5 * 27 * 16), ("linear", (80,), (10,), 800)]
    weights = [scale, zero, bias, kernel, matrix]
    assert chain_of(static, shape=(1, 3, 6, 6), weights=weights) == (layers, 5 * 27 + 5 + 800)
    assert chain_of(moving, shape=(1, 3, 6, 6), weights=weights) == (layers, 5 * 27 + 800)


def test_a_sum_is_an_addition():
    sums, _ = chain_of([helper.make_node("Relu", ["x"], ["r"]), helper.make_node("Sum", ["x", "r"], ["y"])])
    assert [name for name, *_ in sums] == ["relu", "add"]


def test_a_division_of_a_constant_is_no_scaling():
    one = [numpy_helper.from_array(np.array(1.0, dtype=np.float32), "c")]
    over, by, own = (
        chain_of([helper.make_node(kind, inputs, ["y"])], weights=one)
        for kind, inputs in (("Div", ["c", "x"]), ("Div", ["x", "c"]), ("Reciprocal", ["x"]))
    )
    assert [name for name, *_ in over[0]] == ["reciprocal"]
    assert over == own
    assert by == ([], 0)


@pytest.mark.parametrize(("columns", "result"), [((1,), (196, 1)), ((), (196, 1)), ((3,), (196, 3))])
def test_linear_layers_work_on_each_token(columns, result):
    nodes = [helper.make_node("MatMul", ["x", "w"], ["y"])]
    found, parameters = chain_of(nodes, shape=(1, 196, 64), weights=[weight("w", 64, *columns)])
    assert found == [("linear", (64,), result, 64 * 196 * result[1])]
    assert parameters == 64 * result[1]


@pytest.mark.parametrize(
    ("kind", "fixed", "read", "attributes"),
    [
        ("MatMul", (5, 7), (1, 7, 3), {}),
        ("Gemm", (5, 7), (3, 7), {"transB": 1}),
        ("Gemm", (7, 5), (7, 3), {"transA": 1}),
    ],
)
def test_a_weight_on_the_left_counts_as_one_on_the_right(kind, fixed, read, attributes):
    found, parameters = chain_of(
        [helper.make_node(kind, ["w", "x"], ["y"], **attributes)], shape=read, weights=[weight("w", *fixed)]
    )
    assert found == [("linear", (7,), (3, 5), 7 * 3 * 5)]
    assert parameters == 7 * 5
    assert primitive("linear", *found[0][1:3]).weights == parameters


def test_a_computed_kernel_is_read():
    constant = [weight("w", 16, 4, 1, 1), numpy_helper.from_array(np.array([4, 4, 1, 1]), "to")]
    computed = [
        helper.make_node("GlobalAveragePool", ["x"], ["p"]),
        helper.make_node("Conv", ["p", "w"], ["q"]),
        helper.make_node("Reshape", ["q", "to"], ["k"]),
        helper.make_node("Conv", ["x", "k"], ["y"]),
    ]
    graph = read_onnx(model_of(computed, shape=(1, 4, 8, 8), weights=constant))
    assert graph.counts == {"global_pool": 1, "conv": 2}
    assert graph.reads[-2] == (0, 2)
    given = [helper.make_node("Conv", ["c", "x"], ["y"])]
    graph = read_onnx(model_of(given, shape=(4, 3, 3, 3), weights=[weight("c", 1, 3, 8, 8)]))
    assert graph.reads[1] == (0,)


def test_slices_of_a_reshaped_slice_are_two():
    numbers = {"four": [4], "eight": [8], "sixteen": [16], "axis": [1], "to": [1, 16, 2, 2]}
    weights = [numpy_helper.from_array(np.array(values), name) for name, values in numbers.items()]
    nodes = [
        helper.make_node("Slice", ["x", "four", "eight", "axis"], ["u"]),
        helper.make_node("Reshape", ["u", "to"], ["v"]),
        helper.make_node("Slice", ["v", "eight", "sixteen", "axis"], ["y"]),
    ]
    graph = read_onnx(model_of(nodes, shape=(1, 8, 4, 4), weights=weights))
    assert [(n.source, n.result, n.detail) for n in graph.nodes[1:-1]] == [
        ((8, 4, 4), (4, 4, 4), (1, 4, 1)),
        ((16, 2, 2), (8, 2, 2), (1, 8, 1)),
    ]

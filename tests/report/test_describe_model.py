from __future__ import annotations

import onnx
from onnx import TensorProto, helper

from evonas.report.describe_model import describe_model


def test_operations_that_nobody_knows_are_named(tmp_path):
    nodes = [
        helper.make_node("Blur", ["x"], ["a"], domain="com.example"),
        helper.make_node("Sin", ["a"], ["b"]),
        helper.make_node("Relu", ["b"], ["y"]),
    ]
    values = {name: helper.make_tensor_value_info(name, TensorProto.FLOAT, ("n", 3, "h", "w")) for name in "xy"}
    known = helper.make_tensor_value_info("a", TensorProto.FLOAT, ("n", 3, 4, 5))
    graph = helper.make_graph(nodes, "g", [values["x"]], [values["y"]], value_info=[known])
    opsets = [helper.make_opsetid("", 18), helper.make_opsetid("com.example", 1)]
    path = tmp_path / "model.onnx"
    onnx.save(helper.make_model(graph, opset_imports=opsets, ir_version=8), path)
    described = describe_model(path, (4, 5))
    assert described.shapes == ((3, 4, 5),)
    assert described.operations == (("blur", 1, 0), ("relu", 1, 0), ("sin", 1, 0))
    assert described.memory == 4 * 2 * 3 * 4 * 5
    assert "com.example::Blur (1)" in described.notes[2]
    assert "blur (1), sin (1)" in described.notes[3]

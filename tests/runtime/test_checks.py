from __future__ import annotations

import pytest
from onnx import TensorProto, helper

from evonas.errors import ExportError
from evonas.runtime.checks import check_interface, check_model, strip


def relu(kind: int = TensorProto.FLOAT, opset: int = 18):
    values = [helper.make_tensor_value_info(name, kind, ["batch", 3]) for name in ("x", "y")]
    node = helper.make_node("Relu", ["x"], ["y"], doc_string="File 'secret.py'")
    graph = helper.make_graph([node], "g", values[:1], values[1:], doc_string="secret")
    return helper.make_model(graph, opset_imports=[helper.make_opsetid("", opset)])


def interface(**changes):
    return {"input_names": ["x"], "output_names": ["y"], "dynamic_batch": True, "opset": 18} | changes


def test_a_model_as_asked_for_passes():
    check_interface("Net", relu(), **interface())
    check_model("Net", relu())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"input_names": ["images"]}, r"inputs \['images'\], got \['x'\]"),
        ({"output_names": ["y", "z"]}, r"outputs \['y', 'z'\], got \['y'\]"),
        ({"opset": 20}, "opset 20, but torch gives it in 18"),
    ],
)
def test_a_model_that_differs_is_an_error(changes, message):
    with pytest.raises(ExportError, match=message):
        check_interface("Net", relu(), **interface(**changes))


def test_an_invalid_model_is_an_error():
    model = relu()
    model.graph.node[0].op_type = "Nonsense"
    with pytest.raises(ExportError, match=r"model of Net does not pass the ONNX checker: .*Nonsense") as caught:
        check_model("Net", model)
    assert "\n" not in str(caught.value)


def test_shapes_are_inferred_by_the_check():
    model = relu()
    model.graph.output[0].type.tensor_type.shape.dim[1].dim_value = 4
    with pytest.raises(ExportError, match="does not pass"):
        check_model("Net", model)


def test_a_weight_outside_is_an_error():
    model = relu()
    weight = model.graph.initializer.add(name="w", data_type=TensorProto.FLOAT, dims=[1])
    weight.external_data.add(key="location", value="model.onnx.data")
    with pytest.raises(ExportError, match="'w' outside"):
        check_model("Net", model)


def test_strip_removes_what_was_written_for_debugging():
    inner = relu().graph
    model = relu()
    model.graph.node[0].attribute.add(name="body", type=5).g.CopyFrom(inner)
    model.graph.node[0].metadata_props.add(key="trace", value="secret")
    model.metadata_props.add(key="trace", value="secret")
    strip(model)
    assert b"secret" not in model.SerializeToString()

from __future__ import annotations

import json
import sys
import types

import numpy as np
import pytest
import torch
from torch import nn

from evonas.deployment import deployment_summary
from evonas.deployment.access_log import read_accesses
from evonas.deployment.compression.qdq import quantize
from evonas.deployment.deploy import deploy
from evonas.deployment.target import TARGET, TARGETS
from evonas.errors import EvonasError, ExportError
from evonas.runtime import export, logits, save

IMAGE = np.random.default_rng(0).random((1, 1, 8, 8), dtype=np.float32)


@pytest.fixture(scope="module")
def model():
    network = nn.Sequential(nn.Conv2d(1, 4, 3), nn.ReLU(), nn.Flatten(), nn.Linear(4 * 36, 3))
    return export(network, torch.zeros(1, 1, 8, 8), exporter="quick", dynamic_batch=False)


@pytest.fixture(scope="module")
def file(model, tmp_path_factory):
    return save(model, tmp_path_factory.mktemp("target") / "model.onnx")


@pytest.mark.parametrize("name", [name for name in TARGETS if name != "openvino"])
def test_a_plain_network_is_taken_and_what_was_checked_is_said(name, model, file):
    target = TARGET[name]
    target.refuse(model, "float32")
    report = target.report(file, IMAGE)
    assert report["operators"] == ["Conv", "Flatten", "Gemm", "Relu"]
    assert report["batch"] == "fixed"
    words = {"cpu": "loads and runs", "mobile": "NNAPI", "tensorrt": "not checked by its own"}[name]
    assert words in report["checks"][0]


def test_operations_that_a_target_does_not_take_are_named(model):
    other = type(model)()
    other.CopyFrom(model)
    other.graph.node[1].op_type = "Erf"
    with pytest.raises(ExportError, match="tensorrt is not known to take Erf: use another --opset"):
        TARGET["tensorrt"].refuse(other, "float32")
    TARGET["cpu"].refuse(other, "float32")


def test_tensorrt_does_not_take_unsigned_activations(model):
    small = quantize(model, np.random.default_rng(0).random((32, 1, 8, 8), dtype=np.float32))
    with pytest.raises(ExportError, match=r"tensorrt does not take int8: .* use --quantize fp16"):
        TARGET["tensorrt"].refuse(small, "int8")
    TARGET["openvino"].refuse(small, "int8")


def test_where_openvino_is_absent_that_is_said(model, file, monkeypatch):
    # What is installed is a matter of the environment.
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    assert "not installed" in TARGET["openvino"].report(file, IMAGE)["checks"][0]


def test_openvino_is_asked_where_it_is_installed(model, file, monkeypatch):
    def compiled(feed):
        return {0: logits(model, feed[0]) + 0.25}

    compiled.output = lambda number: number
    core = types.SimpleNamespace(read_model=lambda path: path, compile_model=lambda read, device: compiled)
    fake = types.ModuleType("openvino")
    fake.Core, fake.__version__ = lambda: core, "0.0"
    # What is installed is a matter of the environment.
    monkeypatch.setitem(sys.modules, "openvino", fake)
    monkeypatch.setattr("importlib.util.find_spec", lambda name: name)
    assert TARGET["openvino"].report(file, IMAGE)["checks"] == [
        "OpenVINO 0.0 reads and runs it; outputs differ from onnxruntime's by at most 0.25"
    ]

    def broken():
        raise RuntimeError("no such\noperation")

    fake.Core = broken
    with pytest.raises(ExportError, match=r"OpenVINO cannot read model\.onnx: no such operation"):
        TARGET["openvino"].report(file, IMAGE)


def test_a_target_decides_batch_precision_and_operator_set_and_the_card_says_so(made, tmp_path):
    deployment = deploy(made, "index:0", tmp_path / "out", target="mobile", preprocessing="inside")
    assert not deployment.dynamic_batch
    assert deployment.target["batch"] == "fixed"
    assert json.loads((deployment.folder / "card.json").read_text())["target"] == deployment.target
    assert "## Target: mobile" in (deployment.folder / "README.md").read_text()
    assert "Target mobile: onnxruntime's check of usability" in "\n".join(deployment_summary(deployment))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"target": "toaster"}, "--target cpu, mobile, tensorrt, openvino, got 'toaster'"),
        ({"target": "openvin"}, "Did you mean 'openvino'"),
        ({"target": "tensorrt", "quantize": "int8"}, "tensorrt does not take int8: .* use --quantize fp16"),
        ({"target": "tensorrt", "opset": 23}, "the installed onnx knows and tensorrt reads, got 23"),
        ({"target": "tensorrt", "preprocessing": "inside"}, "tensorrt is not known to take .*Range"),
        ({"target": "openvino", "preprocessing": "inside"}, "which --preprocessing inside needs: deploy with"),
        ({"target": "tensorrt", "dynamic_batch": True}, "tensorrt takes models of one image: leave dynamic_batch out"),
    ],
)
def test_what_a_target_does_not_take_is_refused(made, tmp_path, options, words):
    before = read_accesses(made)
    with pytest.raises(EvonasError, match=words):
        deploy(made, "index:0", tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()
    assert read_accesses(made) == before  # it is refused before the test part is read

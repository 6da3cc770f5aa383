from __future__ import annotations

import logging
import os
import warnings

import numpy as np
import onnx
import onnxruntime
import pytest
import torch
from torch import nn

from evonas.errors import ExportError, SettingsError
from evonas.runtime import export, logits, parity, save, session


class Add(nn.Module):
    def forward(self, left, right):
        return left + right


class Concatenate(nn.Module):
    def forward(self, *parts):
        return torch.cat(parts, dim=1)


class Bessel(nn.Module):
    def forward(self, x):
        return torch.special.bessel_j0(x)


class Refuses(nn.Module):
    def forward(self, x):
        raise ValueError("cannot go on\nsecond line")


class PadsOddSizes(nn.Module):
    def forward(self, x):
        if x.shape[2] % 2:
            x = nn.functional.pad(x, (0, 0, 0, 1))
        return x


class Branches(nn.Module):
    def forward(self, x):
        return x if x.sum() > 0 else -x


class FixedBatch(nn.Module):
    def forward(self, x):
        return x.reshape(2, -1)


def inside(part: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 3, 1), nn.Sequential(nn.ReLU(), part))


def test_the_folder_holds_one_file_with_the_weights_inside(kept):
    assert kept.path == kept.folder / "model.onnx"
    assert os.listdir(kept.folder) == ["model.onnx"]
    model = onnx.load(kept.path, load_external_data=False)
    assert all(weight.data_location != onnx.TensorProto.EXTERNAL for weight in model.graph.initializer)
    shapes = {tuple(weight.dims) for weight in model.graph.initializer}
    assert {(8, 3, 3, 3), (8, 1, 5, 5), (5, 16)} <= shapes
    onnx.checker.check_model(model, full_check=True)


def test_kept_model_has_the_interface_that_was_asked_for(kept):
    opened = session(kept.path)
    (entry,), (exit_,) = opened.get_inputs(), opened.get_outputs()
    assert (entry.name, entry.type, entry.shape) == ("images", "tensor(float)", ["batch", 3, 8, 8])
    assert (exit_.name, exit_.shape) == ("logits", ["batch", 5])
    assert onnx.load(kept.path).opset_import[0].version == 18


@pytest.mark.parametrize("batch", [1, 5])
def test_kept_model_runs_with_any_batch(kept, mixed, images, batch):
    outputs = session(kept.path).run(None, {"images": images[:batch].numpy()})[0]
    assert outputs.shape == (batch, 5)
    assert parity(mixed, kept.path, images[:batch]).error <= 1e-4


def test_metadata_is_read_back(kept):
    found = session(kept.path).get_modelmeta().custom_metadata_map
    assert found == {"space": "darts", "classes": '["a", "b"]', "é": "ü"}


def test_model_holds_no_paths_of_its_maker(kept):
    content = kept.path.read_bytes()
    for trace in (b"stack_trace", b'File "', os.path.dirname(torch.__file__).encode(), b".py"):
        assert trace not in content


def test_the_same_module_gives_the_same_bytes():
    module = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2))
    once, twice = (export(module, torch.zeros(2, 2, 3, 3), metadata={"b": "1", "a": "2"}) for _ in range(2))
    assert once.SerializeToString() == twice.SerializeToString()


@pytest.mark.parametrize("dynamic_batch", [False, True])
def test_quick_model_computes_the_same(kept, mixed, images, dynamic_batch):
    model = export(mixed, images, dynamic_batch=dynamic_batch, exporter="quick")
    np.testing.assert_allclose(logits(model, images), logits(kept.path, images), atol=1e-5)
    size = model.graph.input[0].type.tensor_type.shape.dim[0]
    assert (size.dim_param, size.dim_value) == (("batch", 0) if dynamic_batch else ("", 12))


def test_both_exporters_give_the_same_operations_once_optimized(kept, mixed, images, tmp_path):
    def operations(model: str | bytes) -> list[str]:
        options = onnxruntime.SessionOptions()
        options.optimized_model_filepath = str(tmp_path / "optimized.onnx")
        options.log_severity_level = 3  # an optimized model suits this machine alone; onnxruntime says so
        onnxruntime.InferenceSession(model, options, providers=["CPUExecutionProvider"])
        nodes = [node.op_type for node in onnx.load(tmp_path / "optimized.onnx").graph.node]
        return sorted(name for name in nodes if name in {"Conv", "FusedConv", "MaxPool", "AveragePool", "Gemm"})

    quick = export(mixed, images, exporter="quick")
    found = operations(str(kept.path))
    assert len(found) >= 9
    assert operations(quick.SerializeToString()) == found


@pytest.mark.parametrize("exporter", ["dynamo", "quick"])
@pytest.mark.parametrize("module", [Add(), Concatenate()])
def test_modules_of_several_inputs(module, exporter):
    pair = (torch.rand(1, 2, 3, 3), torch.rand(1, 2, 3, 3))
    model = export(module, pair, input_names=["a", "b"], output_names=["y"], exporter=exporter)
    feed = {name: torch.rand(4, 2, 3, 3) for name in "ab"}
    outputs = session(model).run(["y"], {name: values.numpy() for name, values in feed.items()})[0]
    np.testing.assert_allclose(outputs, module(feed["a"], feed["b"]).numpy())


class Constant(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(3, 3)
        nn.init.ones_(self.layer.bias)

    def forward(self, images):
        return self.layer(images.new_zeros(images.shape[0], 3))


@pytest.mark.parametrize(("exporter", "dynamic_batch"), [("dynamo", True), ("quick", False)])
def test_inputs_that_nothing_reads_stay(exporter, dynamic_batch):
    model = export(Constant(), torch.rand(2, 1, 4, 5), exporter=exporter, dynamic_batch=dynamic_batch)
    opened = session(model)
    assert opened.get_inputs()[0].shape == ["batch" if dynamic_batch else 2, 1, 4, 5]
    (got,) = opened.run(None, {"images": np.zeros((2, 1, 4, 5), dtype=np.float32)})
    assert got.tolist() == [[1.0] * 3] * 2


@pytest.mark.parametrize("exporter", ["dynamo", "quick"])
def test_module_keeps_its_modes_and_values(exporter):
    module = nn.Sequential(nn.Conv2d(2, 2, 1), nn.BatchNorm2d(2), nn.Dropout(0.5))
    module[1].eval()
    before = {name: value.clone() for name, value in module.state_dict().items()}
    model = export(module, torch.rand(2, 2, 3, 3), exporter=exporter)
    assert [part.training for part in module.modules()] == [True, True, False, True]
    assert all(torch.equal(value, before[name]) for name, value in module.state_dict().items())
    assert "Dropout" not in {node.op_type for node in model.graph.node}


def test_unsupported_operation_is_named_with_its_place(tmp_path, capfd):
    with pytest.raises(ExportError, match=r"dynamo exporter: .*bessel_j0.*\(in '1\.1', a Bessel\)") as caught:
        export(inside(Bessel()), torch.rand(2, 3, 4, 4), tmp_path / "model.onnx")
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []
    assert capfd.readouterr() == ("", "")


def test_unsupported_operation_is_named_by_the_quick_exporter(tmp_path, capfd):
    with pytest.raises(ExportError, match=r"quick exporter: .*bessel_j0") as caught:
        export(inside(Bessel()), torch.rand(2, 3, 4, 4), tmp_path / "model.onnx", exporter="quick")
    assert "\n" not in str(caught.value)
    assert os.listdir(tmp_path) == []
    assert capfd.readouterr() == ("", "")


@pytest.mark.parametrize("exporter", ["dynamo", "quick"])
def test_failing_forward_is_named_with_its_place(exporter):
    module = inside(Refuses())
    with pytest.raises(ExportError, match=r"ValueError: cannot go on \(in '1\.1', a Refuses\)") as caught:
        export(module, torch.rand(2, 3, 4, 4), exporter=exporter)
    assert "\n" not in str(caught.value)
    assert all(part.training for part in module.modules())


@pytest.mark.parametrize("exporter", ["dynamo", "quick"])
@pytest.mark.parametrize("height", [4, 5])
def test_forward_may_read_sizes(exporter, height):
    model = export(PadsOddSizes(), torch.rand(1, 2, height, 3), exporter=exporter)
    images = torch.rand(3, 2, height, 3)
    outputs = session(model).run(None, {"images": images.numpy()})[0]
    np.testing.assert_array_equal(outputs, PadsOddSizes()(images).numpy())


def test_models_that_are_kept_never_freeze_a_branch_on_values():
    with pytest.raises(ExportError, match=r"data-dependent.*\(in '1\.1', a Branches\)"):
        export(inside(Branches()), torch.rand(2, 3, 4, 4))


def test_batch_frozen_by_the_forward_is_an_error():
    with pytest.raises(ExportError, match=r"'logits' of FixedBatch to vary with the batch, got .* of 2"):
        export(FixedBatch(), torch.rand(2, 3, 4, 4))


def test_exports_are_silent(mixed, images, capfd, caplog):
    with warnings.catch_warnings(record=True) as heard, caplog.at_level(logging.WARNING):
        warnings.simplefilter("always")
        export(nn.Conv2d(3, 2, 1), images)
        export(mixed, images, exporter="quick")
    assert [str(warning.message) for warning in heard] == []
    assert caplog.records == []
    assert capfd.readouterr() == ("", "")


def test_silence_ends_with_the_export(images):
    logger = logging.getLogger("torch.onnx._internal.exporter._registration")
    level, logs = logger.level, torch._C._jit_is_onnx_log_enabled()
    export(nn.Conv2d(3, 2, 1), images, exporter="quick")
    assert logger.level == level
    assert torch._C._jit_is_onnx_log_enabled() is logs
    with pytest.warns(DeprecationWarning, match="The feature will be removed"):
        warnings.warn("The feature will be removed", DeprecationWarning, stacklevel=1)


def test_wrong_names_are_refused(images):
    with pytest.raises(SettingsError, match="2 names for 1 inputs"):
        export(nn.ReLU(), images, input_names=["a", "b"])
    with pytest.raises(SettingsError, match=r"got 'dynamoo'\. Did you mean 'dynamo'"):
        export(nn.ReLU(), images, exporter="dynamoo")
    with pytest.raises(ExportError, match="exporter"):
        export(nn.ReLU(), images, output_names=["a", "b"], exporter="quick")


def test_save_replaces_a_file_whole(tmp_path, images):
    path = tmp_path / "model.onnx"
    path.write_text("old")
    model = export(nn.ReLU(), images, exporter="quick")
    assert save(model, path) == path
    assert onnx.load(path) == model
    assert os.listdir(tmp_path) == ["model.onnx"]


def test_save_that_fails_leaves_the_old_file_and_no_other(tmp_path, images, full_disk):
    path = tmp_path / "model.onnx"
    path.write_text("old")
    model = export(nn.ReLU(), images, exporter="quick")
    with full_disk(), pytest.raises(ExportError, match="File too large"):
        save(model, path)
    assert os.listdir(tmp_path) == ["model.onnx"]
    assert path.read_text() == "old"


def test_save_needs_a_folder(tmp_path, images):
    with pytest.raises(ExportError, match="Expected an existing folder"):
        save(export(nn.ReLU(), images, exporter="quick"), tmp_path / "missing" / "model.onnx")

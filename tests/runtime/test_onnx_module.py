from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn

from evonas.errors import ExportError, SettingsError
from evonas.runtime import export
from evonas.runtime.onnx_module import OnnxModule


@pytest.fixture(scope="module")
def model() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.Flatten(), nn.Linear(72, 5)).eval()


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
@pytest.mark.parametrize("dynamic", [True, False])
def test_a_file_answers_as_its_module_does(tmp_path: Path, model: nn.Module, dynamic: bool) -> None:
    path = tmp_path / "model.onnx"
    export(model, torch.zeros(2, 1, 8, 8), path, exporter="quick", dynamic_batch=dynamic)
    opened = OnnxModule(path)
    images = torch.randn(4, 1, 8, 8)
    torch.testing.assert_close(opened(images), model(images).detach(), rtol=1e-4, atol=1e-5)
    assert opened.outputs == 5
    with pytest.raises(
        SettingsError, match=r"Expected a model for images of shape \(1, 9, 9\), got one for \(1, 8, 8\)"
    ):
        opened(torch.zeros(2, 1, 9, 9))
    path.write_bytes(b"no model")
    with pytest.raises(ExportError, match=r"^Expected a model that onnxruntime can run, .*model\.onnx"):
        OnnxModule(path)
    with pytest.raises(ExportError, match=r"^Expected an ONNX file at '.*missing\.onnx', got none: check the path$"):
        OnnxModule(tmp_path / "missing.onnx")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_its_state_tells_files_apart(tmp_path: Path, model: nn.Module) -> None:
    other = nn.Sequential(nn.Flatten(), nn.Linear(64, 5)).eval()
    for name, module in (("a", model), ("b", model), ("c", other)):
        export(module, torch.zeros(2, 1, 8, 8), tmp_path / f"{name}.onnx", exporter="quick")
    a, b, c = (OnnxModule(tmp_path / f"{name}.onnx").state_dict()["content"] for name in "abc")
    assert torch.equal(a, b)
    assert not torch.equal(a, c)


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_batch_that_the_file_fixes_is_filled_up(tmp_path: Path, model: nn.Module) -> None:
    path = tmp_path / "model.onnx"
    export(model, torch.zeros(4, 1, 8, 8), path, exporter="quick", dynamic_batch=False)
    images = torch.randn(6, 1, 8, 8)
    torch.testing.assert_close(OnnxModule(path)(images), model(images).detach(), rtol=1e-4, atol=1e-5)

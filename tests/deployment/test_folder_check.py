from __future__ import annotations

import json
import shutil

import numpy as np
import onnx
import pytest
from typer.testing import CliRunner

from evonas.cli import app
from evonas.config import make_settings
from evonas.deployment.deploy import deploy
from evonas.deployment.folder_check import is_deployed, verify_folder
from evonas.errors import ExportError
from evonas.pipeline.run import search
from evonas.runtime import export as real_export


@pytest.fixture(scope="module")
def deployed(made, tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        # Few timings: seconds instead of minutes.
        patch.setattr("evonas.deployment.deploy_steps.REPEATS", 10)
        # The quicker exporter.
        patch.setattr(
            "evonas.deployment.deploy_steps.export",
            lambda module, example, **options: real_export(module, example, exporter="quick", opset=options["opset"]),
        )
        return deploy(made, "index:0", tmp_path_factory.mktemp("deployed") / "model").folder


@pytest.fixture
def folder(deployed, tmp_path):
    return shutil.copytree(deployed, tmp_path / "elsewhere")


@pytest.fixture(autouse=True)
def quick(monkeypatch):
    # Few timings: seconds instead of minutes.
    monkeypatch.setattr("evonas.deployment.folder_check.REPEATS", 10)


def moved(verification):
    return {number.name for number in verification.moved} - {
        "latency, median",
        "peak memory above that of the libraries",
    }  # these depend on the machine


def test_a_folder_holds_where_it_was_copied_to(folder):
    card = json.loads((folder / "card.json").read_text())
    card["search"]["settings"]["space"] = "/gone/with/the/run.toml"
    (folder / "card.json").write_text(json.dumps(card))
    verification = verify_folder(folder, trained=True)
    names = {number.name for number in verification}
    assert {
        "size",
        "change of outputs",
        "error against torch",
        "latency, median",
        "test accuracy of model.onnx",
    } <= names
    assert not moved(verification)
    assert "--trained" in verify_folder(folder).skipped["test part"]


def test_from_the_command_line_the_exit_code_says_whether_it_holds(folder, monkeypatch):
    def invoke(*more):
        return CliRunner().invoke(app, ["verify", str(folder), *more])

    # Whatever the machine does while this runs, it is another than the card's.
    monkeypatch.setattr("evonas.deployment.folder_check.describe", lambda device: "a toaster")
    held = invoke()
    assert held.exit_code == 0, held.output
    assert "numbers hold within their noise" in held.output
    with (folder / "model.onnx").open("ab") as file:  # a text at the end, of which onnx says nothing
        file.write(b"\x3a\x00")
    moved = invoke()
    assert moved.exit_code == 1, moved.output
    assert "Moved by more than its noise: size\n" in moved.output
    assert "--trained and --data alone" in str(invoke("--select", "knee").exception)


def test_a_model_with_its_preprocessing_inside_is_checked_by_photos(made, tmp_path):
    options = {"preprocessing": "inside", "dynamic_batch": False}
    verification = verify_folder(deploy(made, "index:0", tmp_path / "inside", **options).folder, trained=True)
    names = {number.name for number in verification}
    assert {"change of outputs", "error against torch", "test accuracy of model.onnx"} <= names
    assert not moved(verification)
    assert "without the preprocessing" in verification.skipped["latency, median"]


def test_another_file_of_the_same_size_is_noticed(folder):
    model = onnx.load(folder / "model.onnx")
    bias = next(weight for weight in model.graph.initializer if list(weight.dims) == [10])
    bias.raw_data = (np.frombuffer(bias.raw_data, np.float32) + np.float32(0.5)).tobytes()
    onnx.save(model, folder / "model.onnx")
    assert {"change of outputs", "error against torch"} <= moved(verify_folder(folder))


def test_on_another_device_latency_is_shown_and_not_judged(folder):
    card = json.loads((folder / "card.json").read_text())
    for figure in card["figures"]:
        if figure["name"] == "latency, median":
            figure |= {"by": "10 calls on a toaster", "value": 1e-9}
    (folder / "card.json").write_text(json.dumps(card))
    verification = verify_folder(folder)
    assert "latency, median" not in {number.name for number in verification.moved}
    assert any("another device" in line for line in verification.summary())


def test_data_that_changed_are_skipped_with_the_cause(folder):
    card = json.loads((folder / "card.json").read_text())
    card["data"]["fingerprint"] = "0" * 64
    (folder / "card.json").write_text(json.dumps(card))
    assert "others than those" in verify_folder(folder, trained=True).skipped["test part"]
    assert "nowhere" in verify_folder(folder, trained=True, data="nowhere").skipped["test part"]


def test_what_is_no_deployed_folder_is_refused(folder, tmp_path):
    assert is_deployed(folder)
    with pytest.raises(ExportError, match=r"no model\.onnx with a card\.json"):
        verify_folder(tmp_path)
    (folder / "card.json").write_text("{}")
    with pytest.raises(ExportError, match=r"damaged .*deploy the member again"):
        verify_folder(folder)


def test_the_test_part_of_a_model_of_images_that_are_no_squares_is_measured(tmp_path, monkeypatch):
    # The quicker exporter.
    monkeypatch.setattr(
        "evonas.deployment.deploy_steps.export",
        lambda module, example, **options: real_export(module, example, exporter="quick", opset=options["opset"]),
    )
    settings = make_settings(
        space="nasbench201", resolution="8x16", train_limit=100, epochs=1, population=2, generations=1, warm_start=0,
        estimator="supernet:loss",
    )  # fmt: skip
    search(settings, tmp_path / "run").close()
    folder = deploy(tmp_path / "run", "index:0", tmp_path / "model").folder
    verification = verify_folder(folder, trained=True)
    assert verification.skipped.keys() <= {"latency, median"}
    assert "test accuracy of model.onnx" in {number.name for number in verification}


def test_a_model_that_does_not_run_on_its_test_part_is_an_error(folder, monkeypatch):
    def fail(*_):
        raise ExportError("no such images")

    monkeypatch.setattr("evonas.deployment.folder_check.make_task", fail)  # What runs after the data are there.
    with pytest.raises(ExportError, match="no such images"):
        verify_folder(folder, trained=True)

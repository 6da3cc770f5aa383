"""Regression from images to a verified model: search, train, deploy, verify, report."""

from __future__ import annotations

import json
import math
import re

import numpy as np
import onnxruntime
import pytest
import torch
from sklearn.datasets import load_digits

from evonas.deployment import load_model, train_members, training_summary
from evonas.deployment.deploy import deploy
from evonas.deployment.deployment import cost_of_rounding, deployment_summary
from evonas.deployment.verify import verify
from evonas.errors import ExportError
from evonas.pipeline.run import search
from evonas.report.closing import closing_lines
from evonas.runs.front_file import read_front
from evonas.training import load_recipe


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """A run that was searched for brightness, in thousandths, and for darkness, and whose knee was trained."""
    folder = tmp_path_factory.mktemp("regression")
    images = load_digits().images[:500].astype(np.float64) / 16
    light = images.mean((1, 2))
    targets = np.stack([1000 * light, 1 - light], axis=1)
    np.savez(
        folder / "light.npz", x_train=images[:400], y_train=targets[:400], x_test=images[400:], y_test=targets[400:],
        target_names=["light", "dark"],
    )  # fmt: skip
    return search(
        data=str(folder / "light.npz"), out=folder / "run", space="nasbench201", warm_start=8, population=4,
        generations=2, epochs=1,
    )  # fmt: skip


@pytest.fixture(scope="module")
def trained(run):
    (one,) = train_members(run.path, "knee", load_recipe("quick", epochs=3))
    return one


def test_training_notes_the_error_on_the_test_part(run, trained):
    assert trained.objective == "rmse"
    notes = run.store.notes()[trained.architecture]
    assert notes["rmse_trained"].value == trained.accuracy
    assert "acc_trained" not in notes
    lines = training_summary([trained])
    assert "rmse" in lines[0]
    assert not any("accuracy" in line for line in lines)


def test_the_deployed_model_gives_the_targets_in_their_units(run, trained, tmp_path):
    deployment = deploy(run.path, "knee", tmp_path / "model")
    session = onnxruntime.InferenceSession(deployment.model, providers=["CPUExecutionProvider"])
    assert [output.name for output in session.get_outputs()] == ["values"]
    metadata = session.get_modelmeta().custom_metadata_map
    assert json.loads(metadata["targets"]) == ["light", "dark"]
    assert "accuracy" not in metadata
    images = torch.from_numpy((load_digits().images[400:500, None] / 16).astype(np.float32))
    (values,) = session.run(["values"], {"images": images.numpy()})
    light = images.mean((1, 2, 3)).numpy()
    errors = [np.sqrt(np.mean((values[:, 0] - 1000 * light) ** 2)), np.sqrt(np.mean((values[:, 1] - 1 + light) ** 2))]
    assert deployment.figures.accuracy == pytest.approx(np.mean(errors), rel=2e-2)  # pixels are whole 255ths
    assert deployment.figures.accuracy == pytest.approx(trained.accuracy, rel=1e-3)
    assert float(metadata["rmse"]) == deployment.figures.accuracy
    again = load_model(tmp_path / "model", unit_input=True)(images).detach().numpy()
    np.testing.assert_allclose(again, values, rtol=1e-4, atol=1e-3)
    card = json.loads((tmp_path / "model" / "card.json").read_text())
    assert card["model"]["task"] == "image regression"
    assert card["model"]["output"]["name"] == "values"
    names = [figure["name"] for figure in card["figures"]]
    assert "test rmse of model.onnx" in names
    readme = (tmp_path / "model" / "README.md").read_text()
    for text in (readme, *deployment_summary(deployment), *names):
        assert "accuracy" not in text, text


@pytest.mark.usefixtures("fast_integers")
def test_int8_is_judged_by_the_error_that_it_adds(run, trained, tmp_path):
    small = deploy(run.path, "knee", tmp_path / "int8", quantize="int8", max_drop=1e6)
    before, after = small.float_figures.accuracy, small.figures.accuracy
    assert before == pytest.approx(trained.accuracy, rel=1e-3)
    assert small.drop == pytest.approx(100 * (after / before - 1))
    lines = deployment_summary(small)
    assert any(f"int8 makes rmse {abs(small.drop):.2f} % " in line for line in lines)
    card = json.loads((tmp_path / "int8" / "card.json").read_text())
    figures = {figure["name"]: figure for figure in card["figures"]}
    assert figures["test rmse before int8"]["value"] == before
    assert figures["rmse that int8 costs, of that before"]["unit"] == "%"
    for text in ((tmp_path / "int8" / "README.md").read_text(), *lines):
        assert "accuracy" not in text, text
    assert small.drop > 0
    with pytest.raises(ExportError, match=r"int8 makes rmse .* % worse .*--max-drop 0; nothing was written"):
        deploy(run.path, "knee", tmp_path / "none", quantize="int8", max_drop=0)
    assert not (tmp_path / "none").exists()


@pytest.mark.parametrize(
    ("direction", "before", "after", "cost"),
    [("min", 2.0, 2.5, 25.0), ("min", 2.0, 1.0, -50.0), ("max", 0.8, 0.6, 25.0), ("max", -0.5, -1.0, 100.0),
     ("min", 0.0, 0.0, 0.0), ("min", 0.0, 0.1, math.inf)],
)  # fmt: skip
def test_what_int8_costs_is_relative_for_measures_with_units(direction, before, after, cost):
    assert cost_of_rounding("rmse", direction, before, after, 10) == pytest.approx(cost)


def test_errors_are_measured_again(run, trained):
    checks = verify(run.path, "knee", trained=True)
    names = {check.name for check in checks}
    assert {"rmse", "rmse_report", "rmse_trained", "flops"} <= names
    assert not [check for check in checks if check.moved]


def test_the_report_speaks_of_errors(run, trained):
    from evonas.report import write_report

    text = write_report(run).read_text()
    words = re.sub(r"<script.*?</script>|<style.*?</style>|<[^>]+>", " ", text, flags=re.DOTALL)
    assert "rmse" in words
    assert "accuracy" not in words.lower()
    assert "acc_" not in words
    assert "evonas train" in "\n".join(closing_lines(run, read_front(run)))
    assert read_front(run).objectives[0].name == "rmse"

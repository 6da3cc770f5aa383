"""Ensembles of a run's members, deployed as one model."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from evonas.deployment import load_model
from evonas.deployment.ensemble.ensemble import EnsembleDeployment, ensemble_summary, make_ensemble
from evonas.deployment.folder_check import verify_folder
from evonas.errors import RunError
from evonas.runs.front_file import read_front
from evonas.runtime import export as real_export
from evonas.runtime import logits


@pytest.fixture(scope="module")
def ensemble(made: Path, tmp_path_factory: pytest.TempPathFactory) -> EnsembleDeployment:
    """Three or more members of the session's run within three times the mean cost, with the supernet's weights."""
    front = read_front(made)
    budget = 3 * np.mean([member.values["flops"] for member in front])
    with pytest.MonkeyPatch.context() as patch:
        # What is tested is the graph, not who writes it.
        patch.setattr(
            "evonas.deployment.deploy_steps.export",
            lambda module, example, **options: real_export(module, example, exporter="quick", **options),
        )
        return make_ensemble(made, f"flops<={budget:.0f}", tmp_path_factory.mktemp("ensemble") / "out")


def test_one_graph_gives_the_mean_of_its_members(ensemble: EnsembleDeployment) -> None:
    """The file's softmax is the mean of the members' own, rebuilt from their folders; costs are sums in the budget."""
    folder = ensemble.deployment.folder
    members = sorted((folder / "members").iterdir())
    assert len(members) == len(ensemble.members) > 1
    images = torch.rand((6, 1, 8, 8), generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        mean = torch.stack([load_model(one, unit_input=True)(images).softmax(1) for one in members]).mean(0)
        whole = load_model(folder, unit_input=True)(images).softmax(1)
    found = torch.from_numpy(logits(ensemble.deployment.model, images)).softmax(1)
    assert torch.allclose(found, mean, atol=1e-5)
    assert torch.allclose(whole, mean, atol=1e-6)
    assert ensemble.compared[0]["cost"] == sum(one["costs"]["flops"] for one in ensemble.members)
    assert ensemble.compared[0]["cost"] <= ensemble.bounds[0].bound
    # One graph with one input, normalized once for all.
    graph = onnx.load(ensemble.deployment.model).graph
    assert [value.name for value in graph.input] == ["images"]


def test_the_card_and_the_summary_say_how_it_compares(ensemble: EnsembleDeployment) -> None:
    """The ensemble, its best member and one network; what the file gives on the test part is what is compared."""
    card = json.loads((ensemble.deployment.folder / "card.json").read_text())
    names = [row["name"] for row in card["ensemble"]["compared"]]
    assert names[0] == f"ensemble of {len(ensemble.members)}"
    assert names[1].startswith("best member, ")
    assert card["ensemble"]["compared"][0]["accuracy"] == pytest.approx(ensemble.deployment.figures.accuracy)
    attacked = [row["pgd@4/255x10"] for row in card["ensemble"]["compared"]]
    assert all(0 <= value <= row["accuracy"] + 1e-9 for value, row in zip(attacked, ensemble.compared, strict=True))
    text = (ensemble.deployment.folder / "README.md").read_text()
    assert "## Members" in text
    assert "| ensemble of " in text
    lines = ensemble_summary(ensemble)
    assert "validation images, which no member was trained on" in lines[0]
    assert any(line.startswith("best member, ") for line in lines)


def test_a_deployed_ensemble_is_verified_like_a_member(ensemble: EnsembleDeployment) -> None:
    """File, outputs, torch and the test part are measured again, and nothing moved."""
    verification = verify_folder(ensemble.deployment.folder, trained=True)
    names = {one.name for one in verification}
    assert {"size", "change of outputs", "error against torch", "test accuracy of model.onnx"} <= names
    assert not [one.name for one in verification.moved if not one.name.startswith("latency")]


def test_what_cannot_be_is_refused(made: Path, tmp_path: Path) -> None:
    """A budget below the cheapest member, and trained members where there are none; nothing is left behind."""
    with pytest.raises(RunError, match="Expected a budget that one member keeps to, got flops<=1; the least are flops"):
        make_ensemble(made, "flops<=1", tmp_path / "out")
    with pytest.raises(RunError, match=r"Nothing of .* was trained"):
        make_ensemble(made, "flops<=1M", tmp_path / "out", weights="trained")
    with pytest.raises(RunError, match="Expected the front to have latency of"):
        make_ensemble(made, "latency<=1ms", tmp_path / "out")
    assert not (tmp_path / "out").exists()

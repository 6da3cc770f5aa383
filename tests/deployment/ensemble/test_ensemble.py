"""Ensembles of a run's members, deployed as one model."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import onnx
import pytest
import torch

from evonas.deployment import load_model
from evonas.deployment.ensemble.candidates import find_candidates
from evonas.deployment.ensemble.ensemble import EnsembleDeployment, make_ensemble, trainings_of, within_cost
from evonas.deployment.ensemble.pool import MemberPool
from evonas.deployment.ensemble.steps import EnsembleSteps
from evonas.deployment.ensemble.summary import ensemble_summary
from evonas.deployment.folder_check import verify_folder
from evonas.errors import EvaluationError, RunError
from evonas.objectives.result import Result
from evonas.pareto.objective import parse_constraint
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection, choose
from evonas.runtime import export as real_export
from evonas.runtime import logits
from evonas.spaces import load_space


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
    assert names[2].startswith("one network, ")
    members = {member["name"] for member in ensemble.members}
    assert names[1].partition(", ")[2] in members
    assert names[2].partition(", ")[2] not in members  # another network than those that are in the ensemble
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


def beside(run: Run) -> Selection:
    """An architecture of the run's space that is not on its front."""
    front, space = read_front(run), load_space(run.settings["space"])
    genomes = space.sample(300, np.random.default_rng(0))
    drawn = (choose(front, space, str(space.canonical(space.decode(genome)))) for genome in genomes)
    return next(one for one in drawn if one.member is None)


def test_a_rival_is_compared_with_and_no_member(made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A network beside the front stays out of what is chosen from; one of the front may be in it, listed once."""
    seen: list[EnsembleSteps] = []

    def stop(steps: EnsembleSteps, out: Path) -> None:
        seen.append(steps)
        raise InterruptedError

    # What is chosen from is tested, not the export.
    monkeypatch.setattr(EnsembleSteps, "deploy", stop)
    with Run.open(made) as run:
        rival = beside(run)
    for selection in (str(rival.architecture), "index:0"):
        with pytest.raises(InterruptedError):
            make_ensemble(made, "flops<=1G", tmp_path / "out", weights="inherited", rival=selection, attack=False)
    apart, on_front = seen
    size = len(read_front(made))
    assert [len(steps.candidates) for steps in seen] == [size + 1, size]
    assert apart.candidates[apart.rival].choice.text == rival.text
    assert apart.rival not in apart.members
    assert f"among {size} networks" in apart.words
    assert on_front.rival == 0


def test_the_latest_training_of_a_rival_is_compared_with(trained_run: Path) -> None:
    """All trainings of it are known as the rival's; those of a member are not listed twice."""
    with Run.open(trained_run) as run:
        rival, context = beside(run), run_context(run, with_supernet=False)
        (member,) = find_candidates(run, context, "trained", [], choose(read_front(run), context.space, "index:0"))
        for day in (1, 2):
            folder = shutil.copytree(member.trained.folder, run.path / "models" / f"{rival.key}-{day}")
            record = member.trained.record | {"architecture": rival.text, "finished": f"2026-01-0{day}"}
            (folder / "training.json").write_text(json.dumps(record))
        found = find_candidates(run, context, "trained", [], rival)
    assert [one.trained.folder.name for one in found[1:]] == [f"{rival.key}-2", f"{rival.key}-1"]
    assert trainings_of(found, rival) == [1, 2]
    with pytest.raises(RunError, match="Expected a trained network of"):
        trainings_of(found[:1], rival)


def test_the_network_beside_an_ensemble_is_none_of_its_members() -> None:
    """The best by value that costs no more; none where all that is left is dearer."""
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 40)
    sure = np.array([0.9, 0.8, 0.7, 0.6])[:, None, None]
    probabilities = sure * np.eye(3)[labels] + (1 - sure) / 3
    costs = {"flops": np.array([1.0, 1.0, 5.0, 2.0])}
    pool = MemberPool(probabilities, labels, costs, (parse_constraint("flops<=9"),))
    assert within_cost(pool, [0, 1]) == 3
    assert within_cost(pool, [0]) == 1
    assert within_cost(pool, [0, 1, 3]) is None


def test_a_budget_is_checked_on_what_may_be_a_member() -> None:
    """Where only the network to compare with keeps to it nothing can be chosen, which is said in one line."""
    labels = np.array([0, 1])
    pool = MemberPool(
        np.full((3, 2, 2), 0.5), labels, {"flops": np.array([5.0, 6.0, 1.0])}, (parse_constraint("flops<=2"),)
    )
    with pytest.raises(RunError, match=r"a budget that one member keeps to, got flops<=2; the least are flops 5$"):
        pool.only([0, 1])
    assert pool.only([0, 2]).ranked() == [1]


def test_costs_that_cannot_be_counted_are_no_zeros(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failed count ends it with its cause: at no cost a network would fit any budget."""

    class Failing:
        def evaluate(self, candidates: list[object]) -> list[dict[str, Result]]:
            return [dict.fromkeys(("flops", "params"), Result(None, "no memory", 0.0)) for _ in candidates]

    # No architecture of a valid run fails to be counted.
    monkeypatch.setattr("evonas.deployment.ensemble.candidates.make_evaluator", lambda *_: Failing())
    with Run.open(made) as run:
        context = run_context(run, with_supernet=False)
        with pytest.raises(EvaluationError, match=r"(flops|params) of [0-9a-f]{8} could not be evaluated: no memory"):
            find_candidates(run, context, "inherited", [], beside(run))

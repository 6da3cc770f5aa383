"""A task of another package, a subclass of classification with measures and a head of its own, from search to model."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from evonas.config import make_settings
from evonas.data import load_data
from evonas.data.read_options import ReadOptions
from evonas.deployment import load_model, train_members
from evonas.deployment.deploy import deploy
from evonas.errors import DataError, SettingsError
from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
from evonas.objectives.accuracy.signal_reader import SignalReader
from evonas.pipeline.context import run_context
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.run import search
from evonas.runs.front_file import read_front
from evonas.runtime.parity import logits
from evonas.spaces import Candidate
from evonas.supernet import PathEvaluator
from evonas.tasks import Classification, make_task, registry
from evonas.testing import TaskContract
from evonas.training import load_recipe

ZERO = """
import torch
from evonas.tasks import Classification, Head


class Joined(torch.nn.Module):
    def forward(self, outputs):
        return outputs.unflatten(1, (-1, 2)).logsumexp(-1)


class Zero(Classification):
    name, title = "zero", "classification in which zeros count threefold"

    def __init__(self, data):
        super().__init__(len(data.classes))
        self.joined = Joined()
        self.head = Head(2 * len(data.classes), "class", Joined)

    def loss(self, outputs, targets):
        return super().loss(self.joined(outputs), targets)

    def imitate(self, outputs, teacher):
        return super().imitate(self.joined(outputs), self.joined(teacher))

    def measure(self, outputs, targets):
        return {**super().measure(self.joined(outputs), targets), "weight": 1.0 + 2.0 * (targets == 0)}

    def score(self, figures):
        weight = figures["weight"].double()
        return {name: float((values * weight).sum() / weight.sum()) for name, values in figures.items()}

    def deployed(self):
        task = Zero.__new__(Zero)
        task.__dict__.update(self.__dict__)
        task.joined, task.head = torch.nn.Identity(), Head(self.head.outputs // 2, "class")
        return task


class Mute(Classification):
    name, primary = "mute", "right"
    measures = (Classification.measures[0].__class__("right", "fraction of images", "max"),)

    def __init__(self, data):
        super().__init__(len(data.classes))

    def measure(self, outputs, targets):
        return {"right": super().measure(outputs, targets)["accuracy"]}
"""
POINTS = {registry.GROUP: {"zero": "Zero", "mute": "Mute"}}
SMALL = {
    "data": "digits", "space": "nasbench201", "resolution": 8, "train_limit": 120, "warm_start": 0, "population": 3,
    "generations": 1, "epochs": 1, "surrogate": False, "estimator": "supernet:accuracy", "anchors": 0,
}  # fmt: skip


def threefold(outputs: torch.Tensor, labels: torch.Tensor) -> float:
    """Accuracy in which zeros count threefold, of one output per class."""
    right, weight = (outputs.argmax(1) == labels).double(), 1.0 + 2.0 * (labels == 0)
    return float((right * weight).sum() / weight.sum())


def joined(outputs: torch.Tensor) -> torch.Tensor:
    return outputs.unflatten(1, (-1, 2)).logsumexp(-1)


def test_it_keeps_the_contract(install) -> None:
    install(ZERO, POINTS)
    task = make_task(SimpleNamespace(task="zero", classes=("a", "b", "c")))

    class Contract(TaskContract):
        def make_task(self):
            return task

        def make_targets(self, n):
            return torch.arange(n) % 3

    for name in dir(TaskContract):
        if name.startswith("test_"):
            getattr(Contract(), name)()


def test_its_own_measure_and_head_answer_in_search_and_training(install, tmp_path) -> None:
    install(ZERO, POINTS)
    run = search(task="zero", out=tmp_path / "run", **SMALL)
    context = run_context(run, with_supernet=True)
    data, task = context.data, make_task(context.data)
    assert (task.name, context.skeleton.classes) == ("zero", 20)
    member = read_front(run).members[0]
    form = context.space.canonical(context.space.parse(member.architecture))
    for part, value in (("search", member.values["acc"]), ("report", member.known["acc_report"])):
        images = data.part(part)
        network = PathEvaluator(context.supernet, data, images, norm_images=512).prepare(form)
        outputs = network(data.normalize(images.images)).detach()
        own, plain = threefold(joined(outputs), images.labels), Classification().metric(joined(outputs), images.labels)
        assert value == pytest.approx(own, abs=1e-9)
        assert own != plain

    recipe = load_recipe("quick", epochs=1, warm_up=0, ema=0.0)
    (trained,) = train_members(run, "index:0", recipe)
    test = data.test
    outputs = load_model(trained.folder)(data.normalize(test.images))
    assert trained.accuracy == pytest.approx(threefold(joined(outputs), test.labels), abs=1e-9)
    assert trained.record["history"][-1]["metric"] > 0


@pytest.mark.slow
def test_a_deployed_model_gives_what_its_head_makes_of_the_outputs(install, tmp_path) -> None:
    install(ZERO, POINTS)
    run = search(task="zero", out=tmp_path / "run", **SMALL)
    deployed = deploy(run, "index:0", tmp_path / "model")
    data = run_context(run).data
    test = data.test
    outputs = logits(deployed.model, test.images.numpy(), scale=data.scale)
    assert outputs.shape == (len(test), 10)
    assert deployed.classifies
    assert deployed.figures.accuracy == pytest.approx(threefold(torch.from_numpy(outputs), test.labels), abs=1e-9)
    unit = load_model(tmp_path / "model", unit_input=True)(test.images / data.scale).detach().numpy()
    np.testing.assert_allclose(unit, outputs, atol=1e-3)


def test_every_estimate_of_accuracy_is_of_its_measure(install, tmp_path) -> None:
    install(ZERO, POINTS)
    problem = SearchProblem(make_settings(task="zero", **SMALL))
    network = problem.new_supernet()
    forms = [Candidate(problem.space.form(genome)) for genome in problem.space.sample(1, np.random.default_rng(0))]
    context = problem.context(supernet=network, supernet_fingerprint="x")
    score = PathEvaluator(network, problem.data, problem.data.search, norm_images=512, task=problem.task)
    own = score(forms[0].architecture)
    for estimate, value in (("loss", np.exp(-own["loss"])), ("probability", own["probability"])):
        (row,) = AccuracyEvaluator(context, estimate=estimate).evaluate(forms)
        assert (row["acc"].value, row["acc_top1"].value) == pytest.approx((value, own["accuracy"]), abs=1e-9)
    assert SignalReader(context).plain_accuracy(forms[0].architecture) == pytest.approx(own["accuracy"], abs=1e-9)


def test_what_it_does_not_measure_is_said_before_any_work(install) -> None:
    install(ZERO, POINTS)
    assert SearchProblem(make_settings(task="mute", **SMALL)).task.primary == "right"
    with pytest.raises(SettingsError, match="'supernet' reads loss, which the task 'mute' does not measure: use"):
        SearchProblem(make_settings(task="mute", **{**SMALL, "estimator": "supernet"}))


def test_data_of_other_targets_are_refused(install) -> None:
    with pytest.raises(DataError, match="data for regression, got 'digits' with targets for classification: leave"):
        load_data("digits", options=ReadOptions(task="regression"))
    with pytest.raises(SettingsError, match="Unknown task 'zerro': expected classification, regression"):
        SearchProblem(make_settings(task="zerro", **SMALL))
    install(
        "from evonas.tasks import Regression\n\nclass Far(Regression):\n    def __init__(self, data):\n"
        "        super().__init__((0.0,), (1.0,))\n",
        {registry.GROUP: {"far": "Far"}},
    )
    with pytest.raises(SettingsError, match=r"shape \(1,\) for the task 'regression', got torch.int64 and \(\)"):
        SearchProblem(make_settings(task="far", **SMALL))

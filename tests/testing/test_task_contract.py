"""Shipped tasks keep the contract, and the contract catches tasks that do not."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from evonas.tasks import Classification, Regression, Task
from evonas.testing import TaskContract


class TestClassification(TaskContract):
    def make_task(self) -> Task:
        return Classification(4)

    def make_targets(self, n: int) -> Tensor:
        return torch.arange(n) % 4


class TestSmoothedClassification(TestClassification):
    def make_task(self) -> Task:
        return Classification(4).alone(0.1)


class TestNamedClassification(TestClassification):
    def make_task(self) -> Task:
        return Classification(4, names=("a", "b", "c", "d"), weights=(1.0, 2.0, 1.0, 0.5))


class TestRegression(TaskContract):
    def make_task(self) -> Task:
        return Regression((5.0, -200.0), (2.0, 1e3))

    def make_targets(self, n: int) -> Tensor:
        return torch.linspace(0, 300, 2 * n).view(n, 2)


def broken(**changes: object) -> TestClassification:
    class Broken(Classification):
        pass

    for name, value in changes.items():
        setattr(Broken, name, value)
    contract = TestClassification()
    contract.make_task = lambda: Broken(4)
    return contract


class Halved(Classification):
    def measure(self, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
        return super().measure(outputs / 2, targets)


def standardized(self: Task, outputs: Tensor, targets: Tensor) -> dict[str, Tensor]:
    figures = Classification.measure(self, outputs, targets)
    return {**figures, "loss": figures["loss"] / figures["loss"].sum()}


@pytest.mark.parametrize(
    ("test", "changes", "statement"),
    [
        ("test_describes_its_targets", {"dtype": torch.float32}, "targets.dtype == task.dtype"),
        ("test_names_its_measures", {"primary": "miou"}, "task.primary in names"),
        ("test_scores_hold_every_measure", {"score": lambda self, figures: {"accuracy": 0.5}}, "<= set(score)"),
        ("test_scores_hold_every_measure", {"metric": lambda self, outputs, targets: 7.0}, "abs(task.metric("),
        ("test_figures_are_of_single_images", {"measure": standardized}, "assert_close(torch.cat("),
        (
            "test_losses_are_scalars_that_can_be_followed_down",
            {"loss": lambda self, o, t: -o.square().mean(-1)},
            "value.ndim == 0",
        ),
        (
            "test_a_deployed_model_is_measured_alike",
            {"deployed": lambda self: Halved(4)},
            "abs(after[measure.name]",
        ),
        ("test_head_gives_what_it_says", {"deployed": lambda self: Classification(3)}, "(IMAGES, deployed.outputs)"),
        ("test_accuracy_is_a_fraction", {"score": lambda self, figures: {"accuracy": 1.5}}, "0 <= score[task.primary]"),
        ("test_its_objective_can_be_asked_for", {"objective": "miou"}, 'task.objective == "acc" or'),
        ("test_its_objective_can_be_asked_for", {"scale": 0.0}, "0 < task.scale"),
        (
            "test_no_gradient_reaches_a_detached_teacher",
            {"imitate": lambda self, o, teacher: o.square().mean()},
            "gradient.abs().max() <=",
        ),
    ],
)
def test_a_broken_task_is_caught(test: str, changes: dict[str, object], statement: str) -> None:
    getattr(TestClassification(), test)()
    with pytest.raises(AssertionError) as caught:
        getattr(broken(**changes), test)()
    (failed,) = (entry for entry in caught.traceback if entry.name == test)
    assert statement in str(failed.statement)

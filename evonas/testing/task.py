"""The contract of a task."""

from __future__ import annotations

from abc import ABC, abstractmethod

import torch
from torch import Tensor, nn

from evonas.tasks import Task

IMAGES = 12
"""Images that each test measures."""


class TaskContract(ABC):
    """Tests of every task that the package relies on; run by pytest in a subclass whose name starts with ``Test``.

    A part is measured batch by batch and scored as a whole, so that no figure of an image may depend on the others.
    """

    @abstractmethod
    def make_task(self) -> Task:
        """Return the task under test."""

    @abstractmethod
    def make_targets(self, n: int) -> Tensor:
        """Return targets of `n` images that differ, such as the data hold."""

    def make_outputs(self, n: int, seed: int = 0) -> Tensor:
        """Return outputs as a network gives them; override it where they are not rows of numbers."""
        return torch.randn(n, self.make_task().head.outputs, generator=torch.Generator().manual_seed(seed))

    def test_describes_its_targets(self) -> None:
        """Targets have the type and the shape that it names."""
        task, targets = self.make_task(), self.make_targets(IMAGES)
        assert targets.dtype == task.dtype
        assert tuple(targets.shape) == (IMAGES, *task.target_shape)

    def test_names_its_measures(self) -> None:
        """Measures have names of their own, units and directions, and the primary one is among them."""
        task = self.make_task()
        names = [measure.name for measure in task.measures]
        assert task.name
        assert task.title
        assert len(set(names)) == len(names)
        assert task.primary in names
        assert all(measure.unit and measure.direction in ("max", "min") for measure in task.measures)

    def test_scores_hold_every_measure(self) -> None:
        """A score is a mapping of finite floats that has all measures; `metric` is the primary one."""
        task, outputs, targets = self.make_task(), self.make_outputs(IMAGES), self.make_targets(IMAGES)
        score = task.score(task.measure(outputs, targets))
        assert {measure.name for measure in task.measures} <= set(score)
        assert all(isinstance(value, float) and value - value == 0 for value in score.values())
        assert abs(task.metric(outputs, targets) - score[task.primary]) <= 1e-6 * (1 + abs(score[task.primary]))

    def test_figures_are_of_single_images(self) -> None:
        """Figures have one row per image and do not depend on what else is in the batch."""
        task, outputs, targets = self.make_task(), self.make_outputs(IMAGES), self.make_targets(IMAGES)
        whole = task.measure(outputs, targets)
        halves = [task.measure(outputs[part], targets[part]) for part in (slice(0, 5), slice(5, IMAGES))]
        for name, values in whole.items():
            assert len(values) == IMAGES
            torch.testing.assert_close(torch.cat([half[name] for half in halves]), values)
        assert task.quality(whole).shape == (IMAGES,)

    def test_losses_are_scalars_that_can_be_followed_down(self) -> None:
        """Loss and imitation are finite scalars with gradients, of which small steps make them less."""
        task, targets, teacher = self.make_task(), self.make_targets(IMAGES), self.make_outputs(IMAGES, 1)
        for form in (task, task.alone()):
            for loss, aim in ((form.loss, targets), (form.imitate, teacher)):
                outputs = self.make_outputs(IMAGES).requires_grad_()
                value = loss(outputs, aim)
                assert value.ndim == 0
                assert torch.isfinite(value)
                (gradient,) = torch.autograd.grad(value, outputs)
                assert torch.isfinite(gradient).all()
                assert gradient.abs().max() > 0
                assert loss(outputs - 1e-2 * gradient, aim) < value

    def test_no_gradient_reaches_a_detached_teacher(self) -> None:
        """A student that gives its teacher's outputs has nothing to learn from it."""
        task = self.make_task()
        outputs = self.make_outputs(IMAGES).requires_grad_()
        (gradient,) = torch.autograd.grad(task.imitate(outputs, outputs.detach().clone()), outputs)
        assert gradient.abs().max() <= 1e-5

    def test_head_gives_what_it_says(self) -> None:
        """What follows the network in a deployed model makes as many answers as the deployed task has outputs."""
        task = self.make_task()
        head, deployed = task.head, task.deployed().head
        assert head.outputs >= 1
        assert head.answer in ("class", "values")
        readout = head.readout()
        assert isinstance(readout, nn.Module)
        assert tuple(readout(self.make_outputs(IMAGES)).shape) == (IMAGES, deployed.outputs)
        assert deployed.answer == head.answer
        assert isinstance(deployed.readout(), nn.Identity)

    def test_a_deployed_model_is_measured_alike(self) -> None:
        """What the deployed task measures of outputs that were read out is what the task measures of them before."""
        task, outputs, targets = self.make_task(), self.make_outputs(IMAGES), self.make_targets(IMAGES)
        deployed = task.deployed()
        before = task.score(task.measure(outputs, targets))
        after = deployed.score(deployed.measure(task.head.readout()(outputs), targets))
        for measure in task.measures:
            assert abs(after[measure.name] - before[measure.name]) <= 1e-4 * (1 + abs(before[measure.name]))

    def test_its_objective_can_be_asked_for(self) -> None:
        """The objective of a search is accuracy or one of its measures, and its scale is a finite number above 0."""
        task = self.make_task()
        assert task.objective == "acc" or task.objective in {measure.name for measure in task.measures}
        assert 0 < task.scale < float("inf")

    def test_accuracy_is_a_fraction(self) -> None:
        """A task whose objective is `acc` measures a fraction that is better higher; estimates read its loss, too."""
        task, outputs, targets = self.make_task(), self.make_outputs(IMAGES), self.make_targets(IMAGES)
        if task.objective == "acc":
            score = task.score(task.measure(outputs, targets))
            assert task.direction == "max"
            assert 0 <= score[task.primary] <= 1
            assert {"loss", "probability"} <= set(score)

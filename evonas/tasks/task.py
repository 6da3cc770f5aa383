"""The contract of a task: what outputs are trained for, and what is measured of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Protocol

import torch
from torch import Tensor

from evonas.tasks.head import Head
from evonas.tasks.measure import Measure


class TaskData(Protocol):
    """A data set, as far as a task needs it; a model's files hold all of this, so that its task can be made again."""

    @property
    def task(self) -> str:
        """Name of the task that its targets are of."""
        ...

    @property
    def classes(self) -> tuple[str, ...]:
        """Name of each output: of classes, or of continuous targets."""
        ...

    @property
    def class_weights(self) -> tuple[float, ...] | None:
        """Weight of each class in the loss; None: all alike, or targets are continuous."""
        ...

    @property
    def target_mean(self) -> tuple[float, ...]:
        """Mean of each continuous target over the images that weights are trained on; none where labels are classes."""
        ...

    @property
    def target_std(self) -> tuple[float, ...]:
        """Standard deviation likewise, above 0."""
        ...


class Task(Protocol):
    """Task as training, evaluation and deployment need to know it; subclass it for the defaults.

    Attributes:
        name: Its name in the registry, such as ``classification``.
        title: What it is called in a sentence, such as ``image classification``.
        dtype: Type of the targets.
        target_shape: Shape of one image's target; ``()``: a scalar.
        head: How wide networks end, and how their outputs become answers.
        measures: What a score holds, with unit and direction. It may hold more, such as a loss in the units of
            the training.
        primary: Name of the measure that a search optimizes first and a training reports.
    """

    name: str
    title: str
    dtype: torch.dtype
    target_shape: tuple[int, ...]
    head: Head
    measures: tuple[Measure, ...]
    primary: str

    def loss(self, outputs: Tensor, targets: Tensor) -> Tensor:
        """Return the mean loss of a batch, a scalar.

        Args:
            outputs: Shape (n, head.outputs).
            targets: Shape (n, *target_shape).
        """
        ...

    def imitate(self, outputs: Tensor, teacher: Tensor) -> Tensor:
        """Return the mean loss of a batch against a teacher's outputs, a scalar; both of one shape."""
        ...

    def measure(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Tensor]:
        """Return figures of each image by name, each of shape (n, ...): what `score` is made of."""
        ...

    def score(self, figures: Mapping[str, Tensor]) -> Mapping[str, float]:
        """Return the named means of a whole part; by default the mean of each figure.

        Args:
            figures: What `measure` returned, of all images.
        """
        return {name: float(values.mean()) for name, values in figures.items()}

    def metric(self, outputs: Tensor, targets: Tensor) -> float:
        """Return the primary measure of a batch or a whole part."""
        return self.score(self.measure(outputs, targets))[self.primary]

    def named(self, name: str) -> Measure | None:
        """Return the measure of that name, which every score holds; None: there is none."""
        return next((measure for measure in self.measures if measure.name == name), None)

    def report(self, outputs: Tensor, targets: Tensor) -> Mapping[str, Any] | None:
        """Return what is to be known of a whole part beside its measures, as plain data; None: nothing, the default.

        Of classes it is what `evonas.tasks.class_report.ClassReport` reads.
        """
        return None

    def quality(self, figures: Mapping[str, Tensor]) -> Tensor:
        """Return how well each image is answered, shape (n,), higher is better; by default its primary figure."""
        values = figures[self.primary]
        return values if self.direction == "max" else -values

    def alone(self, label_smoothing: float = 0.0) -> Task:
        """Return the task as the training of a stand-alone network uses it; by default as it is.

        Args:
            label_smoothing: Share of a label that is spread over all classes, in [0, 1); of classes alone.
        """
        return self

    def deployed(self) -> Task:
        """Return the task of a deployed model's outputs, after the head's `readout`; by default as it is."""
        return self

    @property
    def scale(self) -> float:
        """How many units of a deployed model's output one unit of the network's is at most; by default 1."""
        return 1.0

    @property
    def objective(self) -> str:
        """Name of the objective of a search that the primary measure is; by default its own.

        ``acc`` is that of a primary measure which is a fraction from 0 to 1, more being better. Estimates of `acc`
        read the measures `loss`, in nats, and `probability`, too; see `evonas.objectives.accuracy.estimators`.
        """
        return self.primary

    @property
    def direction(self) -> Literal["max", "min"]:
        """Whether more or less of the primary measure is better."""
        return find_measure(self, self.primary).direction


def find_measure(task: Task, name: str) -> Measure:
    """Return a task's measure by its name.

    Raises:
        KeyError: It has none of that name.
    """
    if (found := task.named(name)) is None:
        raise KeyError(f"The task '{task.name}' measures {', '.join(m.name for m in task.measures)}, not '{name}'")
    return found

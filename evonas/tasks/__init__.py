"""Tasks: what networks are trained for and what is measured of them.

A `Task` says what targets are like, how wide a network's last layer is, what loss it is trained with, alone or
against a teacher, and what is measured. `make_task` makes the one that a data set's targets are of::

    task = make_task(data)                                  # Classification or Regression, or another package's
    figures = task.measure(network(images), labels)         # of each image
    task.score(figures)                                     # {"accuracy": 0.93, "loss": 0.21, "probability": 0.86}

Other packages add one by the entry point group `evonas.tasks`; `evonas.testing.TaskContract` is what it must keep. Its
measures are objectives of a search by their own names.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from evonas.files.lazy import lazy_names

if TYPE_CHECKING:
    from evonas.tasks.class_report import ClassReport
    from evonas.tasks.classification import Classification, batch_accuracy, distillation
    from evonas.tasks.measure import Measure
    from evonas.tasks.registry import make_task, named_measure, task_measures, task_names
    from evonas.tasks.regression import Regression
    from evonas.tasks.task import Task, TaskData, find_measure

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "class_report": ("ClassReport",),
        "classification": ("Classification", "batch_accuracy", "distillation"),
        "measure": ("Measure",),
        "registry": ("make_task", "named_measure", "task_measures", "task_names"),
        "regression": ("Regression",),
        "task": ("Task", "TaskData", "find_measure"),
    },
)

__all__ = [
    "ClassReport",
    "Classification",
    "Measure",
    "Regression",
    "Task",
    "TaskData",
    "batch_accuracy",
    "distillation",
    "find_measure",
    "make_task",
    "named_measure",
    "task_measures",
    "task_names",
]

"""Tasks: what networks are trained for and what is measured of them.

A `Task` says what targets are like, what head networks end with, what loss they are trained with, alone or against
a teacher, and what is measured. `make_task` makes the one that a data set's targets are of::

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
    from evonas.tasks.classification import Classification, distillation
    from evonas.tasks.head import Head
    from evonas.tasks.measure import Measure
    from evonas.tasks.registry import make_task, named_measure, task_measures, task_names
    from evonas.tasks.regression import Regression
    from evonas.tasks.task import Task, TaskData, find_measure

__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "class_report": ("ClassReport",),
        "classification": ("Classification", "distillation"),
        "head": ("Head",),
        "measure": ("Measure",),
        "registry": ("make_task", "named_measure", "task_measures", "task_names"),
        "regression": ("Regression",),
        "task": ("Task", "TaskData", "find_measure"),
    },
)

__all__ = [
    "ClassReport",
    "Classification",
    "Head",
    "Measure",
    "Regression",
    "Task",
    "TaskData",
    "distillation",
    "find_measure",
    "make_task",
    "named_measure",
    "task_measures",
    "task_names",
]

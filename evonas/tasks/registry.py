"""Tasks by name: the package's own, and those of other packages by the entry point group `evonas.tasks`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from evonas.errors import SettingsError, suggest
from evonas.tasks.classification import Classification
from evonas.tasks.regression import Regression
from evonas.tasks.task import Task, TaskData

GROUP = "evonas.tasks"
TaskFactory = Callable[[Any], Task]
"""From a data set to the task of its targets."""


def _classification(data: TaskData) -> Task:
    return Classification(len(data.classes))


def _regression(data: Any) -> Task:
    return Regression(data.target_mean, data.target_std)


TASKS: Mapping[str, TaskFactory] = {"classification": _classification, "regression": _regression}
"""The package's own tasks by name."""

MEASURES: Mapping[str, str] = {measure.name: Regression.name for measure in Regression.measures}
"""Measures that are objectives of a search, and their task; classification's accuracy is the objective ``acc``."""


def task_names() -> list[str]:
    """Return the names of all tasks, the package's own first."""
    return [*TASKS, *sorted(_added())]


def make_task(data: TaskData) -> Task:
    """Make the task of a data set's targets.

    Args:
        data: Its ``task`` is the name of one of the package's tasks, or of an entry point in ``evonas.tasks``: a
            callable that takes the data set. In a package's pyproject.toml::

                [project.entry-points."evonas.tasks"]
                counting = "my_package.counting:make_counting"

    Raises:
        SettingsError: No such task.
    """
    if data.task in TASKS:
        return TASKS[data.task](data)
    added = _added()
    if data.task not in added:
        names = task_names()
        raise SettingsError(f"Unknown task '{data.task}': expected {', '.join(names)}.{suggest(data.task, names)}")
    made: Task = added[data.task].load()(data)
    return made


def _added() -> dict[str, EntryPoint]:
    """Return the entry points of other packages by name.

    Raises:
        SettingsError: One takes a name that is taken.
    """
    found: dict[str, EntryPoint] = {}
    for point in entry_points(group=GROUP):
        if point.name in TASKS or point.name in found:
            raise SettingsError(
                f"Expected a new name of a task, got '{point.name}' of {point.value}: it is taken; rename or remove it"
            )
        found[point.name] = point
    return found

"""Tasks by name: the package's own, and those of other packages by the entry point group `evonas.tasks`."""

from __future__ import annotations

import importlib
from collections.abc import Mapping, Sequence
from importlib.metadata import EntryPoint, entry_points
from typing import TYPE_CHECKING, Protocol, runtime_checkable

from evonas.errors import SettingsError, suggest
from evonas.tasks.measure import BY_CLASS, CALIBRATION, REGRESSION, Measure, recall_measure

if TYPE_CHECKING:
    from evonas.tasks.task import Task, TaskData

GROUP = "evonas.tasks"

TASKS: Mapping[str, str] = {
    "classification": "evonas.tasks.classification:make_classification",
    "regression": "evonas.tasks.regression:make_regression",
}
"""The package's own tasks by name, and where the factory of each stands: from a data set to the task of its targets."""


class TaskFactory(Protocol):
    """Factory of a task: a `Task` class, or a function."""

    def __call__(self, data: TaskData, /) -> Task:
        """Make the task of a data set's targets."""
        ...


@runtime_checkable
class MeasuringFactory(Protocol):
    """Factory that says before any data are read what its tasks measure; a `Task` class does, a function may."""

    measures: Sequence[Measure]


def task_names() -> list[str]:
    """Return the names of all tasks, the package's own first."""
    return [*TASKS, *sorted(_added())]


def check_task(name: str) -> None:
    """Refuse a name that no task has.

    Raises:
        SettingsError: No such task.
    """
    names = task_names()
    if name not in names:
        raise SettingsError(f"Unknown task '{name}': expected {', '.join(names)}.{suggest(name, names)}")


def task_measures() -> dict[str, Measure]:
    """Return the measures that are objectives of a search, by name; accuracy is not among them: it is ``acc``.

    Those of other packages' tasks are what their factories say, see `MeasuringFactory`. Of one name the first task's is
    returned: what is measured is that of the data's task.

    Raises:
        SettingsError: Another package's task cannot be imported.
    """
    found = {measure.name: measure for measure in (*BY_CLASS, *CALIBRATION, *REGRESSION)}
    for point in _added().values():
        factory = _load(point)
        if isinstance(factory, MeasuringFactory):
            for measure in factory.measures:
                found.setdefault(measure.name, measure)
    return found


def named_measure(name: str) -> Measure | None:
    """Return the measure that is an objective of that name, the recall of a class among them; None: there is none."""
    return recall_measure(name) or task_measures().get(name)


def make_task(data: TaskData) -> Task:
    """Make the task of a data set's targets.

    Args:
        data: Its ``task`` is the name of one of the package's tasks, or of an entry point in ``evonas.tasks``: a
            callable that takes the data set, of which it reads what `TaskData` has. In a package's pyproject.toml::

                [project.entry-points."evonas.tasks"]
                counting = "my_package.counting:Counting"

    Raises:
        SettingsError: No such task, or one of another package that cannot be imported.
    """
    if data.task in TASKS:
        module, _, factory = TASKS[data.task].partition(":")
        make: TaskFactory = getattr(importlib.import_module(module), factory)
        return make(data)
    check_task(data.task)
    return _load(_added()[data.task])(data)


def _load(point: EntryPoint) -> TaskFactory:
    try:
        factory: TaskFactory = point.load()
    except (ImportError, AttributeError) as error:
        raise SettingsError(
            f"The task '{point.name}' of {point.value} cannot be imported ({' '.join(str(error).split())}): "
            "reinstall or remove its package"
        ) from error
    return factory


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

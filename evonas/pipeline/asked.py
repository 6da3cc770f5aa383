"""Objectives and bounds that settings ask for, and which of them are columns of a table."""

from __future__ import annotations

from dataclasses import dataclass

from evonas.config import Settings
from evonas.data import Dataset
from evonas.errors import SettingsError, suggest
from evonas.objectives import check_objectives, known_objectives
from evonas.objectives.accuracy.estimators import DEFAULT, check_measures, read_estimator
from evonas.objectives.accuracy.measures import measured_objectives
from evonas.objectives.robust.evaluator import refuse_without_classes
from evonas.objectives.robust.names import is_robust
from evonas.pareto.objective import Constraint, parse_constraints, split_direction, split_names
from evonas.tables.table import Table
from evonas.tasks import Task, named_measure

__all__ = ["Asked", "check_measured", "check_task_objectives", "objectives_of_task", "read_asked"]


@dataclass(frozen=True)
class Asked:
    """Objectives and bounds of a search.

    Attributes:
        names: Objectives to optimize, in order.
        constraints: Bounds.
        evaluated: The objectives, and what constraints bound also.
        columns: Those that are columns of the table, with their direction where one is given.
    """

    names: tuple[str, ...]
    constraints: tuple[Constraint, ...]
    evaluated: tuple[str, ...]
    columns: tuple[str, ...]


def read_asked(settings: Settings, tables: Table | None) -> Asked:
    """Return what settings ask for.

    Args:
        settings: Of a search.
        tables: Measured truth, or None.

    Raises:
        SettingsError: A name that nothing has, a column of texts, or a direction of what is no column.
    """
    asked = split_names(settings.objectives)
    constraints = tuple(parse_constraints(settings.constraint))
    names = tuple(split_names([split_direction(text)[0] for text in asked]))
    evaluated = tuple(dict.fromkeys((*names, *(c.objective for c in constraints))))
    columns = []
    for name in evaluated:
        text = next((text for text in asked if split_direction(text)[0] == name), name)
        if tables is not None and name in tables:
            columns.append(text)
            continue
        if tables is not None:
            _refuse_unknown(name, tables)
        if split_direction(text)[1]:
            raise SettingsError(f"A direction is given to columns of a table only, got '{text}'")
        check_objectives([name])
    return Asked(names, constraints, evaluated, tuple(columns))


def objectives_of_task(settings: Settings, task: Task) -> Settings:
    """Return settings that, unless they name objectives, optimize what a task measures first."""
    return settings if task.objective == "acc" else settings.with_metric(task.objective)


def check_measured(asked: Asked, data: Dataset) -> None:
    """Refuse what the task of the data does not measure, such as the recall of a class that there is not.

    Raises:
        SettingsError: There is one.
    """
    columns = {split_direction(text)[0] for text in asked.columns}
    for name in asked.evaluated:
        if name in columns:
            continue
        if is_robust(name):
            refuse_without_classes(data, name)
        elif named_measure(name) is not None:
            measured_objectives(data, name)


def check_task_objectives(asked: Asked, task: Task, settings: Settings) -> None:
    """Refuse what a task cannot give: accuracy where its objective is another, or an estimate of what it lacks.

    Args:
        asked: What is asked for.
        task: That of the data.
        settings: Those of the search, with the number of its anchors.

    Raises:
        SettingsError: Accuracy is asked for, or an estimate that is of accuracy alone, or of what is not measured.
    """
    computed = "acc" in asked.evaluated and "acc" not in {split_direction(text)[0] for text in asked.columns}
    if task.objective == "acc":
        if computed:
            check_measures(task, settings.estimator, settings.anchors or 0)
        return
    own = task.objective
    if computed:
        raise SettingsError(
            f"The objective 'acc' is for classification, but these data are for {task.name}: "
            f"use '{own}', such as --objectives {own},flops"
        )
    kind, option = read_estimator(settings.estimator)
    if kind == "supernet" and option != DEFAULT:
        raise SettingsError(
            f"The estimator '{settings.estimator}' is of accuracy alone: for '{own}' leave it out, or use train:EPOCHS"
        )


def _refuse_unknown(name: str, tables: Table) -> None:
    """Refuse a name that is neither a column of numbers nor computed.

    Raises:
        SettingsError: It is none; a column of texts is named by the cell that is no number.
    """
    known = known_objectives()
    if name in tables.labels and name not in known:
        tables[name]
    if name.partition("(")[0] not in {one.partition("(")[0] for one in known} | {"rank"}:
        raise SettingsError(
            f"Unknown objective '{name}': expected a column of the table ({', '.join(tables.columns)}) or one that is "
            f"computed ({', '.join(known)}).{suggest(name, [*tables.columns, *known])}"
        )

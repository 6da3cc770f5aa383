"""Checks of settings by name alone: what is unknown or missing ends a command before torch is imported."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from evonas.config import ALGORITHMS, SAMPLINGS, Settings
from evonas.data.names import check_data
from evonas.errors import SettingsError, TrainingError, suggest
from evonas.objectives.accuracy.distillation import LARGEST, read_distillation
from evonas.objectives.accuracy.estimators import read_estimator
from evonas.objectives.registry import check_objectives
from evonas.pareto.objective import check_fraction, parse_constraints, split_direction, split_names
from evonas.spaces import Space, load_space, shipped
from evonas.supernet.norm_names import check_norms
from evonas.supernet.rules.registry import check_rule, read_rule
from evonas.tables.load import load_table
from evonas.tables.table import Table
from evonas.tasks import named_measure, task_measures
from evonas.tasks.registry import check_task
from evonas.training.device_names import check_device
from evonas.training.weights.registry import SUFFIXES, load_entry, split_digest

__all__ = ["UNTRAINED", "check_settings"]

UNTRAINED = "A supernet without published weights needs training: give --epochs of 1 or more"


def check_settings(settings: Settings) -> None:
    """Refuse names that nothing has and files that are not there.

    What needs the data, a table or torch is checked by `SearchProblem`.

    Raises:
        EvonasError: The first thing that is wrong.
    """
    space = load_space("darts" if settings.space == "auto" else settings.space)
    if settings.epochs == 0 and settings.pretrained == "none" and not (settings.table or settings.supernet):
        raise SettingsError(UNTRAINED)
    if settings.skeleton is not None:
        _check_skeleton(settings.skeleton, space, settings.space == "auto")
    _check_objectives(settings, load_table(list(settings.table), space) if settings.table else None)
    check_rule(settings.sharing)
    check_norms(settings.norms, read_rule(settings.sharing)[0])
    if settings.norms != "affine" and settings.pretrained not in ("none", "auto"):
        raise SettingsError(
            f"Published weights keep their norms: give --norms affine with them, got '{settings.norms}'"
        )
    read_estimator(settings.estimator)
    _check_anchors(settings)
    _check_name("sampling", settings.sampling, SAMPLINGS)
    _check_name("algorithm", settings.algorithm, ALGORITHMS)
    check_device(settings.device)
    if settings.data is not None:
        check_data(settings.data)
    if settings.task is not None:
        check_task(settings.task)
    _check_files(settings)


def _check_objectives(settings: Settings, tables: Table | None) -> None:
    """Refuse objectives, bounds and a metric that nothing has; columns of a table are checked with it."""
    bounds = parse_constraints(settings.constraint)
    for bound, given in zip(bounds, settings.constraint, strict=True):
        column = None if tables is None else tables.columns.get(bound.objective)
        largest = 1.0 if column is None else float(np.max(column, initial=1.0, where=np.isfinite(column)))
        check_fraction(bound, largest)
        if largest > 1.0 and given.rstrip().endswith("%"):
            raise SettingsError(f"The table's '{bound.objective}' reaches {largest:g}, got {given}: leave out the %")
    for text in (*split_names(settings.objectives), *(bound.objective for bound in bounds)):
        if tables is None and split_direction(text)[1]:
            raise SettingsError(f"A direction is given to columns of a table only, got '{text}'")
        if tables is None:
            check_objectives([text])
    if settings.metric not in (None, "accuracy") and named_measure(str(settings.metric)) is None:
        known = ["accuracy", *task_measures(), "recall:CLASS"]
        raise SettingsError(
            f"Unknown metric '{settings.metric}': expected {', '.join(known)}.{suggest(str(settings.metric), known)}"
        )


def _check_files(settings: Settings) -> None:
    """Refuse published weights, a latency table and shared weights that are not there."""
    if settings.pretrained not in ("auto", "none"):
        _check_weights(split_digest(settings.pretrained)[0])
    if settings.latency_table and not Path(settings.latency_table).is_file():
        raise SettingsError(
            f"Cannot read the latency table {settings.latency_table}: missing; build one with  evonas latency build"
        )
    if settings.predictor not in ("shipped", "none"):
        from evonas.predictors.general import open_predictor  # SciPy, which most searches need not load here

        open_predictor(settings.predictor)
    if settings.supernet and not (file := Path(settings.supernet) / "supernet.safetensors").is_file():
        raise TrainingError(f"No trained supernet at {file}: expected the directory of a run that searched by acc")


def _check_weights(name: str) -> None:
    """Refuse a checkpoint that is not there, and an entry that none has; what they hold is read later."""
    if not name.endswith(SUFFIXES):
        load_entry(name)
    elif not Path(name).is_file():
        raise SettingsError(f"No checkpoint of published weights at {name}: check the path given to --pretrained")


def _check_skeleton(name: str, space: Space, auto: bool) -> None:
    """Refuse a skeleton that the space does not have, or, where the data choose the space, that none has."""
    if not auto or not any(name in load_space(one).definition.skeletons for one in shipped()):
        space.skeleton(name)


def _check_anchors(settings: Settings) -> None:
    taught = read_distillation(settings.distillation) is not None
    if settings.teacher != LARGEST and not taught:
        raise SettingsError(
            f"A teacher is imitated where --distillation says how, got --teacher {settings.teacher} without it: give "
            "--distillation logits or nst too, or leave --teacher out"
        )
    if taught and settings.teacher != LARGEST and not Path(settings.teacher).is_file():
        raise SettingsError(
            f"Expected a teacher '{LARGEST}' or an ONNX file, got '{settings.teacher}', which is no file"
        )
    if settings.anchors_from and not (Path(settings.anchors_from) / "evaluations.sqlite").is_file():
        raise SettingsError(f"No run to take anchors over from at {settings.anchors_from}: expected a run's directory")


def _check_name(what: str, name: str, known: tuple[str, ...]) -> None:
    if name not in known:
        raise SettingsError(f"Unknown {what} '{name}': expected {', '.join(known)}.{suggest(name, known)}")

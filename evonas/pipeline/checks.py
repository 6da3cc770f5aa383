"""Checks of settings that need no torch: wrong names and missing files end a command in a fraction of a second."""

from __future__ import annotations

from importlib.metadata import entry_points
from pathlib import Path

from evonas.config import SAMPLINGS, Settings
from evonas.errors import DataError, SettingsError, TrainingError, suggest
from evonas.objectives.accuracy.estimators import read_estimator
from evonas.pareto.objective import parse_constraint, split_names
from evonas.pipeline.catalog import ALGORITHMS, RULES, list_entries
from evonas.spaces import load_space
from evonas.tables.table import load_table


def check_settings(settings: Settings) -> None:
    """Refuse what can be refused by names and files alone; `SearchProblem` checks the rest.

    Names that hold ``(`` or ``:`` are left to it, as they may be scores with options or columns.

    Raises:
        EvonasError: A wrong name, or a file that is missing.
    """
    space = load_space(settings.space)
    tables = load_table(list(settings.table), space) if settings.table else None
    constraints = [parse_constraint(text).objective for text in settings.constraint]
    known = [entry.name for entry in list_entries("objectives")]
    for name in (*split_names(settings.objectives), *constraints):
        plain = "(" not in name and ":" not in name
        if plain and name not in known and (tables is None or name not in tables):
            raise SettingsError(
                f"Unknown objective '{name}': expected some of {', '.join(known)}.{suggest(name, known)}"
            )
    rules, algorithms = [rule.name for rule in RULES], [algorithm.name for algorithm in ALGORITHMS]
    if settings.sharing not in rules:
        raise SettingsError(
            f"Expected a rule of weight sharing among {', '.join(rules)}, got '{settings.sharing}'."
            f"{suggest(settings.sharing, rules)}"
        )
    if settings.algorithm not in algorithms:
        raise SettingsError(
            f"Unknown algorithm '{settings.algorithm}': expected {', '.join(algorithms)}."
            f"{suggest(settings.algorithm, algorithms)}"
        )
    if settings.sampling not in SAMPLINGS:
        raise SettingsError(
            f"Expected a sampling of paths among {', '.join(SAMPLINGS)}, got '{settings.sampling}'."
            f"{suggest(settings.sampling, SAMPLINGS)}"
        )
    if settings.data is not None:
        _check_data(settings.data)
    read_estimator(settings.estimator)
    if settings.skeleton is not None:
        space.skeleton(settings.skeleton)
    if settings.latency_table and not Path(settings.latency_table).is_file():
        raise SettingsError(f"No latency table at {settings.latency_table}: measure one with  evonas latency build")
    if settings.supernet and not (file := Path(settings.supernet) / "supernet.safetensors").is_file():
        raise TrainingError(f"No trained supernet at {file}: expected the directory of a run that searched by acc")


def _check_data(name: str) -> None:
    """Refuse data that no reader can know: no path, no name of the hub, and no other package's."""
    known = ("digits", *sorted(point.name for point in entry_points(group="evonas.data")))
    kind = name.partition(":")[0]
    if name in known or kind in (*known, "hub") or Path(name).exists():
        return
    raise DataError(
        f"Unknown data '{name}': expected {', '.join(known)}, an .npz file, a folder of parquet files or images, "
        f"or hub:NAME.{suggest(Path(name).name, known)}"
    )

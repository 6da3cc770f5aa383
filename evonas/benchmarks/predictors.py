"""Benchmark of predictors across spaces: learned from some tables, judged on others with few labels or none."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from evonas.benchmarks.judged_table import JudgedTable
from evonas.benchmarks.transferable import TRANSFERABLE, Asked, baselines, shipped_of
from evonas.errors import SettingsError, suggest
from evonas.pareto.correlation import kendall, spearman
from evonas.predictors.general import PredictorFile
from evonas.tables.known import find_table

__all__ = ["bench_predictors", "summarize_predictors"]

TOP = 0.30
Progress = Callable[[str, int], None]


def bench_predictors(
    train: Sequence[JudgedTable],
    test: Sequence[JudgedTable],
    *,
    labels: Sequence[int],
    seeds: int = 10,
    shipped: PredictorFile | None = None,
    learners: Sequence[str] = ("traits",),
    progress: Progress = lambda what, number: None,
) -> list[dict[str, Any]]:
    """Return how well predictors order the rows of tables that they were not trained on.

    Rows whose values are given away, and those of equal architectures, are not judged on. Without labels nothing is
    drawn: there is one row, of seed 0.

    Args:
        train: Tables that `learners` learn from; none: these are left out. Of a test table's own space nothing is
            learned: tables of that space are left out where it is judged.
        test: Tables that they are judged on.
        labels: How many rows of a test table's values are given away.
        seeds: How many draws of labelled rows.
        learners: Names of `TRANSFERABLE` that learn from `train`.
        shipped: Predictor that was trained before; of a space that it knows, the variant without it is judged.
        progress: Told of each predictor before its work.

    Returns:
        A row per predictor, test table, number of labels and seed: ``predictor``, ``train`` (what it learned from; a
        list) and ``test``, as given, ``labels``, ``seed``, ``n`` (rows judged on), ``spearman``, ``kendall``,
        ``kendall_top30`` (inside the true top 30 %).

    Raises:
        SettingsError: A table is in both lists, all to learn from are of a space that is judged, a learner is unknown,
            or more labels than a table allows.
    """
    for name in learners:
        if name not in TRANSFERABLE:
            raise SettingsError(
                f"Expected learners among {', '.join(TRANSFERABLE)}, got '{name}'.{suggest(name, TRANSFERABLE)}"
            )
    teachers = [_elsewhere(train, table) for table in test]
    for table in test:
        for number in labels:
            table.labelled(number, 0)
    learned: dict[tuple[str, ...], dict[str, Callable[[JudgedTable], Asked]]] = {}
    rows: list[dict[str, Any]] = []
    for table, teaching in zip(test, teachers, strict=True):
        names = [one.name.text for one in teaching]
        if teaching and tuple(names) not in learned:
            learned[tuple(names)] = {name: TRANSFERABLE[name](teaching) for name in learners}
        found: dict[str, tuple[list[str], Asked]] = {name: ([], asked) for name, asked in baselines(table).items()}
        found |= {name: (names, make(table)) for name, make in learned.get(tuple(names), {}).items()}
        if shipped is not None:
            name, asked = shipped_of(shipped, table)
            known = [one for one in shipped.tables if one.space != table.space_name]
            found[name] = [f"{one.table}:{one.space}:{one.column}" for one in known], asked
        for name, (taught, asked) in found.items():
            for number in labels:
                for seed in range(seeds if number else 1):
                    progress(f"{name} on {table.name.file}, {number} labels", seed)
                    judged = _judge(table, asked, number, seed)
                    if judged is not None:
                        ends = {"predictor": name, "train": taught, "test": table.name.text}
                        rows.append(ends | {"labels": number, "seed": seed} | judged)
    return rows


def _elsewhere(train: Sequence[JudgedTable], test: JudgedTable) -> list[JudgedTable]:
    """Return the tables of other spaces than a test table's; files of networks are of no space."""
    place = find_table(test.name.file).resolve()
    if any(find_table(table.name.file).resolve() == place for table in train):
        raise SettingsError(f"Expected other tables to train on than to be judged on, got {test.name.file} for both")
    found = [table for table in train if not (table.has_space and table.space_name == test.space_name)]
    if train and not found:
        raise SettingsError(
            f"Expected a table to train on of another space than {test.space_name}, which {test.name.file} judges on, "
            f"got {', '.join(table.name.file for table in train)}"
        )
    return found


def _judge(table: JudgedTable, asked: Asked, number: int, seed: int) -> dict[str, Any] | None:
    labelled = table.labelled(number, seed)
    scores = asked(labelled, seed)
    if scores is None:
        return None
    left = table.left(labelled)
    given, truth = scores[left], table.values[left]
    return {
        "n": len(left),
        "spearman": spearman(given, truth),
        "kendall": kendall(given, truth),
        "kendall_top30": kendall(given, truth, top=TOP),
    }


def summarize_predictors(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return means over seeds, and the standard deviation of Spearman's rho, of what `bench_predictors` returned."""
    groups: dict[tuple[str, str, int], list[Mapping[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["test"], row["predictor"], row["labels"]), []).append(row)
    found = []
    for (test, predictor, number), held in groups.items():
        figures = {
            name: float(np.mean([row[name] for row in held])) for name in ("spearman", "kendall", "kendall_top30")
        }
        spread = float(np.std([row["spearman"] for row in held], ddof=1)) if len(held) > 1 else 0.0
        found.append(
            {"test": test, "predictor": predictor, "labels": number, "seeds": len(held), **figures, "sd": spread}
        )
    return found

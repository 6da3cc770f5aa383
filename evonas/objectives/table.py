"""Columns of measured truth as objectives."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import EvaluationError
from evonas.objectives.contract import Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.objective import Objective
from evonas.spaces import Architecture, Candidate
from evonas.tables.direction import column_direction
from evonas.tables.table import Table


class TableEvaluator(Evaluator):
    """Values of a table, by architecture; one that it does not hold fails.

    Args:
        table: Measured truth of architectures of the space.
        columns: Columns wanted, each ``NAME`` where the name gives the direction, or ``NAME:max|min``.

    Raises:
        SettingsError: A column that the table lacks, or whose direction is not known.
    """

    batch = 1000
    """Architectures that are worth storing in one go."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        directed = [column_direction(text) for text in columns]
        self.objectives = tuple(Objective(name, "", direction) for name, direction in directed)
        self._table = table
        self._values = {name: table[name] for name, _ in directed}
        digest = {name: fingerprint(values.tobytes().hex()) for name, values in self._values.items()}
        self.fingerprint = fingerprint("table", 1, digest, list(table.keys))

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return the table's values of each architecture."""

        def compute(architecture: Architecture) -> dict[str, float]:
            row = self._table.index(architecture)
            values = {name: float(column[row]) for name, column in self._values.items()}
            missing = [name for name, value in values.items() if not np.isfinite(value)]
            if missing:
                raise EvaluationError(f"the table has no value of {', '.join(missing)} for {architecture}")
            return values

        return one_by_one(self.objectives, candidates, compute)

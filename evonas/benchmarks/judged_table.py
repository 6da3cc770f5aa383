"""Tables of trained architectures as predictors are judged on them: ``FILE:SPACE:COLUMN``."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any, NamedTuple

import numpy as np

from evonas.errors import DataError, SettingsError
from evonas.graphs import ComputationGraph
from evonas.pareto.objective import split_direction
from evonas.predictors.ranker import FREE_SCORES, JointScore
from evonas.spaces import Architecture, Space, load_space
from evonas.tables.load import load_table
from evonas.tables.table import Table

__all__ = ["JudgedTable", "TableName", "split_table_name", "usable_rows"]

FEWEST = 10
"""Rows below which no correlation means anything."""
REFERENCES = 300
"""Architectures of a space that traits are ranked among."""


class TableName(NamedTuple):
    """Parts of ``FILE:SPACE:COLUMN``.

    Attributes:
        text: As it was given.
        file: A table's file or name.
        space: A space's name or file.
        column: What is predicted.
        sign: 1 where more of it is better, -1 where less is.
    """

    text: str
    file: str
    space: str
    column: str
    sign: float


def split_table_name(text: str) -> TableName:
    """Split ``FILE:SPACE:COLUMN`` from the right; a final ``:min`` or ``:max`` is a direction, more is better without.

    Raises:
        SettingsError: It has not three parts.
    """
    name, direction = split_direction(text)
    rest, _, column = name.rpartition(":")
    file, _, space = rest.rpartition(":")
    if not (file and space and column):
        raise SettingsError(f"Expected FILE:SPACE:COLUMN, such as table.csv:nasbench201:acc, got '{text}'")
    return TableName(text, file, space, column, -1.0 if direction == "min" else 1.0)


def usable_rows(table: Table, name: TableName, limit: int | None) -> np.ndarray:
    """Return rows of a table that have a number in its column, in order; of more than `limit` the same draw each time.

    Raises:
        DataError: Fewer than `FEWEST` are left.
    """
    rows = np.flatnonzero(np.isfinite(table[name.column]))
    if limit is not None and limit < len(rows):
        rows = np.sort(np.random.default_rng(0).choice(rows, limit, replace=False))
    if len(rows) < FEWEST:
        raise DataError(
            f"Expected {FEWEST} rows or more with numbers in column '{name.column}' of {name.file}, got {len(rows)}"
        )
    return rows


class JudgedTable:
    """Architectures of a table, canonical, and all that is known of them without training any.

    Args:
        name: What was asked for.
        space: Their space.
        architectures: As written, n of them.
        values: What is predicted, more is better, shape ``(n,)``.

    Attributes:
        forms: Canonical architectures.
        keys: Their texts, shape ``(n,)``; rows of one text are one architecture.
    """

    has_space = True
    """Whether rows are architectures of a space."""

    def __init__(
        self, name: TableName, space: Space[Any], architectures: Sequence[Architecture], values: np.ndarray
    ) -> None:
        self.name, self._space, self.values = name, space, np.asarray(values, dtype=np.float64)
        self.forms = [space.canonical(architecture) for architecture in architectures]
        self.keys = np.array([str(form) for form in self.forms])
        self.image_scores: dict[str, np.ndarray] = {}
        """Scores that need images, more is better, by name; none where there are none."""

    @classmethod
    def read(cls, name: TableName, *, limit: int | None = None) -> JudgedTable:
        """Read a table of architectures; see `evonas.benchmarks.onnx_table.read_table`."""
        space = load_space(name.space)
        table = load_table(name.file, space)
        chosen: Table = table.select(usable_rows(table, name, limit))
        return JudgedTable(name, space, chosen.architectures, name.sign * chosen[name.column])

    @property
    def space(self) -> Space[Any]:
        """Space of the architectures."""
        return self._space

    @property
    def space_name(self) -> str:
        """Name of the space."""
        return str(self.space.name)

    def graphs(self) -> list[ComputationGraph]:
        """Return the computation graph of each row on the literature's skeleton."""
        from evonas.objectives.cost.architecture_graph import ArchitectureGraphs

        graphs = ArchitectureGraphs(self.space, self.space.literature_skeleton())
        return [graphs(form) for form in self.forms]

    def __len__(self) -> int:
        return len(self.forms)

    @cached_property
    def flops(self) -> np.ndarray:
        """FLOPs on the literature's skeleton, shape ``(n,)``."""
        from evonas.benchmarks.anchor_signals import canonical_costs

        return canonical_costs(self.space, self.forms)["flops"]

    @cached_property
    def traits(self) -> np.ndarray:
        """Traits on the literature's skeleton, shape ``(n, len(TRAITS))``."""
        return self._reader(self.forms)

    @cached_property
    def reference(self) -> np.ndarray:
        """Traits of a sample of the space, drawn choice by choice."""
        sample = self.space.sample(REFERENCES, np.random.default_rng(0), by="choice")
        return self._reader([self.space.canonical(self.space.decode(genome)) for genome in sample])

    @cached_property
    def free(self) -> np.ndarray:
        """Joint score of FLOPs and, with images, of scores that read them, ranked among the rows, shape ``(n,)``."""
        scores = {"flops": self.flops, **self.image_scores}
        scores = {name: column for name, column in scores.items() if name in FREE_SCORES}
        return JointScore(scores)(scores)

    @cached_property
    def distinct(self) -> np.ndarray:
        """A row of each architecture, int64."""
        return np.sort(np.unique(self.keys, return_index=True)[1])

    @cached_property
    def _reader(self) -> Callable[[Sequence[Architecture]], np.ndarray]:
        from evonas.objectives.cost.trait_reader import TraitReader

        return TraitReader(self.space, self.space.literature_skeleton())

    def labelled(self, number: int, seed: int) -> np.ndarray:
        """Return rows of different architectures whose values are given away; those of a smaller number come first.

        Raises:
            SettingsError: Too few are left to be judged on.
        """
        if number > len(self.distinct) - FEWEST:
            raise SettingsError(
                f"Expected at most {max(0, len(self.distinct) - FEWEST)} labels, for {self.name.file} holds "
                f"{len(self.distinct)} different architectures and {FEWEST} must be left to be judged on, got {number}"
            )
        return np.random.default_rng(seed).permutation(self.distinct)[:number]

    def left(self, labelled: np.ndarray) -> np.ndarray:
        """Return the rows of all other architectures."""
        return np.flatnonzero(~np.isin(self.keys, self.keys[labelled]))

"""Tables of networks that are known by their ONNX files alone: ``FILE:onnx:COLUMN``."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from evonas.benchmarks.judged_table import JudgedTable, TableName, split_table_name, usable_rows
from evonas.errors import DataError, SettingsError
from evonas.graphs import ComputationGraph, read_onnx
from evonas.objectives.cost.graph_traits import graph_traits
from evonas.spaces import Space
from evonas.tables.known import find_table
from evonas.tables.load import load_table

__all__ = ["OnnxTable", "read_table"]

SPACE = "onnx"
"""Name that stands for a space where networks are files."""
FILES = "file"
"""Column of their names, relative to the table."""


def read_table(text: str, *, limit: int | None = None) -> JudgedTable:
    """Read ``FILE:SPACE:COLUMN``, or ``FILE:onnx:COLUMN``: a CSV whose column ``file`` names ONNX files beside it.

    Args:
        text: As given.
        limit: Rows that are used at most, the same ones every time; None: all.

    Raises:
        SettingsError: Another form, no such space, or no such column.
        DataError: A file that cannot be read, or too few rows.
        GraphError: An ONNX file that is no network of the kind that can be read; it is named.
    """
    name = split_table_name(text)
    if name.space != SPACE:
        return JudgedTable.read(name, limit=limit)
    table, place = load_table(name.file), find_table(name.file)
    if FILES not in table.labels:
        raise DataError(f"Expected a column '{FILES}' of ONNX files in {name.file}, got {', '.join(table.columns)}")
    rows = usable_rows(table, name, limit)
    files = [Path(place).parent / table.labels[FILES][row] for row in rows]
    return OnnxTable(name, [read_onnx(file) for file in files], name.sign * table[name.column][rows])


class OnnxTable(JudgedTable):
    """Networks of a table, each a computation graph; equal graphs are one architecture.

    Args:
        name: What was asked for.
        graphs: Their graphs.
        values: What is predicted, more is better, shape ``(n,)``.
    """

    has_space = False

    def __init__(self, name: TableName, graphs: Sequence[ComputationGraph], values: np.ndarray) -> None:
        self.name, self.values, self.forms = name, np.asarray(values, dtype=np.float64), []
        self._read = list(graphs)
        self.keys = np.array([graph.key for graph in graphs])
        self.image_scores = {}

    @property
    def space(self) -> Space[Any]:
        """Refused: there is none.

        Raises:
            SettingsError: Always; something asked that reads architectures.
        """
        raise SettingsError(
            f"{self.name.file} holds ONNX files, not architectures of a space: leave out what reads these"
        )

    @property
    def space_name(self) -> str:
        """``onnx``."""
        return SPACE

    def __len__(self) -> int:
        return len(self._read)

    def graphs(self) -> list[ComputationGraph]:
        """Return the graph of each row."""
        return self._read

    @cached_property
    def flops(self) -> np.ndarray:
        """FLOPs as the files say, shape ``(n,)``."""
        return np.array([graph.flops for graph in self._read], dtype=np.float64)

    @cached_property
    def traits(self) -> np.ndarray:
        """Traits, shape ``(n, len(TRAITS))``."""
        return np.stack([graph_traits(graph) for graph in self._read])

    @property
    def reference(self) -> np.ndarray:
        """Traits of the rows themselves: there is no space to draw from."""
        return self.traits

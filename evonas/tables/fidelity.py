"""Fidelities: which column of a table plays a training, and how many epochs one value of it costs."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np

from evonas.errors import SettingsError, suggest
from evonas.tables.table import Table

__all__ = ["FidelityColumn", "check_order", "parse_reading", "read_values"]


@dataclass(frozen=True)
class FidelityColumn:
    """A column of measured accuracy, higher is better.

    Attributes:
        columns: One column, or several whose mean it is.
        epochs: What one value costs, and in a curve which epoch it is read at; None: not given.
    """

    columns: tuple[str, ...]
    epochs: int | None = None

    def __str__(self) -> str:
        name = self.columns[0] if len(self.columns) == 1 else f"mean({','.join(self.columns)})"
        return name if self.epochs is None else f"{name}:{self.epochs}"


def parse_reading(text: str) -> FidelityColumn:
    """Return the reading of ``COLUMN``, ``COLUMN:EPOCHS``, or ``mean(COLUMN,COLUMN)`` with or without epochs.

    A column's name may hold colons: the last one is read as epochs only where digits follow it.

    Raises:
        SettingsError: No column, or epochs below 1.
    """
    match = re.fullmatch(r"(.+?)(?::(\d{1,9}))?", text.strip())
    if match is None or match[1].startswith(":") or (match[2] is not None and int(match[2]) < 1):
        raise SettingsError(f"Expected COLUMN or COLUMN:EPOCHS, such as test_acc:50, got '{text}'.")
    name, epochs = match[1].strip(), None if match[2] is None else int(match[2])
    mean = re.fullmatch(r"mean\((.*)\)", name)
    columns = tuple(part.strip() for part in mean[1].split(",")) if mean else (name,)
    if not all(columns):
        raise SettingsError(f"Expected mean(COLUMN,COLUMN), got '{name}'.")
    return FidelityColumn(columns, epochs)


def check_order(low: FidelityColumn, high: FidelityColumn) -> None:
    """Refuse a low fidelity that costs more than the high one.

    Raises:
        SettingsError: It has more epochs.
    """
    if low.epochs is not None and high.epochs is not None and low.epochs > high.epochs:
        raise SettingsError(
            f"Expected the low fidelity to cost no more epochs than the high one, got {low} and {high}: exchange them."
        )


def read_values(table: Table, reading: FidelityColumn) -> np.ndarray:
    """Return what a table holds of a reading, shape ``(n,)``, NaN where a value is missing.

    Raises:
        SettingsError: No such column, or a curve without an epoch that it has.
    """
    return np.asarray(np.mean([_column(table, name, reading.epochs) for name in reading.columns], axis=0))


def _column(table: Table, name: str, epochs: int | None) -> np.ndarray:
    if epochs is not None and f"{name}:{epochs}" in table:
        return table[f"{name}:{epochs}"]
    if name in table or name in table.labels:
        return table[name]
    last = sum(re.fullmatch(r"\d+", column.removeprefix(f"{name}:")) is not None for column in table.columns)
    if f"{name}:1" in table:
        raise SettingsError(
            f"Expected an epoch from 1 to {last} of '{name}' in {table.source}, such as {name}:{last}, got "
            f"{'none' if epochs is None else epochs}."
        )
    known = list(dict.fromkeys(re.sub(r":\d+$", "", column) for column in table.columns))
    raise SettingsError(f"No column '{name}' in {table.source}: it has {', '.join(known)}.{suggest(name, known)}")

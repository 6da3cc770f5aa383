"""Tables: measured truth in CSV files, plain or gzip, or in `.npz` files of curves, looked up by architecture.

    table = load_table(["nasbench201.csv.gz", "nasbench201_latency.csv.gz"], space="nasbench201")
    table["c10_test_200"]                 # float64, one value per row, NaN where the cell is empty
    table.index(architecture)             # the row of an architecture

The architecture is the first of the columns `architecture`, `arch`, `genotype`, `nb201_arch` whose values
the space parses, always read as text (codes keep their leading zeros), else the three columns `ks`, `e`, `d`
of once-for-all networks. Several tables become one by an inner join: on the architecture as written where
both have one, else on `index`. A lookup never guesses: an architecture is in the table, or it is an error.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING

import numpy as np

from evonas.errors import DataError, SettingsError, SpaceError, suggest
from evonas.tables.architectures import ARCHITECTURE_COLUMNS, ELASTIC_COLUMNS
from evonas.tables.csv_file import one_line, to_numbers

if TYPE_CHECKING:
    from evonas.spaces import Architecture, Space

__all__ = ["INDEX", "Table", "refuse_duplicates"]

INDEX = "index"
"""Column that tables without architectures are joined on."""


class Table:
    """Measured values of architectures, one row each.

    Attributes:
        columns: Name -> float64 array of shape (n,), NaN where nothing was measured; read-only.
        labels: Name -> texts of the columns that are not numbers, the architecture's own left out.
        texts: Architectures as the file writes them, or None where the table has only an `index`.
        space: The space that parses `texts`, or None.
        source: Names of the files, for messages.
    """

    def __init__(
        self,
        columns: Mapping[str, np.ndarray],
        *,
        labels: Mapping[str, Sequence[str]] | None = None,
        texts: Sequence[str] | None = None,
        space: Space | None = None,
        source: str = "table",
    ) -> None:
        frozen = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
        for values in frozen.values():
            values.flags.writeable = False
        self.columns: Mapping[str, np.ndarray] = MappingProxyType(frozen)
        self.labels: Mapping[str, tuple[str, ...]] = MappingProxyType(
            {name: tuple(values) for name, values in (labels or {}).items()}
        )
        self.texts = None if texts is None else tuple(texts)
        self.space = space
        self.source = source
        lengths = {len(values) for values in self.columns.values()}
        lengths |= {len(values) for values in self.labels.values()}
        lengths |= set() if self.texts is None else {len(self.texts)}
        if len(lengths) != 1:
            raise DataError(f"{source}: expected columns of one length, got lengths {sorted(lengths)}.")
        self._rows = lengths.pop()

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"<Table {self.source}: {len(self)} rows, columns {', '.join(self.columns)}>"

    def __contains__(self, column: object) -> bool:
        return column in self.columns

    def __getitem__(self, column: str) -> np.ndarray:
        """Return a column, shape (n,), float64.

        Raises:
            SettingsError: There is no such column, or it holds text.
        """
        if column in self.columns:
            return self.columns[column]
        if column in self.labels:
            values = self.labels[column]
            row, cell = next((row, cell) for row, cell in enumerate(values, 1) if to_numbers([cell]) is None)
            raise SettingsError(
                f"Expected numbers in column '{column}' of {self.source}, got {cell[:40]!r} in row {row}: "
                f"the numeric columns are {', '.join(self.columns)}."
            )
        raise SettingsError(
            f"No column '{column}' in {self.source}: it has {', '.join(self.columns)}.{suggest(column, self.columns)}"
        )

    @cached_property
    def architectures(self) -> tuple[Architecture, ...]:
        """The architecture of every row, as written; parsed when first asked for.

        Raises:
            DataError: The table has no architectures, or a row does not parse (the row is named).
        """
        if self.texts is None or self.space is None:
            raise DataError(
                f"{self.source} has no architectures: load it with its space, or joined on '{INDEX}' with a "
                f"table that has a column {', '.join(ARCHITECTURE_COLUMNS)} or {', '.join(ELASTIC_COLUMNS)}."
            )
        parsed = []
        for row, text in enumerate(self.texts, start=1):
            try:
                parsed.append(self.space.parse(text))
            except SpaceError as error:
                raise DataError(
                    f"Row {row} of {self.source} is no architecture of {self.space.name}: {error}"
                ) from error
        return tuple(parsed)

    @cached_property
    def keys(self) -> tuple[str, ...]:
        """``str`` of every architecture as written, unique.

        Raises:
            DataError: Two rows hold the same architecture (both are named).
        """
        keys = tuple(str(architecture) for architecture in self.architectures)
        refuse_duplicates(keys, self.source, "architecture")
        return keys

    @cached_property
    def _written(self) -> dict[str, int]:
        return {key: row for row, key in enumerate(self.keys)}

    @cached_property
    def _canonical(self) -> dict[str, list[int]]:
        assert self.space is not None
        rows: dict[str, list[int]] = {}
        for row, architecture in enumerate(self.architectures):
            rows.setdefault(str(self.space.canonical(architecture)), []).append(row)
        return rows

    def index(self, architecture: Architecture | str) -> int:
        """Return the row of an architecture: as written, else the only row with the same canonical form.

        Args:
            architecture: An architecture of the table's space, or a text of one.

        Raises:
            DataError: No row holds it, or several rows share its canonical form and none is it as written.
            SpaceError: The text does not parse.
        """
        written = self._written  # says so where the table has no architectures
        assert self.space is not None
        if isinstance(architecture, str):
            architecture = self.space.parse(architecture)
        row = written.get(str(architecture))
        if row is not None:
            return row
        rows = self._canonical.get(str(self.space.canonical(architecture)), [])
        if len(rows) == 1:
            return rows[0]
        if not rows:
            raise DataError(f"{self.source} has no row for the architecture {architecture}.")
        raise DataError(
            f"{self.source} holds {len(rows)} rows (the first two: {rows[0] + 1}, {rows[1] + 1}) that equal "
            f"{architecture} in canonical form, none as written: ask for one of them as written."
        )

    def select(self, rows: Sequence[int] | np.ndarray) -> Table:
        """Return the table of these rows (integers from 0, in this order)."""
        rows = np.asarray(rows, dtype=np.intp)
        return Table(
            {name: values[rows] for name, values in self.columns.items()},
            labels={name: [values[row] for row in rows] for name, values in self.labels.items()},
            texts=None if self.texts is None else [self.texts[row] for row in rows],
            space=self.space,
            source=self.source,
        )


def refuse_duplicates(keys: Sequence[object], source: str, what: str) -> None:
    """Refuse keys of which two are equal.

    Args:
        keys: One per row.
        source: Name of the table, for the message.
        what: What a key is, such as ``architecture``.

    Raises:
        DataError: Two rows have the same key; both are named.
    """
    seen: dict[object, int] = {}
    for row, key in enumerate(keys):
        if key in seen:
            raise DataError(
                f"Rows {seen[key] + 1} and {row + 1} of {source} hold one {what}, {one_line(key)}: keep one."
            )
        seen[key] = row

"""Search among the rows of a table that holds a part of its space."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import DataError, SettingsError
from evonas.pipeline.genome import SearchGenome
from evonas.spaces import Space
from evonas.spaces.candidate import Candidate
from evonas.tables.table import Table

__all__ = ["RowGenome", "is_partial", "share_sentence"]


class RowGenome(SearchGenome):
    """The code between genomes and rows of a table: a genome means the row nearest to it.

    Nearest is the row that differs in the fewest genes, the first of those. Crossover and mutation work on genes as
    they do in the whole space.

    Args:
        space: The space.
        table: Measured truth of some of its architectures.
        columns: Names of the columns that are evaluated; rows without a value in one are left out.

    Raises:
        SettingsError: Fewer than two rows have a value in each.
    """

    def __init__(self, space: Space, table: Table, columns: Sequence[str]) -> None:
        super().__init__(space)
        measured = np.isfinite([table[name] for name in columns]).all(axis=0)
        rows = [row for row in np.flatnonzero(measured) if _is_found(space, table, int(row))]
        if len(rows) < 2:
            raise SettingsError(
                f"Expected two rows or more of {table.source} with values of {', '.join(columns)}, got {len(rows)}"
            )
        self.rows = len(rows)
        self._candidates = [Candidate(space.canonical(table.architectures[row])) for row in rows]
        self._genomes = np.stack([space.encode(table.architectures[row]) for row in rows])
        self._nearest: dict[bytes, int] = {}

    def sample(self, n: int, rng: np.random.Generator, by: str = "choice") -> np.ndarray:
        """Draw rows, as genomes of shape ``(n, genes)``; each is as likely, whatever `by` is."""
        return self._genomes[rng.integers(self.rows, size=n)]

    def candidate(self, genome: np.ndarray) -> Candidate:
        """Return the architecture of the row nearest to a genome, canonical."""
        genes = np.asarray(genome, dtype=self._genomes.dtype)
        row = self._nearest.get(genes.tobytes())
        if row is None:
            row = self._nearest[genes.tobytes()] = int((self._genomes != genes).sum(axis=1).argmin())
        return self._candidates[row]

    def key(self, genome: np.ndarray) -> str:
        """Return the text of a genome's candidate: what stores and duplicates go by."""
        return str(self.candidate(genome))


def is_partial(space: Space, table: Table) -> bool:
    """Return whether a table lacks architectures of its space."""
    return len(set(table.keys)) < space.size


def share_sentence(space: Space, table: Table, genome: RowGenome) -> str:
    """Return what share of a space the rows are that are searched, in a sentence."""
    share = genome.rows / space.size
    part = f"{share:.1%}" if share >= 0.001 else f"{share:.1e} of all"
    left = len(table) - genome.rows
    without = f"; {left:,} rows without a value of every objective are left out" if left else ""
    return (
        f"The search is among the {genome.rows:,} rows of {table.source}, of the {space.size:,} architectures of "
        f"{space.name} ({part}){without}"
    )


def _is_found(space: Space, table: Table, row: int) -> bool:
    """Return whether a row is found by its canonical form, which two rows may share."""
    try:
        return table.index(space.canonical(table.architectures[row])) == row
    except DataError:
        return False

"""Table of evaluations: every result of a run, by architecture, objective and fingerprint."""

from __future__ import annotations

import json
import math
import time
from array import array
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

import numpy as np

from evonas.errors import EvaluationError
from evonas.runs.database import Database
from evonas.runs.records import Evaluation

__all__ = ["EvaluationTable"]


class EvaluationTable(Database):
    """Evaluations of a run; a stored one is never overwritten. Arguments and errors are those of `Database`."""

    def __init__(self, path: str | Path, *, create: bool = False, write: bool = True) -> None:
        super().__init__(path, create=create, write=write)
        self._number: int | None = None
        self._series: dict[tuple[str, str], int] = {}

    def record(self, rows: Iterable[Evaluation]) -> int:
        """Store results, all or none.

        Args:
            rows: Results in the order they became known. A key that is stored already keeps its first result.

        Returns:
            How many were new.

        Raises:
            EvaluationError: A row has both a value and a cause, neither, or a value that is not finite.
            RunError: The store cannot be written.
        """
        rows = [_checked(row) for row in rows]
        with self._writing():
            self._enter(row.architecture for row in rows)
            keys = [self._key(row.objective, row.fingerprint) for row in rows]
            first, before = self._next_number(), self._base.total_changes
            self._base.executemany(
                "INSERT INTO evaluations SELECT ?, id, ?, ?, ?, ? FROM candidates WHERE text = ?"
                " ON CONFLICT DO NOTHING",
                [
                    (key, number, row.value, row.cause, row.seconds, row.architecture)
                    for number, (key, row) in enumerate(zip(keys, rows, strict=True), start=first)
                ],
            )
            new = self._base.total_changes - before
            if new:
                self._base.execute("INSERT INTO moments VALUES (?, ?)", (first, time.time()))
        self._number = first + len(rows)
        return new

    def lookup(self, architectures: Sequence[str], objective: str, fingerprint: str) -> dict[str, Evaluation]:
        """Return what is stored of these architectures (canonical texts), by text; the unknown are absent."""
        with self._translated_errors():
            found = self._base.execute(
                "SELECT text, evaluations.value, cause, seconds FROM json_each(?) AS asked"
                " CROSS JOIN candidates ON text = asked.value"  # "cross" keeps SQLite to this order
                " CROSS JOIN evaluations ON architecture = candidates.id"
                " WHERE series = (SELECT id FROM series WHERE objective = ? AND fingerprint = ?)",
                (json.dumps(list(architectures)), objective, fingerprint),
            ).fetchall()
        return {row[0]: Evaluation(row[0], objective, fingerprint, *row[1:]) for row in found}

    def values(self, series: Sequence[tuple[str, str]]) -> tuple[np.ndarray, np.ndarray]:
        """Return all architectures whose value is known in each of some series.

        Args:
            series: m pairs of objective and fingerprint.

        Returns:
            Numbers of the architectures, for `texts`, int64 of shape (n,), ascending; and values, float64 of
            shape (n, m).
        """
        if not series:
            raise EvaluationError("Expected at least one objective to read values of, got none.")
        with self._translated_errors():
            numbers, column = self._column(*series[0])
            columns = [column]
            for pair in series[1:]:
                others, column = self._column(*pair)
                if not np.array_equal(numbers, others):
                    numbers, ours, theirs = np.intersect1d(numbers, others, assume_unique=True, return_indices=True)
                    columns, column = [known[ours] for known in columns], column[theirs]
                columns.append(column)
        return numbers, np.stack(columns, axis=1)

    def _column(self, objective: str, fingerprint: str) -> tuple[np.ndarray, np.ndarray]:
        """Return numbers of architectures, ascending, and their values in one series.

        SQLite hands the columns over as arrays, and series are matched in numpy: a sixth of the time of a join
        whose rows become Python's tuples.
        """
        collected = self._collect()
        self._base.execute(
            "SELECT collect_number(architecture), collect_value(value) FROM evaluations"
            " WHERE series = ? AND value IS NOT NULL",
            (self._find(objective, fingerprint),),
        ).fetchall()
        numbers, values = (np.array(collected.get(code, array(code))) for code in "qd")
        if (numbers[1:] < numbers[:-1]).any():  # the primary key's order is the one that SQLite takes, but need not
            order = np.argsort(numbers)
            numbers, values = numbers[order], values[order]
        return numbers, values

    def texts(self, numbers: Iterable[int]) -> list[str]:
        """Return the architectures of these numbers, in their order."""
        with self._translated_errors():
            rows = self._base.execute(
                "SELECT text FROM json_each(?) AS asked"
                " CROSS JOIN candidates ON candidates.id = asked.value ORDER BY asked.key",
                (json.dumps([int(number) for number in numbers]),),
            ).fetchall()
        return [text for (text,) in rows]

    def evaluations(self) -> Iterator[Evaluation]:
        """Yield every stored result in the order they were stored."""
        with self._translated_errors():
            rows = self._base.execute(
                "SELECT text, objective, fingerprint, value, cause, seconds FROM evaluations"
                " JOIN candidates ON candidates.id = architecture JOIN series ON series.id = series"
                " ORDER BY number"
            )
            for row in map(Evaluation._make, rows):
                if (type(row.value) is not float and type(row.cause) is not str) or type(row.architecture) is not str:
                    self._refuse(row)  # SQLite hands damaged rows over as they are
                yield row

    def times(self) -> dict[str, tuple[float, float]]:
        """Return when the evaluation of each architecture began and ended, seconds since 1970.

        Results that were stored before the moments were are left out.
        """
        with self._translated_errors():
            if not self._base.execute("SELECT 1 FROM sqlite_master WHERE name = 'moments'").fetchone():
                return {}
            rows = self._base.execute(
                "SELECT text, min(at - seconds), max(at) FROM (SELECT architecture, seconds,"
                " (SELECT at FROM moments WHERE moments.number <= evaluations.number ORDER BY number DESC LIMIT 1)"
                " AS at FROM evaluations) JOIN candidates ON candidates.id = architecture"
                " WHERE at IS NOT NULL GROUP BY text"
            ).fetchall()
        return {text: (began, ended) for text, began, ended in rows}

    @property
    def changes(self) -> int:
        """Rows that were stored or changed since the store was opened here."""
        return self._base.total_changes

    def series(self) -> dict[tuple[str, str], int]:
        """Return how many results are stored under each pair of objective and fingerprint."""
        with self._translated_errors():
            rows = self._base.execute(
                "SELECT objective, fingerprint, count(architecture) FROM series"
                " LEFT JOIN evaluations ON series = id GROUP BY id"
            ).fetchall()
        return {(objective, fingerprint): count for objective, fingerprint, count in rows}

    def forget_failures(self) -> int:
        """Delete the failed evaluations, so that they are tried again, and return their number.

        What was reported after a failure may come out differently now, so the members are forgotten with them and
        reported again; decisions stay.
        """
        with self._writing():
            failures = self._base.execute("DELETE FROM evaluations WHERE value IS NULL").rowcount
            if failures:
                self._base.execute("DELETE FROM members")
                # Numbers at the end are given again, by this store or by the next that opens the file.
                self._base.execute(
                    "DELETE FROM moments WHERE number > (SELECT coalesce(max(number), -1) FROM evaluations)"
                )
                self._number = None
        return failures

    def _forget(self) -> None:
        self._series.clear()

    def _find(self, objective: str, fingerprint: str) -> int | None:
        row = self._base.execute(
            "SELECT id FROM series WHERE objective = ? AND fingerprint = ?", (objective, fingerprint)
        ).fetchone()
        return None if row is None else row[0]

    def _key(self, objective: str, fingerprint: str) -> int:
        """Return the number of a series, entering it where it is new (inside a transaction)."""
        number = self._series.get((objective, fingerprint))
        if number is None:
            self._base.execute(
                "INSERT INTO series (objective, fingerprint) VALUES (?, ?) ON CONFLICT DO NOTHING",
                (objective, fingerprint),
            )
            number = self._find(objective, fingerprint)
            assert number is not None
            self._series[objective, fingerprint] = number
        return number

    def _next_number(self) -> int:
        if self._number is None:
            query = "SELECT coalesce(max(number) + 1, 0) FROM evaluations"
            self._number = self._base.execute(query).fetchone()[0]
        return self._number


def _checked(row: Evaluation) -> Evaluation:
    if (row.value is None) == (row.cause is None) or (row.value is not None and not math.isfinite(row.value)):
        raise EvaluationError(
            f"Expected either a finite value or a cause for {row.objective} of {row.architecture},"
            f" got value {row.value} and cause {row.cause!r}."
        )
    value = None if row.value is None else float(row.value)
    return row._replace(value=value, seconds=float(row.seconds))

"""The store of a run: what was evaluated, decided and told, in one SQLite file.

Every result is written the moment it is known. A write is one transaction in write-ahead mode, so a process
killed at any moment loses nothing that `Store.record` returned from; a stored result is never overwritten.
One process writes (the run's lock sees to it), any number read.
"""

from __future__ import annotations

import json
import math
from array import array
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, NoReturn

import numpy as np

from evonas.errors import EvaluationError, RunError
from evonas.runs.database import SCHEMA, Database

__all__ = ["SCHEMA", "Evaluation", "Member", "Note", "Store"]


class Evaluation(NamedTuple):
    """A stored result: a finite `value` in its natural direction or else a `cause`; `seconds` it took."""

    architecture: str
    objective: str
    fingerprint: str
    value: float | None
    cause: str | None
    seconds: float


class Member(NamedTuple):
    """An architecture as it was told to the search: its generation, its place in it, its parents."""

    generation: int
    place: int
    architecture: str
    parents: tuple[str, ...]


class Note(NamedTuple):
    """A further number known of an architecture, with whatever explains it (JSON)."""

    value: float
    detail: Any


class Store(Database):
    """The tables of one run.

    Args:
        path: The SQLite file.
        create: Make a new one; it must not exist. Otherwise it must.
        write: Allow writes.

    Raises:
        RunError: The file is missing, is no store, or has another schema.
    """

    def __init__(self, path: str | Path, *, create: bool = False, write: bool = True) -> None:
        super().__init__(path, create=create, write=write)
        self._number: int | None = None
        self._series: dict[tuple[str, str], int] = {}

    # ------------------------------------------------------------------------------------------ evaluations

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
        self._number = first + len(rows)
        return new

    def lookup(self, architectures: Sequence[str], objective: str, fingerprint: str) -> dict[str, Evaluation]:
        """Return what is stored of these architectures (canonical texts), by text; the unknown are absent."""
        with self._told():
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
        with self._told():
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
        with self._told():
            rows = self._base.execute(
                "SELECT text FROM json_each(?) AS asked"
                " CROSS JOIN candidates ON candidates.id = asked.value ORDER BY asked.key",
                (json.dumps([int(number) for number in numbers]),),
            ).fetchall()
        return [text for (text,) in rows]

    def evaluations(self) -> Iterator[Evaluation]:
        """Yield every stored result in the order they were stored."""
        with self._told():
            rows = self._base.execute(
                "SELECT text, objective, fingerprint, value, cause, seconds FROM evaluations"
                " JOIN candidates ON candidates.id = architecture JOIN series ON series.id = series"
                " ORDER BY number"
            )
            for row in map(Evaluation._make, rows):
                if (type(row.value) is not float and type(row.cause) is not str) or type(row.architecture) is not str:
                    self._refuse(row)  # SQLite hands damaged rows over as they are
                yield row

    @property
    def changes(self) -> int:
        """Rows that were stored or changed since the store was opened here."""
        return self._base.total_changes

    def series(self) -> dict[tuple[str, str], int]:
        """Return how many results are stored under each pair of objective and fingerprint."""
        with self._told():
            rows = self._base.execute(
                "SELECT objective, fingerprint, count(architecture) FROM series"
                " LEFT JOIN evaluations ON series = id GROUP BY id"
            ).fetchall()
        return {(objective, fingerprint): count for objective, fingerprint, count in rows}

    def forget_failures(self) -> int:
        """Delete the failed evaluations, so that they are tried again, and return their number.

        What was told after a failure may come out differently now, so the members are forgotten with them and
        told anew; decisions stay.
        """
        with self._writing():
            failures = self._base.execute("DELETE FROM evaluations WHERE value IS NULL").rowcount
            if failures:
                self._base.execute("DELETE FROM members")
        return failures

    # -------------------------------------------------------------------------------- decisions and members

    def decide(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what was decided under a key, deciding it now if it was not.

        Args:
            key: Name of the decision.
            make: Gives what JSON can hold; called only when nothing is stored. What it gave is on the disk
                before it is returned.

        Raises:
            RunError: The value does not fit JSON, or the store cannot be written.
        """
        with self._told():
            stored = self._base.execute("SELECT value FROM decisions WHERE key = ?", (key,)).fetchone()
        if stored is None:
            text = _json(make(), f"decision '{key}'")
            # What rests on a decision may reach the disk in another file: the decision must be there first.
            self._base.execute("PRAGMA synchronous = FULL")
            try:
                with self._writing():
                    self._base.execute("INSERT INTO decisions VALUES (?, ?)", (key, text))
            finally:
                self._base.execute("PRAGMA synchronous = NORMAL")
            stored = (text,)
        return self._parse(stored[0])

    def decisions(self, beginning: str = "") -> dict[str, Any]:
        """Return what was decided, by key, of all keys that begin so."""
        with self._told():
            rows = self._base.execute("SELECT key, value FROM decisions").fetchall()
        return {key: self._parse(value) for key, value in rows if key.startswith(beginning)}

    def enroll(
        self, generation: int, architectures: Sequence[str], parents: Sequence[Sequence[str]] | None = None
    ) -> int:
        """Store the order in which a generation was told; telling the same again changes nothing.

        Args:
            generation: Number of the generation, from 0.
            architectures: Canonical texts in the order told.
            parents: Canonical texts of what each descends from; None where nothing is known.

        Returns:
            How many were new.

        Raises:
            RunError: Another architecture stands at the same place: the run does not replay.
        """
        lineage = [()] * len(architectures) if parents is None else parents
        if len(lineage) != len(architectures):
            raise RunError(f"Expected parents of {len(architectures)} architectures, got those of {len(lineage)}.")
        with self._writing():
            stored = {
                place: text
                for place, text in self._base.execute(
                    "SELECT place, text FROM members JOIN candidates ON id = architecture WHERE generation = ?",
                    (generation,),
                )
            }
            for place, text in enumerate(architectures):
                if stored.get(place, text) != text:
                    raise RunError(
                        f"Expected {stored[place]} as member {place} of generation {generation}, as stored,"
                        f" got {text}: versions or settings have changed; restore them or start a new run."
                    )
            new = [place for place in range(len(architectures)) if place not in stored]
            self._enter(architectures[place] for place in new)
            self._base.executemany(
                "INSERT INTO members SELECT ?, ?, id, ? FROM candidates WHERE text = ?",
                [(generation, i, json.dumps(list(lineage[i])), architectures[i]) for i in new],
            )
        return len(new)

    def members(self) -> list[Member]:
        """Return all members in the order they were told."""
        with self._told():
            rows = self._base.execute(
                "SELECT generation, place, text, parents FROM members"
                " JOIN candidates ON id = architecture ORDER BY generation, place"
            ).fetchall()
        members = []
        for generation, place, text, parents in rows:
            lineage = self._parse(parents)
            if not isinstance(lineage, list) or not all(isinstance(part, str) for part in [text, *lineage]):
                self._refuse((generation, place, text, parents))
            members.append(Member(generation, place, text, tuple(lineage)))
        return members

    # ------------------------------------------------------------------------------------------------ notes

    def note(self, architecture: str, name: str, value: float, detail: Any = None) -> None:
        """Store a further number of an architecture, such as ``acc_report``; a newer one replaces it.

        Raises:
            EvaluationError: The value is not finite.
        """
        if not math.isfinite(value):
            raise EvaluationError(f"Expected a finite {name} of {architecture}, got {value}.")
        text = _json(detail, f"detail of {name}")
        with self._writing():
            self._enter([architecture])
            self._base.execute(
                "INSERT OR REPLACE INTO notes SELECT id, ?, ?, ? FROM candidates WHERE text = ?",
                (name, float(value), text, architecture),
            )

    def notes(self) -> Mapping[str, Mapping[str, Note]]:
        """Return the further numbers: by architecture, in the order these were first seen, then by name."""
        found: dict[str, dict[str, Note]] = {}
        with self._told():
            rows = self._base.execute(
                "SELECT text, name, value, detail FROM notes JOIN candidates ON id = architecture ORDER BY id, name"
            ).fetchall()
        for text, name, value, detail in rows:
            if type(value) is not float or type(text) is not str or type(name) is not str:
                self._refuse((text, name, value))
            found.setdefault(text, {})[name] = Note(value, self._parse(detail))
        return found

    # -------------------------------------------------------------------------------------------- internals

    def _refuse(self, row: object) -> NoReturn:
        raise RunError(
            f"Expected a sound store at {self.path}, got the row {row!r:.80}; restore it or start a new run."
        )

    def _parse(self, text: str) -> Any:
        try:
            return json.loads(text)
        except (ValueError, TypeError) as error:
            raise RunError(
                f"Expected JSON in {self.path}, got {text!r:.40} ({error}); restore it or start a new run."
            ) from error

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

    def _enter(self, architectures: Iterable[str]) -> None:
        self._base.executemany(
            "INSERT INTO candidates (text) VALUES (?) ON CONFLICT DO NOTHING",
            [(text,) for text in architectures],
        )

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


def _json(value: Any, what: str) -> str:
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RunError(f"Expected the {what} to be of JSON's types and finite numbers: {error}.") from error

"""SQLite file of a run: opened, checked, written in transactions; its errors become `RunError`."""

from __future__ import annotations

import json
import os
import shlex
import shutil
import sqlite3
import tempfile
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn, Self

from evonas.errors import RunError

__all__ = ["SCHEMA", "Database", "OtherSchemaError", "json_text"]

SCHEMA = 3
"""Version of what is stored and what it means; a store of another version is refused."""

_APPLICATION = 0x65766F6E  # "evon": distinguishes our files from other SQLite files

_CHECKPOINT = 8000  # pages of 4 KiB in the log before it is merged into the file

_TABLES = """
CREATE TABLE candidates (
    id INTEGER PRIMARY KEY,
    text TEXT NOT NULL UNIQUE
) STRICT;
CREATE TABLE series (
    id INTEGER PRIMARY KEY,
    objective TEXT NOT NULL,
    fingerprint TEXT NOT NULL,
    UNIQUE (objective, fingerprint)
) STRICT;
CREATE TABLE evaluations (
    series INTEGER NOT NULL REFERENCES series,
    architecture INTEGER NOT NULL REFERENCES candidates,
    number INTEGER NOT NULL,
    value REAL,
    cause TEXT,
    seconds REAL NOT NULL,
    PRIMARY KEY (series, architecture),
    CHECK ((value IS NULL) <> (cause IS NULL))
) STRICT, WITHOUT ROWID;
CREATE TABLE decisions (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL
) STRICT, WITHOUT ROWID;
CREATE TABLE members (
    generation INTEGER NOT NULL,
    position INTEGER NOT NULL,
    architecture INTEGER NOT NULL REFERENCES candidates,
    parents TEXT NOT NULL,
    PRIMARY KEY (generation, position)
) STRICT, WITHOUT ROWID;
CREATE TABLE notes (
    architecture INTEGER NOT NULL REFERENCES candidates,
    name TEXT NOT NULL,
    value REAL NOT NULL,
    detail TEXT NOT NULL,
    PRIMARY KEY (architecture, name)
) STRICT, WITHOUT ROWID;
"""

_MOMENTS = "CREATE TABLE IF NOT EXISTS moments (number INTEGER PRIMARY KEY, at REAL NOT NULL) STRICT;"
"""When results were stored: of all from a number on, up to the next. Stores of before it was kept lack the table."""


class OtherSchemaError(RunError):
    """A store was made by another version, whose results mean something else."""


class Database:
    """SQLite file with the tables of a run: transactions, errors, and texts of architectures.

    Args:
        path: The SQLite file.
        create: Make a new one; it must not exist. Otherwise it must.
        write: Allow writes.

    Raises:
        RunError: The file is missing, or is no store.
        OtherSchemaError: It has another schema.
    """

    def __init__(self, path: str | Path, *, create: bool = False, write: bool = True) -> None:
        self.path = Path(path)
        if create == self.path.exists():
            came = "there is a file already" if create else "there is none"
            raise RunError(f"Expected {'no file' if create else 'a store'} at {self.path}, but {came}.")
        if sqlite3.sqlite_version_info < (3, 38):
            raise RunError(f"Expected SQLite 3.38 or newer, got {sqlite3.sqlite_version}: use a newer Python.")
        self._copy: tempfile.TemporaryDirectory[str] | None = None
        with self._translated_errors():
            self._base = self._connect(write or create)
        try:
            with self._translated_errors():
                if create:
                    self._base.executescript(
                        f"PRAGMA journal_mode = WAL; BEGIN; {_TABLES}{_MOMENTS}"
                        f"PRAGMA application_id = {_APPLICATION}; PRAGMA user_version = {SCHEMA}; COMMIT;"
                    )
                self._check()
                if write and not create:
                    self._base.execute(_MOMENTS)
                # At NORMAL a killed process loses nothing; a power cut may take the latest results.
                self._base.execute("PRAGMA synchronous = NORMAL")
                # Each checkpoint waits for the disk: fewer of them halve the time of an insert.
                self._base.execute(f"PRAGMA wal_autocheckpoint = {_CHECKPOINT}")
                self._base.execute("PRAGMA foreign_keys = ON")
                self._base.execute(f"PRAGMA query_only = {'OFF' if write or create else 'ON'}")
        except RunError:
            self.close()
            raise

    def _connect(self, write: bool) -> sqlite3.Connection:
        """Return a connection; where the folder can't be written, one that needs no files beside the store."""
        if write or _is_writable(self.path.parent):
            return sqlite3.connect(self.path, isolation_level=None, timeout=30.0)
        log = self.path.with_name(f"{self.path.name}-wal")
        if not log.exists() or not log.stat().st_size:
            address = f"{self.path.resolve().as_uri()}?mode=ro&immutable=1"
            return sqlite3.connect(address, isolation_level=None, timeout=30.0, uri=True)
        # Results that stand in the log alone are merged in a copy: here the files that that needs cannot be written.
        self._copy = tempfile.TemporaryDirectory(prefix="evonas-")
        for file in (self.path, log):
            shutil.copyfile(file, Path(self._copy.name) / file.name)
        return sqlite3.connect(Path(self._copy.name) / self.path.name, isolation_level=None, timeout=30.0)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file; what was written stays."""
        self._base.close()
        if self._copy is not None:
            self._copy.cleanup()
            self._copy = None

    def _check(self) -> None:
        """Refuse what is no store of this schema."""
        application = self._base.execute("PRAGMA application_id").fetchone()[0]
        schema = self._base.execute("PRAGMA user_version").fetchone()[0]
        if application != _APPLICATION:
            raise RunError(f"Expected a store of evonas at {self.path}, got another SQLite file: name a run.")
        if schema != SCHEMA:
            do = "update evonas" if schema > SCHEMA else "start a new run, or use the evonas that made it"
            raise OtherSchemaError(f"Expected a store of schema {SCHEMA} at {self.path}, got schema {schema}: {do}.")

    def _forget(self) -> None:
        """Drop what is remembered of a transaction that failed."""

    def _enter(self, architectures: Iterable[str]) -> None:
        """Enter architectures that are not known yet (inside a transaction)."""
        self._base.executemany(
            "INSERT INTO candidates (text) VALUES (?) ON CONFLICT DO NOTHING",
            [(text,) for text in architectures],
        )

    def _refuse(self, row: object) -> NoReturn:
        """Raise `RunError` for a damaged row."""
        raise RunError(
            f"Expected a sound store at {self.path}, got the row {row!r:.80}; restore it or start a new run."
        )

    def _parse(self, text: str) -> Any:
        """Return what JSON in a row holds."""
        try:
            return json.loads(text)
        except (ValueError, TypeError) as error:
            raise RunError(
                f"Expected JSON in {self.path}, got {text!r:.40} ({error}); restore it or start a new run."
            ) from error

    def _collect(self) -> dict[str, array[Any]]:
        """Give SQLite the aggregates ``collect_number`` and ``collect_value``; what they see comes by type code."""
        collected: dict[str, array[Any]] = {}

        def collector(code: str) -> type:
            class Collector(array):  # type: ignore[type-arg]  # its items follow from a code
                step = array.append  # no Python frame per row

                def __new__(cls) -> Collector:
                    collected[code] = own = super().__new__(cls, code)
                    return own

                def finalize(self) -> int:
                    return len(self)

            return Collector

        self._base.create_aggregate("collect_number", 1, collector("q"))
        self._base.create_aggregate("collect_value", 1, collector("d"))
        return collected

    @contextmanager
    def _writing(self) -> Iterator[None]:
        """One transaction: all of it is stored, or nothing."""
        with self._translated_errors():
            self._base.execute("BEGIN IMMEDIATE")
            try:
                yield
                self._base.execute("COMMIT")
            except BaseException:
                self._forget()
                if self._base.in_transaction:  # SQLite rolls back by itself when the disk is full
                    self._base.execute("ROLLBACK")
                raise

    @contextmanager
    def _translated_errors(self) -> Iterator[None]:
        """Turn SQLite's errors into ours."""
        try:
            yield
        except sqlite3.Error as error:
            text = str(error)
            if "full" in text:
                run = shlex.quote(str(self.path.parent))
                text = f"No space left on the disk of {self.path}: free some and run  evonas resume {run}"
            elif "readonly" in text:
                text = f"Expected {self.path} to be opened for writing, but it can only be read ({text})."
            else:
                text = f"Expected a sound store at {self.path}, got: {text}; restore it or start a new run."
            raise RunError(text) from error


def _is_writable(folder: Path) -> bool:
    return os.access(folder, os.W_OK)


def json_text(value: Any, what: str) -> str:
    """Return a value as JSON.

    Raises:
        RunError: It holds other types, or numbers that are not finite.
    """
    try:
        return json.dumps(value, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise RunError(f"Expected the {what} to be of JSON's types and finite numbers: {error}.") from error

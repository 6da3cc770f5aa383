"""Table of notes: further numbers of architectures, with what explains them."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from evonas.errors import EvaluationError
from evonas.runs.database import Database, json_text
from evonas.runs.records import Note

__all__ = ["NoteTable"]


class NoteTable(Database):
    """Notes of a run, by architecture and name. Arguments and errors are those of `Database`."""

    def note(self, architecture: str, name: str, value: float, detail: Any = None) -> None:
        """Store a further number of an architecture, such as ``acc_report``; a newer one replaces it.

        Raises:
            EvaluationError: The value is not finite.
        """
        if not math.isfinite(value):
            raise EvaluationError(f"Expected a finite {name} of {architecture}, got {value}.")
        text = json_text(detail, f"detail of {name}")
        with self._writing():
            self._enter([architecture])
            self._base.execute(
                "INSERT OR REPLACE INTO notes SELECT id, ?, ?, ? FROM candidates WHERE text = ?",
                (name, float(value), text, architecture),
            )

    def notes(self) -> Mapping[str, Mapping[str, Note]]:
        """Return the further numbers: by architecture, in the order these were first seen, then by name."""
        found: dict[str, dict[str, Note]] = {}
        with self._translated_errors():
            rows = self._base.execute(
                "SELECT text, name, value, detail FROM notes JOIN candidates ON id = architecture ORDER BY id, name"
            ).fetchall()
        for text, name, value, detail in rows:
            if type(value) is not float or type(text) is not str or type(name) is not str:
                self._refuse((text, name, value))
            found.setdefault(text, {})[name] = Note(value, self._parse(detail))
        return found

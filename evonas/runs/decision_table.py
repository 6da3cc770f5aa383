"""Table of decisions: what was decided once, such as by the clock, and is replayed by a resumed run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from evonas.runs.database import Database, json_text

__all__ = ["DecisionTable"]


class DecisionTable(Database):
    """Decisions of a run, by key. Arguments and errors are those of `Database`."""

    def decide(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what was decided under a key, deciding it now if it was not.

        Args:
            key: Name of the decision.
            make: Gives what JSON can hold; called only when nothing is stored. What it gave is on the disk
                before it is returned.

        Raises:
            RunError: The value does not fit JSON, or the store cannot be written.
        """
        with self._translated_errors():
            stored = self._base.execute("SELECT value FROM decisions WHERE key = ?", (key,)).fetchone()
        if stored is None:
            text = json_text(make(), f"decision '{key}'")
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
        with self._translated_errors():
            rows = self._base.execute("SELECT key, value FROM decisions").fetchall()
        return {key: self._parse(value) for key, value in rows if key.startswith(beginning)}

"""Table of members: the order in which a search was given its results, and what descends from what."""

from __future__ import annotations

import json
from collections.abc import Sequence

from evonas.errors import RunError
from evonas.runs.database import Database
from evonas.runs.records import EnrolledMember

__all__ = ["MemberTable"]


class MemberTable(Database):
    """Members of a run's generations. Arguments and errors are those of `Database`."""

    def enroll(
        self, generation: int, architectures: Sequence[str], parents: Sequence[Sequence[str]] | None = None
    ) -> int:
        """Store the order in which a generation was reported; reporting the same again changes nothing.

        Args:
            generation: Number of the generation, from 0.
            architectures: Canonical texts in the order reported.
            parents: Canonical texts of what each descends from; None where nothing is known.

        Returns:
            How many were new.

        Raises:
            RunError: Another architecture stands at the same position: the run does not replay.
        """
        lineage = [()] * len(architectures) if parents is None else parents
        if len(lineage) != len(architectures):
            raise RunError(f"Expected parents of {len(architectures)} architectures, got those of {len(lineage)}.")
        with self._writing():
            stored = {
                position: text
                for position, text in self._base.execute(
                    "SELECT position, text FROM members JOIN candidates ON id = architecture WHERE generation = ?",
                    (generation,),
                )
            }
            for position, text in enumerate(architectures):
                if stored.get(position, text) != text:
                    raise RunError(
                        f"Expected {stored[position]} as member {position} of generation {generation}, as stored,"
                        f" got {text}: versions or settings have changed; restore them or start a new run."
                    )
            new = [position for position in range(len(architectures)) if position not in stored]
            self._enter(architectures[position] for position in new)
            self._base.executemany(
                "INSERT INTO members SELECT ?, ?, id, ? FROM candidates WHERE text = ?",
                [(generation, i, json.dumps(list(lineage[i])), architectures[i]) for i in new],
            )
        return len(new)

    def members(self) -> list[EnrolledMember]:
        """Return all members in the order they were reported."""
        with self._translated_errors():
            rows = self._base.execute(
                "SELECT generation, position, text, parents FROM members"
                " JOIN candidates ON id = architecture ORDER BY generation, position"
            ).fetchall()
        members = []
        for generation, position, text, parents in rows:
            lineage = self._parse(parents)
            if not isinstance(lineage, list) or not all(isinstance(part, str) for part in [text, *lineage]):
                self._refuse((generation, position, text, parents))
            members.append(EnrolledMember(generation, position, text, tuple(lineage)))
        return members

"""The store of a run: what was evaluated, decided and reported to the search, in one SQLite file.

Every result is written the moment it is known. A write is one transaction in write-ahead mode, so a process
killed at any moment loses nothing that `Store.record` returned from; a stored result is never overwritten.
One process writes (the run's lock sees to it), any number read.
"""

from __future__ import annotations

from evonas.runs.database import SCHEMA
from evonas.runs.decision_table import DecisionTable
from evonas.runs.evaluation_table import EvaluationTable
from evonas.runs.member_table import MemberTable
from evonas.runs.note_table import NoteTable
from evonas.runs.records import EnrolledMember, Evaluation, Note

__all__ = ["SCHEMA", "EnrolledMember", "Evaluation", "Note", "Store"]


class Store(EvaluationTable, DecisionTable, MemberTable, NoteTable):
    """The tables of one run.

    Args:
        path: The SQLite file.
        create: Make a new one; it must not exist. Otherwise it must.
        write: Allow writes.

    Raises:
        RunError: The file is missing, is no store, or has another schema.
    """

"""Records of a store: rows of its tables as Python sees them."""

from __future__ import annotations

from typing import Any, NamedTuple

__all__ = ["EnrolledMember", "Evaluation", "Note"]


class Evaluation(NamedTuple):
    """A stored result: a finite `value` in its natural direction or else a `cause`; `seconds` it took."""

    architecture: str
    objective: str
    fingerprint: str
    value: float | None
    cause: str | None
    seconds: float


class EnrolledMember(NamedTuple):
    """An architecture as it was reported to the search: its generation, its position in it, its parents."""

    generation: int
    position: int
    architecture: str
    parents: tuple[str, ...]


class Note(NamedTuple):
    """A further number known of an architecture, with whatever explains it (JSON)."""

    value: float
    detail: Any

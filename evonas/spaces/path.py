"""Paths: what an architecture runs of a network that holds every option, as plain data."""

from __future__ import annotations

from typing import NamedTuple


class EdgeDecision(NamedTuple):
    """Operation on the edge from a source to a node, in all cells of one kind."""

    kind: str
    node: int
    source: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.node}.{self.source}"


class InputDecision(NamedTuple):
    """Preprocessing of an input of all cells of one kind."""

    kind: str
    source: int

    def __str__(self) -> str:
        return f"{self.kind}.input.{self.source}"


class StreamDecision(NamedTuple):
    """Whether a node belongs to a stream that leaves all cells of one kind: ``sum`` or ``concat``."""

    kind: str
    stream: str
    source: int

    def __str__(self) -> str:
        return f"{self.kind}.{self.stream}.{self.source}"


class OutputDecision(NamedTuple):
    """Input of the classifier."""

    def __str__(self) -> str:
        return "output"


class BlockDecision(NamedTuple):
    """Operation of a block of a stage."""

    stage: int
    block: int

    def __str__(self) -> str:
        return f"{self.stage}.{self.block}"


Decision = EdgeDecision | InputDecision | StreamDecision | OutputDecision | BlockDecision
"""What a path settles. Slots of equal cells follow one decision. Decisions of one space never equal each other."""


class Step(NamedTuple):
    """An option that a path runs."""

    decision: Decision
    option: str
    repeat: int = 0
    """How often the same option of the same decision stands before it in the path: each has weights of its own in a
    stand-alone network, one weight in the supernet."""

    def __str__(self) -> str:
        return f"{self.decision}.{self.option}"


Path = tuple[Step, ...]
"""The options that an architecture runs, in the order of the network."""

ON = "on"
"""Option of what has no other."""


def width_after(kind: str, count: int) -> str:
    """Return the option of an input that follows a cell of a kind which concatenates so many nodes."""
    return f"after_{kind}_{count}"


AFTER_STEM = "after_stem"
"""Option of an input that follows the stem."""


def path_names(path: Path) -> tuple[str, ...]:
    """Return the names of a path's steps, such as ``normal.2.0.sep_conv_3x3``: for people, and to sort by."""
    return tuple(map(str, path))

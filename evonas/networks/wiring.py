"""Wiring of a path in each kind of cell."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from evonas.spaces import Path
from evonas.spaces.path import EdgeDecision, InputDecision, StreamDecision


class Applied(NamedTuple):
    """An operation that a node applies."""

    source: int
    option: str
    key: str
    """Of its weights, in the slot of a stand-alone network."""


@dataclass(slots=True)
class Wiring:
    """Edges that one kind of cell runs in a path."""

    nodes: dict[int, list[Applied]] = field(default_factory=dict)
    """Place of each node to what it applies."""
    inputs: set[int] = field(default_factory=set)
    """Inputs that are read."""
    sums: list[int] = field(default_factory=list)
    """Sources summed, in spaces with two streams."""
    concats: list[int] = field(default_factory=list)
    """Sources concatenated, in spaces with two streams."""
    read: bool = True
    """Whether any later cell reads what this one puts out."""


@lru_cache(maxsize=512)
def wirings(path: Path) -> Mapping[str, Wiring]:
    """Return the wiring of each kind of cell in a path; a kind of which nothing runs has an empty one."""
    kinds: defaultdict[str, Wiring] = defaultdict(Wiring)
    for decision, option, repeat in path:
        match decision:
            case EdgeDecision(kind, node, source):
                applied = Applied(source, option, weights_key(option, repeat))
                kinds[kind].nodes.setdefault(node, []).append(applied)
            case InputDecision(kind, source):
                kinds[kind].inputs.add(source)
            case StreamDecision(kind, stream, source):
                wiring = kinds[kind]
                (wiring.sums if stream == "sum" else wiring.concats).append(source)
    return kinds


def weights_key(option: str, repeat: int) -> str:
    """Return the key of an operation's weights in the slot of a stand-alone network."""
    return f"{option}__{repeat}" if repeat else option

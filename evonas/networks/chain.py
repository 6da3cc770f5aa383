"""Wiring of each cell of a chain: all that its kind's says but what no later cell reads."""

from __future__ import annotations

from functools import lru_cache

from evonas.networks.wiring import Wiring, wirings
from evonas.spaces import Path


@lru_cache(maxsize=512)
def chained(path: Path, order: tuple[str, ...], chain: str) -> tuple[Wiring, ...]:
    """Return the wiring of each cell, in order.

    Cells of one kind are wired alike, but not all that they output is read where cells of another kind follow,
    or where a chain begins or ends. What an architecture as written holds unused inside a cell stays: its
    published costs count it.

    Args:
        path: The path.
        order: Kind of each cell.
        chain: How cells are joined, as in the space's definition.
    """
    kinds = wirings(path)
    if chain in ("stages", "modules"):
        return tuple(kinds[kind] for kind in order)
    found: list[Wiring] = []
    read: list[set[int]] = []  # inputs read by the cells after this one, the next one first
    for kind in reversed(order):
        own = kinds[kind]
        if chain == "previous":
            # Input 1 is the cell before, input 0 the one before that; the last cell's reader is the classifier.
            live = not read or 1 in read[0] or (len(read) > 1 and 0 in read[1])
            found.append(own if live else Wiring(read=False))
        else:
            after = read[0] if read else {0, 1}
            found.append(own if after >= {0, 1} else _trimmed(own, after))
        read.insert(0, found[-1].inputs)
    return tuple(reversed(found))


def _trimmed(own: Wiring, after: set[int]) -> Wiring:
    """Return the part of a cell that the outputs read need: 0 is the sum, 1 the concatenation."""
    if not after:
        return Wiring(read=False)
    sums, concats = (own.sums if 0 in after else []), (own.concats if 1 in after else [])
    unused = set(own.nodes) - _needed(own, own.sums + own.concats)
    needed = _needed(own, sums + concats) | _needed(own, sorted(unused))
    nodes = {node: applied for node, applied in own.nodes.items() if node in needed}
    whole, left = ({one.source for applied in part.values() for one in applied} for part in (own.nodes, nodes))
    return Wiring(nodes, {source for source in own.inputs if source in left or source not in whole}, sums, concats)


def _needed(own: Wiring, sources: list[int]) -> set[int]:
    """Return the sources that these depend on, themselves included."""
    needed, open_ = set(sources), list(sources)
    while open_:
        for one in own.nodes.get(open_.pop(), ()):
            if one.source not in needed:
                needed.add(one.source)
                open_.append(one.source)
    return needed

"""Computation graph of a network: its primitive operations and what each reads."""

from __future__ import annotations

import hashlib
from collections import Counter
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from evonas.graphs.primitive import OPERATIONS, Primitive

__all__ = ["ComputationGraph"]

UNORDERED = frozenset({"add", "mul"})
"""Operations whose inputs may be swapped."""


@dataclass(frozen=True, eq=False)
class ComputationGraph:
    """Primitive operations of a network in an order in which they can run, and what each reads.

    Graphs are equal where their `key` is: the order of nodes doesn't matter, nor do values of weights.

    Attributes:
        nodes: Operations; those named ``input`` read nothing, the one named ``output`` reads what comes out.
        reads: For each node the numbers of the nodes that it reads, all smaller than its own.
    """

    nodes: tuple[Primitive, ...]
    reads: tuple[tuple[int, ...], ...]

    def __len__(self) -> int:
        return len(self.nodes)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, ComputationGraph) and self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @cached_property
    def edges(self) -> np.ndarray:
        """Forward flow of data as pairs (from, to), int64 of shape ``(m, 2)``; what is read twice has two."""
        pairs = [(source, node) for node, sources in enumerate(self.reads) for source in sources]
        return np.array(pairs, dtype=np.int64).reshape(-1, 2)

    @property
    def flops(self) -> int:
        """Multiply-adds of convolutions, linear layers and matrix products for one image."""
        return sum(node.flops for node in self.nodes)

    @property
    def counts(self) -> Counter[str]:
        """How often each operation occurs, by name; inputs and output are none."""
        return Counter(node.name for node in self.nodes if node.name not in ("input", "output"))

    @property
    def unknown(self) -> Counter[str]:
        """How often operations occur that encoders do not tell apart."""
        return Counter({name: n for name, n in self.counts.items() if name not in OPERATIONS})

    @cached_property
    def key(self) -> str:
        """Identity of the graph whatever the order of its nodes, on every machine alike.

        Every node is named by what it is computed from and by what is computed from it; nodes that both leave equal
        are exchangeable in all but contrived graphs.
        """
        up = _hashed(self.nodes, self.reads)
        takers: list[list[tuple[str, int]]] = [[] for _ in self.nodes]
        down = [""] * len(self.nodes)
        for number in range(len(self.nodes) - 1, -1, -1):
            down[number] = _digest(f"{sorted(takers[number])}")
            ordered = self.nodes[number].name not in UNORDERED
            for position, source in enumerate(self.reads[number]):
                takers[source].append((f"{up[number]}{down[number]}", position if ordered else 0))
        return _digest(f"{sorted(zip(up, down, strict=True))}")


def _hashed(nodes: tuple[Primitive, ...], reads: tuple[tuple[int, ...], ...]) -> list[str]:
    """Return a name of each node by what it is computed from."""
    names: list[str] = []
    for node, sources in zip(nodes, reads, strict=True):
        read = [names[source] for source in sources]
        if node.name in UNORDERED:
            read.sort()
        names.append(_digest(f"{node.fields}{read}"))
    return names


def _digest(text: str) -> str:
    return hashlib.blake2b(text.encode(), digest_size=12).hexdigest()

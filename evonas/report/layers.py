"""Layout of layered graphs: few crossings, straight lines (Sugiyama, Tagawa and Toda, 1981)."""

from __future__ import annotations

from bisect import bisect_right, insort
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

Vertex = Hashable
SWEEPS = 8
"""Passes over all layers, in turns forward and backward."""


@dataclass(frozen=True)
class Layout:
    """Positions of vertices and edges across the layers.

    Attributes:
        centers: Vertex to its center, in the unit of the heights.
        routes: Per edge the (layer, center) it runs through, both ends included.
    """

    centers: Mapping[Vertex, float]
    routes: tuple[tuple[tuple[int, float], ...], ...]


def arrange(
    layers: Mapping[Vertex, int],
    edges: Sequence[tuple[Vertex, Vertex]],
    heights: Mapping[Vertex, float],
    *,
    gap: float = 10.0,
    lane: float = 8.0,
) -> Layout:
    """Lay out a graph whose vertices know their layers.

    Args:
        layers: Vertex to layer; an edge runs from a smaller to a greater one.
        edges: Pairs of vertices.
        heights: Extent of every vertex across the layer.
        gap: Least distance between neighbors.
        lane: Extent of an edge where it passes a layer.
    """
    chains: list[list[Vertex]] = []
    layer_of, sizes = dict(layers), dict(heights)
    for number, (start, end) in enumerate(edges):
        between: list[Vertex] = []
        for layer in range(layers[start] + 1, layers[end]):
            bend = ("edge", number, layer)
            layer_of[bend], sizes[bend] = layer, lane
            between.append(bend)
        chains.append([start, *between, end])
    rows: list[list[Vertex]] = [[] for _ in range(max(layer_of.values(), default=0) + 1)]
    for vertex, layer in layer_of.items():
        rows[layer].append(vertex)
    before: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in layer_of}
    after: dict[Vertex, list[Vertex]] = {vertex: [] for vertex in layer_of}
    for start, end in {pair: None for chain in chains for pair in pairwise(chain)}:
        after[start].append(end)
        before[end].append(start)
    rows = _ordered(rows, before, after)
    centers = _centers(rows, before, after, sizes, gap)
    low = min((centers[v] - sizes[v] / 2 for v in centers), default=0.0)
    centers = {vertex: center - low for vertex, center in centers.items()}
    routes = tuple(tuple((layer_of[v], centers[v]) for v in chain) for chain in chains)
    return Layout({vertex: centers[vertex] for vertex in layers}, routes)


def _ordered(
    rows: list[list[Vertex]], before: Mapping[Vertex, list[Vertex]], after: Mapping[Vertex, list[Vertex]]
) -> list[list[Vertex]]:
    """Return the rows in the order with the fewest crossings that sweeps of barycenters find."""
    best, fewest = [list(row) for row in rows], _crossings(rows, after)
    for sweep in range(SWEEPS):
        neighbors, order = (before, rows) if sweep % 2 == 0 else (after, rows[::-1])
        for fixed, row in pairwise(order):
            number = {vertex: i for i, vertex in enumerate(fixed)}

            def center(index: int, row: list[Vertex] = row, number: dict[Vertex, int] = number) -> float:
                seen = [number[n] for n in neighbors[row[index]] if n in number]  # noqa: B023
                return sum(seen) / len(seen) if seen else index

            row[:] = [row[i] for i in sorted(range(len(row)), key=center)]
        crossings = _crossings(rows, after)
        if crossings < fewest:
            best, fewest = [list(row) for row in rows], crossings
        if fewest == 0:
            break
    return best


def _crossings(rows: Sequence[Sequence[Vertex]], after: Mapping[Vertex, list[Vertex]]) -> int:
    """Return how many pairs of edges between neighboring layers cross."""
    count = 0
    for row, following in pairwise(rows):
        number = {vertex: i for i, vertex in enumerate(following)}
        seen: list[int] = []
        for vertex in row:
            ends = [number[end] for end in after[vertex]]
            count += sum(len(seen) - bisect_right(seen, end) for end in ends)
            for end in ends:
                insort(seen, end)
    return count


def _centers(
    rows: Sequence[Sequence[Vertex]],
    before: Mapping[Vertex, list[Vertex]],
    after: Mapping[Vertex, list[Vertex]],
    sizes: Mapping[Vertex, float],
    gap: float,
) -> dict[Vertex, float]:
    """Return centers near those of their neighbors, order and distances kept."""
    centers: dict[Vertex, float] = {}
    for row in rows:
        top = 0.0
        for vertex in row:
            centers[vertex] = top + sizes[vertex] / 2
            top += sizes[vertex] + gap
        for vertex in row:
            centers[vertex] -= (top - gap) / 2
    for sweep in range(2 * SWEEPS):
        for row in rows if sweep % 2 == 0 else rows[::-1]:
            wished = []
            for vertex in row:
                # In the end both sides pull; before, only those that this sweep has set.
                near = (before, after)[sweep % 2][vertex]
                if sweep >= SWEEPS or not near:
                    near = [*before[vertex], *after[vertex]]
                wished.append(sum(centers[n] for n in near) / len(near) if near else centers[vertex])
            for vertex, center in zip(row, _apart(wished, [sizes[v] for v in row], gap), strict=True):
                centers[vertex] = center
    return centers


def _apart(wished: Sequence[float], sizes: Sequence[float], gap: float) -> list[float]:
    """Return the centers nearest to the wished ones (least squares) that keep order and distance."""
    offsets, total = [], 0.0
    for i, size in enumerate(sizes):
        total += 0.0 if i == 0 else (sizes[i - 1] + size) / 2 + gap
        offsets.append(total)
    blocks: list[tuple[float, int]] = []  # mean and number of what moves together
    for wish, offset in zip(wished, offsets, strict=True):
        mean, count = wish - offset, 1
        while blocks and blocks[-1][0] > mean:
            other, more = blocks.pop()
            mean, count = (mean * count + other * more) / (count + more), count + more
        blocks.append((mean, count))
    moved = [mean for mean, count in blocks for _ in range(count)]
    return [mean + offset for mean, offset in zip(moved, offsets, strict=True)]

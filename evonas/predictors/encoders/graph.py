"""Encoder of architectures by their computation graphs, the same for all spaces."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Self

import numpy as np

from evonas.graphs import ComputationGraph
from evonas.predictors.encoders.graph_arrays import GraphArrays, graph_arrays

__all__ = ["GraphEncoder"]


class GraphEncoder:
    """Encoder by computation graphs; features are graphs as arrays. Graphs it has seen it remembers.

    Args:
        graph: Returns the graph of a genome.
        key: Identity of a genome.
    """

    def __init__(self, graph: Callable[[np.ndarray], ComputationGraph], key: Callable[[np.ndarray], Hashable]) -> None:
        self._graph, self._key = graph, key
        self._known: dict[Hashable, ComputationGraph] = {}

    def describe(self, genomes: np.ndarray) -> GraphArrays:
        """Return the graphs of genomes, shape ``(n, n_genes)``."""
        graphs = []
        for genome in genomes:
            key = self._key(genome)
            if key not in self._known:
                self._known[key] = self._graph(genome)
            graphs.append(self._known[key])
        return graph_arrays(graphs)

    def fit(self, known: GraphArrays) -> Self:
        """Return this encoder: nothing of it depends on what is learned from."""
        return self

    def transform(self, described: GraphArrays) -> GraphArrays:
        """Return the graphs as they are."""
        return described

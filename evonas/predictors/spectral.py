"""Spectral distance of computation graphs: how far the eigenvalues of their Laplacians lie apart."""

from __future__ import annotations

import numpy as np

from evonas.predictors.encoders.graph_arrays import GraphArrays

__all__ = ["graph_spectra", "spectral_distances"]

EIGENVALUES = 21
"""Smallest eigenvalues that are compared; smaller graphs are filled up with the largest possible one, 2."""


def graph_spectra(graphs: GraphArrays, count: int = EIGENVALUES) -> np.ndarray:
    """Return the smallest eigenvalues of each graph's normalized Laplacian, ascending, shape ``(n, count)``.

    Edges count in both directions. Eigenvalues lie in [0, 2], 0 as often as there are connected parts.
    """
    spectra = np.full((len(graphs), count), 2.0)
    for row in range(len(graphs)):
        size = int(graphs.nodes[row + 1] - graphs.nodes[row])
        edges = graphs.edges[graphs.starts[row] : graphs.starts[row + 1]]
        adjacency = np.zeros((size, size))
        adjacency[edges[:, 0], edges[:, 1]] = adjacency[edges[:, 1], edges[:, 0]] = 1.0
        degree = adjacency.sum(axis=1)
        scale = np.where(degree > 0, 1 / np.sqrt(np.maximum(degree, 1)), 0.0)
        laplacian = np.diag((degree > 0).astype(np.float64)) - scale[:, None] * adjacency * scale
        found = np.linalg.eigvalsh(laplacian)[:count]
        spectra[row, : len(found)] = np.clip(found, 0.0, 2.0)
    return spectra


def spectral_distances(spectra: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances of all pairs of spectra, shape ``(n, n)``."""
    differences = spectra[:, None, :] - spectra[None, :, :]
    distances: np.ndarray = np.sqrt((differences**2).sum(axis=-1))
    return distances

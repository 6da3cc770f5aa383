from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.graphs import GraphNormalizer
from evonas.graphs.primitive import primitive
from evonas.predictors.contrastive import contrastive_loss, embed_graphs, pretrain_contrastive
from evonas.predictors.encoders.graph_arrays import graph_arrays
from evonas.predictors.graph_network import GraphNetwork
from evonas.predictors.spectral import graph_spectra, spectral_distances


def test_spectrum_of_a_path_is_known():
    """The normalized Laplacian of a path of n nodes has the eigenvalues 1 - cos(pi k / (n - 1))."""
    builder = GraphNormalizer()
    value = builder.input((3, 4, 4))
    for _ in range(2):
        value = builder.add(primitive("relu", (3, 4, 4), (3, 4, 4)), (value,))
    spectra = graph_spectra(graph_arrays([builder.finish([value])]), count=6)
    np.testing.assert_allclose(spectra, [[*(1 - np.cos(np.pi * np.arange(4) / 3)), 2, 2]], atol=1e-12)
    np.testing.assert_allclose(spectral_distances(np.array([[0.0, 3.0], [4.0, 0.0]])), [[0, 5], [5, 0]])


def test_the_loss_is_least_where_similarities_follow_distances():
    """Two equal graphs and one far from them: their pair should be alike, the third apart from both."""
    distances = torch.tensor([[0.0, 0.0, 9.0], [0.0, 0.0, 9.0], [9.0, 9.0, 0.0]])
    like = torch.tensor([[1.0, 0.0], [1.0, 0.0], [-1.0, 0.0]])
    unlike = torch.tensor([[1.0, 0.0], [-1.0, 0.0], [1.0, 0.0]])
    good, bad = contrastive_loss(like, distances), contrastive_loss(unlike, distances)
    # Scale 0.25 · 6, so that the far one of a pair weighs w = 1 / (1 + e^6), at a similarity of -20 below the near one;
    # the third is as far from both others, whose own term is log 2 at best.
    weight = 1 / (1 + np.exp(6.0))
    assert good.item() == pytest.approx((np.log(2) + 2 * 20 * weight) / 3, abs=1e-5)
    assert bad.item() > good.item() + 1


def test_pretraining_brings_graphs_of_like_spectra_together(graphs):
    distinct = list({graph.key: graph for graph in graphs}.values())
    arrays = graph_arrays(distinct)
    distances = spectral_distances(graph_spectra(arrays))
    pairs = np.triu_indices(len(distinct), 1)

    def agreement(network: GraphNetwork) -> float:
        embedded = embed_graphs(network, arrays)
        normed = embedded / np.linalg.norm(embedded, axis=1, keepdims=True)
        return float(np.corrcoef((normed @ normed.T)[pairs], -distances[pairs])[0, 1])

    network = GraphNetwork(layers=2)
    before = agreement(network)
    losses = pretrain_contrastive(network, arrays, epochs=15)
    assert losses[-1] < 0.9 * losses[0]
    assert agreement(network) > before
    again = GraphNetwork(layers=2)
    assert pretrain_contrastive(again, arrays, epochs=15) == losses

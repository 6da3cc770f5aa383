"""Contrastive pretraining of graph embeddings: graphs of like spectra are drawn together, others pushed apart.

After GENNAPE (Mills et al., AAAI 2023), whose own code of this step was never released: the loss is written from
the description of the method and is unverified against the original.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from evonas.predictors.encoders.graph_arrays import GraphArrays
from evonas.predictors.graph_network import GraphBatch, GraphNetwork
from evonas.predictors.spectral import graph_spectra, spectral_distances
from evonas.runtime.threads import torch_threads

__all__ = ["contrastive_loss", "embed_graphs", "pretrain_contrastive"]

TEMPERATURE = 0.1
SHARPNESS = 0.25
"""Share of a batch's average distance at which a graph's weight falls to 1/e of that of an equal one."""
BATCH, RATE = 64, 1e-3


def contrastive_loss(embeddings: Tensor, distances: Tensor, temperature: float = TEMPERATURE) -> Tensor:
    """Return the cross-entropy of similarities of embeddings against those that distances of graphs ask for.

    For each graph i the others have the target weights w_ij ∝ exp(-d_ij / (SHARPNESS · average of d)), and the
    embeddings give softmax_j(cos(z_i, z_j) / temperature); the loss is the average over i of -sum_j w_ij log of that.

    Args:
        embeddings: Shape ``(n, d)``, n at least 2.
        distances: Of the graphs, shape ``(n, n)``.
        temperature: Of the similarities.
    """
    own = torch.eye(len(embeddings), dtype=torch.bool)
    normed = nn.functional.normalize(embeddings, dim=1)
    similarity = (normed @ normed.T / temperature).masked_fill(own, -torch.inf)
    scale = SHARPNESS * distances[~own].mean().clamp(min=1e-9)
    wanted = torch.softmax((-distances / scale).masked_fill(own, -torch.inf), dim=1)
    log_given = torch.log_softmax(similarity, dim=1).masked_fill(own, 0.0)
    return -(wanted * log_given).sum(dim=1).mean()


@torch_threads(1)
def pretrain_contrastive(network: GraphNetwork, graphs: GraphArrays, *, epochs: int = 20, seed: int = 0) -> list[float]:
    """Train a network, in place, to embed graphs by their spectra, and return the loss of each epoch.

    Args:
        network: What embeds; a head for this training alone is put on it and thrown away, as contrastive learning does.
        graphs: Graphs without labels, 2 or more.
        epochs: Passes over them.
        seed: Of their order and of the head.
    """
    rng = np.random.default_rng(seed)
    spectra = graph_spectra(graphs)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        head = nn.Sequential(nn.Linear(network.size, network.size), nn.ReLU(), nn.Linear(network.size, 32))
    optimizer = torch.optim.Adam([*network.parameters(), *head.parameters()], lr=RATE)
    losses = []
    for _ in range(epochs):
        total, seen = 0.0, 0
        for rows in np.array_split(rng.permutation(len(graphs)), max(1, round(len(graphs) / BATCH))):
            distances = torch.from_numpy(spectral_distances(spectra[rows])).float()
            loss = contrastive_loss(head(network(GraphBatch(graphs[rows]))), distances)
            optimizer.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]  # untyped in torch
            optimizer.step()
            total, seen = total + loss.item() * len(rows), seen + len(rows)
        losses.append(total / seen)
    return losses


@torch_threads(1)
@torch.no_grad()
def embed_graphs(network: GraphNetwork, graphs: GraphArrays) -> np.ndarray:
    """Return the embeddings of graphs, float64 of shape ``(n, network.size)``."""
    parts = [
        network(GraphBatch(graphs[rows])).double().numpy()
        for rows in np.array_split(np.arange(len(graphs)), max(1, -(-len(graphs) // 256)))
    ]
    return np.concatenate(parts)

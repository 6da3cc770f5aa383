"""Regression on computation graphs: a k-GNN with a head, fresh or pretrained."""

from __future__ import annotations

import copy
import itertools

import torch
from torch import Tensor, nn

from evonas.predictors.encoders.graph_arrays import GraphArrays
from evonas.predictors.graph_network import GraphBatch, GraphNetwork
from evonas.predictors.regressors.neural import NeuralLoss, NeuralRegressor

__all__ = ["graph_regressor"]

HIDDEN = 32


def graph_regressor(
    pretrained: GraphNetwork | None = None, *, loss: NeuralLoss = "squares", epochs: int = 100, folds: int = 3
) -> NeuralRegressor[GraphArrays]:
    """Return a regressor that reads what `GraphEncoder` gives.

    Args:
        pretrained: Network that every fold starts from, such as `pretrain_contrastive` leaves it; None: a fresh one.
        loss: See `NeuralRegressor`.
        epochs: Passes over the data.
        folds: Number of networks, at least 2.
    """

    def make(seed: int) -> nn.Module:
        return _WithHead(GraphNetwork(seed) if pretrained is None else copy.deepcopy(pretrained), seed)

    return NeuralRegressor(make, GraphBatch, loss=loss, epochs=epochs, folds=folds)


class _WithHead(nn.Module):
    """Embedding and a head of five layers, as GENNAPE's, beside a straight line that need not be learned by them."""

    def __init__(self, network: GraphNetwork, seed: int) -> None:
        super().__init__()
        self.network = network
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed + 1000)
            sizes = (network.size, HIDDEN, HIDDEN, HIDDEN, HIDDEN)
            layers = [part for a, b in itertools.pairwise(sizes) for part in (nn.Linear(a, b), nn.ReLU())]
            self.head = nn.Sequential(*layers, nn.Linear(HIDDEN, 1))
            self.straight = nn.Linear(network.size, 1)

    def forward(self, batch: GraphBatch) -> Tensor:
        """Return one number per graph."""
        embedded = self.network(batch)
        scores: Tensor = (self.head(embedded) + self.straight(embedded)).squeeze(1)
        return scores

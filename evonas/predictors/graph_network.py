"""Graph neural network that embeds computation graphs: k-GNN of GENNAPE's kind, in torch alone.

Mills et al., "GENNAPE: Towards Generalized Neural Architecture Performance Estimators", AAAI 2023; the layers are those
of Morris et al., "Weisfeiler and Leman Go Neural", AAAI 2019. Written from descriptions of the method: nodes have a
label and sizes, six layers of width 32 with tanh, pooling over nodes. Here messages go from what a node reads and from
what reads it, by weights of their own, and nodes are averaged and added up: a network's cost is a sum. FLOPs and
weights, of which nodes have the logarithms, are added up as they are, for no width of 32 can.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor, nn

from evonas.predictors.encoders.graph_arrays import FIELDS, LABELS, GraphArrays

__all__ = ["GraphBatch", "GraphNetwork"]

WIDTH, LAYERS = 32, 6
LABEL_WIDTH = 16
"""Numbers of the embedding of a node's label; its sizes have the rest of the width."""
TYPICAL_NODES = 30.0
"""Nodes by which sums over a graph are divided, so that they are of the size of averages."""
TYPICAL_NUMBER = 8.0
"""What the logarithms of sizes are divided by."""

TOTALS = [FIELDS.index("flops"), FIELDS.index("weights")]
"""Fields of nodes that are added up as they are."""
TYPICAL_TOTAL, TOTAL_SPREAD = 24.0, 4.0
"""Logarithm of a sum of theirs, and how far it typically is from that: 16 million, times or by 16."""


class GraphBatch:
    """Graphs as tensors.

    Args:
        arrays: The graphs.

    Attributes:
        labels, numbers: Of nodes; see `GraphArrays`.
        source, target: Nodes that edges come from and go to.
        graph_of: Graph of each node.
        count: Number of graphs.
    """

    def __init__(self, arrays: GraphArrays) -> None:
        self.labels = torch.from_numpy(np.ascontiguousarray(arrays.labels))
        self.numbers = torch.from_numpy(np.ascontiguousarray(arrays.numbers))
        edges = torch.from_numpy(np.ascontiguousarray(arrays.joined_edges.T))
        self.source, self.target = edges[0], edges[1]
        self.graph_of = torch.from_numpy(arrays.graph_of)
        self.count = len(arrays)

    def added(self, x: Tensor) -> Tensor:
        """Return the sums over each graph's nodes, shape ``(count, d)``, of x, shape ``(nodes, d)``."""
        return x.new_zeros(self.count, x.shape[1]).index_add(0, self.graph_of, x)


class _Layer(nn.Module):
    """One round of messages: x_i' = tanh(A x_i + B sum of x_j that i reads + C sum of x_j that read i)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.own = nn.Linear(width, width)
        self.read = nn.Linear(width, width, bias=False)
        self.reading = nn.Linear(width, width, bias=False)

    def forward(self, x: Tensor, batch: GraphBatch) -> Tensor:
        """Return new states of nodes, shape ``(nodes, width)``."""
        before = torch.zeros_like(x).index_add(0, batch.target, x[batch.source])
        after = torch.zeros_like(x).index_add(0, batch.source, x[batch.target])
        return torch.tanh(self.own(x) + self.read(before) + self.reading(after))


class GraphNetwork(nn.Module):
    """Network from graphs to embeddings, shape ``(n, size)``.

    An embedding holds the average of the nodes' states, their sum, the sum of what they were before any message,
    and the logarithms of all FLOPs and all weights.

    Args:
        seed: Of the initial weights.
        width: Of a node's state.
        layers: Rounds of messages.
    """

    def __init__(self, seed: int = 0, width: int = WIDTH, layers: int = LAYERS) -> None:
        super().__init__()
        self.size = 3 * width + len(TOTALS)
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            self.label = nn.Embedding(LABELS, LABEL_WIDTH)
            self.sizes = nn.Linear(len(FIELDS), width - LABEL_WIDTH)
            self.layers = nn.ModuleList([_Layer(width) for _ in range(layers)])

    def forward(self, batch: GraphBatch) -> Tensor:
        """Return one row per graph."""
        x = torch.cat([self.label(batch.labels), self.sizes(batch.numbers / TYPICAL_NUMBER)], dim=1)
        before = batch.added(x)
        for layer in self.layers:
            x = layer(x, batch)
        after, nodes = batch.added(x), torch.bincount(batch.graph_of, minlength=batch.count)[:, None]
        sums = torch.log2(1 + batch.added(torch.exp2(batch.numbers[:, TOTALS]) - 1))
        totals = (sums - TYPICAL_TOTAL) / TOTAL_SPREAD
        return torch.cat([after / nodes, after / TYPICAL_NODES, before / TYPICAL_NODES, totals], dim=1)

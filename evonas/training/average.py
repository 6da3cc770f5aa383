"""A running average of a network's weights.

References:
    .. [Polyak1992] Polyak, Juditsky: Acceleration of Stochastic Approximation by Averaging, SIAM J. Control
       Optim. 30(4), 1992.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn


class WeightAverage:
    """Exponential moving average of weights and norm statistics ([Polyak1992]_).

    The decay at update t (from 1) is the smaller of `decay` and ``(1 + t) / (10 + t)``, TensorFlow's warm-up,
    so that the average spans a tenth of a short training rather than all of it.

    Args:
        network: What is averaged; the average starts at its values.
        decay: In (0, 1).
    """

    def __init__(self, network: nn.Module, decay: float) -> None:
        self.decay = decay
        self.updates = 0
        self.values = {name: value.detach().clone() for name, value in network.state_dict().items()}

    @torch.no_grad()
    def update(self, network: nn.Module) -> None:
        """Take in the network's values after an update; counters are copied."""
        self.updates += 1
        share = 1 - min(self.decay, (1 + self.updates) / (10 + self.updates))
        for name, value in network.state_dict().items():
            if value.is_floating_point():
                self.values[name].lerp_(value, share)
            else:
                self.values[name].copy_(value)

    def load(self, values: dict[str, Tensor], updates: int) -> None:
        """Go on from a stored average."""
        for name, value in self.values.items():
            value.copy_(values[name])
        self.updates = updates

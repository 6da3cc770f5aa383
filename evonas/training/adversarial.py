"""Adversarial training: images moved against the network that is being trained.

References:
    .. [Madry2018] Madry et al.: Towards Deep Learning Models Resistant to Adversarial Attacks, arXiv 1706.06083.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import torch
from torch import Tensor, nn

from evonas.attacks.attack import Attack
from evonas.attacks.gradient import ascend, random_start
from evonas.networks.unit_input import UnitInput

__all__ = ["Adversary"]


class Adversary:
    """PGD on training images ([Madry2018]_ equation 2.1), its epsilon rising over the first epochs.

    The network is attacked in evaluation mode, so that statistics of norms are those of the images that it is then
    trained on.

    Args:
        attack: At full strength.
        warm_up: Epochs over which epsilon rises, linearly from nearly nothing.
        mean, std: Of the images' channels, by which the network's input is normalized.
    """

    def __init__(self, attack: Attack, warm_up: int, mean: Sequence[float], std: Sequence[float]) -> None:
        self.attack, self.warm_up = attack, warm_up
        self._mean, self._std = mean, std

    def at(self, epoch: int) -> Attack:
        """Return the attack of an epoch, from 1."""
        return replace(self.attack, epsilon=self.attack.epsilon * min(1.0, epoch / (self.warm_up + 1)))

    def __call__(
        self, network: nn.Module, images: Tensor, labels: Tensor, epoch: int, generator: torch.Generator
    ) -> Tensor:
        """Return images moved to where the network's loss is high; the network's mode is kept.

        Args:
            network: Takes normalized images.
            images: From 0 to 1, shape (n, c, h, w).
            labels: Shape (n,).
            epoch: From 1.
            generator: Source of random starts, on the CPU.
        """
        attack, modes = self.at(epoch), [(module, module.training) for module in network.modules()]
        model = UnitInput(network, self._mean, self._std).to(images.device).eval()
        try:
            moved = random_start(images, attack, generator)
            for _ in range(attack.steps):
                asked = moved.detach().requires_grad_()
                loss = nn.functional.cross_entropy(model(asked).float(), labels, reduction="sum")
                (gradient,) = torch.autograd.grad(loss, asked)
                moved = ascend(moved, images, gradient, attack)
        finally:
            for module, training in modes:
                module.training = training
        return moved.detach()

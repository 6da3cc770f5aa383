"""Zen-score: change of the features by a small change of the input, with the norms' scaling put back."""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn.modules.batchnorm import _BatchNorm

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward, check_logits
from evonas.proxies.initialize import GaussianWeights, batch_statistics
from evonas.proxies.proxy import Needs, Proxy

STEP = 1e-2  # size of the change of the input
MOMENTUM = 0.1  # of the running variance that the published code reads after its two passes


class Zen(Proxy):
    """Zen-score log E\\|f(x) - f(x + 0.01 e)\\| + sum over batch norms of log sqrt(mean variance), x and e normal.

    f are the features before the last global pooling, under N(0, 1) weights; \\|.\\| sums magnitudes over an
    image's features. The variance is, as in the authors' code, a running one: it starts at 1 and takes in
    both passes with momentum 0.1. More is better (Lin et al. 2021, Zen-NAS, algorithm 1).

    It sees neither images, but for their shape and number, nor labels, nor what follows the last global pooling.
    """

    name = "zen"
    direction = "max"
    needs = Needs(initialization="own")

    def measure(self, forward: Forward) -> float:
        """Return the mean over re-initializations."""
        network, generator = forward.network, forward.generator
        weights = GaussianWeights(network)
        scores = []
        for _ in range(self.needs.repeats):
            drawn = {name: value[0] for name, value in weights.draw(1, generator).items()}
            inputs, change = (
                torch.randn(forward.images.shape, generator=generator, device=generator.device).to(forward.images)
                for _ in range(2)
            )
            with torch.no_grad(), batch_statistics(network):
                before, after, scaling = _features(
                    network, {**weights.constants, **drawn}, inputs, inputs + STEP * change
                )
            distance = (before - after).abs().flatten(1).sum(1).mean()
            if distance == 0:
                raise EvaluationError("expected features that depend on the images, got some that do not")
            scores.append(distance.log().item() + scaling)
        return sum(scores) / len(scores)


def _features(network: nn.Module, weights: dict[str, Tensor], *batches: Tensor) -> tuple[Tensor, Tensor, float]:
    """Return the features of two batches and the logarithm of the product of the norms' scalings."""
    last: list[Tensor] = []
    variances: dict[nn.Module, Tensor] = {}

    def output(module: nn.Module, inputs: tuple[Tensor, ...], result: object) -> None:
        if isinstance(result, Tensor) and result.ndim == 4 and result.shape[2:].numel() > 1:
            last[:] = [result]

    def pooled(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        last[:] = [inputs[0]]

    def normed(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        variance = inputs[0].transpose(0, 1).flatten(1).var(1)
        variances[module] = (1 - MOMENTUM) * variances.get(module, torch.ones_like(variance)) + MOMENTUM * variance

    hooks = []
    for module in network.modules():
        hooks.append(module.register_forward_hook(output))
        if isinstance(module, nn.AdaptiveAvgPool2d):
            hooks.append(module.register_forward_pre_hook(pooled))
        elif isinstance(module, _BatchNorm):
            hooks.append(module.register_forward_pre_hook(normed))
    features = []
    try:
        for batch in batches:
            check_logits(functional_call(network, weights, (batch,)))
            if not last:
                raise EvaluationError("expected a convolutional network, got one without 4-D features")
            features.append(last.pop())
    finally:
        for hook in hooks:
            hook.remove()
    scaling = sum(variance.double().mean().log().item() / 2 for variance in variances.values())
    return features[0], features[1], scaling

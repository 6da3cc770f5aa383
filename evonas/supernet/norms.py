"""Statistics of batch norms for one path, which the running averages of a shared network cannot give."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evonas.errors import EvaluationError, EvonasError


@torch.no_grad()
def reestimate_norms(network: nn.Module, batches: Iterable[Tensor], *, path: object = None) -> list[Tensor]:
    """Set every batch norm's statistics to the mean and the population variance of what it reads.

    Within a batch each norm uses the batch's own statistics; over batches they are pooled, the variance
    between batches included. Weights stay as they are; the network is left in the mode it was in.

    Args:
        network: A stand-alone network; or a supernet, whose norms on `path` are set.
        batches: Normalized images (n, c, h, w), not augmented. One batch gives exact statistics in every
            layer.
        path: Passed on to a supernet.

    Returns:
        The outputs, one per batch, each normalized by its own batch's statistics.

    Raises:
        EvaluationError: There is no batch, or a batch has a single value per channel.
    """
    norms = [m for m in network.modules() if isinstance(m, _BatchNorm) and m.running_mean is not None]
    outputs: list[Tensor] = []
    with _collecting(network, norms) as pools:
        for images in batches:
            try:
                outputs.append(network(images) if path is None else network(images, path))
            except EvonasError:
                raise
            except ValueError as error:
                raise EvaluationError(f"Batch norms need more images than {len(images)} in a batch: {error}") from None
        if norms and not pools:
            raise EvaluationError("Expected images to estimate batch norms on, got none")
        results = {norm: pool.result() for norm, pool in pools.items()}
    for norm, (mean, variance) in results.items():
        assert norm.running_mean is not None
        assert norm.running_var is not None
        norm.running_mean[: len(mean)] = mean
        norm.running_var[: len(variance)] = variance
    return outputs


class _Pool:
    """Mean and sum of squared deviations of the values so far, per channel (Chan et al. 1983)."""

    def __init__(self) -> None:
        self.count = 0
        self.mean = torch.zeros(())
        self.deviation = torch.zeros(())

    def add(self, mean: Tensor, variance: Tensor, count: int) -> None:
        if self.count == 0:
            self.count, self.mean, self.deviation = count, mean, variance * count
            return
        total = self.count + count
        step = mean - self.mean
        self.mean = self.mean + step * (count / total)
        self.deviation = self.deviation + variance * count + step.square() * (self.count * count / total)
        self.count = total

    def result(self) -> tuple[Tensor, Tensor]:
        return self.mean, self.deviation / self.count


@contextmanager
def _collecting(network: nn.Module, norms: list[_BatchNorm]) -> Iterator[dict[_BatchNorm, _Pool]]:
    """Run the norms, and only them, in training mode, and read each batch's statistics off them."""
    pools: dict[_BatchNorm, _Pool] = {}

    def hook(norm: _BatchNorm, args: tuple[Tensor, ...], output: Tensor) -> None:
        channels = output.shape[1]
        count = output.numel() // channels
        assert norm.running_mean is not None
        assert norm.running_var is not None
        # With momentum 1 the buffers hold this batch's statistics: no second pass over the images is needed.
        mean = norm.running_mean[:channels].double()
        variance = norm.running_var[:channels].double() * ((count - 1) / count)
        pools.setdefault(norm, _Pool()).add(mean, variance, count)

    modes = {module: module.training for module in network.modules()}
    before = [(norm, norm.momentum, [(b, b.clone()) for b in norm.buffers()]) for norm in norms]
    handles = [norm.register_forward_hook(hook) for norm in norms]
    try:
        network.eval()
        for norm in norms:
            norm.train()
            norm.momentum = 1.0
        yield pools
    finally:
        for handle in handles:
            handle.remove()
        for norm, momentum, buffers in before:
            norm.momentum = momentum
            for buffer, value in buffers:
                buffer.copy_(value)
        for module, mode in modes.items():
            module.training = mode

"""Data-parallel training: every process runs the same path on its share of each batch."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor, distributed, nn
from torch.nn.modules.batchnorm import _BatchNorm


@contextmanager
def data_parallel() -> Iterator[torch.device]:
    """Join the processes that `torchrun` has started, and give this one's device; alone without `torchrun`.

    Within it `train_supernet` gives all processes the weights that one process would give with a batch as large as
    theirs together. Between CPUs by gloo, between GPUs by NCCL, which has not been run here.
    """
    cuda = torch.cuda.is_available()
    device = torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if cuda else torch.device("cpu")
    if "WORLD_SIZE" not in os.environ:
        yield device
        return
    if cuda:
        torch.cuda.set_device(device)
    distributed.init_process_group("nccl" if cuda else "gloo")
    try:
        yield device
    finally:
        distributed.destroy_process_group()


def processes() -> int:
    """Return how many processes train together, at least 1."""
    return distributed.get_world_size() if distributed.is_available() and distributed.is_initialized() else 1


def rank() -> int:
    """Return which of them this one is, from 0."""
    return distributed.get_rank() if processes() > 1 else 0


def mean(value: float) -> float:
    """Return the mean of a number over processes."""
    if processes() == 1:
        return value
    held = torch.tensor(value, dtype=torch.float64, device="cuda" if distributed.get_backend() == "nccl" else "cpu")
    distributed.all_reduce(held)
    return float(held) / processes()


def average(tensors: Sequence[Tensor]) -> None:
    """Replace tensors of one type by their means over processes, in one exchange.

    Args:
        tensors: Of the same shapes, in the same order, in every process.
    """
    if processes() == 1 or not tensors:
        return
    flat = torch.cat([tensor.reshape(-1) for tensor in tensors])
    distributed.all_reduce(flat)
    flat /= processes()
    for tensor, mean in zip(tensors, torch.split(flat, [tensor.numel() for tensor in tensors]), strict=True):
        tensor.copy_(mean.view(tensor.shape))


def average_gradients(network: nn.Module) -> None:
    """Give every process the mean of all gradients; the same parameters have some everywhere."""
    average([parameter.grad for parameter in network.parameters() if parameter.grad is not None])


def collect(tensor: Tensor) -> Tensor:
    """Return the tensors of all processes, one after the other along the second dimension."""
    if processes() == 1:
        return tensor
    parts = [torch.empty_like(tensor) for _ in range(processes())]
    distributed.all_gather(parts, tensor.contiguous())
    return torch.cat(parts, dim=1)


def mine(rows: Tensor) -> Tensor:
    """Return this process's share of a batch, the first dimension; shares are equal and in order."""
    return rows.chunk(processes())[rank()]


@contextmanager
def synchronized_norms(network: nn.Module) -> Iterator[None]:
    """Let every batch norm in training mode use the statistics of all processes' images, not its own alone."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)] if processes() > 1 else []
    for norm in norms:
        norm.forward = partial(_synchronized, norm)  # type: ignore[method-assign]  # of this object alone
    try:
        yield
    finally:
        for norm in norms:
            del norm.forward  # the class's own again


def _synchronized(norm: _BatchNorm, x: Tensor) -> Tensor:
    channels = x.shape[1]  # fewer than the norm has where widths are elastic
    if not norm.training:
        normalized: Tensor = type(norm).forward(norm, x)
        return normalized
    weight = x.new_ones(channels) if norm.weight is None else norm.weight[:channels]
    bias = x.new_zeros(channels) if norm.bias is None else norm.bias[:channels]
    outputs: tuple[Tensor, Tensor, Tensor, Tensor] = _Normalize.apply(  # type: ignore[no-untyped-call]  # torch has none
        x, weight, bias, norm.eps
    )
    y, mean, variance, count = outputs
    if norm.running_mean is not None:
        assert norm.running_var is not None  # torch keeps all three or none
        assert norm.num_batches_tracked is not None
        with torch.no_grad():
            norm.num_batches_tracked.add_(1)
            momentum = norm.momentum if norm.momentum is not None else 1.0 / float(norm.num_batches_tracked)
            norm.running_mean[:channels].lerp_(mean.to(norm.running_mean), momentum)
            norm.running_var[:channels].lerp_((variance * (count / (count - 1))).to(norm.running_var), momentum)
    return y


class _Normalize(torch.autograd.Function):
    """Normalization by mean and variance over all processes (pooled as Chan et al. 1983 do), and its gradient."""

    @staticmethod
    def forward(ctx: Any, x: Tensor, weight: Tensor, bias: Tensor, eps: float) -> tuple[Tensor, ...]:
        dims = [dim for dim in range(x.dim()) if dim != 1]
        shape = [-1 if dim == 1 else 1 for dim in range(x.dim())]
        own = x.new_tensor([x.numel() / x.shape[1]])
        variance, mean = torch.var_mean(x, dims, correction=0)
        parts = [torch.empty_like(torch.cat([mean, variance, own])) for _ in range(processes())]
        distributed.all_gather(parts, torch.cat([mean, variance, own]))
        table = torch.stack(parts)
        means, variances, counts = torch.split(table, [len(mean), len(mean), 1], dim=1)
        share = counts / counts.sum()
        mean = (share * means).sum(0)
        variance = (share * (variances + (means - mean).square())).sum(0)
        inverse = (variance + eps).rsqrt()
        normal = (x - mean.view(shape)) * inverse.view(shape)
        ctx.save_for_backward(normal, weight, inverse)
        ctx.dims, ctx.shape, ctx.count = dims, shape, float(counts.sum())
        count = counts.sum()
        ctx.mark_non_differentiable(mean, variance, count)
        return normal * weight.view(shape) + bias.view(shape), mean, variance, count

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        normal, weight, inverse = ctx.saved_tensors
        gradient = gradients[0]
        bias = gradient.sum(ctx.dims)
        scale = (gradient * normal).sum(ctx.dims)
        sums = torch.cat([bias, scale])
        distributed.all_reduce(sums)
        mean, along = torch.split(sums / ctx.count, len(bias))
        inner = gradient - mean.view(ctx.shape) - normal * along.view(ctx.shape)
        return inner * (weight * inverse).view(ctx.shape), scale, bias, None

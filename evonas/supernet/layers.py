"""Calls of layers: the part of the weight in use, and the inputs that it read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evonas.networks.elastic import ElasticConv2d, ElasticLayer

Slices = tuple[slice, ...]
"""A part of a tensor, a slice per dimension; dimensions that are not named are used whole."""


@dataclass(frozen=True)
class Call:
    """One call of a layer.

    Attributes:
        layer: The layer.
        images: Its first input, (n, channels, h, w) or (n, features).
        kernel: Side of the kernel in use (convolutions).
        active_slices: Part of the weight in use; None: all of it.
    """

    layer: nn.Module
    images: Tensor
    kernel: tuple[int, int]
    active_slices: Slices | None


@dataclass(frozen=True)
class Inputs:
    """Inputs that a weight has read, as rows over all its columns (and 1 for a bias).

    Attributes:
        rows: (groups read, n, d).
        groups: The groups that read them.
    """

    rows: Tensor
    groups: slice


Summary = Callable[[Call], Tensor]
"""Of a call, the inputs to remember: (groups in use, n, columns in use), without the bias."""


def is_shared(layer: nn.Module) -> bool:
    """Return whether a layer's weight is a matrix that reads inputs: a convolution or a linear layer."""
    return isinstance(layer, nn.Conv2d | nn.Linear)


def weight_of(layer: nn.Module) -> Tensor:
    """Return the weight of a layer that has one."""
    weight = layer.weight
    assert isinstance(weight, Tensor)
    return weight


def geometry(layer: nn.Module) -> tuple[int, int]:
    """Return (groups, inputs of one output), a bias counting as the weight of a constant input 1."""
    groups = layer.groups if isinstance(layer, nn.Conv2d) else 1
    return groups, weight_of(layer)[0].numel() + (layer.bias is not None)


def read_call(layer: nn.Module, images: Tensor, output: Tensor, kernel_run: int | None = None) -> Call:
    """Return what a call of `layer` has used, seen from its input, its output and the kernel asked for."""
    slices: Slices | None = None
    kernel = (1, 1)
    if isinstance(layer, nn.Conv2d):
        height, width = layer.kernel_size
        kernel = (height, width) if kernel_run is None else (kernel_run, kernel_run)
        if isinstance(layer, ElasticLayer):
            slices = layer.active(images.shape[1], output.shape[1], kernel[0])
    elif isinstance(layer, _BatchNorm) and images.shape[1] < layer.num_features:
        slices = (slice(0, images.shape[1]),)
    elif isinstance(layer, ElasticLayer):
        slices = layer.active(images.shape[-1])
    if slices is not None and is_whole(slices, layer.weight if isinstance(layer.weight, Tensor) else None):
        slices = None
    return Call(layer, images, kernel, slices)


def is_whole(slices: Slices, weight: Tensor | None) -> bool:
    """Return whether slices leave nothing out; dimensions that they do not name are used whole."""
    return weight is None or all(
        part.indices(size) == (0, size, 1) for part, size in zip(slices, weight.shape, strict=False)
    )


def groups_in_use(layer: nn.Module, slices: Slices | None) -> slice:
    """Return the groups whose weights the slices in use touch."""
    groups, _ = geometry(layer)
    if slices is None or groups == 1:
        return slice(0, groups)
    outputs = weight_of(layer).shape[0]
    per_group = outputs // groups
    start, stop, _ = slices[0].indices(outputs)
    return slice(start // per_group, -(-stop // per_group))


def columns_in_use(layer: nn.Module, slices: Slices | None) -> Tensor | None:
    """Return the indices into one output's inputs that the slices in use touch, the bias last; None for all."""
    if slices is None:
        return None
    weight = weight_of(layer)
    index = torch.arange(weight[0].numel(), device=weight.device).reshape(weight.shape[1:])[slices[1:]].reshape(-1)
    if index.numel() == weight[0].numel():
        return None
    return index if layer.bias is None else F.pad(index, (0, 1), value=weight[0].numel())


def mean_patch(call: Call, *, every: int = 1) -> Tensor:
    """Return the mean over batch and positions of what the weight reads, (groups in use, 1, columns in use).

    It is the input that Zeng et al. 2019 feed (their code averages over the batch alone).

    Args:
        call: The call.
        every: Read each `every`-th image only, to save time.
    """
    images = call.images.detach()[::every]
    if not isinstance(call.layer, nn.Conv2d):
        return images.reshape(-1, images.shape[-1]).mean(0)[None, None]
    windows = _windows(call, images.mean(0, keepdim=True))
    # One dimension after the other: no patch is written out.
    return _by_group(call, windows.mean(-2).mean(-1))


def sampled_patches(count: int, generator: torch.Generator, *, centered: bool = False) -> Summary:
    """Return a summary that keeps `count` patches drawn from batch and positions.

    Args:
        count: Patches of each call.
        generator: Source of the draws, on the CPU.
        centered: Take out the mean of these patches where the layer has no bias: a norm that follows it takes out
            what a change along the mean does.
    """

    def summary(call: Call) -> Tensor:
        images, device = call.images.detach(), call.images.device
        if isinstance(call.layer, nn.Conv2d):
            image = torch.randint(len(images), (count,), generator=generator).to(device)
            windows = _windows(call, images[image])
            row, column = (torch.randint(n, (count,), generator=generator).to(device) for n in windows.shape[-2:])
            rows = _by_group(call, windows[torch.arange(count, device=device), :, :, :, row, column])
        else:
            flat = images.reshape(-1, images.shape[-1])
            rows = flat[torch.randint(len(flat), (count,), generator=generator).to(device)][None]
        return rows - rows.mean(1, keepdim=True) if centered and call.layer.bias is None else rows

    return summary


def _windows(call: Call, images: Tensor) -> Tensor:
    """Return what the kernel reads at every position, a view of shape (n, channels, k, k, rows, columns)."""
    layer = call.layer
    assert isinstance(layer, nn.Conv2d)
    padding = layer.padding
    if call.kernel != tuple(layer.kernel_size) or isinstance(padding, str):
        same = padding != "valid"
        padding = tuple(d * (k - 1) // 2 if same else 0 for d, k in zip(layer.dilation, call.kernel, strict=True))
    if any(padding):
        images = F.pad(images, (padding[1], padding[1], padding[0], padding[0]))
    spans = [d * (k - 1) for d, k in zip(layer.dilation, call.kernel, strict=True)]
    counts = [(n - span - 1) // s + 1 for n, span, s in zip(images.shape[2:], spans, layer.stride, strict=True)]
    image, channel, *steps = images.stride()
    within = [step * d for step, d in zip(steps, layer.dilation, strict=True)]
    across = [step * s for step, s in zip(steps, layer.stride, strict=True)]
    shape, strides = (*images.shape[:2], *call.kernel, *counts), (image, channel, *within, *across)
    return images.as_strided(shape, strides, images.storage_offset())


def _by_group(call: Call, patches: Tensor) -> Tensor:
    """Return patches (n, channels, k, k) as (groups in use, n, columns in use)."""
    used = groups_in_use(call.layer, call.active_slices)
    return patches.reshape(len(patches), used.stop - used.start, -1).transpose(0, 1)


def embed(call: Call, rows: Tensor) -> Inputs:
    """Return a summary's rows with zeros where the call did not reach, and 1 for a bias."""
    layer = call.layer
    if isinstance(layer, ElasticConv2d) and call.active_slices is not None and call.kernel != layer.kernel_size:
        return Inputs(_through_maps(call, rows), groups_in_use(layer, call.active_slices))
    if layer.bias is not None:
        rows = F.pad(rows, (0, 1), value=1.0)
    columns = columns_in_use(layer, call.active_slices)
    if columns is not None:
        full = rows.new_zeros(*rows.shape[:2], geometry(layer)[1])
        full[..., columns] = rows
        rows = full
    return Inputs(rows, groups_in_use(layer, call.active_slices))


def _through_maps(call: Call, rows: Tensor) -> Tensor:
    """Return rows as the full weight reads them where linear maps make a smaller kernel of it (no bias).

    With K = M W for the kernel K that runs, K x = W (M^T x): the transposed maps carry the inputs over.
    """
    layer, channels = call.layer, call.images.shape[1]
    assert isinstance(layer, ElasticConv2d)
    with torch.enable_grad():
        kernels = layer.sliced(channels, None, call.kernel[0])
    full = []
    for index in range(rows.shape[1]):
        shaped = rows[:, index].reshape(kernels.shape).to(kernels.dtype)
        (read,) = torch.autograd.grad(kernels, weight_of(layer), shaped, retain_graph=True)
        full.append(read[groups_in_use(layer, call.active_slices)].flatten(1))
    return torch.stack(full, dim=1)

"""Layers whose weight serves several widths and kernels by slices ([Cai2020]_, section 3).

References:
    .. [Cai2020] Cai et al.: Once-for-All, ICLR 2020, arXiv 1908.09791.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from itertools import pairwise

import torch
from torch import Tensor, nn
from torch.nn import functional

from evonas.networks.same_padding import convolve_same


class ElasticLayer(ABC):
    """Layer that runs with a part of its weight; supernets ask it which, other layers are used whole."""

    @abstractmethod
    def active(self, in_channels: int, out_channels: int | None = None, kernel: int | None = None) -> tuple[slice, ...]:
        """Return the slices of the weight that a call reads, per dimension.

        Args:
            in_channels: Channels or features of the input.
            out_channels: Channels written; None: all, or as many as read where depthwise.
            kernel: Kernel run; None: the largest.
        """


class ElasticConv2d(ElasticLayer, nn.Conv2d):
    """A convolution that runs with its first channels and with its largest or a smaller kernel.

    A smaller kernel is the center of the next larger one, sent through a learned linear map that all channels
    share (identity at first).

    Args:
        c_in: Most channels read.
        c_out: Most channels written.
        kernels: Kernels it may run with, ascending.
        stride: Stride.
        depthwise: Whether every channel has its own filter; then it writes as many channels as it reads.
        same: Whether it is padded as TensorFlow's "same" does it, instead of by half the kernel on all sides.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernels: tuple[int, ...],
        stride: int = 1,
        depthwise: bool = False,
        same: bool = False,
    ) -> None:
        largest = max(kernels)
        groups = c_in if depthwise else 1
        super().__init__(c_in, c_out, largest, stride, largest // 2, groups=groups, bias=False)
        self.depthwise = depthwise
        self.same = same
        self.kernels = tuple(sorted(kernels))
        self.maps = nn.ParameterDict(
            {f"{big}to{small}": torch.eye(small * small) for small, big in pairwise(self.kernels)}
        )

    def active(
        self, in_channels: int, out_channels: int | None = None, kernel: int | None = None
    ) -> tuple[slice, slice, slice, slice]:
        """Return the slices of the weight that a call reads; see `ElasticLayer.active`.

        A smaller kernel reads all that the first map of its chain does: the center as large as the second kernel.
        """
        largest = self.kernel_size[0]
        smaller = kernel is not None and kernel < largest
        border = (largest - self.kernels[-2]) // 2 if smaller else 0
        middle = slice(border, largest - border)
        if self.depthwise:
            return slice(0, in_channels), slice(0, 1), middle, middle
        return slice(0, out_channels or self.out_channels), slice(0, in_channels), middle, middle

    def sliced(self, in_channels: int, out_channels: int | None = None, kernel: int | None = None) -> Tensor:
        """Return the weight that a call with these sizes convolves with."""
        weight = self.weight[self.active(in_channels, out_channels)]
        if kernel is None or kernel == self.kernel_size[0]:
            return weight
        for small, big in reversed(list(pairwise(self.kernels))):
            if small < kernel:
                break
            border = (big - small) // 2
            center = weight[:, :, border : border + small, border : border + small]
            flat = functional.linear(center.reshape(-1, small * small), self.maps[f"{big}to{small}"])
            weight = flat.view(center.shape)
        return weight

    def forward(self, x: Tensor, out_channels: int | None = None, kernel: int | None = None) -> Tensor:
        """Convolve ``(n, c, h, w)``, c at most `c_in`, with the slice that fits."""
        weight = self.sliced(x.shape[1], out_channels, kernel)
        groups = x.shape[1] if self.depthwise else 1
        if self.same:
            return convolve_same(x, weight, self.stride[0], groups)
        return functional.conv2d(x, weight, None, self.stride, weight.shape[-1] // 2, 1, groups)


class ElasticPointwise(ElasticLayer, nn.Conv2d):
    """A 1x1 convolution with bias that runs with its first channels."""

    def active(self, in_channels: int, out_channels: int | None = None, kernel: int | None = None) -> tuple[slice, ...]:
        """Return the slices of the weight that a call reads; see `ElasticLayer.active`."""
        return slice(0, out_channels or self.out_channels), slice(0, in_channels), slice(0, 1), slice(0, 1)

    def forward(self, x: Tensor, out_channels: int | None = None, kernel: int | None = None) -> Tensor:
        """Convolve ``(n, c, h, w)`` with the slice that fits."""
        out = out_channels or self.out_channels
        bias = None if self.bias is None else self.bias[:out]
        return functional.conv2d(x, self.weight[:out, : x.shape[1]], bias)


class ElasticBatchNorm2d(nn.BatchNorm2d):
    """A batch norm that serves the first channels of its input's width."""

    def forward(self, x: Tensor, affine: tuple[Tensor, Tensor] | None = None) -> Tensor:
        """Normalize ``(n, c, h, w)``, c at most `num_features`.

        Args:
            x: Input.
            affine: Weight and bias of at least c channels; None: its own.
        """
        c = x.shape[1]
        weight, bias = (self.weight, self.bias) if affine is None else affine
        mean, variance, seen = self.running_mean, self.running_var, self.num_batches_tracked
        if mean is None or variance is None or seen is None:
            raise TypeError("Expected a norm that keeps running statistics")
        if self.training:
            seen.add_(1)
        momentum = self.momentum if self.momentum is not None else 1.0 / float(seen)
        return functional.batch_norm(
            x,
            mean[:c],
            variance[:c],
            weight[:c],
            bias[:c],
            self.training,
            momentum,
            self.eps,
        )


class ElasticLinear(ElasticLayer, nn.Linear):
    """A linear layer that runs with its first input features."""

    def active(self, in_channels: int, out_channels: int | None = None, kernel: int | None = None) -> tuple[slice, ...]:
        """Return the slices of the weight that a call with so many features reads; see `ElasticLayer.active`."""
        return slice(0, self.out_features), slice(0, in_channels)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, f)``, f at most `in_features`."""
        return functional.linear(x, self.weight[:, : x.shape[1]], self.bias)

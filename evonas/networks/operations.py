"""Operations of cell spaces, in the order ReLU, convolution, norm ([Liu2019]_ section 3, [Dong2020]_, [Duan2021]_)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor, nn

from evonas.spaces.definition_cell import OperationTable


class ReLUConvNorm(nn.Sequential):
    """ReLU, convolution without bias, norm."""

    def __init__(self, c_in: int, c_out: int, kernel: int = 1, stride: int = 1) -> None:
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(c_in, c_out, kernel, stride, kernel // 2, bias=False),
            nn.BatchNorm2d(c_out),
        )


class FactorizedReduce(nn.Module):
    """Halve the image by two 1x1 convolutions, one shifted by a pixel, concatenated.

    Args:
        c_in: Channels read.
        c_out: Channels written; the first half sees even pixels, the second odd ones.
        stride: 2; or 1, where only the width changes ([Duan2021]_).
    """

    def __init__(self, c_in: int, c_out: int, stride: int = 2) -> None:
        super().__init__()
        self.relu = nn.ReLU()
        self.even = nn.Conv2d(c_in, c_out // 2, 1, stride, bias=False)
        self.odd = nn.Conv2d(c_in, c_out - c_out // 2, 1, stride, bias=False)
        self.norm = nn.BatchNorm2d(c_out)
        self.stride = stride

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, c_in, h, w)`` to ``(n, c_out, ceil(h / stride), ceil(w / stride))``."""
        x = self.relu(x)
        shifted = x[:, :, 1:, 1:]
        odd_rows, odd_columns = (1, 1) if self.stride == 1 else (x.shape[2] % 2, x.shape[3] % 2)
        if odd_rows or odd_columns:
            shifted = nn.functional.pad(shifted, (0, odd_columns, 0, odd_rows))
        halved: Tensor = self.norm(torch.cat([self.even(x), self.odd(shifted)], dim=1))
        return halved


class ResidualReduction(nn.Module):
    """NAS-Bench-201's block between stages: two 3x3 convolutions, the first with stride 2, and a shortcut."""

    def __init__(self, c_in: int, c_out: int) -> None:
        super().__init__()
        self.first = ReLUConvNorm(c_in, c_out, 3, 2)
        self.second = ReLUConvNorm(c_out, c_out, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2, 2, ceil_mode=True), nn.Conv2d(c_in, c_out, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, c_in, h, w)`` to ``(n, c_out, ceil(h / 2), ceil(w / 2))``."""
        out: Tensor = self.shortcut(x) + self.second(self.first(x))
        return out


def _skip(table: OperationTable, c_in: int, c: int, stride: int) -> nn.Module:
    return nn.Identity() if (stride, c_in) == (1, c) else FactorizedReduce(c_in, c, stride)


def _pool(table: OperationTable, c_in: int, c: int, stride: int) -> nn.Module:
    kernel, padding = table.kernel, table.kernel // 2
    pool: nn.Module = (
        nn.MaxPool2d(kernel, stride, padding)
        if table.kind == "max_pool"
        else nn.AvgPool2d(kernel, stride, padding, count_include_pad=False)
    )
    return nn.Sequential(pool, nn.BatchNorm2d(c, affine=False)) if table.norm else pool


def _depthwise(table: OperationTable, c: int, stride: int) -> list[nn.Module]:
    padding = table.kernel // 2 * table.dilation
    return [
        nn.ReLU(),
        nn.Conv2d(c, c, table.kernel, stride, padding, table.dilation, groups=c, bias=False),
    ]


def _separable(table: OperationTable, c_in: int, c: int, stride: int) -> nn.Module:
    layers: list[nn.Module] = []
    for repeat in range(table.repeats):
        layers += _depthwise(table, c, stride if repeat == 0 else 1)
        layers += [nn.Conv2d(c, c, 1, bias=False), nn.BatchNorm2d(c)]
    return nn.Sequential(*layers)


def _depthwise_only(table: OperationTable, c_in: int, c: int, stride: int) -> nn.Module:
    return nn.Sequential(*_depthwise(table, c, stride), nn.BatchNorm2d(c))


def _conv(table: OperationTable, c_in: int, c: int, stride: int) -> nn.Module:
    return ReLUConvNorm(c_in, c, table.kernel, stride)


_BUILDERS: dict[str, Callable[[OperationTable, int, int, int], nn.Module]] = {
    "skip": _skip,
    "max_pool": _pool,
    "avg_pool": _pool,
    "separable": _separable,
    "depthwise": _depthwise_only,
    "conv": _conv,
}


def operation(table: OperationTable, channels: int, stride: int, c_in: int | None = None) -> nn.Module:
    """Build one candidate of an edge; ``none`` has no module, its edge is left out.

    Args:
        table: The candidate's table in the space's file.
        channels: Channels written.
        stride: 1, or 2 on edges from a reduction cell's inputs.
        c_in: Channels read where they are others, which skips and convolutions can; None: those written.
    """
    return _BUILDERS[table.kind](table, channels if c_in is None else c_in, channels, stride)

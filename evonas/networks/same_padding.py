"""Convolutions padded as TensorFlow's "same" does it: by the input's size, and by one more at the end where odd.

A symmetric padding of half the kernel gives the same shapes at stride 2, but reads other pixels at even sizes;
weights trained with one of the two are wrong with the other.
"""

from __future__ import annotations

from torch import Tensor, nn
from torch.nn import functional


def same_padding(size: int, kernel: int, stride: int) -> tuple[int, int]:
    """Pixels of padding before and after one side of an image, so that ``ceil(size / stride)`` come out.

    Args:
        size: Pixels of that side, at least 1.
        kernel: Side of the kernel.
        stride: Stride.
    """
    total = max(0, ((size + stride - 1) // stride - 1) * stride + kernel - size)
    return total // 2, total - total // 2


def convolve_same(x: Tensor, weight: Tensor, stride: int, groups: int = 1, bias: Tensor | None = None) -> Tensor:
    """Convolution of ``(n, c, h, w)``, padded as TensorFlow's "same" does it."""
    top, bottom = same_padding(int(x.shape[2]), weight.shape[2], stride)
    left, right = same_padding(int(x.shape[3]), weight.shape[3], stride)
    if (top, left) == (bottom, right):  # no copy of the image is needed
        return functional.conv2d(x, weight, bias, stride, (top, left), 1, groups)
    return functional.conv2d(functional.pad(x, (left, right, top, bottom)), weight, bias, stride, 0, 1, groups)


class SameConv2d(nn.Conv2d):
    """A convolution that is padded as TensorFlow's "same" does it."""

    def __init__(
        self, c_in: int, c_out: int, kernel: int, stride: int = 1, groups: int = 1, bias: bool = False
    ) -> None:
        super().__init__(c_in, c_out, kernel, stride, kernel // 2, groups=groups, bias=bias)

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, c, h, w)`` to ``(n, c_out, ceil(h / stride), ceil(w / stride))``."""
        return convolve_same(x, self.weight, self.stride[0], self.groups, self.bias)

"""Inverted bottlenecks of the MobileNets, plain or elastic.

References:
    .. [Sandler2018] Sandler et al.: MobileNetV2, CVPR 2018, arXiv 1801.04381.
    .. [Howard2019] Howard et al.: Searching for MobileNetV3, ICCV 2019, arXiv 1905.02244.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import cast

import torch
from torch import Tensor, nn

from evonas.networks.elastic import ElasticBatchNorm2d, ElasticConv2d, ElasticPointwise
from evonas.networks.network import Gate
from evonas.networks.same_padding import SameConv2d

ACTIVATIONS: dict[str, Callable[[], nn.Module]] = {
    "relu": nn.ReLU,
    "relu6": nn.ReLU6,
    "hard_swish": nn.Hardswish,
    "silu": nn.SiLU,
    "gelu": nn.GELU,
}


def divisible(value: float, divisor: int = 8) -> int:
    """Round to a multiple of `divisor`, never below 90 % of the value ([Sandler2018]_'s reference code)."""
    rounded = max(divisor, int(value + divisor / 2) // divisor * divisor)
    return rounded + divisor if rounded < 0.9 * value else rounded


class SqueezeExcite(Gate):
    """Gate channels by their means: 1x1 to a quarter, ReLU, 1x1 back, hard sigmoid ([Howard2019]_ 5.3).

    Args:
        channels: Channels gated.
        elastic: Whether it runs on some of them, too.
        squeezed: What it squeezes to a quarter of, rounded down; None: the channels, rounded to eights.
    """

    def __init__(self, channels: int, elastic: bool, squeezed: int | None = None) -> None:
        super().__init__()
        conv = ElasticPointwise if elastic else nn.Conv2d
        inner = divisible(channels // 4) if squeezed is None else max(1, squeezed // 4)
        self.pool = nn.AdaptiveAvgPool2d(1)
        self.reduce = conv(channels, inner, 1)
        self.activation = nn.ReLU()
        self.expand = conv(inner, channels, 1)
        self.gate = nn.Hardsigmoid()
        self.elastic = elastic

    def forward(self, x: Tensor) -> Tensor:
        """Map ``(n, c, h, w)`` to the same shape."""
        squeezed = self.pool(x)
        if self.elastic:
            squeezed = self.activation(self.reduce(squeezed, divisible(x.shape[1] // 4)))
            gate: Tensor = self.gate(self.expand(squeezed, x.shape[1]))
        else:
            gate = self.gate(self.expand(self.activation(self.reduce(squeezed))))
        return x * gate


PARTS = ("expand", "depthwise", "project")
"""Parts of a block that end in a norm."""
OWN = "own_norms."
"""Beginning of the names of norms' weights and biases that are an option's own."""


def _key(kernel: int | None, expand: int | None) -> str:
    """Return what an option's own norms are known by."""
    return f"{kernel}x{expand}"


def _elastic(norm: nn.BatchNorm2d) -> ElasticBatchNorm2d:
    """Return an elastic norm with the weights and statistics of a plain one."""
    other = ElasticBatchNorm2d(norm.num_features, eps=norm.eps, momentum=norm.momentum)
    other.load_state_dict(norm.state_dict())
    return other.to(norm.weight.device)


class MBConv(nn.Module):
    """1x1 expansion, depthwise convolution, gate, linear 1x1 projection; a residual where shapes agree.

    Args:
        c_in: Channels read.
        c_out: Channels written.
        kernels: Kernels it may run with; several make it elastic.
        expands: Expansions it may run with; several make it elastic. At 1 the expansion layer is left out.
        stride: Stride of the depthwise convolution.
        activation: Name in `ACTIVATIONS`.
        se: Whether it has a squeeze-and-excitation gate.
        eps: Epsilon of the norms.
        groups: Groups of the 1x1 convolutions; channels are shuffled before the depthwise one.
        bias: Whether the convolutions carry a bias; plain ones only.
        same: Whether the depthwise convolution is padded as TensorFlow's "same" does it.
        squeezed: Channels that the gate squeezes to a quarter of; None: those that it gates.
    """

    def __init__(
        self,
        c_in: int,
        c_out: int,
        kernels: tuple[int, ...],
        expands: tuple[int, ...],
        stride: int,
        *,
        activation: str,
        se: bool,
        eps: float,
        groups: int = 1,
        bias: bool = False,
        same: bool = False,
        squeezed: int | None = None,
    ) -> None:
        super().__init__()
        self.spec = (c_in, c_out, stride, activation, se, eps, same)
        self.elastic = len(kernels) > 1 or len(expands) > 1
        self.residual = stride == 1 and c_in == c_out
        self.groups = groups
        mid = self.middle(max(expands))
        act = ACTIVATIONS[activation]

        def norm(channels: int) -> nn.Module:
            return (ElasticBatchNorm2d if self.elastic else nn.BatchNorm2d)(channels, eps=eps)

        def conv1x1(c_from: int, c_to: int) -> nn.Module:
            if self.elastic:
                return ElasticConv2d(c_from, c_to, (1,))
            return nn.Conv2d(c_from, c_to, 1, groups=groups, bias=bias)

        self.expand = None
        if max(expands) > 1:
            self.expand = nn.ModuleDict({"conv": conv1x1(c_in, mid), "norm": norm(mid), "activation": act()})
        kernel = max(kernels)
        depthwise: nn.Module
        if self.elastic:
            depthwise = ElasticConv2d(mid, mid, tuple(kernels), stride, depthwise=True, same=same)
        elif same:
            depthwise = SameConv2d(mid, mid, kernel, stride, groups=mid, bias=bias)
        else:
            depthwise = nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid, bias=bias)
        self.depthwise = nn.ModuleDict({"conv": depthwise, "norm": norm(mid), "activation": act()})
        self.se = SqueezeExcite(mid, self.elastic, squeezed) if se else None
        self.project = nn.ModuleDict({"conv": conv1x1(mid, c_out), "norm": nn.BatchNorm2d(c_out, eps=eps)})
        self.own_norms: nn.ModuleDict | None = None
        """Norms' weights and biases of each option, where options have their own."""

    def middle(self, expand: int) -> int:
        """Return the channels between expansion and projection."""
        return self.spec[0] if expand == 1 else divisible(round(self.spec[0] * expand))

    def branches(self) -> Iterator[nn.Module]:
        """Yield the last norm, where a residual is added to it."""
        if self.residual:
            yield self.project["norm"]

    def forward(self, x: Tensor, kernel: int | None = None, expand: int | None = None) -> Tensor:
        """Map ``(n, c_in, h, w)`` to ``(n, c_out, h / stride, w / stride)``.

        Args:
            x: Input.
            kernel: Kernel to run with, where elastic.
            expand: Expansion to run with, where elastic.
        """
        y = x
        if self.expand is not None and not (self.elastic and expand == 1):
            y = self.expand["conv"](y, self.middle(cast(int, expand))) if self.elastic else self.expand["conv"](y)
            y = self.expand["activation"](self._normalize("expand", y, kernel, expand))
        if self.groups > 1:  # also where nothing is expanded: the projection's groups would never mix otherwise
            n, c, h, w = y.shape
            y = y.reshape(n, self.groups, c // self.groups, h, w).transpose(1, 2).reshape(n, c, h, w)
        conv = self.depthwise["conv"]
        y = conv(y, kernel=kernel) if self.elastic else conv(y)
        y = self.depthwise["activation"](self._normalize("depthwise", y, kernel, expand))
        if self.se is not None:
            y = self.se(y)
        y = self._normalize("project", self.project["conv"](y), kernel, expand)
        return x + y if self.residual else y

    def separate_norms(self, options: Iterable[tuple[int, ...]]) -> None:
        """Give every option norms' weights and biases of its own, each a copy of the block's, which are not used then.

        Args:
            options: Kernel and expansion of each.
        """
        self.project["norm"] = _elastic(cast(nn.BatchNorm2d, self.project["norm"]))
        norms = {name: part["norm"] for name in PARTS if (part := getattr(self, name)) is not None}
        self.own_norms = nn.ModuleDict()
        for kernel, expand in options:
            copies = {
                f"{name}_{kind}": nn.Parameter(getattr(norm, kind).detach().clone())
                for name, norm in norms.items()
                for kind in ("weight", "bias")
            }
            self.own_norms[_key(kernel, expand)] = nn.ParameterDict(copies)

    def _normalize(self, part: str, y: Tensor, kernel: int | None, expand: int | None) -> Tensor:
        """Normalize by one of the block's norms, with the option's own weight and bias where there are any."""
        norm = getattr(self, part)["norm"]
        if self.own_norms is None:
            return cast(Tensor, norm(y))
        own = cast(nn.ParameterDict, self.own_norms[_key(kernel, expand)])
        return cast(Tensor, norm(y, (own[f"{part}_weight"], own[f"{part}_bias"])))

    @torch.no_grad()
    def slice(self, kernel: int, expand: int) -> dict[str, Tensor]:
        """Return the state dict of the plain block that an option of this elastic one runs."""
        c_in, c_out, *_ = self.spec
        mid = self.middle(expand)
        state = dict(self.state_dict())
        state = {key: value for key, value in state.items() if ".maps." not in key and not key.startswith(OWN)}
        if self.own_norms is not None:
            for key, value in cast(nn.ParameterDict, self.own_norms[_key(kernel, expand)]).items():
                part, _, kind = key.rpartition("_")
                if f"{part}.norm.{kind}" in state:
                    state[f"{part}.norm.{kind}"] = value

        def cut(name: str, width: int) -> None:
            for key in state:
                if key.startswith(f"{name}.norm.") and state[key].dim():
                    state[key] = state[key][:width]

        if self.expand is not None and expand > 1:
            state["expand.conv.weight"] = cast(ElasticConv2d, self.expand["conv"]).sliced(c_in, mid)
            cut("expand", mid)
        else:
            state = {key: value for key, value in state.items() if not key.startswith("expand.")}
        state["depthwise.conv.weight"] = cast(ElasticConv2d, self.depthwise["conv"]).sliced(mid, None, kernel)
        cut("depthwise", mid)
        if self.se is not None:
            inner = divisible(mid // 4)
            for name, rows, columns in (("reduce", inner, mid), ("expand", mid, inner)):
                state[f"se.{name}.weight"] = state[f"se.{name}.weight"][:rows, :columns]
                state[f"se.{name}.bias"] = state[f"se.{name}.bias"][:rows]
        state["project.conv.weight"] = cast(ElasticConv2d, self.project["conv"]).sliced(mid, c_out)
        return state

    def plain(self, kernel: int, expand: int) -> MBConv:
        """Return the stand-alone block of an option, with copies of the weights."""
        c_in, c_out, stride, activation, se, eps, same = self.spec
        with torch.device("meta"):
            block = MBConv(c_in, c_out, (kernel,), (expand,), stride, activation=activation, se=se, eps=eps, same=same)
        state = {key: value.detach().clone() for key, value in self.slice(kernel, expand).items()}
        block.load_state_dict(state, assign=True)
        return block.train(self.training)

"""Reference networks with published names of keys, written from their papers' code, with weights made here."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F


def uneven(network: nn.Module, seed: int = 0) -> nn.Module:
    """Give all weights and statistics uneven values, so that a mix-up shows."""
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, value in (*network.named_parameters(), *network.named_buffers()):
            if name.endswith("running_var") or (value.dim() == 1 and name.endswith("weight")):
                value.uniform_(0.5, 1.5, generator=generator)
            elif name.endswith("matrix"):
                value.add_(torch.randn(value.shape, generator=generator) * 0.05)
            elif value.dim() == 1:
                value.normal_(0, 0.2, generator=generator)
            elif value.dim() > 1:
                value.normal_(0, value[0].numel() ** -0.5, generator=generator)
    return network.eval()


def divisible(value: float) -> int:
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class Wrapped(nn.Module):
    """A layer one name deeper, as Once-for-All's dynamic layers have it."""

    def __init__(self, name: str, layer: nn.Module) -> None:
        super().__init__()
        self.add_module(name, layer)


class OFABlock(nn.Module):
    """One inverted bottleneck of Once-for-All (ofa/imagenet_classification/elastic_nn/modules)."""

    def __init__(self, c_in: int, c_out: int, stride: int, act: str, se: bool, dynamic: bool) -> None:
        super().__init__()
        self.c_in, self.stride, self.act, self.residual = c_in, stride, act, stride == 1 and c_in == c_out
        self.dynamic = dynamic
        mid = divisible(round(c_in * 6)) if dynamic else c_in
        inner = nn.Module()
        if dynamic:
            part = nn.Module()
            part.conv, part.bn = (
                Wrapped("conv", nn.Conv2d(c_in, mid, 1, bias=False)),
                Wrapped("bn", nn.BatchNorm2d(mid)),
            )
            inner.inverted_bottleneck = part
        depth = nn.Module()
        conv = nn.Conv2d(mid, mid, 7 if dynamic else 3, stride, groups=mid, bias=False)
        if dynamic:
            wrapped = Wrapped("conv", conv)
            wrapped.register_parameter("7to5_matrix", nn.Parameter(torch.eye(25)))
            wrapped.register_parameter("5to3_matrix", nn.Parameter(torch.eye(9)))
            depth.conv, depth.bn = wrapped, Wrapped("bn", nn.BatchNorm2d(mid))
        else:
            depth.conv, depth.bn = conv, nn.BatchNorm2d(mid)
        if se:
            depth.se = nn.Module()
            depth.se.fc = nn.Module()
            depth.se.fc.reduce = nn.Conv2d(mid, divisible(mid // 4), 1)
            depth.se.fc.expand = nn.Conv2d(divisible(mid // 4), mid, 1)
        inner.depth_conv = depth
        point, last = nn.Module(), nn.Conv2d(mid, c_out, 1, bias=False)
        point.conv = Wrapped("conv", last) if dynamic else last
        point.bn = Wrapped("bn", nn.BatchNorm2d(c_out)) if dynamic else nn.BatchNorm2d(c_out)
        inner.point_linear = point
        self.mobile_inverted_conv = inner

    def run(self, x, kernel: int = 3, expand: int = 1):
        inner, y = self.mobile_inverted_conv, x
        mid = divisible(round(self.c_in * expand)) if self.dynamic else self.c_in
        if self.dynamic:
            part = inner.inverted_bottleneck
            y = activate(normed(F.conv2d(y, part.conv.conv.weight[:mid]), part.bn.bn), self.act)
        weight = inner.depth_conv.conv.conv.weight[:mid] if self.dynamic else inner.depth_conv.conv.weight
        for large, small in ((7, 5), (5, 3)):
            if self.dynamic and kernel < large:
                center = weight[:, :, 1:-1, 1:-1].reshape(mid, -1)
                matrix = getattr(inner.depth_conv.conv, f"{large}to{small}_matrix")
                weight = (center @ matrix.T).view(mid, 1, small, small)
        y = F.conv2d(y, weight, None, self.stride, weight.shape[-1] // 2, 1, mid)
        bn = inner.depth_conv.bn.bn if self.dynamic else inner.depth_conv.bn
        y = activate(normed(y, bn), self.act)
        if hasattr(inner.depth_conv, "se"):
            fc, squeeze = inner.depth_conv.se.fc, divisible(mid // 4)
            gate = F.conv2d(y.mean((2, 3), keepdim=True), fc.reduce.weight[:squeeze, :mid], fc.reduce.bias[:squeeze])
            gate = F.conv2d(F.relu(gate), fc.expand.weight[:mid, :squeeze], fc.expand.bias[:mid])
            y = y * F.relu6(gate + 3) / 6
        last = inner.point_linear.conv.conv.weight[:, :mid] if self.dynamic else inner.point_linear.conv.weight
        bn = inner.point_linear.bn.bn if self.dynamic else inner.point_linear.bn
        y = normed(F.conv2d(y, last), bn)
        return x + y if self.residual else y


def normed(x, bn):
    c = x.shape[1]
    mean, var = bn.running_mean[:c], bn.running_var[:c]
    return F.batch_norm(x, mean, var, bn.weight[:c], bn.bias[:c], False, 0.1, bn.eps)


def activate(x, name: str):
    return F.relu(x) if name == "relu" else x * F.relu6(x + 3) / 6


class OFAMobileNetV3(nn.Module):
    """Once-for-All's MobileNetV3 supernet (ofa/imagenet_classification/elastic_nn/networks/ofa_mbv3.py)."""

    def __init__(self, width: float) -> None:
        super().__init__()
        first, *widths, features, hidden = [divisible(w * width) for w in (16, 24, 40, 80, 112, 160, 960, 1280)]
        layout = zip(widths, (2, 2, 2, 1, 2), ("relu", "relu", *["h_swish"] * 3), (0, 1, 0, 1, 1), strict=True)
        self.first_conv = nn.Module()
        self.first_conv.conv = nn.Conv2d(3, first, 3, 2, 1, bias=False)
        self.first_conv.bn = nn.BatchNorm2d(first)
        blocks, c = [OFABlock(first, first, 1, "relu", False, False)], first
        for out, stride, act, se in layout:
            for b in range(4):
                blocks.append(OFABlock(c, out, stride if b == 0 else 1, act, bool(se), True))
                c = out
        self.blocks = nn.ModuleList(blocks)
        self.final_expand_layer = nn.Module()
        self.final_expand_layer.conv = nn.Conv2d(c, features, 1, bias=False)
        self.final_expand_layer.bn = nn.BatchNorm2d(features)
        self.feature_mix_layer = nn.Module()
        self.feature_mix_layer.conv = nn.Conv2d(features, hidden, 1, bias=False)
        self.classifier = nn.Module()
        self.classifier.linear = nn.Linear(hidden, 1000)

    def forward(self, x, kernels, expands, depths):
        x = activate(normed(self.first_conv.conv(x), self.first_conv.bn), "h_swish")
        x = self.blocks[0].run(x)
        for stage in range(5):
            for b in range(depths[stage]):
                place = stage * 4 + b
                x = self.blocks[1 + place].run(x, kernels[place], expands[place])
        x = activate(normed(self.final_expand_layer.conv(x), self.final_expand_layer.bn), "h_swish")
        x = activate(self.feature_mix_layer.conv(x.mean((2, 3), keepdim=True)), "h_swish")
        return self.classifier.linear(x.flatten(1))


class Same(nn.Conv2d):
    """TensorFlow's "same", by padding explicitly."""

    def forward(self, x):
        k, s = self.kernel_size[0], self.stride[0]
        pads = [max(0, (-(-n // s) - 1) * s + k - n) for n in x.shape[-2:]]
        x = F.pad(x, (pads[1] // 2, pads[1] - pads[1] // 2, pads[0] // 2, pads[0] - pads[0] // 2))
        return F.conv2d(x, self.weight, self.bias, self.stride, 0, 1, self.groups)


class TimmBlock(nn.Module):
    """timm's DepthwiseSeparableConv (expand 1) or InvertedResidual."""

    def __init__(self, c_in: int, c_out: int, kernel: int, expand: int, stride: int, eps: float, same: bool) -> None:
        super().__init__()
        mid, conv = c_in * expand, Same if same else nn.Conv2d
        padding = {} if same else {"padding": kernel // 2}
        self.residual, self.expand = stride == 1 and c_in == c_out, expand
        if expand > 1:
            self.conv_pw, self.bn1 = nn.Conv2d(c_in, mid, 1, bias=False), nn.BatchNorm2d(mid, eps=eps)
        self.conv_dw = conv(mid, mid, kernel, stride, groups=mid, bias=False, **padding)
        if expand > 1:
            self.bn2 = nn.BatchNorm2d(mid, eps=eps)
            self.conv_pwl, self.bn3 = nn.Conv2d(mid, c_out, 1, bias=False), nn.BatchNorm2d(c_out, eps=eps)
        else:
            self.bn1 = nn.BatchNorm2d(mid, eps=eps)
            self.conv_pw, self.bn2 = nn.Conv2d(mid, c_out, 1, bias=False), nn.BatchNorm2d(c_out, eps=eps)

    def forward(self, x):
        if self.expand > 1:
            y = F.relu6(self.bn2(self.conv_dw(F.relu6(self.bn1(self.conv_pw(x))))))
            y = self.bn3(self.conv_pwl(y))
        else:
            y = self.bn2(self.conv_pw(F.relu6(self.bn1(self.conv_dw(x)))))
        return x + y if self.residual else y


class TimmNetwork(nn.Module):
    """timm's EfficientNet class for networks without squeeze: rows of (kernel, stride, expand, width, repeats)."""

    def __init__(self, rows, eps: float, same: bool) -> None:
        super().__init__()
        self.conv_stem = Same(3, 32, 3, 2, bias=False) if same else nn.Conv2d(3, 32, 3, 2, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(32, eps=eps)
        stages, c = [], 32
        for kernel, stride, expand, width, repeats in rows:
            blocks = []
            for b in range(repeats):
                blocks.append(TimmBlock(c, width, kernel, expand, stride if b == 0 else 1, eps, same))
                c = width
            stages.append(nn.Sequential(*blocks))
        self.blocks = nn.Sequential(*stages)
        self.conv_head, self.bn2 = nn.Conv2d(c, 1280, 1, bias=False), nn.BatchNorm2d(1280, eps=eps)
        self.classifier = nn.Linear(1280, 1000)

    def forward(self, x):
        x = self.blocks(F.relu6(self.bn1(self.conv_stem(x))))
        return self.classifier(F.relu6(self.bn2(self.conv_head(x))).mean((2, 3)))


TIMM = {
    "mobilenetv2_100": (
        [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (3, 2, 6, 32, 3), (3, 2, 6, 64, 4), (3, 1, 6, 96, 3), (3, 2, 6, 160, 3),
         (3, 1, 6, 320, 1)], 1e-5, False,
    ),
    "tf_efficientnet_lite0": (
        [(3, 1, 1, 16, 1), (3, 2, 6, 24, 2), (5, 2, 6, 40, 2), (3, 2, 6, 80, 3), (5, 1, 6, 112, 3), (5, 2, 6, 192, 4),
         (3, 1, 6, 320, 1)], 1e-3, True,
    ),
}  # fmt: skip


@pytest.fixture
def timm_network():
    return lambda name, seed=0: uneven(TimmNetwork(*TIMM[name]), seed)


@pytest.fixture
def ofa_network():
    return lambda width, seed=0: uneven(OFAMobileNetV3(width), seed)

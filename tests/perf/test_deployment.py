"""What deployment costs in latency: a deployed network beside the same one written by hand and exported directly.

pytest -s -o addopts=--import-mode=importlib tests/perf/test_deployment.py
"""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from evonas import build, load_space
from evonas.deployment import UnitInput, largest
from evonas.objectives import Context, make_evaluator
from evonas.runtime import export, measure_models
from evonas.spaces import Candidate

STAGES = (  # width, stride, blocks, squeeze-and-excitation, activation: MobileNetV3 as Once-for-All has it
    (16, 1, 1, False, nn.ReLU),
    (24, 2, 4, False, nn.ReLU),
    (40, 2, 4, True, nn.ReLU),
    (80, 2, 4, False, nn.Hardswish),
    (112, 1, 4, True, nn.Hardswish),
    (160, 2, 4, True, nn.Hardswish),
)


def eighths(value: float) -> int:
    rounded = max(8, int(value + 4) // 8 * 8)
    return rounded + 8 if rounded < 0.9 * value else rounded


class Gate(nn.Module):
    def __init__(self, channels: int) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.AdaptiveAvgPool2d(1),
            nn.Conv2d(channels, eighths(channels // 4), 1), nn.ReLU(),
            nn.Conv2d(eighths(channels // 4), channels, 1), nn.Hardsigmoid(),
        )  # fmt: skip

    def forward(self, x: Tensor) -> Tensor:
        return x * self.body(x)


class Bottleneck(nn.Module):
    def __init__(self, c_in: int, c_out: int, kernel: int, expand: int, stride: int, se: bool, act: type) -> None:
        super().__init__()
        mid = c_in * expand if expand == 1 else eighths(c_in * expand)
        parts: list[nn.Module] = []
        if expand > 1:
            parts += [nn.Conv2d(c_in, mid, 1, bias=False), nn.BatchNorm2d(mid), act()]
        parts += [nn.Conv2d(mid, mid, kernel, stride, kernel // 2, groups=mid, bias=False), nn.BatchNorm2d(mid), act()]
        parts += [Gate(mid)] if se else []
        self.body = nn.Sequential(*parts, nn.Conv2d(mid, c_out, 1, bias=False), nn.BatchNorm2d(c_out))
        self.residual = stride == 1 and c_in == c_out

    def forward(self, x: Tensor) -> Tensor:
        return x + self.body(x) if self.residual else self.body(x)


def by_hand(width: float, strides: tuple[int, ...], classes: int) -> nn.Module:
    c = eighths(16 * width)
    layers: list[nn.Module] = [nn.Conv2d(3, c, 3, strides[0], 1, bias=False), nn.BatchNorm2d(c), nn.Hardswish()]
    for (channels, _, blocks, se, act), stride in zip(STAGES, strides[1:], strict=True):
        for i in range(blocks):
            kernel, expand = (3, 1) if blocks == 1 else (7, 6)
            layers.append(Bottleneck(c, eighths(channels * width), kernel, expand, stride if i == 0 else 1, se, act))
            c = eighths(channels * width)
    last, hidden = eighths(960 * width), eighths(1280 * width)
    return nn.Sequential(
        *layers, nn.Conv2d(c, last, 1, bias=False), nn.BatchNorm2d(last), nn.Hardswish(),
        nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(last, hidden, bias=False), nn.Hardswish(),
        nn.Linear(hidden, classes),
    )  # fmt: skip


@pytest.mark.filterwarnings("ignore")  # of the exporter
@pytest.mark.parametrize(("name", "rounds"), [("imagenet", 5), ("small", 40)])  # half a millisecond is soon disturbed
def test_the_largest_path_is_as_fast_as_the_same_network_by_hand(name: str, rounds: int) -> None:
    space = load_space("mobilenet_v3")
    skeleton = space.skeleton(name, in_channels=3, classes=10)
    costs = make_evaluator("flops", Context(space, skeleton))
    top = largest(space, lambda form: costs.evaluate([Candidate(form)])[0]["flops"].value or 0.0)
    ours = build(space, skeleton, top, seed=0).eval()
    theirs = by_hand(skeleton.width, skeleton.strides or (2, *(stage[1] for stage in STAGES)), 10).eval()
    # Both hold the same tensors in the order that they run.
    theirs.load_state_dict(dict(zip(theirs.state_dict(), ours.state_dict().values(), strict=True)))
    image = torch.rand(1, 3, skeleton.resolution, skeleton.resolution)
    with torch.no_grad():
        assert torch.allclose(ours(image), theirs(image), atol=1e-5)
    deployed = export(UnitInput(ours, [0.0] * 3, [1.0] * 3).eval(), image.repeat(2, 1, 1, 1))
    direct = torch.onnx.export(theirs, (image,), dynamo=True, opset_version=18, verbose=False).model_proto
    ratios = []
    for i in range(rounds):  # sessions are opened anew in each, in either order: where their memory lies is chance
        models = [deployed, direct] if i % 2 else [direct, deployed]
        times = [t.median_ms for t in measure_models(models, repeats=100, seconds=20.0)]
        ours_ms, theirs_ms = times if i % 2 else times[::-1]
        ratios.append(ours_ms / theirs_ms)
        print(f"{name}: deployed {ours_ms:.3f} ms, by hand {theirs_ms:.3f} ms, ratio {ratios[-1]:.3f}")
    print(f"{name}: median ratio {np.median(ratios):.3f}, {min(ratios):.3f} to {max(ratios):.3f}")
    assert np.median(ratios) <= 1.05

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch
from torch import nn

from evonas.runtime import export


class Excite(nn.Module):
    """Squeeze and excitation."""

    def __init__(self, channels: int):
        super().__init__()
        self.squeeze = nn.Conv2d(channels, 4, 1)
        self.expand = nn.Conv2d(4, channels, 1)

    def forward(self, x):
        gate = self.expand(torch.relu(self.squeeze(nn.functional.adaptive_avg_pool2d(x, 1))))
        return x * nn.functional.hardsigmoid(gate)


class Mixed(nn.Module):
    """Every kind of operation that searched networks hold, as small as can be."""

    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv2d(3, 8, 3, padding=1, bias=False), nn.BatchNorm2d(8), nn.Hardswish())
        self.depthwise = nn.Sequential(
            nn.ReLU(),
            nn.Conv2d(8, 8, 5, padding=2, groups=8, bias=False),
            nn.Conv2d(8, 8, 1),
            nn.BatchNorm2d(8),
        )
        self.dilated = nn.Sequential(
            nn.Conv2d(8, 8, 3, padding=2, dilation=2, groups=8, bias=False), nn.BatchNorm2d(8), nn.ReLU6()
        )
        self.average = nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        self.maximum = nn.MaxPool2d(3, stride=1, padding=1)
        self.excite = Excite(16)
        self.norm = nn.BatchNorm2d(16)
        self.head = nn.Linear(16, 5)

    def forward(self, images, path=None):
        x = self.stem(images)
        left = self.depthwise(x) + self.average(x)
        right = self.dilated(x) + self.maximum(x)
        x = self.norm(self.excite(torch.cat([left, right], dim=1)))
        return self.head(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


@pytest.fixture(scope="session")
def mixed() -> Mixed:
    """A network whose norms hold statistics that matter, left in training mode."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        module = Mixed()
        for part in module.modules():
            if isinstance(part, nn.BatchNorm2d):
                part.running_mean.normal_()
                part.running_var.uniform_(0.5, 2.0)
                nn.init.normal_(part.weight)
                nn.init.normal_(part.bias)
    return module


@pytest.fixture(scope="session")
def images() -> torch.Tensor:
    return torch.rand(12, 3, 8, 8, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="session")
def kept(mixed, images, tmp_path_factory) -> SimpleNamespace:
    """The network exported once to a file by the exporter for models that are kept."""
    folder = tmp_path_factory.mktemp("kept")
    path = export(
        mixed,
        images[:1],
        folder / "model.onnx",
        metadata={"space": "darts", "classes": '["a", "b"]', "é": "ü"},
    )
    return SimpleNamespace(folder=folder, path=path)

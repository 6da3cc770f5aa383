"""Small networks and images on which every proxy is tried."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

GATES = (nn.Sigmoid, nn.Hardsigmoid)


class Squeeze(nn.Module):
    """Squeeze-excitation: its ReLU sees a 4-D input and counts, its gate does not."""

    def __init__(self, channels: int, gate: type[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.Sequential(
            nn.AdaptiveAvgPool2d(1), nn.Conv2d(channels, 4, 1), nn.ReLU(), nn.Conv2d(4, channels, 1), gate()
        )

    def forward(self, images: Tensor) -> Tensor:
        return images * self.layers(images)


def make_network(seed: int, *, activation: type[nn.Module] | None = None, norm: bool = True) -> nn.Module:
    """Draw a small convolutional network: convolutions of all kinds, pools, gates, a linear head."""
    rng = torch.Generator().manual_seed(seed)

    def pick(options: tuple) -> object:
        return options[int(torch.randint(len(options), (1,), generator=rng))]

    torch.manual_seed(seed)
    channels = 3
    layers: list[nn.Module] = []
    for _ in range(int(torch.randint(1, 4, (1,), generator=rng))):
        width = pick((4, 6, 8))
        kernel, stride = pick((1, 3)), pick((1, 2))
        layers.append(nn.Conv2d(channels, width, kernel, stride, kernel // 2, bias=pick((True, False))))
        if pick((True, False)):
            layers.append(nn.Conv2d(width, width, 3, 1, 2, dilation=2, groups=width, bias=False))
        if norm:
            layers.append(nn.BatchNorm2d(width))
        kind = activation or pick((nn.ReLU, nn.ReLU6, nn.Hardswish, nn.GELU, nn.SiLU))
        layers.append(kind(inplace=True) if kind in (nn.ReLU, nn.ReLU6, nn.SiLU) and pick((True, False)) else kind())
        if pick((True, False)):
            layers.append(Squeeze(width, pick(GATES)))
        if pick((True, False)):
            layers.append(nn.MaxPool2d(3, 1, 1))
        channels = width
    return nn.Sequential(*layers, nn.AdaptiveAvgPool2d(1), nn.Flatten(), nn.Linear(channels, 5), nn.Identity())


@pytest.fixture
def network() -> nn.Module:
    return make_network(3, activation=nn.ReLU)


@pytest.fixture
def images() -> Tensor:
    return torch.randn(16, 3, 12, 12, generator=torch.Generator().manual_seed(1))


@pytest.fixture
def generator() -> torch.Generator:
    return torch.Generator().manual_seed(0)


@pytest.fixture
def network_of():
    return make_network


@pytest.fixture(scope="session")
def network_of_session():
    return make_network

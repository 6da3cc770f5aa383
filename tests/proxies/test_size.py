"""The floors: parameters and FLOPs."""

from __future__ import annotations

import torch
from torch import nn

from evonas.proxies import Flops, Params


def test_parameters_and_multiply_adds_of_known_layers(images):
    network = nn.Sequential(
        nn.Conv2d(3, 4, 3, padding=1, bias=False),
        nn.BatchNorm2d(4),
        nn.ReLU(),
        nn.Conv2d(4, 4, 3, stride=2, padding=1, groups=4),
        nn.AdaptiveAvgPool2d(1),
        nn.Flatten(),
        nn.Linear(4, 5),
    )
    generator = torch.Generator()
    assert Params().score(network, images, generator) == 3 * 4 * 9 + 8 + 4 * 9 + 4 + 4 * 5 + 5
    assert Flops().score(network, images, generator) == 144 * 3 * 4 * 9 + 36 * 4 * 9 + 4 * 5

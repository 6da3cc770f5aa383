"""A small supernet, its space and its data, which obey the contracts and nothing more."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from torch import nn

OPTIONS = ("conv", "separable", "skip")


@dataclass(frozen=True)
class ToyArchitecture:
    options: tuple[str, ...]
    resolution: None = None

    def __str__(self) -> str:
        return "-".join(self.options)


class ToySpace:
    """Three slots of three options."""

    cardinalities = np.array([3, 3, 3])

    def sample(self, n, rng, by="size"):
        return rng.integers(0, 3, size=(n, 3)).astype(np.int16)

    def decode(self, genome):
        return ToyArchitecture(tuple(OPTIONS[gene] for gene in genome))

    def canonical(self, architecture):
        return architecture

    def parse(self, text):
        return ToyArchitecture(tuple(text.split("-")))

    def path(self, architecture):
        return tuple(f"{slot}.{option}" for slot, option in enumerate(architecture.options))


def candidate(option: str, channels: int) -> nn.Module:
    if option == "conv":
        layers = [nn.ReLU(), nn.Conv2d(channels, channels, 3, padding=1, bias=False)]
    elif option == "separable":
        layers = [
            nn.ReLU(),
            nn.Conv2d(channels, channels, 3, padding=2, dilation=2, groups=channels, bias=False),
            nn.Conv2d(channels, channels, 1, bias=False),
        ]
    else:
        return nn.Identity()
    return nn.Sequential(*layers, nn.BatchNorm2d(channels))


class ToyNetwork(nn.Module):
    kept_statistics = None

    def keeps_statistics(self, architecture):
        return False

    def __init__(self, channels: int = 4, classes: int = 3, dropout: float = 0.0) -> None:
        super().__init__()
        self.space = ToySpace()
        self.own: tuple[str, ...] | None = None
        self.stem = nn.Sequential(nn.Conv2d(1, channels, 3, padding=1, bias=False), nn.BatchNorm2d(channels))
        self.slots = nn.ModuleList(
            nn.ModuleDict({option: candidate(option, channels) for option in OPTIONS}) for _ in range(3)
        )
        self.dropout = nn.Dropout(dropout)
        self.classifier = nn.Linear(channels, classes)

    def forward(self, images, path=None):
        path = path or self.own
        x = self.stem(images)
        for slot, name in zip(self.slots, path, strict=True):
            x = slot[name.split(".")[1]](x)
        return self.classifier(self.dropout(x.mean((2, 3))))

    def values(self):
        return {}

    def extract(self, architecture, own=None):
        network = copy.deepcopy(self)
        network.own = self.space.path(architecture)
        for slot, option in zip(network.slots, architecture.options, strict=True):
            for other in [key for key in slot if key != option]:
                del slot[other]
        return network


def toy_network(seed: int = 0, **options) -> ToyNetwork:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return ToyNetwork(**options)


def toy_data(n: int = 48, seed: int = 0) -> SimpleNamespace:
    """Three classes told apart by which third of the image is bright."""
    generator = torch.Generator().manual_seed(seed)
    labels = torch.arange(n) % 3
    images = torch.randint(0, 120, (n, 1, 6, 6), generator=generator)
    for image, label in zip(images, labels, strict=True):
        image[:, 2 * int(label) : 2 * int(label) + 2] += 120
    part = SimpleNamespace(images=images.to(torch.uint8), labels=labels)
    return SimpleNamespace(
        train=part, search=part, fingerprint=f"toy-{n}-{seed}", normalize=lambda x: x.float() / 127.5 - 1.0
    )


@pytest.fixture
def data() -> SimpleNamespace:
    return toy_data()


@pytest.fixture
def make_network():
    return toy_network


@pytest.fixture
def make_data():
    return toy_data

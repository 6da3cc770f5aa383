"""Small data and networks that train in fractions of a second."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from evonas.data import Dataset, load_data
from evonas.training import TrainingRecipe

CLASSES = 3


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """Three classes of 8x8 images that differ in the row that is bright."""
    rng = np.random.default_rng(0)

    def draw(n: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.arange(n) % CLASSES
        images = rng.integers(0, 100, (n, 8, 8, 1), dtype=np.uint8)
        for image, label in zip(images, labels, strict=True):
            image[2 * label + 1] += 120
        return images, labels

    path: Path = tmp_path_factory.mktemp("data") / "rows.npz"
    (x_train, y_train), (x_test, y_test) = draw(150), draw(60)
    np.savez(path, x_train=x_train, y_train=y_train, x_test=x_test, y_test=y_test)
    return load_data(path)


@pytest.fixture
def tiny() -> Callable[[int], nn.Sequential]:
    """Maker of a small convolutional network from a seed."""

    def make(seed: int) -> nn.Sequential:
        with torch.random.fork_rng([]):
            torch.manual_seed(seed)
            return nn.Sequential(
                nn.Conv2d(1, 8, 3, padding=1, bias=False),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.Conv2d(8, 8, 3, stride=2, bias=False),
                nn.BatchNorm2d(8),
                nn.ReLU(),
                nn.Flatten(),
                nn.Linear(72, CLASSES),
            )

    return make


@pytest.fixture
def plain() -> TrainingRecipe:
    """A recipe without anything that can be left out."""
    return TrainingRecipe(epochs=2, batch_size=16, lr=0.05, momentum=0.0, crop=0.0, flip=False, schedule="constant")

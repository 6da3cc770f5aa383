"""Spaces, architectures and a tiny supernet to evaluate."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from evonas.data import Dataset, load_data
from evonas.networks import Network, build
from evonas.objectives import Context
from evonas.proxies import Flops, Forward
from evonas.spaces import Architecture, Skeleton, Space, load_space
from tests.conftest import each_space


@pytest.fixture(autouse=True)
def _learn_from_few(few_references: None) -> None:
    """Learn effects from fewer paths than are worth it."""


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Keep tables in a folder of the test's own."""
    monkeypatch.setenv("EVONAS_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


@pytest.fixture(params=each_space())
def space(request: pytest.FixtureRequest) -> Space:
    return load_space(request.param)


@pytest.fixture(scope="session")
def darts() -> Space:
    return load_space("darts")


@pytest.fixture(scope="session")
def tiny(darts: Space) -> Context:
    """DARTS cells on a skeleton that runs in milliseconds."""
    return Context(darts, darts.skeleton("small", channels=4, cells=3, resolution=8, in_channels=1, classes=10))


@pytest.fixture(scope="session")
def draw() -> Callable[..., list[Architecture]]:
    """Return a function that draws architectures of a space, as written or canonical."""

    def drawn(space: Space, n: int, *, canonical: bool = True, seed: int = 0) -> list[Architecture]:
        genomes = space.sample(n, np.random.default_rng(seed), by="choice")
        forms = [space.decode(genome) for genome in genomes]
        return [space.canonical(form) for form in forms] if canonical else forms

    return drawn


@pytest.fixture(scope="session")
def count() -> Callable[[Space, Skeleton, Architecture], tuple[int, int]]:
    """Return fvcore's multiply-adds and the parameters of an architecture's whole network."""

    def counted(space: Space, skeleton: Skeleton, architecture: Architecture) -> tuple[int, int]:
        network: Network = build(space, skeleton, architecture).eval()
        side = network.skeleton.resolution
        image = torch.zeros(1, skeleton.in_channels, side, side)
        flops = int(Flops().measure(Forward(network, image, torch.Generator())))
        return flops, sum(parameter.numel() for parameter in network.parameters())

    return counted


@pytest.fixture(scope="session")
def digits() -> Dataset:
    return load_data("digits", limit=300)


@pytest.fixture
def trained(digits: Dataset, tiny: Context) -> Context:
    """A supernet of tiny DARTS cells with its first weights, on digits."""
    return replace(tiny, data=digits, supernet=build(tiny.space, tiny.skeleton), supernet_fingerprint="first")

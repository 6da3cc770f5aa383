"""Counting and comparing networks."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Callable, Iterable

import pytest
import torch
from torch import nn

from evonas.networks import Network, build
from evonas.spaces import Architecture, Skeleton, Space


def _macs(network: Network) -> int:
    """Multiply-adds of convolutions and linear layers, one image, by the layers' shapes alone."""
    total = 0

    def hook(layer: nn.Module, inputs: tuple, output: torch.Tensor) -> None:
        nonlocal total
        total += output[0].numel() * layer.weight[0].numel()

    handles = [m.register_forward_hook(hook) for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    side = network.skeleton.resolution
    with torch.no_grad():
        device = next(network.parameters()).device
        network.eval()(torch.zeros(1, network.skeleton.in_channels, side, side, device=device))
    for handle in handles:
        handle.remove()
    return total


@pytest.fixture(scope="session")
def count() -> Callable[[Space, Skeleton, Architecture | None], tuple[int, int]]:
    """Return (parameters, multiply-adds) of an architecture without giving it values."""

    def counted(space: Space, skeleton: Skeleton, architecture: Architecture) -> tuple[int, int]:
        with torch.device("meta"):
            network = build(space, skeleton, architecture)
        return sum(p.numel() for p in network.parameters()), _macs(network)

    return counted


@pytest.fixture(scope="session")
def fvcore_macs() -> Callable[[Network], int]:
    """Return multiply-adds as fvcore counts them, norms, pooling and upsampling left out."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        from fvcore.nn import FlopCountAnalysis

    uncounted = ("batch_norm", "adaptive_avg_pool2d", "avg_pool2d", "upsample_nearest2d", "upsample_bilinear2d")

    def counted(network: Network) -> int:
        side = network.skeleton.resolution
        image = torch.zeros(1, network.skeleton.in_channels, side, side)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            analysis = FlopCountAnalysis(network.eval(), image)
            # A handle of None leaves fvcore's own in place.
            analysis.set_op_handle(**{f"aten::{name}": lambda i, o: Counter() for name in uncounted})
            return int(analysis.unsupported_ops_warnings(False).total())

    return counted


@pytest.fixture(scope="session")
def settle() -> Callable[[Network], Network]:
    """Return a function that makes norms and weights uneven, so that a mix-up shows in the logits."""

    @torch.no_grad()
    def settled(network: Network, seed: int = 0) -> Network:
        generator = torch.Generator().manual_seed(seed)
        for module in network.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.running_mean.normal_(0, 0.3, generator=generator)
                module.running_var.uniform_(0.5, 1.5, generator=generator)
                if module.affine:
                    module.weight.uniform_(0.5, 1.5, generator=generator)
                    module.bias.normal_(0, 0.3, generator=generator)
        return network.eval()

    return settled


@pytest.fixture(scope="session")
def check_extraction(settle: Callable[[Network], Network]) -> Callable[[Network, Iterable[Architecture]], None]:
    """Return a function that asserts that extracted networks are a settled supernet's paths, keyed as fresh ones."""

    def check(supernet: Network, architectures: Iterable[Architecture]) -> None:
        space, skeleton = supernet.space, supernet.skeleton
        settle(supernet)
        shape = (2, skeleton.in_channels, skeleton.resolution, skeleton.resolution)
        images = torch.randn(shape, generator=torch.Generator().manual_seed(0))
        for written in architectures:
            for architecture in (written, space.canonical(written)):
                alone = supernet.extract(architecture)
                with torch.no_grad():
                    expected = supernet(images, space.path(architecture))
                    assert torch.allclose(alone(images), expected, rtol=1e-5, atol=1e-5)
                fresh = build(space, skeleton, architecture)
                assert list(alone.state_dict()) == list(fresh.state_dict())
                shapes = [value.shape for value in alone.state_dict().values()]
                assert shapes == [value.shape for value in fresh.state_dict().values()]

    return check

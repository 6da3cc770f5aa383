"""Networks and supernets that begin with published weights."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.networks import Network, build
from evonas.spaces import Skeleton, Space, load_space
from evonas.training.weights.entry import WeightsEntry
from evonas.training.weights.key_map import map_state
from evonas.training.weights.read import check_digest, read_state

__all__ = ["load_published", "published_network", "start_supernet"]


def published_network(entry: WeightsEntry, path: Path) -> Network:
    """Network as it was published, its own classifier included: stand-alone, or the supernet of a supernet's file.

    Args:
        entry: What it is.
        path: Its file.

    Returns:
        On the CPU, in evaluation mode.

    Raises:
        SettingsError: The entry is refused.
        TrainingError: The file is damaged, cannot be read, or is of another network.
    """
    if entry.refused:
        raise SettingsError(f"The weights '{entry.name}' cannot be loaded: {entry.refused}")
    check_digest(path, entry.source.digest)
    space = load_space(entry.space)
    skeleton = space.skeleton(entry.skeleton, classes=entry.classes)
    architecture = space.parse(entry.architecture) if entry.architecture else None
    network = build(space, skeleton, architecture)
    if next(network.blocks(), None) is None:
        raise SettingsError(f"Published weights are of spaces of stages, got '{entry.space}'")
    network.load_state_dict(map_state(entry, network, read_state(path, entry.source.inside)))
    return network.eval()


def load_published(network: Network, published: Network) -> list[str]:
    """Give a network of the same architecture or supernet the published weights.

    Args:
        network: What is filled; its classifier may have other classes.
        published: As `published_network` gives it.

    Returns:
        Names of what keeps the weights that it had: the classifier, where its classes are others.

    Raises:
        SettingsError: The two differ elsewhere, or in a way that no inheriting mends.
    """
    state, kept = published.state_dict(), []
    own = network.state_dict()
    filled: dict[str, Tensor] = {}
    last = f"classifier.{len(cast(nn.Sequential, network.classifier)) - 1}."
    for name, tensor in own.items():
        given = state.get(name)
        if name.startswith(last) and (given is None or given.shape != tensor.shape):
            kept.append(name)
        elif given is None and ".maps." in name:
            filled[name] = torch.eye(len(tensor))
        elif given is None:
            raise SettingsError(f"The published network has no '{name}': it is less deep than this one")
        else:
            filled[name] = _embedded(name, given, tensor)
    network.load_state_dict({**own, **filled})
    return kept


def start_supernet(space: Space, skeleton: Skeleton, published: Network, *, seed: int = 0) -> Network:
    """Supernet whose largest kernels, expansions and depths hold a published network.

    A published kernel that is smaller than the largest of its block stands at the center of zeros, so that the
    largest path computes what was published. Transforms of kernels begin as the identity.

    Args:
        space: The published network's space.
        skeleton: Its skeleton, with the classes and the resolution of the data.
        published: As `published_network` gives it.
        seed: Of the classifier's first weights, where its classes are others.

    Raises:
        SettingsError: The space is wider or deeper than what was published.
    """
    supernet = build(space, skeleton, seed=seed)
    load_published(supernet, published)
    return supernet


def _embedded(name: str, given: Tensor, own: Tensor) -> Tensor:
    """The published tensor, a kernel at the center of a larger one of zeros."""
    if given.shape == own.shape:
        return given
    if given.dim() == own.dim() == 4 and given.shape[:2] == own.shape[:2] and given.shape[2] < own.shape[2]:
        border = (own.shape[2] - given.shape[2]) // 2
        result = torch.zeros(own.shape, dtype=own.dtype)
        result[:, :, border : border + given.shape[2], border : border + given.shape[3]] = given
        return result
    raise SettingsError(
        f"'{name}' is {tuple(given.shape)} as published and {tuple(own.shape)} in the space: its options must end at "
        "what is published"
    )

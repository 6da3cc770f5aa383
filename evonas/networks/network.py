"""`Network`: one class for supernet and stand-alone network, and the slots in which they differ."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from fractions import Fraction
from typing import NamedTuple, Protocol, runtime_checkable

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.spaces import Architecture, Decision, Path, Skeleton, Space, path_names


@runtime_checkable
class Branched(Protocol):
    """A module that adds up the outputs of others of its own."""

    def branches(self) -> Iterator[nn.Module]:
        """Yield the modules whose outputs a training may drop, since something else is added to each."""
        ...


class PlacedBlock(NamedTuple):
    """A block of a network that holds weights."""

    prefix: str
    """What its state-dict keys begin with."""
    number: int
    """How many such blocks stand before it."""
    stage: int
    block: int
    """How many such blocks of its stage stand before it."""
    expanded: bool
    """Whether it has an expansion layer."""


class Gate(nn.Module):
    """Computes a factor for each channel out of a few numbers: what stays in float where a network runs on integers."""


class Slot(nn.ModuleDict):
    """A position in a network where a choice decides which candidate runs.

    Attributes:
        decision: What it follows; slots of equal cells share one decision.
    """

    def __init__(self, decision: Decision, candidates: dict[str, nn.Module]) -> None:
        super().__init__(candidates)
        self.decision = decision

    @property
    def options(self) -> tuple[str, ...]:
        """Options that this slot can run."""
        return tuple(self)

    def candidate(self, option: str) -> nn.Module:
        """Return the module that runs an option: the supernet's own, or a slice of it where it is elastic."""
        return self[option]

    def module_of(self, option: str) -> nn.Module:
        """Return the module that holds the weights of an option; several options may share it."""
        return self[option]

    def run(self, x: Tensor, option: str) -> Tensor:
        """Run an option."""
        output: Tensor = self[option](x)
        return output

    def arguments(self, option: str) -> tuple[int, ...]:
        """Return what the module is called with for an option, beyond its input."""
        return ()

    def input_shape(self, option: str, shape: tuple[int, ...]) -> tuple[int, ...]:
        """Return the shape of the input that an option reads, where another has read one of the shape given."""
        return shape

    def plain(self, module: nn.Module, shape: tuple[int, ...], arguments: tuple[int, ...]) -> nn.Module:
        """Return the module that a stand-alone network has instead of one of this slot's.

        Args:
            module: The module; while costs are tabled it is not in the slot.
            shape: Shape of its input.
            arguments: What it is called with beyond its input.
        """
        return module

    def separate_norms(self) -> None:
        """Give options that share a module norms' weights and biases of their own; others have them anyway."""
        return

    def sort(self, key: str) -> str:
        """Return the sort of block that a module of this slot is: blocks of one sort are timed alike."""
        return key


def resolved(skeleton: Skeleton, architecture: Architecture | None) -> Skeleton:
    """Return the skeleton of a network: with the architecture's resolution where its space chooses that."""
    if architecture is not None and architecture.resolution is not None:
        return skeleton.replace(resolution=architecture.resolution)
    return skeleton


EVERY_PATH = "*"
"""What `Network.kept_statistics` is where all paths keep them."""


class Network(nn.Module, ABC):
    """A network of a space: the supernet where `architecture` is None, else a stand-alone network.

    Both have the same state-dict keys. Images are float32 and normalized: ``(n, channels, height, width)``.
    """

    def __init__(self, space: Space, skeleton: Skeleton, architecture: Architecture | None) -> None:
        super().__init__()
        self.space = space
        self.skeleton = resolved(skeleton, architecture)
        self.architecture = architecture
        self.kept_statistics: str | None = None
        """Text of the architecture whose norms keep the statistics that this network holds, those of published
        weights; `EVERY_PATH`: every one's do; None: no one's."""
        self._own_path = None if architecture is None else space.path(architecture)

    def forward(self, images: Tensor, path: Path | None = None) -> Tensor:
        """Return logits of shape ``(n, classes)``, or pooled features where the skeleton has no head.

        Args:
            images: Shape ``(n, in_channels, height, width)``, those of the skeleton's resolution.
            path: What to run, as `Space.path` gives it; a stand-alone network runs its own.

        Raises:
            SettingsError: A supernet without a path.
        """
        if path is None:
            path = self._own_path
        if path is None:
            raise SettingsError("A supernet runs one path: call network(images, space.path(architecture))")
        return self.run(images, path)

    @abstractmethod
    def run(self, images: Tensor, path: Path) -> Tensor:
        """Run a path; see `forward`."""

    @abstractmethod
    def coverage(self) -> list[Path]:
        """Return paths that together run every candidate of every slot."""

    def uneven(self, path: Path) -> bool:
        """Return whether an option of a path runs in some of its slots only, where no later part reads it."""
        return False

    def segments(self) -> list[tuple[str, nn.Module]]:
        """Return the parts of a stand-alone network that run one after the other, each with a name.

        Copies that one supernet gave compute the same up to where their names begin to differ.
        """
        return [(" ".join(path_names(self._own_path or ())), self)]

    def tap(self, fraction: Fraction) -> nn.Module | None:
        """Return the module that stands at a fraction of the depth, for heads that read there; None: undefined.

        Its output, the last one where it has several, has the shape (n, channels, h, w).
        """
        return None

    def blocks(self) -> Iterator[PlacedBlock]:
        """Yield the blocks of stages, in order; a network without stages has none."""
        return iter(())

    def slots(self) -> Iterator[tuple[str, Slot]]:
        """Yield every slot with its name."""
        for name, module in self.named_modules():
            if isinstance(module, Slot):
                yield name, module

    @torch.no_grad()
    def extract(self, architecture: Architecture, own: Mapping[str, Tensor] | None = None) -> Network:
        """Return the stand-alone network of an architecture with copies of this network's weights.

        Its logits equal those of the architecture's path to rounding.
        """
        with torch.device("meta"):
            network = type(self)(self.space, self.skeleton, architecture)
        own = self.values() if own is None else own
        state = self.inherited(own, network)
        network.load_state_dict({key: value.detach().clone() for key, value in state.items()}, assign=True)
        for parameter in network.parameters():
            parameter.requires_grad_(True)
        return network.train(self.training)

    def keeps_statistics(self, architecture: Architecture) -> bool:
        """Return whether a path keeps the statistics of norms that this network holds."""
        if self.kept_statistics in (None, EVERY_PATH):
            return self.kept_statistics is not None
        own = architecture if architecture.resolution is None else architecture.without_resolution()
        return str(own) == self.kept_statistics

    def values(self) -> dict[str, Tensor]:
        """Return parameters and buffers by name; to be passed to many calls of `extract` of one network."""
        return {**dict(self.named_parameters()), **dict(self.named_buffers())}

    @abstractmethod
    def inherited(self, own: Mapping[str, Tensor], network: Network) -> dict[str, Tensor]:
        """Return the state of a stand-alone network, taken from this one's values; slices are not copied."""

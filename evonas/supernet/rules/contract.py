"""The contract of update rules: which paths make one update, and what that update may change."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, runtime_checkable

import numpy as np
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.spaces import Architecture, Path, Space
from evonas.supernet.layers import Inputs, Summary
from evonas.supernet.sgd import Updates


@dataclass(frozen=True)
class Pass:
    """One forward and backward pass of an update.

    Attributes:
        path: What runs, as `Space.path` gives it.
        weight: Factor of the loss.
        teacher: Path of an earlier pass of the same plan whose logits are the targets; None: the labels are.
        architecture: What was sampled; its text names the pass.
    """

    path: Path
    weight: float = 1.0
    teacher: Path | None = None
    architecture: Architecture | None = None

    @property
    def resolution(self) -> int | None:
        """Side of the images in pixels where the architecture chooses it; None: as they come."""
        return None if self.architecture is None else self.architecture.resolution

    def __str__(self) -> str:
        """Return the architecture's text, or the path's where none is known."""
        if self.architecture is not None:
            return str(self.architecture)
        return " ".join(map(str, self.path))


@runtime_checkable
class OfSpace(Protocol):
    """A network that knows the space of its paths."""

    @property
    def space(self) -> Space:
        """The space."""
        ...


@dataclass(frozen=True)
class RuleContext:
    """Context that a rule is made from.

    Attributes:
        network: The supernet, on its device.
        sample: Draws an architecture; see `make_sampler`.
        path_of: From an architecture to its path.
        steps: Updates of the whole training.
        seed: Of the rule's own draws.
        norms: What becomes of norms' weights and biases, a key of `NORMS`.
    """

    network: nn.Module
    sample: Callable[[np.random.Generator], Any]
    path_of: Callable[[Any], Path]
    steps: int
    seed: int = 0
    norms: str = "affine"

    @property
    def space(self) -> Space:
        """Space of the network.

        Raises:
            SettingsError: It has none.
        """
        return space_of(self.network)

    def draw(self, rng: np.random.Generator) -> Pass:
        """Return the pass of one sampled architecture."""
        return self.pass_of(self.sample(rng))

    def pass_of(self, architecture: Any) -> Pass:
        """Return an architecture's pass."""
        return Pass(path=self.path_of(architecture), architecture=architecture)

    def revive(self, text: str) -> Pass:
        """Return the pass of an architecture's text, as a resumed training finds it; parsed by the network's space."""
        return self.pass_of(self.network.space.parse(text) if isinstance(self.network, OfSpace) else text)


def space_of(network: nn.Module) -> Space:
    """Return the space of a supernet.

    Raises:
        SettingsError: The network has none.
    """
    if not isinstance(network, OfSpace):
        raise SettingsError(f"Expected a network of a space, got {type(network).__name__}: give sample and path_of")
    return network.space


class UpdateRule(Protocol):
    """Rule by which shared weights are trained; made by a factory `(RuleContext) -> UpdateRule`.

    In each step the training calls `plan`, adds up the gradients of the plan's passes on one batch, and
    calls `transform` with the optimizer's final updates, then `after_step`. A rule that inherits this class need
    only plan: it then transforms nothing, captures nothing, and holds and reports nothing.

    Attributes:
        summary: What the training is to keep of layers' inputs for `after_step`; None: nothing.
        captured_layers: Names of the layers whose inputs are kept; None: all with shared weights.
    """

    summary: Summary | None = None
    captured_layers: Collection[str] | None = None

    @property
    def guards_norms(self) -> bool:
        """Whether norms' weights and biases are protected too; by default not."""
        return False

    @abstractmethod
    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return the passes whose gradients make the next update."""
        ...

    def transform(self, updates: Updates) -> Mapping[str, Tensor]:
        """Return the updates to apply; by default the optimizer's.

        The gradients that they were made from stand in `grad` of the network's parameters.

        Args:
            updates: The optimizer's, momentum and weight decay included; not to be written into.
        """
        return updates

    def after_step(self, plan: Sequence[Pass], inputs: Mapping[str, Sequence[Inputs]]) -> None:
        """Take note of a step; by default not.

        Args:
            plan: Its passes.
            inputs: Layer -> summaries of its inputs, one per call, by `summary`.
        """
        return

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs: tensors, and values that JSON can hold; by default nothing."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over such a state; by default nothing."""
        return

    def report(self) -> dict[str, float]:
        """Return figures worth a line in the log of an epoch; by default none."""
        return {}


RuleFactory = Callable[[RuleContext], UpdateRule]

"""The contract of update rules: which paths make one update, and what that update may change."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

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
    architecture: Hashable | None = None

    def __str__(self) -> str:
        """Return the architecture's text, or the path's where none is known."""
        if self.architecture is not None:
            return str(self.architecture)
        return " ".join(self.path)


@dataclass(frozen=True)
class RuleContext:
    """What a rule is made from.

    Attributes:
        network: The supernet, on its device.
        sample: Draws an architecture; see `make_sampler`.
        path_of: From an architecture to its path.
        steps: Updates of the whole training.
        seed: Of the rule's own draws.
    """

    network: nn.Module
    sample: Callable[[np.random.Generator], Any]
    path_of: Callable[[Any], Path]
    steps: int
    seed: int = 0

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
        space = getattr(self.network, "space", None)
        return self.pass_of(text if space is None else space.parse(text))


def space_of(network: nn.Module) -> Space:
    """Return the space of a supernet.

    Raises:
        SettingsError: The network has none.
    """
    space: Space | None = getattr(network, "space", None)
    if space is None:
        raise SettingsError(f"Expected a network of a space, got {type(network).__name__}: give sample and path_of")
    return space


def draw_from(space: Space, by: str = "choice") -> Callable[[np.random.Generator], Architecture]:
    """Return a sampler of a space's canonical architectures.

    Args:
        space: The space.
        by: "choice" (every choice uniform) or "size" (uniform over the space).
    """
    return lambda rng: space.canonical(space.decode(space.sample(1, rng, by=by)[0]))


class UpdateRule(Protocol):
    """How the shared weights are trained; made by a factory `(RuleContext) -> UpdateRule`.

    In each step the training calls `plan`, adds up the gradients of the plan's passes on one batch, and
    calls `transform` with the optimizer's final updates, then `after_step`.

    A rule that needs the inputs of some layers alone names them in `captured_layers`; without it, those of all layers
    with shared weights are captured.
    """

    @property
    def summary(self) -> Summary | None:
        """What the training is to keep of layers' inputs; None: nothing."""
        ...

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return the passes whose gradients make the next update."""
        ...

    def transform(self, updates: Updates) -> Mapping[str, Tensor]:
        """Return the updates to apply.

        The gradients that they were made from stand in `grad` of the network's parameters.

        Args:
            updates: The optimizer's, momentum and weight decay included; not to be written into.
        """
        ...

    def after_step(self, plan: Sequence[Pass], inputs: Mapping[str, Sequence[Inputs]]) -> None:
        """Take note of a step.

        Args:
            plan: Its passes.
            inputs: Layer -> summaries of its inputs, one per call, by `summary`.
        """
        ...

    def state_dict(self) -> dict[str, Any]:
        """Return what a resumed training needs: tensors, and values that JSON can hold."""
        ...

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over such a state."""
        ...

    def report(self) -> dict[str, float]:
        """Return figures worth a line in the log of an epoch."""
        ...


RuleFactory = Callable[[RuleContext], UpdateRule]

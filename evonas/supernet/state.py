"""State of a supernet's training, as a checkpoint holds it."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evonas.errors import TrainingError
from evonas.supernet.checkpoint import WEIGHTS, read_supernet, set_weights, write_supernet
from evonas.supernet.rules.contract import UpdateRule
from evonas.supernet.sampling import Sampler
from evonas.supernet.sgd import SGD

MOMENTUM = "momentum/"
RULE = "rule/"
BATCHES = "generator/batches"


@dataclass
class SupernetState:
    """Everything that a later step depends on.

    Attributes:
        network: The supernet.
        optimizer: Holds the momentum.
        rule: The update rule.
        sampler: Draws architectures.
        sampling: Generator that they are drawn with.
        batches: Generator of the order of images and their augmentation.
        identity: Name -> value; a checkpoint made with others is refused.
    """

    network: nn.Module
    optimizer: SGD
    rule: UpdateRule
    sampler: Sampler
    sampling: np.random.Generator
    batches: torch.Generator
    identity: dict[str, Any]

    def save(self, path: Path, log: dict[str, Any]) -> None:
        """Write a checkpoint; see `write_supernet`.

        Args:
            path: The file.
            log: What the training went through, of what JSON can hold.
        """
        tensors = {WEIGHTS + name: tensor for name, tensor in self.network.state_dict().items()}
        tensors |= {MOMENTUM + name: tensor for name, tensor in self.optimizer.state_dict().items()}
        tensors[BATCHES] = self.batches.get_state()
        plain: dict[str, Any] = {}
        for name, value in self.rule.state_dict().items():
            if isinstance(value, Tensor):
                tensors[RULE + name] = value
            else:
                plain[name] = value
        header = {
            "settings": self.identity,
            "log": log,
            "rule": plain,
            "sampling": self.sampling.bit_generator.state,
            "sampler": self.sampler.state_dict(),
        }
        write_supernet(path, tensors, header)

    def resume(self, path: Path) -> dict[str, Any]:
        """Go back to where a checkpoint was written and return its log.

        Raises:
            TrainingError: The checkpoint is damaged, or of another training: what differs is named.
        """
        tensors, header = read_supernet(path)
        set_weights(self.network, tensors, path)
        for name, value in self.identity.items():
            there = header["settings"].get(name)
            if there != value:
                raise TrainingError(
                    f"The checkpoint {path} is of another training: {name} is {value!r} here and {there!r} "
                    "there; use the same settings, or remove it to start again"
                )

        def under(prefix: str) -> dict[str, Tensor]:
            return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

        try:
            self.optimizer.load_state_dict(under(MOMENTUM))
            self.rule.load_state_dict({**header["rule"], **under(RULE)})
            self.sampling.bit_generator.state = header["sampling"]
            self.sampler.load_state_dict(header["sampler"])
            self.batches.set_state(tensors[BATCHES])
            log: dict[str, Any] = header["log"]
        except KeyError as error:
            raise TrainingError(f"The checkpoint {path} lacks {error}: remove it and train again") from None
        except TrainingError as error:
            raise TrainingError(f"The checkpoint {path} does not fit: {error}") from None
        return log

    def refuse_broken(self, epoch: int, checkpoint: Path | None) -> None:
        """Raise where a weight is no longer finite, before that is written over a good checkpoint.

        Raises:
            TrainingError: It names the weight.
        """
        for name, parameter in self.network.named_parameters():
            if not bool(torch.isfinite(parameter).all()):
                kept = "" if checkpoint is None else f" (the checkpoint {checkpoint} of the epoch before is kept)"
                raise TrainingError(
                    f"Training diverged: the weight '{name}' is no longer finite after epoch {epoch}{kept}; "
                    "lower the learning rate or clip gradients"
                )


def name_of(thing: Callable[..., Any]) -> str:
    """Return a text that distinguishes one callable and its arguments from another, the same in every process."""
    if isinstance(thing, functools.partial):
        options = ", ".join([*map(repr, thing.args), *(f"{k}={v!r}" for k, v in sorted(thing.keywords.items()))])
        return f"{name_of(thing.func)}({options})"
    return getattr(thing, "__qualname__", None) or repr(thing)  # objects that are called have no name

"""What a training is made of, as a checkpoint holds it."""

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
from evonas.supernet.checkpoint import WEIGHTS, read_checkpoint, set_weights, write_checkpoint
from evonas.supernet.rules.contract import UpdateRule
from evonas.supernet.sgd import SGD

MOMENTUM = "momentum/"
RULE = "rule/"
BATCHES = "generator/batches"


@dataclass
class Training:
    """Everything that a later step depends on.

    Attributes:
        network: The supernet.
        optimizer: Holds the momentum.
        rule: The update rule.
        sampling: What architectures are drawn from.
        sampler: Draws them; one with a `state_dict` remembers what it drew.
        batches: Draws the order of images and their augmentation.
        settings: Name -> value; a checkpoint made with others is refused.
    """

    network: nn.Module
    optimizer: SGD
    rule: UpdateRule
    sampling: np.random.Generator
    batches: torch.Generator
    settings: dict[str, Any]
    sampler: Any = None


def name_of(thing: Callable[..., Any]) -> str:
    """Return a text that tells one setting of a callable from another, the same in every process."""
    if isinstance(thing, functools.partial):
        options = ", ".join([*map(repr, thing.args), *(f"{k}={v!r}" for k, v in sorted(thing.keywords.items()))])
        return f"{name_of(thing.func)}({options})"
    return getattr(thing, "__qualname__", None) or repr(thing)


def save(training: Training, path: Path, log: dict[str, Any]) -> None:
    """Write a checkpoint of a training; see `write_checkpoint`."""
    tensors = {WEIGHTS + name: tensor for name, tensor in training.network.state_dict().items()}
    tensors |= {MOMENTUM + name: tensor for name, tensor in training.optimizer.state_dict().items()}
    tensors[BATCHES] = training.batches.get_state()
    plain: dict[str, Any] = {}
    for name, value in training.rule.state_dict().items():
        if isinstance(value, Tensor):
            tensors[RULE + name] = value
        else:
            plain[name] = value
    header = {
        "settings": training.settings,
        "log": log,
        "rule": plain,
        "sampling": training.sampling.bit_generator.state,
        "sampler": training.sampler.state_dict() if hasattr(training.sampler, "state_dict") else {},
    }
    write_checkpoint(path, tensors, header)


def resume(training: Training, path: Path) -> dict[str, Any]:
    """Put a training back to where a checkpoint was written and return its log.

    Raises:
        TrainingError: The checkpoint is damaged, or of another training: what differs is named.
    """
    tensors, header = read_checkpoint(path)
    set_weights(training.network, tensors, path)
    for name, value in training.settings.items():
        there = header["settings"].get(name)
        if there != value:
            raise TrainingError(
                f"The checkpoint {path} is of another training: {name} is {value!r} here and {there!r} "
                "there; use the same settings, or remove it to start again"
            )

    def under(prefix: str) -> dict[str, Tensor]:
        return {name.removeprefix(prefix): t for name, t in tensors.items() if name.startswith(prefix)}

    try:
        training.optimizer.load_state_dict(under(MOMENTUM))
        training.rule.load_state_dict({**header["rule"], **under(RULE)})
        training.sampling.bit_generator.state = header["sampling"]
        if hasattr(training.sampler, "load_state_dict"):
            training.sampler.load_state_dict(header["sampler"])
        training.batches.set_state(tensors[BATCHES])
        log: dict[str, Any] = header["log"]
    except KeyError as error:
        raise TrainingError(f"The checkpoint {path} lacks {error}: remove it and train again") from None
    except TrainingError as error:
        raise TrainingError(f"The checkpoint {path} does not fit: {error}") from None
    return log


def refuse_broken(training: Training, epoch: int, checkpoint: Path | None) -> None:
    """Raise where a weight is no longer finite, before that is written over a good checkpoint.

    Raises:
        TrainingError: It names the weight.
    """
    for name, parameter in training.network.named_parameters():
        if not bool(torch.isfinite(parameter).all()):
            kept = "" if checkpoint is None else f" (the checkpoint {checkpoint} of the epoch before is kept)"
            raise TrainingError(
                f"Training diverged: the weight '{name}' is no longer finite after epoch {epoch}{kept}; "
                "lower the learning rate or clip gradients"
            )

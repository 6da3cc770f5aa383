"""Settings of a supernet's training, and the schedule that they give on a number of images."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from torch import nn

from evonas.errors import SettingsError, suggest
from evonas.supernet.adam import Adam
from evonas.supernet.norm_names import check_norms
from evonas.supernet.precision import check_precision
from evonas.supernet.sgd import SGD

OPTIMIZERS: Mapping[str, type[SGD]] = MappingProxyType({"sgd": SGD, "adam": Adam})
"""Name -> optimizer."""


@dataclass(frozen=True)
class SupernetSettings:
    """Numbers and names that a training follows; what is an object, such as data and rule, is passed beside them.

    Attributes:
        epochs: Passes over the part `train`, at least 1.
        updates: Stop after that many, the last of the epochs cut short; None: all updates of the epochs.
        batch_size: Images per update and process; the last, incomplete batch of an epoch is left out.
        optimizer: A name in `OPTIMIZERS`.
        lr: Learning rate at the start, > 0; it falls to `lr_end` by a cosine over all updates.
        lr_end: Learning rate at the end, >= 0.
        momentum: In [0, 1).
        weight_decay: >= 0.
        clip: Largest norm of an update's whole gradient; None: no limit.
        seed: Of every draw.
        precision: `float32`, or `bfloat16` for convolutions and linear layers.
        compiled: Whether candidates run compiled; for rules that capture no layer's inputs.
        norms: What becomes of norms' weights and biases, a key of `NORMS`; for ``per-operation`` the network is one
            that `separate_norms` has seen.

    Raises:
        SettingsError: A setting is out of range.
    """

    epochs: int
    updates: int | None = None
    batch_size: int = 64
    optimizer: str = "adam"
    lr: float = 0.01
    lr_end: float = 0.0
    momentum: float = 0.9
    weight_decay: float = 3e-4
    clip: float | None = 5.0
    seed: int = 0
    precision: str = "float32"
    compiled: bool = False
    norms: str = "affine"

    def __post_init__(self) -> None:
        """Refuse what is out of range."""
        if self.epochs < 1 or self.batch_size < 1 or not self.lr > 0 or not 0 <= self.lr_end <= self.lr:
            raise SettingsError(
                "Expected epochs >= 1, batch size >= 1 and 0 <= lr_end <= lr with lr > 0, "
                f"got {self.epochs}, {self.batch_size}, {self.lr_end} and {self.lr}"
            )
        if self.optimizer not in OPTIMIZERS:
            raise SettingsError(
                f"Expected an optimizer of {', '.join(OPTIMIZERS)}, got '{self.optimizer}'."
                f"{suggest(self.optimizer, OPTIMIZERS)}"
            )
        check_precision(self.precision)
        check_norms(self.norms)

    def make_optimizer(self, network: nn.Module) -> SGD:
        """Return the optimizer of a network's parameters.

        Raises:
            SettingsError: Momentum, weight decay or clip is out of range.
        """
        return OPTIMIZERS[self.optimizer](
            dict(network.named_parameters()), momentum=self.momentum, weight_decay=self.weight_decay, clip=self.clip
        )

    def schedule(self, images: int, processes: int = 1) -> Schedule:
        """Return how the training divides into updates.

        Args:
            images: Images that there are, at least one per process.
            processes: Processes that train together.

        Raises:
            SettingsError: There are too few images, or `updates` end in another epoch than the last.
        """
        if images < processes:
            few = f"{images} for {processes}" if images else "an empty training part"
            raise SettingsError(f"Expected at least one image per process to train on, got {few}")
        batch = min(self.batch_size * processes, images // processes * processes)
        per_epoch = images // batch
        steps = self.epochs * per_epoch if self.updates is None else self.updates
        if not (self.epochs - 1) * per_epoch < steps <= self.epochs * per_epoch:
            raise SettingsError(
                f"Expected updates that end in the last of {self.epochs} epochs of {per_epoch} updates, "
                f"got {self.updates}"
            )
        return Schedule(batch, per_epoch, steps, self.lr, self.lr_end)

    def identity(self, schedule: Schedule) -> dict[str, Any]:
        """Return what a checkpoint is compared by; later additions are left out where they stand at their default.

        Args:
            schedule: That of these settings, whose batch counts: images and processes may have cut it.
        """
        return {
            "epochs": self.epochs,
            **({} if self.updates is None else {"updates": self.updates}),
            "batch size": schedule.batch,
            "lr": [self.lr, self.lr_end],
            "optimizer": self.optimizer,
            **({} if self.precision == "float32" else {"precision": self.precision}),
            **({"compiled": True} if self.compiled else {}),
            **({} if self.norms == "affine" else {"norms": self.norms}),
            "momentum": self.momentum,
            "weight decay": self.weight_decay,
            "clip": self.clip,
            "seed": self.seed,
        }


@dataclass(frozen=True)
class Schedule:
    """Division of a training into updates, and the learning rate of each.

    Attributes:
        batch: Images per update, of all processes together.
        per_epoch: Updates of a whole epoch.
        steps: Updates of the training.
        lr: Learning rate at the start.
        lr_end: Learning rate at the end.
    """

    batch: int
    per_epoch: int
    steps: int
    lr: float
    lr_end: float

    def before(self, epoch: int) -> int:
        """Return the updates before an epoch, which counts from 1."""
        return (epoch - 1) * self.per_epoch

    def updates(self, epoch: int) -> int:
        """Return the updates of an epoch, which counts from 1."""
        return min(self.per_epoch, self.steps - self.before(epoch))

    def rate(self, done: int) -> float:
        """Return the learning rate after so many updates: a cosine from `lr` to `lr_end`."""
        return self.lr_end + 0.5 * (self.lr - self.lr_end) * (1.0 + math.cos(math.pi * done / self.steps))

"""All that a training carries from one epoch to the next, and how it is stored."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from evonas.errors import TrainingError
from evonas.training.auxiliary import AuxiliaryHead
from evonas.training.average import WeightAverage
from evonas.training.checkpoint import read_checkpoint, write_checkpoint

KEPT_STATE = {"momentum_buffer": "momentum", "exp_avg": "first", "exp_avg_sq": "second", "step": "step"}
"""What optimizers keep of a parameter, and what a checkpoint calls it."""


@dataclass
class State:
    """State of a training.

    Attributes:
        network: What is trained.
        auxiliary: Its auxiliary head, or None.
        optimizer: Holds the momentum, and what else it keeps of each parameter.
        average: Running average of the weights, or None.
        batches: Generator of the order of images and of their augmentation.
        paths: Generator of dropped paths; its own, so that equal seeds give every architecture equal batches.
        settings: What the training is; a checkpoint of another is refused.
        history: Figures of the epochs done.
        best: Weights of the epoch that was best on held-out images, by name; None where there are none.
    """

    network: nn.Module
    auxiliary: AuxiliaryHead | None
    optimizer: torch.optim.Optimizer
    average: WeightAverage | None
    batches: torch.Generator
    paths: torch.Generator
    settings: Mapping[str, Any]
    history: list[dict[str, float]] = field(default_factory=list)
    best: dict[str, Tensor] | None = None

    def parameters(self) -> dict[str, nn.Parameter]:
        """Return everything that is trained, by name."""
        found = dict(self.network.named_parameters())
        if self.auxiliary is not None:
            found |= self.auxiliary.named_parameters(prefix="auxiliary")
        return found

    def refuse_broken(self, epoch: int, rate: float) -> None:
        """Raise `TrainingError` where a weight is not finite, before it is stored."""
        for name, value in self.network.state_dict().items():
            if value.is_floating_point() and not bool(torch.isfinite(value).all()):
                raise TrainingError(
                    f"Training diverged: '{name}' is not finite after epoch {epoch} at learning rate "
                    f"{rate:.4g}; lower lr or set clip in the recipe (a checkpoint before is kept)"
                )

    def save(self, path: Path) -> None:
        """Write a checkpoint.

        Raises:
            TrainingError: It cannot be written.
        """
        tensors = {f"weights/{name}": value for name, value in self.network.state_dict().items()}
        if self.auxiliary is not None:
            tensors |= {f"auxiliary/{name}": value for name, value in self.auxiliary.state_dict().items()}
        for name, parameter in self.parameters().items():
            for kept, group in KEPT_STATE.items():
                value = self.optimizer.state[parameter].get(kept)
                if value is not None:
                    tensors[f"{group}/{name}"] = value
        if self.average is not None:
            tensors |= {f"average/{name}": value for name, value in self.average.values.items()}
        if self.best is not None:
            tensors |= {f"best/{name}": value for name, value in self.best.items()}
        tensors["generator/batches"] = self.batches.get_state()
        tensors["generator/paths"] = self.paths.get_state()
        updates = self.average.updates if self.average is not None else 0
        header = {"settings": dict(self.settings), "history": self.history, "updates": updates}
        write_checkpoint(path, tensors, header)

    def resume(self, path: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            TrainingError: It is damaged or of another training; the first setting that differs is named.
        """
        tensors, header = read_checkpoint(path)
        stored = header.get("settings", {})
        for key, value in self.settings.items():
            if stored.get(key) != value:
                raise TrainingError(
                    f"Expected a checkpoint of this training at {path}, got one of another: "
                    f"its {key} is {_short(stored.get(key), value)}; remove it or name another file"
                )
        groups: dict[str, dict[str, Tensor]] = {}
        for name, tensor in tensors.items():
            group, _, rest = name.partition("/")
            groups.setdefault(group, {})[rest] = tensor
        try:
            self.network.load_state_dict(groups["weights"])
            if self.auxiliary is not None:
                self.auxiliary.load_state_dict(groups["auxiliary"])
            for name, parameter in self.parameters().items():
                for kept, group in KEPT_STATE.items():
                    if name in groups.get(group, {}):
                        value = groups[group][name]
                        # A count of steps stays on the CPU; all else lies like the parameter in memory.
                        own = value if value.dim() == 0 else torch.empty_like(parameter).copy_(value)
                        self.optimizer.state[parameter][kept] = own
            if self.average is not None:
                self.average.load(groups["average"], header["updates"])
            self.best = groups.get("best")
            self.batches.set_state(groups["generator"]["batches"])
            self.paths.set_state(groups["generator"]["paths"])
            self.history = header["history"]
        except (KeyError, RuntimeError) as error:
            cause = str(error).splitlines()[0]
            raise TrainingError(f"The checkpoint {path} is damaged ({cause}): remove it and train again") from error


def _short(stored: Any, own: Any) -> str:
    """Return how a stored setting differs, in few words."""
    if isinstance(stored, dict) and isinstance(own, dict):
        key = next(key for key in {**own, **stored} if own.get(key) != stored.get(key))
        return f"'{key} = {stored.get(key)}', not {own.get(key)}"
    return f"{stored}, not {own}"

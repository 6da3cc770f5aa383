"""Adam on the entries that a step has used, and on no others."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError, TrainingError
from evonas.supernet.layers import Slices
from evonas.supernet.sgd import SGD, _sliced

EPS = 1e-8
_KINDS = ("first", "second", "count")


class Adam(SGD):
    """Adam with decoupled weight decay (Kingma and Ba 2015; Loshchilov and Hutter 2019).

    Every parameter counts its own updates: one that few paths use is corrected for its few moments, not for the
    steps of the whole training.

    Args:
        parameters: Name -> parameter.
        momentum: Decay of the first moment, in [0, 1).
        decay: Decay of the second moment, in [0, 1).
        weight_decay: Added to the final update as `weight_decay * weight`, >= 0.
        clip: Largest norm of the whole gradient; None: no limit.

    Raises:
        SettingsError: A setting is out of range.
    """

    def __init__(
        self,
        parameters: Mapping[str, nn.Parameter],
        *,
        momentum: float = 0.9,
        decay: float = 0.999,
        weight_decay: float = 0.0,
        clip: float | None = None,
    ) -> None:
        super().__init__(parameters, momentum=momentum, weight_decay=weight_decay, clip=clip)
        if not 0.0 <= decay < 1.0:
            raise SettingsError(f"Expected a decay of the second moment in [0, 1), got {decay}")
        self.decay = decay
        self.second: dict[str, Tensor] = {}
        self.counts: dict[str, int] = {}

    def _finals(
        self,
        moved: Mapping[str, nn.Parameter],
        weights: list[Tensor],
        gradients: list[Tensor],
        slices: Mapping[str, Slices],
        masks: Mapping[str, Tensor],
    ) -> list[Tensor]:
        for name, parameter in moved.items():
            if name not in self.buffers:
                self.buffers[name] = torch.zeros_like(parameter)
                self.second[name] = torch.zeros_like(parameter)
            self.counts[name] = self.counts.get(name, 0) + 1
        first = [_sliced(self.buffers[name], slices.get(name)) for name in moved]
        second = [_sliced(self.second[name], slices.get(name)) for name in moved]
        masked = [(index, masks[name]) for index, name in enumerate(moved) if name in masks]
        kept = [(first[index].clone(), second[index].clone()) for index, _ in masked]
        torch._foreach_lerp_(first, gradients, 1.0 - self.momentum)
        torch._foreach_mul_(second, self.decay)
        torch._foreach_addcmul_(second, gradients, gradients, 1.0 - self.decay)
        for (index, mask), (old_first, old_second) in zip(masked, kept, strict=True):
            first[index].copy_(torch.where(mask, first[index], old_first))
            second[index].copy_(torch.where(mask, second[index], old_second))
        counts = [self.counts[name] for name in moved]
        scale = torch._foreach_sqrt(second)
        torch._foreach_div_(scale, [(1.0 - self.decay**count) ** 0.5 for count in counts])
        torch._foreach_add_(scale, EPS)
        finals = list(torch._foreach_div(first, [1.0 - self.momentum**count for count in counts]))
        torch._foreach_div_(finals, scale)
        if self.weight_decay:
            torch._foreach_add_(finals, weights, alpha=self.weight_decay)
        return finals

    def state_dict(self) -> dict[str, Tensor]:
        """Return both moments and the number of updates by parameter, for those that have moved."""
        state = {f"first/{name}": tensor for name, tensor in self.buffers.items()}
        state |= {f"second/{name}": tensor for name, tensor in self.second.items()}
        return state | {f"count/{name}": torch.tensor(count) for name, count in self.counts.items()}

    def load_state_dict(self, state: Mapping[str, Tensor]) -> None:
        """Take over moments and counts.

        Raises:
            TrainingError: A name or a shape is not of this network, or something is missing.
        """
        parts: dict[str, dict[str, Tensor]] = {kind: {} for kind in _KINDS}
        for key, tensor in state.items():
            kind, _, name = key.partition("/")
            if kind not in parts:
                raise TrainingError(f"Expected the state of Adam, got '{key}'")
            parts[kind][name] = tensor
        if not parts["first"].keys() == parts["second"].keys() == parts["count"].keys():
            raise TrainingError("Expected two moments and a count of every parameter that has moved")
        super().load_state_dict(parts["second"])
        self.second = self.buffers
        super().load_state_dict(parts["first"])
        self.counts = {name: int(tensor) for name, tensor in parts["count"].items()}

"""Orthogonal gradients: updates off the directions in which earlier architectures' losses change."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import torch
from torch import Tensor

from evonas.supernet.layers import Inputs, Slices, is_shared
from evonas.supernet.projector import Projector
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.rules.protection import Protection
from evonas.supernet.sgd import Updates

VANISHING = 1e-30
"""Of a projector that takes its directions out whole, whatever their energy: nothing attenuates."""
LEAST = 8
"""Entries of a weight for each direction that is kept."""


class GradientSpace(Protection):
    """Projection of every update off the gradients that earlier architectures had of the same weight.

    With V an orthonormal basis of earlier gradients of a weight and u the optimizer's update of it, both as rows, what
    is applied is ``u - s u V^T V`` with the strength s. To first order, a step orthogonal to the gradient of an earlier
    architecture's loss leaves this loss as it is: orthogonal gradient descent, ``g - sum_v <g, v> v`` (Farajtabar et
    al. 2020, AISTATS). A basis per weight, kept small by principal components: gradient projection memory (Saha et
    al. 2021, ICLR) caps input directions so, orthogonal gradient learning for one-shot supernets gradient directions.

    Ours: it is the optimizer's final update that is projected; a gradient of unit length enters when another
    architecture is drawn; its energy fades; strength changes over training. Weights of norms and their statistics
    are left out.

    Args:
        context: What it trains.
        rank: Directions kept of each weight once twice as many have come together; at most an eighth of its
            entries, so that it can still learn.
        burst, memory, strength: See `Protection`.
    """

    def __init__(
        self,
        context: RuleContext,
        *,
        rank: int = 8,
        burst: int = 1,
        memory: float | None = 50.0,
        strength: float | str = "cosine",
    ) -> None:
        self._layers: dict[str, dict[str, Tensor]] = {}
        projectors: dict[str, Projector] = {}
        for name, layer in context.network.named_modules():
            if not is_shared(layer) or layer.weight.numel() < LEAST:
                continue
            own = {f"{name}.{kind}" if name else kind: value for kind, value in layer.named_parameters(recurse=False)}
            size = sum(value.numel() for value in own.values())
            self._layers[name] = own
            projectors[name] = Projector(
                size,
                alpha=VANISHING,
                rank=rank if rank < 1 else min(rank, size // LEAST),  # one below 1 is refused
                dtype=torch.promote_types(layer.weight.dtype, torch.float32),
                device=layer.weight.device,
            )
        super().__init__(context, projectors, burst=burst, memory=memory, strength=strength)

    def transform(self, updates: Updates) -> Mapping[str, Tensor]:
        """Return the updates with those of shared weights (and their biases) projected; keep the gradients."""
        strength = self.strength
        result = dict(updates)
        self._pending = {}
        for name, own in self._layers.items():
            if not all(key in updates for key in own):
                continue
            gradient = torch.cat([value.grad.detach().flatten() for value in own.values() if value.grad is not None])
            self._pending[name] = Inputs((gradient / gradient.norm().clamp_min(1e-12))[None, None], slice(0, 1))
            if strength == 0.0:
                continue
            flat = torch.cat([updates[key].flatten() for key in own])
            columns = _entries(own, updates.active_slices)
            projected = self.projectors[name].project(flat[None, None], strength=strength, columns=columns)
            sizes = [updates[key].numel() for key in own]
            for key, part in zip(own, torch.split(projected.flatten(), sizes), strict=True):
                result[key] = part.reshape(updates[key].shape)
        return result

    def after_step(self, plan: Sequence[Pass], inputs: Mapping[str, Sequence[Inputs]]) -> None:
        """Count the step."""
        self._step += 1


def _entries(own: Mapping[str, Tensor], active_slices: Mapping[str, Slices]) -> Tensor | None:
    """Return the indices, among all entries of some parameters, of those in use; None: all are in use."""
    if not any(key in active_slices for key in own):
        return None
    indices, before = [], 0
    for key, value in own.items():
        index = torch.arange(before, before + value.numel(), device=value.device).reshape(value.shape)
        indices.append(index[active_slices[key]].flatten() if key in active_slices else index.flatten())
        before += value.numel()
    return torch.cat(indices)

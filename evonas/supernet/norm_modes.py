"""Norms in a supernet: what becomes of their weights and biases, which paths share, while it trains (`NORMS`)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from evonas.errors import TrainingError
from evonas.networks.network import Slot
from evonas.supernet.layers import Slices
from evonas.supernet.sgd import Updates

__all__ = ["NormGuard", "fixed_norms", "searched_norms", "separate_norms"]


def searched_norms(network: nn.Module) -> dict[str, _BatchNorm]:
    """Norms of the operations that a supernet's slots choose from, those with weight and bias, by name."""
    slots = [name for name, module in network.named_modules() if isinstance(module, Slot)]
    return {
        name: module
        for name, module in network.named_modules()
        if isinstance(module, _BatchNorm) and module.affine and any(name.startswith(f"{slot}.") for slot in slots)
    }


@contextmanager
def fixed_norms(network: nn.Module, norms: str) -> Iterator[None]:
    """Keep weight 1 and bias 0 of searched operations' norms while the context lasts, where they are to be plain.

    Args:
        network: The supernet.
        norms: Key of `NORMS`; any other than ``plain`` changes nothing.
    """
    held = list(searched_norms(network).values()) if norms == "plain" else []
    for norm in held:
        nn.init.ones_(norm.weight)
        nn.init.zeros_(norm.bias)
        norm.weight.requires_grad_(False)
        norm.bias.requires_grad_(False)
    try:
        yield
    finally:
        for norm in held:
            norm.weight.requires_grad_(True)
            norm.bias.requires_grad_(True)


def separate_norms(network: nn.Module, norms: str) -> None:
    """Give each option of a shared block norms' weights and biases of its own, where that is asked for.

    An operation with a module of its own, as in cells, has them anyway.

    Args:
        network: A supernet that holds no trained weights yet.
        norms: Key of `NORMS`; any other than ``per-operation`` changes nothing.
    """
    if norms == "per-operation":
        for module in network.modules():
            if isinstance(module, Slot):
                module.separate_norms()


class NormGuard:
    """Protection of norms' weights and biases, channel by channel.

    The weight of a channel reads a normalized input, of mean square 1, and its bias the constant 1. So each is a
    shared weight with a single input of energy 1, and its projector a number: after n architectures that used the
    channel the factor of its updates is ``alpha / (alpha + n)`` (`evonas.supernet.projector`), n fading as there.

    Args:
        network: The supernet, all of whose norms are guarded: those outside of slots are on every path.
        alpha: Energy that counts as used, > 0.
    """

    def __init__(self, network: nn.Module, alpha: float) -> None:
        self._alpha = alpha
        self._energy: dict[str, Tensor] = {}
        for name, module in network.named_modules():
            if isinstance(module, _BatchNorm) and module.affine:
                self._energy[name] = torch.zeros(module.num_features, device=module.weight.device)
        self._used: dict[str, list[int]] = {}

    def transform(self, updates: Updates, strength: float) -> dict[str, Tensor]:
        """Return the updates of guarded parameters as they are to be applied, and remember which were in use.

        Args:
            updates: The optimizer's final updates.
            strength: Share of the correction, in [0, 1].
        """
        result = {}
        for name, energy in self._energy.items():
            for key in (f"{name}.weight", f"{name}.bias"):
                if key in updates:
                    used = _channels(updates.active_slices.get(key), len(energy))
                    start, stop = self._used.get(name, [used.start, used.stop])
                    self._used[name] = [min(start, used.start), max(stop, used.stop)]
                    factor = 1 - strength + strength * self._alpha / (self._alpha + energy[used])
                    result[key] = updates[key] * factor.to(updates[key].dtype)
        return result

    def enter(self, keep: float) -> None:
        """Let the channels that were in use since the last call enter.

        Args:
            keep: What is kept of the energy that a norm had, in (0, 1].
        """
        for name, (start, stop) in self._used.items():
            self._energy[name] *= keep
            self._energy[name][start:stop] += 1
        self._used = {}

    def state_dict(self) -> dict[str, Any]:
        """Return energies, and what is about to enter."""
        state: dict[str, Any] = {f"energy/{name}": energy for name, energy in self._energy.items()}
        return state | {"used": {name: list(ends) for name, ends in self._used.items()}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            TrainingError: It is of another network.
        """
        for name, energy in self._energy.items():
            held = state.get(f"energy/{name}")
            if held is None or held.shape != energy.shape:
                raise TrainingError(f"Expected the energy of the norm '{name}' in the checkpoint, found none that fits")
            energy.copy_(held)
        self._used = {name: list(ends) for name, ends in state["used"].items()}


def _channels(slices: Slices | Sequence[slice] | None, channels: int) -> slice:
    """Return the channels in use."""
    if slices is None:
        return slice(0, channels)
    start, stop, _ = slices[0].indices(channels)
    return slice(start, stop)

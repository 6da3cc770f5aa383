"""Disturbance-immune weight sharing: updates orthogonal to the inputs of earlier architectures (Niu et al. 2020)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor

from evonas.errors import SettingsError
from evonas.supernet import parallel
from evonas.supernet.layers import (
    Inputs,
    columns_in_use,
    geometry,
    groups_in_use,
    is_shared,
    mean_patch,
    sampled_patches,
)
from evonas.supernet.norm_modes import NormGuard
from evonas.supernet.projector import Projector
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.rules.protection import Protection
from evonas.supernet.sgd import Updates

LAYERS = "first", "bare", "all"
FIRST = 0.25
"""Share of a network's shared weights, from its input on, that are its first ones."""
READ_EVERY = 4
"""Of the images of a batch, those that enter its mean."""


class DisturbanceImmune(Protection):
    """Projection of every update off the inputs that earlier architectures fed to the same weight.

    With X the rows that earlier architectures fed to a weight, and U the optimizer's update of it, one row per
    output, what is applied is ``(1 - s) U + s U P`` with ``P = I - X^T (X X^T + alpha I)^-1 X`` and the strength s; the
    recursion for one more row x is ``P <- P - P x^T x P / (alpha + x P x^T)`` (see `evonas.supernet.projector`).

    From the article (Niu et al. 2020, "Disturbance-immune weight sharing for neural architecture search",
    arXiv 2003.13089; its abstract is what we go by): training a later architecture disturbs the earlier
    ones through the weights they share, so the update is constrained to a space orthogonal to what the
    earlier ones used.

    From orthogonal weight modification (Zeng et al. 2019, "Continual learning of context-dependent
    processing in neural networks"): that space is the complement of each layer's own earlier *inputs*; the
    projector and its recursion; alpha; inputs averaged over the batch (`patches="mean"`).

    Ours: patches drawn of the inputs; it is the optimizer's *final* update that is projected, since momentum
    and weight decay hold directions that the gradient alone does not; an architecture's inputs enter when
    another one is drawn, never while it is being trained; one block per group of a grouped convolution; a
    bias counts as the weight of a constant input 1; parts of elastic weights; forgetting, the cap on
    directions, and strength that changes over training. Weights of norms are left out, as are their
    statistics.

    Args:
        context: What it trains.
        alpha: Energy that counts as used, > 0. A direction that an average input of mean square e lies in keeps the
            factor `alpha / (alpha + patches * memory * e)` of its update once as many architectures have entered.
        patches: How many patches to draw of each call; or "mean": over positions and every fourth image, the form of
            Zeng et al., which protects less, since a norm behind a convolution undoes what moves its mean output.
        centered: Take the mean out of drawn patches where a norm follows (a layer without bias).
        layers: "all" shared weights; the "first" quarter of them, whose changes disturb all that lies behind, while
            later ones rank architectures better free; or those that are "bare", with no norm behind, as
            a layer with a bias has none.
        burst: Updates in a row of one sampled architecture.
        rank: Directions kept of a weight with more than twice as many inputs; None: all.
        memory: Architectures after whose entry the first one's energy has faded to 1/e, so that P neither fills up nor
            ends training; None: nothing fades.
        strength: A number in [0, 1] (0 is plain training, bit for bit) or a schedule of `STRENGTHS`: the
            disturbance is real early in training and may turn into help late (Ning et al. 2021, "Evaluating
            efficient performance estimators").

    Raises:
        SettingsError: A setting is out of range.
    """

    def __init__(
        self,
        context: RuleContext,
        *,
        alpha: float = 4.0,
        patches: str | int = 4,
        centered: bool = False,
        layers: str = "first",
        burst: int = 1,
        rank: int | None = 32,
        memory: float | None = 20.0,
        strength: float | str = "cosine",
    ) -> None:
        if patches != "mean" and (not isinstance(patches, int) or patches < 1):
            raise SettingsError(f"Expected patches 'mean' or a number of at least 1, got {patches!r}")
        self._generator = torch.Generator().manual_seed(context.seed)
        self._averaged = patches == "mean"
        self.summary = (
            partial(mean_patch, every=READ_EVERY)
            if self._averaged
            else sampled_patches(int(patches), self._generator, centered=centered)
        )
        if layers not in LAYERS:
            raise SettingsError(f"Expected layers {', '.join(LAYERS)}, got {layers!r}")
        shared = [(name, layer) for name, layer in context.network.named_modules() if is_shared(layer)]
        self._layers = {
            name: layer
            for index, (name, layer) in enumerate(shared)
            if layers == "all" or (index < FIRST * len(shared) if layers == "first" else layer.bias is not None)
        }
        self.captured_layers = frozenset(self._layers)
        projectors: dict[str, Projector] = {}
        for name, layer in self._layers.items():
            groups, size = geometry(layer)
            projectors[name] = Projector(size, groups=groups, alpha=alpha, rank=rank, device=layer.weight.device)
        super().__init__(context, projectors, burst=burst, memory=memory, strength=strength)
        self.norm_guard = NormGuard(context.network, alpha) if context.norms == "protected" else None

    def transform(self, updates: Updates) -> Mapping[str, Tensor]:
        """Return the updates with those of shared weights (and their biases) projected."""
        strength = self.strength
        if strength == 0.0:
            return updates
        result = dict(updates)
        if self.norm_guard is not None:
            result |= self.norm_guard.transform(updates, strength)
        for name, layer in self._layers.items():
            key, bias = (f"{name}.weight", f"{name}.bias") if name else ("weight", "bias")
            if key not in updates:
                continue
            slices = updates.active_slices.get(key)
            groups = groups_in_use(layer, slices)
            rows = updates[key].reshape(groups.stop - groups.start, -1, updates[key][0].numel())
            if layer.bias is not None:
                rows = torch.cat([rows, updates[bias].reshape(*rows.shape[:2], 1)], dim=-1)
            rows = self.projectors[name].project(
                rows, strength=strength, columns=columns_in_use(layer, slices), groups=groups
            )
            if layer.bias is not None:
                rows, result[bias] = rows[..., :-1], rows[..., -1].reshape(updates[bias].shape)
            result[key] = rows.reshape(updates[key].shape)
        return result

    def after_step(self, plan: Sequence[Pass], inputs: Mapping[str, Sequence[Inputs]]) -> None:
        """Keep the inputs until another architecture is drawn; a burst's last step stands for it."""
        self._step += 1
        self._pending = {name: _joined(calls) for name, calls in inputs.items()}
        if self._averaged:
            parallel.average([one.rows for one in self._pending.values()])
        else:
            self._pending = {n: Inputs(parallel.collect(one.rows), one.groups) for n, one in self._pending.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return what `Protection` does, and where the draws of patches stand."""
        return super().state_dict() | {"generator": self._generator.get_state()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state; see `Protection`."""
        super().load_state_dict(state)
        self._generator.set_state(state["generator"].cpu())


def _joined(calls: Sequence[Inputs]) -> Inputs:
    """Return the inputs of all calls of a layer as one."""
    if len(calls) == 1:
        return calls[0]
    start = min(call.groups.start for call in calls)
    stop = max(call.groups.stop for call in calls)
    parts = []
    for call in calls:
        rows = call.rows.new_zeros(stop - start, *call.rows.shape[1:])
        rows[call.groups.start - start : call.groups.stop - start] = call.rows
        parts.append(rows)
    return Inputs(torch.cat(parts, dim=1), slice(start, stop))

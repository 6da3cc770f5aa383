"""Disturbance-immune weight sharing: an update leaves alone what earlier architectures have read."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor

from evonas.errors import SettingsError, TrainingError, suggest
from evonas.supernet.layers import (
    Inputs,
    columns_in_use,
    geometry,
    groups_in_use,
    is_shared,
    mean_patch,
    sampled_patches,
)
from evonas.supernet.plan import Pass, Setting
from evonas.supernet.projector import Projector
from evonas.supernet.sgd import Updates

STRENGTHS: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),
    "early": lambda progress: float(progress < 0.5),
}
"""Schedules of the strength, from the share of training done, in [0, 1), to a strength in [0, 1]."""


class DisturbanceImmune:
    """Project every update off the inputs that earlier architectures fed to the same weight.

    From the article (Niu et al. 2020, "Disturbance-immune weight sharing for neural architecture search",
    arXiv 2003.13089; its abstract is what we go by): training a later architecture disturbs the earlier
    ones through the weights they share, so the update is constrained to a space orthogonal to what the
    earlier ones used.

    From orthogonal weight modification (Zeng et al. 2019, "Continual learning of context-dependent
    processing in neural networks"): that space is the complement of each layer's own earlier *inputs*; the
    projector and its recursion; inputs averaged over the batch; alpha.

    Ours: it is the optimizer's *final* update that is projected, since momentum and weight decay hold
    directions that the gradient alone does not; an architecture's inputs enter when another one is drawn,
    never while it is being trained; one block per group of a grouped convolution; a bias counts as the
    weight of a constant input 1; parts of elastic weights; forgetting, the cap on directions, and strength
    that changes over training. Weights of norms are left out, as are their statistics.

    Args:
        setting: What it trains.
        alpha: Energy that counts as used, > 0: squared inputs, summed over architectures. About 10 suits
            batch means: with 1, weights learnt more slowly than with plain updates and ranked no better.
        patches: "mean" (over batch and positions) or how many patches to draw of each call; those need
            alpha of the order of `number * steps * E[x^2]`, or training freezes.
        burst: Updates in a row of one sampled architecture.
        rank: Directions kept of a weight with more than twice as many inputs; None: all.
        memory: Architectures after whose entry the first one's energy has faded to 1/e; None: nothing fades.
        strength: A number in [0, 1] (0 is plain training, bit for bit) or a schedule of `STRENGTHS`: the
            disturbance is real early in training and may turn into help late (Ning et al. 2021, "Evaluating
            efficient performance estimators").

    Raises:
        SettingsError: A setting is out of range.
    """

    def __init__(
        self,
        setting: Setting,
        *,
        alpha: float = 10.0,
        patches: str | int = "mean",
        burst: int = 1,
        rank: int | None = 32,
        memory: float | None = 1000.0,
        strength: float | str = "cosine",
    ) -> None:
        if burst < 1 or (memory is not None and memory < 1.0):
            raise SettingsError(f"Expected burst and memory of at least 1, got {burst} and {memory}")
        if patches != "mean" and (not isinstance(patches, int) or patches < 1):
            raise SettingsError(f"Expected patches 'mean' or a number of at least 1, got {patches!r}")
        self._setting = setting
        self._schedule = _schedule(strength)
        self._keep = 1.0 if memory is None else 1.0 - 1.0 / memory
        self._burst = burst
        self._generator = torch.Generator().manual_seed(setting.seed)
        self.summary = mean_patch if patches == "mean" else sampled_patches(int(patches), self._generator)
        self._layers = {name: layer for name, layer in setting.network.named_modules() if is_shared(layer)}
        self.projectors: dict[str, Projector] = {}
        for name, layer in self._layers.items():
            groups, size = geometry(layer)
            self.projectors[name] = Projector(
                size, groups=groups, alpha=alpha, rank=rank, device=layer.weight.device
            )
        self._step = 0
        self._current: Pass | None = None
        self._left = 0
        self._pending: dict[str, Inputs] = {}

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return one pass; where it is of another architecture, let the last one's inputs enter first."""
        if self._current is None or self._left == 0:
            drawn = self._setting.draw(rng)
            if self._current is not None and drawn.path != self._current.path:
                self._enter()
            self._current = drawn
            self._left = self._burst
        self._left -= 1
        return [self._current]

    def _enter(self) -> None:
        for name, inputs in self._pending.items():
            self.projectors[name].absorb(inputs.rows, keep=self._keep, groups=inputs.groups)
        self._pending = {}

    def transform(self, updates: Updates) -> Mapping[str, Tensor]:
        """Return the updates with those of shared weights (and their biases) projected."""
        strength = self._schedule(self._step / self._setting.steps)
        if strength == 0.0:
            return updates
        result = dict(updates)
        for name, layer in self._layers.items():
            key, bias = (f"{name}.weight", f"{name}.bias") if name else ("weight", "bias")
            if key not in updates:
                continue
            region = updates.regions.get(key)
            groups = groups_in_use(layer, region)
            rows = updates[key].reshape(groups.stop - groups.start, -1, updates[key][0].numel())
            if layer.bias is not None:
                rows = torch.cat([rows, updates[bias].reshape(*rows.shape[:2], 1)], dim=-1)
            rows = self.projectors[name].project(
                rows, strength=strength, columns=columns_in_use(layer, region), groups=groups
            )
            if layer.bias is not None:
                rows, result[bias] = rows[..., :-1], rows[..., -1].reshape(updates[bias].shape)
            result[key] = rows.reshape(updates[key].shape)
        return result

    def after_step(self, plan: Sequence[Pass], inputs: Mapping[str, Sequence[Inputs]]) -> None:
        """Keep the inputs until another architecture is drawn; a burst's last step stands for it."""
        self._step += 1
        self._pending = {name: _joined(calls) for name, calls in inputs.items()}

    def state_dict(self) -> dict[str, Any]:
        """Return the projectors, what is about to enter, and where in its burst the rule stands."""
        state: dict[str, Any] = {
            "step": self._step,
            "left": self._left,
            "generator": self._generator.get_state(),
        }
        state["path"] = None if self._current is None else list(self._current.path)
        state["architecture"] = None if self._current is None else str(self._current)
        state["groups"] = {name: [i.groups.start, i.groups.stop] for name, i in self._pending.items()}
        for name, inputs in self._pending.items():
            state[f"pending/{name}"] = inputs.rows
        for name, projector in self.projectors.items():
            for kind, tensor in projector.state_dict().items():
                state[f"projector/{name}/{kind}"] = tensor
        return state

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over a state.

        Raises:
            TrainingError: A projector is missing, of another network or of another shape.
        """
        held: dict[str, dict[str, Tensor]] = {}
        for key, value in state.items():
            if key.startswith("projector/"):
                name, _, kind = key.removeprefix("projector/").rpartition("/")
                held.setdefault(name, {})[kind] = value
        for name in sorted(held.keys() ^ self.projectors.keys()):
            where = "the checkpoint" if name in held else "the network"
            raise TrainingError(f"Only {where} has a projector '{name}'; the state is of another network")
        for name, projector in self.projectors.items():
            try:
                projector.load_state_dict(held[name])
            except TrainingError as error:
                raise TrainingError(f"Projector '{name}': {error}") from None
        self._step, self._left = int(state["step"]), int(state["left"])
        self._generator.set_state(state["generator"].cpu())
        self._current = None
        if state["path"] is not None:
            self._current = Pass(path=tuple(state["path"]), architecture=self._revive(state["architecture"]))
        self._pending = {
            name: Inputs(state[f"pending/{name}"].to(self._layers[name].weight.device), slice(*groups))
            for name, groups in state["groups"].items()
        }

    def _revive(self, text: str) -> Any:
        space = getattr(self._setting.network, "space", None)
        return text if space is None else space.parse(text)

    def report(self) -> dict[str, float]:
        """Return `trace_over_d`: mean of trace(P) / d over weights, 1 for all free, 0 for all frozen."""
        traces = [projector.trace() for projector in self.projectors.values()]
        return {"trace_over_d": float(np.mean(traces)) if traces else 1.0}


def _schedule(strength: float | str) -> Callable[[float], float]:
    if isinstance(strength, str):
        if strength not in STRENGTHS:
            known = ", ".join(STRENGTHS)
            raise SettingsError(
                f"Expected a strength among {known} or a number, got '{strength}'."
                f"{suggest(strength, STRENGTHS)}"
            )
        return STRENGTHS[strength]
    if not 0.0 <= strength <= 1.0:
        raise SettingsError(f"Expected a strength in [0, 1], got {strength}")
    return lambda progress: float(strength)


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

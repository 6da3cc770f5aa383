"""Base of rules that keep, weight by weight, what earlier architectures rely on."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from torch import Tensor

from evonas.errors import SettingsError, TrainingError, suggest
from evonas.supernet.layers import Inputs
from evonas.supernet.norm_modes import NormGuard
from evonas.supernet.projector import Projector
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.rules.uniform import Uniform

STRENGTHS: dict[str, Callable[[float], float]] = {
    "constant": lambda progress: 1.0,
    "cosine": lambda progress: 0.5 * (1.0 + math.cos(math.pi * progress)),
    "early": lambda progress: float(progress < 0.5),
    "opening": lambda progress: float(progress < 0.3),
}
"""Schedules of the strength, from the share of training done, in [0, 1), to a strength in [0, 1]."""


class Protection(Uniform):
    """A projector per shared weight, which takes in an architecture's rows when another one is drawn.

    Args:
        context: What it trains.
        projectors: By layer.
        burst: Updates in a row of one sampled architecture.
        memory: Architectures after whose entry the first one's energy has faded to 1/e; None: nothing fades.
        strength: A number in [0, 1] (0 is plain training, bit for bit) or a schedule of `STRENGTHS`.

    Raises:
        SettingsError: A setting is out of range.
    """

    def __init__(
        self,
        context: RuleContext,
        projectors: dict[str, Projector],
        *,
        burst: int,
        memory: float | None,
        strength: float | str,
    ) -> None:
        super().__init__(context)
        if burst < 1 or (memory is not None and memory < 1.0):
            raise SettingsError(f"Expected burst and memory of at least 1, got {burst} and {memory}")
        self._schedule = _schedule(strength)
        self._keep = 1.0 if memory is None else 1.0 - 1.0 / memory
        self._burst = burst
        self.projectors = projectors
        self._step = 0
        self._current: Pass | None = None
        self._left = 0
        self._pending: dict[str, Inputs] = {}
        self.norm_guard: NormGuard | None = None

    @property
    def guards_norms(self) -> bool:
        """Whether norms' weights and biases are protected too."""
        return self.norm_guard is not None

    @property
    def strength(self) -> float:
        """The share of the correction that this step makes, in [0, 1]."""
        return self._schedule(self._step / self._context.steps)

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return one pass; where it is of another architecture, let the last one's rows enter first."""
        if self._current is None or self._left == 0:
            drawn = self._context.draw(rng)
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
        if self.norm_guard is not None:
            self.norm_guard.enter(self._keep)

    def state_dict(self) -> dict[str, Any]:
        """Return the projectors, what is about to enter, and where in its burst the rule stands."""
        state: dict[str, Any] = {"step": self._step, "left": self._left}
        state["architecture"] = None if self._current is None else str(self._current)
        state["groups"] = {name: [i.groups.start, i.groups.stop] for name, i in self._pending.items()}
        for name, inputs in self._pending.items():
            state[f"pending/{name}"] = inputs.rows
        for name, projector in self.projectors.items():
            for kind, tensor in projector.state_dict().items():
                state[f"projector/{name}/{kind}"] = tensor
        if self.norm_guard is not None:
            state |= {f"norms/{key}": value for key, value in self.norm_guard.state_dict().items()}
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
        if self.norm_guard is not None:
            own = {key.removeprefix("norms/"): value for key, value in state.items() if key.startswith("norms/")}
            self.norm_guard.load_state_dict(own)
        self._step, self._left = int(state["step"]), int(state["left"])
        self._current = None
        if state["architecture"] is not None:
            self._current = self._context.revive(state["architecture"])
        self._pending = {
            name: Inputs(state[f"pending/{name}"].to(self.projectors[name].device), slice(*groups))
            for name, groups in state["groups"].items()
        }

    def report(self) -> dict[str, float]:
        """Return `trace_over_d`: mean of trace(P) / d over weights, 1 for all free, 0 for all frozen."""
        traces = [projector.trace() for projector in self.projectors.values()]
        return {"trace_over_d": float(np.mean(traces)) if traces else 1.0}


def _schedule(strength: float | str) -> Callable[[float], float]:
    if isinstance(strength, str):
        if strength not in STRENGTHS:
            known = ", ".join(STRENGTHS)
            raise SettingsError(
                f"Expected a strength among {known} or a number, got '{strength}'.{suggest(strength, STRENGTHS)}"
            )
        return STRENGTHS[strength]
    if not 0.0 <= strength <= 1.0:
        raise SettingsError(f"Expected a strength in [0, 1], got {strength}")
    return lambda progress: float(strength)

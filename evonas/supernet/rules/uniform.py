"""One sampled path per update (Guo et al. 2020, "Single Path One-Shot NAS with Uniform Sampling", ECCV)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from torch import Tensor

from evonas.supernet.layers import Inputs, Summary
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.sgd import Updates


class Uniform:
    """One path per update, drawn by the context's `sample`; updates are applied as they are.

    Args:
        context: What it trains.
    """

    summary: Summary | None = None

    def __init__(self, context: RuleContext) -> None:
        self._context = context

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return one pass."""
        return [self._context.draw(rng)]

    def transform(self, updates: Updates) -> Mapping[str, Tensor]:
        """Return the updates themselves."""
        return updates

    def after_step(self, plan: Sequence[Pass], inputs: Mapping[str, Sequence[Inputs]]) -> None:
        """Do nothing."""

    def state_dict(self) -> dict[str, Any]:
        """Return nothing: the rule holds no state."""
        return {}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over nothing."""

    def report(self) -> dict[str, float]:
        """Return no figures."""
        return {}

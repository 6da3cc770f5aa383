"""One sampled path per update (Guo et al. 2020, "Single Path One-Shot NAS with Uniform Sampling", ECCV)."""

from __future__ import annotations

import numpy as np

from evonas.supernet.rules.contract import Pass, RuleContext, UpdateRule


class Uniform(UpdateRule):
    """Single-path sampling: one path per update, by the labels.

    With a path p drawn by the context's `sample`, an update's loss is L(W_p), that of the shared weights W on the path;
    in expectation it descends E_p[L(W_p)], the objective of Guo et al. 2020. Updates are applied as they are.

    Args:
        context: What it trains.
    """

    def __init__(self, context: RuleContext) -> None:
        self._context = context

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return one pass."""
        return [self._context.draw(rng)]

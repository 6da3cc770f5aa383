"""The sandwich rule with in-place distillation (Yu et al. 2020, "BigNAS", ECCV; Yu and Huang 2019, "Universally
slimmable networks", ICCV), for spaces of stages."""

from __future__ import annotations

import numpy as np

from evonas.errors import SettingsError
from evonas.supernet.rules.contract import Pass, RuleContext
from evonas.supernet.rules.uniform import Uniform


class Sandwich(Uniform):
    """Sandwich rule: in one update the largest path by the labels, then random ones and the smallest by its outputs.

    With k random paths the loss is ``(L(p_max; y) + sum_i L(p_i; z) + L(p_min; z)) / (k + 2)``, y the labels and z the
    outputs of the largest path, detached: in-place distillation (Yu and Huang 2019; Yu et al. 2020).

    What is trained between the bounds of a space is trained with them; the largest, which all elastic weights
    are parts of, teaches the others. Once-for-All (Cai et al. 2020) shrinks step by step instead.

    Args:
        context: What it trains.
        paths: Random paths of an update, at least 0.
        distill: Whether the others imitate the largest path's outputs, or read the labels too.

    Raises:
        SettingsError: The space has no stages, or a number is out of range.
    """

    def __init__(self, context: RuleContext, *, paths: int = 2, distill: bool = True) -> None:
        super().__init__(context)
        if paths < 0:
            raise SettingsError(f"Expected 0 random paths or more, got {paths}")
        smallest, largest = context.space.extremes()
        self._smallest, self._largest = context.pass_of(smallest), context.pass_of(largest)
        self._paths, self._distill = paths, distill

    def plan(self, rng: np.random.Generator) -> list[Pass]:
        """Return the largest, the random and the smallest path; their losses are averaged."""
        others = [*(self._context.draw(rng) for _ in range(self._paths)), self._smallest]
        teacher = self._largest.path if self._distill else None
        weight = 1.0 / (1 + len(others))
        return [
            Pass(self._largest.path, weight, None, self._largest.architecture),
            *(Pass(one.path, weight, teacher, one.architecture) for one in others),
        ]

"""Accuracy as the ranker predicts it."""

from __future__ import annotations

import math

import pytest

from evonas.objectives.accuracy.ranked import RankedEvaluator
from evonas.predictors.anchor_set import Anchor, AnchorSet


@pytest.mark.parametrize(
    ("levels", "reached", "times"),
    [
        ((2, 6), (2, 2, 2, 1), 30 / 6),  # the recipe quick trains for 30 epochs
        ((2, 6), (2, 1, 1, 1), 30 / 2),  # too few reached the last level to bring the others there
        ((10, 60), (2, 2, 2, 2), 1),  # longer than that is not shorter
    ],
)
def test_the_ranker_is_told_how_much_longer_a_full_training_is(
    levels: tuple[int, ...], reached: tuple[int, ...], times: float
) -> None:
    anchors = AnchorSet(levels, tuple(Anchor(str(i), (0.5,) * n) for i, n in enumerate(reached)))
    evaluator = RankedEvaluator.__new__(RankedEvaluator)  # of its context nothing is asked
    evaluator.anchors = anchors
    assert evaluator.shortness == pytest.approx(math.log(times))

"""Best plain accuracy beside the most frequent class."""

from __future__ import annotations

import pytest
import torch

from evonas.objectives.accuracy.majority import BestAccuracy, clearest, majority_share


def test_the_majority_class_is_the_most_frequent_one() -> None:
    assert majority_share(torch.tensor([2, 0, 2, 2])) == 0.75
    assert majority_share([1]) == 1.0


def test_two_standard_errors_of_counting_are_asked_for() -> None:
    # 100 images of two equal classes: 0.5 plus twice sqrt(0.25 / 100) is 0.6.
    best = BestAccuracy(0.6, 0.5, 100, "a member")
    assert best.bar == pytest.approx(0.6)
    assert not BestAccuracy(0.599, 0.5, 100, "a member").learned
    assert BestAccuracy(0.61, 0.5, 100, "a member").learned


def test_the_clearest_of_several_counts() -> None:
    few, many = BestAccuracy(0.65, 0.5, 20, "a member"), BestAccuracy(0.6, 0.5, 10_000, "an anchor")
    assert clearest([few, many]) is many
    assert clearest([]) is None


def test_it_is_read_from_a_manifest() -> None:
    assert BestAccuracy.of_manifest({}) is None
    held = {"acc_best": {"best": 0.3, "majority": 0.25, "images": 10, "of": "a member"}}
    assert BestAccuracy.of_manifest(held) == BestAccuracy(0.3, 0.25, 10, "a member")

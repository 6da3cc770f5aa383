from __future__ import annotations

import numpy as np
import pytest

from evonas.config import make_settings
from evonas.pipeline import run as pipeline
from evonas.pipeline.patience import Patience

FRONT = np.array([[0.5, 10.0], [0.7, 20.0], [0.9, 40.0]])
"""Accuracy and cost."""
BETTER = np.array([0.05, 0.0])
KEPT = np.zeros((3, 0))


def test_generations_without_gain_are_counted_and_a_gain_begins_anew():
    patience = Patience(2, 3, ["max", "min"])
    told = []
    for generation in (FRONT, FRONT, FRONT + BETTER, FRONT, FRONT - 4 * BETTER, FRONT):
        patience.tell(generation, KEPT)
        told.append((patience.without, patience.over))
    assert told == [(0, False), (1, False), (0, False), (1, False), (2, True), (3, True)]


@pytest.mark.parametrize(("images", "gains"), [(None, True), (10**6, True), (50, False)])
def test_a_gain_within_the_noise_of_few_images_is_none(images, gains):
    patience = Patience(1, 3, ["max", "min"], [images, None])
    patience.tell(FRONT, KEPT)
    patience.tell(FRONT + 0.4 * BETTER, KEPT)
    assert patience.over is not gains


def test_what_breaks_a_bound_or_failed_is_no_gain_and_nothing_counts_before_something_keeps_to_bounds():
    patience = Patience(1, 3, ["max", "min"])
    for _ in range(4):
        patience.tell(FRONT, np.ones((3, 1)))
    assert not patience.over
    patience.tell(FRONT, np.zeros((3, 1)))
    patience.tell(np.full((3, 2), np.nan), np.zeros((3, 1)))
    assert patience.over


def test_what_is_told_one_by_one_makes_up_generations():
    patience = Patience(1, 3, ["max", "min"])
    told = []
    for row in [*FRONT, *FRONT]:
        patience.tell(row[None], KEPT[:1])
        told.append(patience.over)
    assert told == [False] * 5 + [True]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_a_search_that_gains_nothing_more_ends_and_can_be_prolonged(tmp_path, spoken, asynchronous):
    settings = {
        "space": "nasbench201", "objectives": ("flops", "params"), "population": 6, "generations": 30,
        "asynchronous": asynchronous, "warm_start": 0,
    }  # fmt: skip
    run = pipeline.search(make_settings(**settings, patience=2), tmp_path / "run", progress=spoken)
    told = run.manifest["patience"]["evaluations"]
    assert len(run.store.members()) == told < 30 * 6
    assert run.manifest["patience"]["without_gain"] == 2
    assert any(line.startswith("2 generations brought no gain") for line in spoken.lines)
    again = pipeline.resume(tmp_path / "run")
    assert len(again.store.members()) == told
    longer = pipeline.resume(tmp_path / "run", generations=told // 6 + 1)
    assert len(longer.store.members()) == told + 6
    assert longer.manifest["patience"] is None

from __future__ import annotations

import numpy as np
import pytest

from evonas.benchmarks.variance import CHOICES, explain_variance
from evonas.errors import SettingsError

CELLS, CHANNELS = np.array([0.0, 3.0]), np.array([0.0, 1.0, 2.0])


def design(rng: np.random.Generator, noise: float, n: int = 40, trainings: int = 2) -> np.ndarray:
    own = rng.normal(size=n)
    whole = own[:, None, None, None] + CELLS[:, None, None] + CHANNELS[:, None] + np.zeros((n, 2, 3, trainings))
    return whole + noise * rng.normal(size=whole.shape)


def test_shares_of_a_design_without_noise_are_the_planted_variances():
    values = design(np.random.default_rng(0), noise=0)
    found = {row["source"]: row for row in explain_variance(values, ["cells", "channels"], resamples=100)}
    planted = {CHOICES: values[:, 0, 0, 0].var(), "cells": CELLS.var(), "channels": CHANNELS.var()}
    for source, variance in planted.items():
        assert found[source]["share"] == pytest.approx(variance / sum(planted.values()))
        assert found[source]["share_low"] < found[source]["share"] < found[source]["share_high"]
    assert found["cells with channels"]["share"] == pytest.approx(0, abs=1e-12)
    assert found[f"{CHOICES} with the frame"]["share"] == pytest.approx(0, abs=1e-12)
    assert sum(row["share"] for row in found.values()) == pytest.approx(1)
    assert sum(row["df"] for row in found.values()) == values.size - 1


def test_chance_raises_shares_but_not_the_adjusted_ones():
    """Five architectures that do not differ: their share is noise, which omega squared takes away on average."""
    rng = np.random.default_rng(1)
    rows = [explain_variance(rng.normal(size=(5, 2, 2)), ["cells"], resamples=1)[0] for _ in range(200)]
    assert np.mean([row["share"] for row in rows]) > 0.15
    assert np.mean([row["adjusted"] for row in rows]) == pytest.approx(0, abs=0.03)


def test_architectures_that_gain_from_depth_unequally_are_told_from_seeds():
    rng = np.random.default_rng(2)
    gains = rng.normal(size=(30, 1, 1)) * np.array([0.0, 1.0])[:, None]
    values = gains + 0.01 * rng.normal(size=(30, 2, 3))
    found = {row["source"]: row["share"] for row in explain_variance(values, ["cells"], resamples=1)}
    assert found[f"{CHOICES} with the frame"] > 0.3
    assert found["seeds"] < 0.01
    once = {row["source"] for row in explain_variance(values[..., :1], ["cells"], resamples=1)}
    assert once == set(found) - {"seeds"}


@pytest.mark.parametrize(("values", "message"), [
    (np.zeros((1, 2, 1)), "two architectures and two levels"),
    (np.zeros((5, 1, 1)), "two architectures and two levels"),
    (np.full((5, 2, 1), np.nan), "got 10 unknown"),
    (np.zeros((5, 2, 1)), "one value everywhere"),
])  # fmt: skip
def test_designs_that_explain_nothing_are_refused(values, message):
    with pytest.raises(SettingsError, match=message):
        explain_variance(values, ["cells"])

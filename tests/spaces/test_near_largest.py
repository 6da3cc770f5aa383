"""Genomes at all distances from the largest architecture."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import SettingsError
from evonas.spaces import load_space
from evonas.spaces.near_largest import near_largest


def test_the_share_decides_how_many_choices_are_drawn_again() -> None:
    space = load_space("efficientnet_lite")
    largest = space.encode(space.extremes()[1])
    rng = np.random.default_rng(0)
    assert (near_largest(space, np.zeros(5), rng) == largest).all()
    for share in (0.25, 1.0):
        genomes = near_largest(space, np.full(4000, share), rng)
        assert (genomes < space.cardinalities).all()
        # Drawn again from all options, the published one among them: of n options (n - 1) / n draws differ.
        expected = share * (1 - 1 / space.cardinalities)
        assert np.abs((genomes != largest).mean(0) - expected).max() < 0.04  # five standard errors
    mixed = near_largest(space, np.array([0.0, 1.0, 0.0]), rng)
    assert [bool((genome == largest).all()) for genome in mixed] == [True, False, True]


def test_a_space_without_a_largest_is_refused() -> None:
    with pytest.raises(SettingsError, match="whose paths have a largest, got 'darts'"):
        near_largest(load_space("darts"), np.zeros(1), np.random.default_rng(0))

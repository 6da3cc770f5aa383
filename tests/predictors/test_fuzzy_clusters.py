from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.predictors.fuzzy_clusters import FuzzyClusters, fit_fuzzy_clusters


def test_memberships_known_by_hand():
    clusters = FuzzyClusters(np.array([[0.0], [1.0]]), fuzzifier=2.0)
    shares = clusters.memberships(np.array([[0.25], [0.5], [1.0]]))
    np.testing.assert_array_max_ulp(shares, np.array([[0.9, 0.1], [0.5, 0.5], [0.0, 1.0]]), maxulp=1)
    np.testing.assert_array_equal(FuzzyClusters(np.zeros((2, 1))).memberships(np.zeros((1, 1))), [[0.5, 0.5]])


@given(seed=st.integers(0, 999), clusters=st.integers(1, 5), fuzzifier=st.floats(1.01, 5))
def test_memberships_sum_to_one(seed, clusters, fuzzifier):
    rng = np.random.default_rng(seed)
    shares = FuzzyClusters(rng.normal(size=(clusters, 3)), fuzzifier).memberships(rng.normal(size=(20, 3)))
    np.testing.assert_allclose(shares.sum(axis=1), 1)
    assert (shares >= 0).all()


def test_a_fuzzifier_towards_one_gives_hard_clusters():
    points = np.random.default_rng(0).normal(size=(50, 2))
    centers = np.array([[-1.0, 0.0], [1.0, 0.0], [0.0, 2.0]])
    shares = FuzzyClusters(centers, 1.001).memberships(points)
    nearest = ((points[:, None] - centers) ** 2).sum(axis=2).argmin(axis=1)
    np.testing.assert_allclose(shares, np.eye(3)[nearest], atol=1e-3)


def test_clusters_are_found_and_the_same_each_time():
    rng = np.random.default_rng(1)
    middles = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])
    points = np.concatenate([middle + rng.normal(size=(30, 2)) for middle in middles])
    found = fit_fuzzy_clusters(points, 3)
    distances = np.sqrt(((found.centers[:, None] - middles) ** 2).sum(axis=2))
    assert sorted(distances.argmin(axis=1)) == [0, 1, 2]
    assert distances.min(axis=1).max() < 0.6
    np.testing.assert_array_equal(found.centers, fit_fuzzy_clusters(points, 3).centers)
    for clusters, fuzzifier in ((0, 2.0), (91, 2.0), (2, 1.0)):
        with pytest.raises(ValueError, match="Expected 1 to 90 clusters"):
            fit_fuzzy_clusters(points, clusters, fuzzifier=fuzzifier)

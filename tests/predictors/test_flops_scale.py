from __future__ import annotations

import numpy as np

from evonas.predictors.flops_scale import fit_flops_scale


def test_values_known_by_hand():
    """log10(99 + 1) + 1 is 3 and log10(999 + 1) + 1 is 4: ratios 20 and 22, mean 21, deviation 1."""
    values, flops = np.array([60.0, 88.0]), np.array([99, 999])
    scale = fit_flops_scale(values, flops)
    assert (scale.mean, scale.sd) == (21.0, 1.0)
    np.testing.assert_allclose(scale.forward(values, flops), [-1, 1])
    np.testing.assert_allclose(scale.back(np.array([0.0]), np.array([99_999])), [126])


def test_it_comes_back_and_equal_values_do_no_harm():
    rng = np.random.default_rng(0)
    values, flops = rng.uniform(0, 100, 50), rng.uniform(1e6, 1e9, 50)
    scale = fit_flops_scale(values[:20], flops[:20])
    np.testing.assert_allclose(scale.back(scale.forward(values, flops), flops), values)
    assert fit_flops_scale(np.full(3, 5.0), np.full(3, 9.0)).sd == 1.0

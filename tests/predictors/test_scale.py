from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import spearmanr

from evonas.predictors import ScoreScale


def test_scores_go_back_to_values():
    values = np.random.default_rng(0).lognormal(size=50)
    scale = ScoreScale(values)
    np.testing.assert_allclose(scale.back(scale.scores), values)
    assert (np.diff(scale.back(np.linspace(-6, 6, 200))) > 0).all()
    assert spearmanr(scale.scores, values)[0] == pytest.approx(1.0)


def test_a_threshold_lies_between_what_holds_and_what_does_not():
    scale = ScoreScale(np.array([0.0, 0.0, 0.0, 0.2, 0.9]))
    assert scale.scores[0] < scale.threshold(0.0) < scale.scores[3]
    assert scale.threshold(-1.0) == -np.inf
    assert scale.threshold(1.0) == np.inf

"""Forests of regression trees, by scikit-learn; a left-out prediction is that of the trees that did not see it."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np

# scikit-learn takes a second to import, which a search without predictors need not wait for.

__all__ = ["Forest"]


class Forest:
    """Random forest (Breiman, Machine Learning 2001) or extremely randomized trees (Geurts et al., ibid. 2006).

    The standard deviation joins the disagreement of the trees and the error on values left out.

    Args:
        extra: Whether thresholds are drawn at random.
        trees: Number of trees.
        leaf: Fewest values in a leaf.
        seed: Of what is drawn.
    """

    max_values = 10**5

    def __init__(self, *, extra: bool = False, trees: int = 100, leaf: int = 1, seed: int = 0) -> None:
        from sklearn.ensemble import ExtraTreesRegressor, RandomForestRegressor

        kind = ExtraTreesRegressor if extra else RandomForestRegressor
        self._forest: Any = kind(trees, min_samples_leaf=leaf, bootstrap=True, oob_score=True, random_state=seed)
        self._left_out_error = 0.0

    def fit(self, features: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn from two values or more; one that every tree has seen is left out as 0, the mean."""
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # that a value was seen by all trees
            self._forest.fit(features, values)
        left_out = np.asarray(self._forest.oob_prediction_, dtype=np.float64)
        self._left_out_error = float(np.sqrt(np.mean((values - left_out) ** 2)))
        return left_out

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations over the trees."""
        single = features.astype(np.float32)  # as trees read them, converted once and not by each
        votes = np.stack([tree.predict(single, check_input=False) for tree in self._forest.estimators_])
        return votes.mean(axis=0), np.hypot(votes.std(axis=0), self._left_out_error) + 1e-6

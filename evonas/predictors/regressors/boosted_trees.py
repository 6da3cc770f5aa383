"""Gradient-boosted trees, by LightGBM where it is installed."""

from __future__ import annotations

from typing import Any

import numpy as np

__all__ = ["BoostedTrees"]


class BoostedTrees:
    """Gradient-boosted trees; those of five folds vote, each on what the others learned from (Ke et al., NeurIPS 2017).

    The standard deviation joins the error on values left out and the disagreement of the folds.
    """

    max_values = 10**6
    folds = 5

    def __init__(self) -> None:
        self._boosters: list[Any] = []
        self._left_out_error = 0.0

    def fit(self, features: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn; a left-out prediction is that of the fold that a row was left out of."""
        from lightgbm import Dataset, train

        settings = {
            "num_leaves": 8, "min_data_in_leaf": 3, "learning_rate": 0.1, "seed": 0, "num_threads": 1,
            "deterministic": True, "force_row_wise": True, "verbosity": -1,
        }  # fmt: skip
        left_out, fold = np.empty(len(values)), np.arange(len(values)) % self.folds
        for k in range(min(self.folds, len(values))):
            rest = fold != k if len(values) > 1 else fold == k
            self._boosters.append(train(settings, Dataset(features[rest], values[rest]), 100))
            left_out[fold == k] = self._boosters[-1].predict(features[fold == k])
        self._left_out_error = float(np.sqrt(np.mean((values - left_out) ** 2)))
        return left_out

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations over the folds."""
        votes = np.stack([booster.predict(features) for booster in self._boosters])
        return votes.mean(axis=0), np.hypot(votes.std(axis=0), self._left_out_error) + 1e-6

"""Bayesian ridge regression, by scikit-learn; left-out predictions in closed form, which cost no second fit."""

from __future__ import annotations

import numpy as np

# scikit-learn takes a second to import, which a search without predictors need not wait for.

__all__ = ["Ridge"]


class Ridge:
    """Linear regression whose penalty is set by maximum likelihood (MacKay, Neural Computation 1992)."""

    max_values = 10**6

    def __init__(self) -> None:
        from sklearn.linear_model import BayesianRidge

        self._ridge = BayesianRidge()

    def fit(self, features: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn; left-out predictions keep to the penalty."""
        ridge = self._ridge.fit(features, values)
        left, singular, _ = np.linalg.svd(features - features.mean(axis=0), full_matrices=False)
        shrunk = singular**2 / (singular**2 + ridge.lambda_ / ridge.alpha_)
        leverage = np.minimum((left**2 * shrunk).sum(axis=1) + 1 / len(values), 1 - 1e-6)
        left_out: np.ndarray = values - (values - ridge.predict(features)) / (1 - leverage)
        return left_out

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations."""
        predicted: tuple[np.ndarray, np.ndarray] = self._ridge.predict(features, return_std=True)
        return predicted

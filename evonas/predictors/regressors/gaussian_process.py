"""Gaussian process regression, by scikit-learn; left-out predictions in closed form, which cost no second fit."""

from __future__ import annotations

import warnings

import numpy as np

# scikit-learn takes a second to import, which a search without predictors need not wait for.

__all__ = ["GaussianProcess"]


class GaussianProcess:
    """Gaussian process: Matérn kernel of smoothness 3/2 and noise; length, amplitude and noise by maximum likelihood.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapter 2 and equation 5.12.
    """

    max_values = 3000
    tuning_values = 300
    """Number of values that hyperparameters are tuned on; of more, as many evenly spaced ones."""

    def __init__(self) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        kernel = ConstantKernel(1.0, (0.05, 50.0)) * Matern(2.0, (0.2, 30.0), nu=1.5) + WhiteKernel(0.05, (1e-4, 1.0))
        self._process = GaussianProcessRegressor(kernel)

    def fit(self, features: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn, hyperparameters too; left-out predictions keep to these."""
        from scipy.linalg import cho_solve
        from sklearn.exceptions import ConvergenceWarning

        few = np.unique(np.linspace(0, len(values) - 1, min(self.tuning_values, len(values))).astype(int))
        with warnings.catch_warnings():
            # A bound that is reached, or a tuning cut short, is no fault: left-out predictions measure the fit.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process.fit(features[few], values[few])
        if len(few) < len(values):
            self._process.set_params(kernel=self._process.kernel_, optimizer=None).fit(features, values)
        inverse = cho_solve((self._process.L_, True), np.eye(len(values)))
        left_out: np.ndarray = values - self._process.alpha_ / np.diag(inverse)
        return left_out

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations."""
        predicted: tuple[np.ndarray, np.ndarray] = self._process.predict(features, return_std=True)
        return predicted

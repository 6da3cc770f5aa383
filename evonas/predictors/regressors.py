"""Regressors: from columns to a value and how far it may be off, by scikit-learn and, where installed, LightGBM.

Each says besides what it would have guessed of every value without having seen it: those of scikit-learn leave one
out in closed form, which costs no second fit.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Protocol

import numpy as np

# scikit-learn takes a second to import, which a search without predictors need not wait for.

__all__ = ["Boosting", "GaussianProcess", "Regressor", "Ridge", "regressors"]


class Regressor(Protocol):
    """Learns a function of columns."""

    most: int
    """Values from which it can still be learnt in reasonable time."""

    def fit(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn from columns (n, d) and values (n,) of mean 0; return a guess of each without itself, shape (n,)."""

    def predict(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of a further measurement, each shape (k,)."""


class GaussianProcess:
    """Matérn kernel of smoothness 3/2 and noise; length, amplitude and noise by maximum likelihood.

    Source: Rasmussen and Williams, Gaussian Processes for Machine Learning (2006), chapter 2 and equation 5.12.
    """

    most = 3000
    tuned = 300
    """Values that hyperparameters are tuned on; of more, as many evenly spaced ones."""

    def __init__(self) -> None:
        from sklearn.gaussian_process import GaussianProcessRegressor
        from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

        kernel = ConstantKernel(1.0, (0.05, 50.0)) * Matern(2.0, (0.2, 30.0), nu=1.5) + WhiteKernel(0.05, (1e-4, 1.0))
        self._process = GaussianProcessRegressor(kernel)

    def fit(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn, hyperparameters too; the guesses keep to these."""
        from scipy.linalg import cho_solve
        from sklearn.exceptions import ConvergenceWarning

        few = np.unique(np.linspace(0, len(values) - 1, min(self.tuned, len(values))).astype(int))
        with warnings.catch_warnings():
            # A bound that is reached, or a search for hyperparameters cut short, is no fault: guesses judge the fit.
            warnings.simplefilter("ignore", ConvergenceWarning)
            self._process.fit(columns[few], values[few])
        if len(few) < len(values):
            self._process.set_params(kernel=self._process.kernel_, optimizer=None).fit(columns, values)
        inverse = cho_solve((self._process.L_, True), np.eye(len(values)))
        guesses: np.ndarray = values - self._process.alpha_ / np.diag(inverse)
        return guesses

    def predict(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations."""
        found: tuple[np.ndarray, np.ndarray] = self._process.predict(columns, return_std=True)
        return found


class Ridge:
    """Linear regression whose penalty is found by maximum likelihood (MacKay, Neural Computation 1992)."""

    most = 10**6

    def __init__(self) -> None:
        from sklearn.linear_model import BayesianRidge

        self._ridge = BayesianRidge()

    def fit(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn; the guesses keep to the penalty."""
        ridge = self._ridge.fit(columns, values)
        left, singular, _ = np.linalg.svd(columns - columns.mean(axis=0), full_matrices=False)
        shrunk = singular**2 / (singular**2 + ridge.lambda_ / ridge.alpha_)
        leverage = np.minimum((left**2 * shrunk).sum(axis=1) + 1 / len(values), 1 - 1e-6)
        guesses: np.ndarray = values - (values - ridge.predict(columns)) / (1 - leverage)
        return guesses

    def predict(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations."""
        found: tuple[np.ndarray, np.ndarray] = self._ridge.predict(columns, return_std=True)
        return found


class Boosting:
    """Gradient-boosted trees; those of five folds vote, each on what the others learnt from (Ke et al., NeurIPS 2017).

    What the folds miss of values they have not seen, and how far they disagree, is what is not known.
    """

    most = 10**6
    folds = 5

    def __init__(self) -> None:
        self._boosters: list[Any] = []
        self._missed = 0.0

    def fit(self, columns: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn; a guess is that of the fold that a row was left out of."""
        from lightgbm import Dataset, train

        settings = {
            "num_leaves": 8, "min_data_in_leaf": 3, "learning_rate": 0.1, "seed": 0, "num_threads": 1,
            "deterministic": True, "force_row_wise": True, "verbosity": -1,
        }  # fmt: skip
        guesses, fold = np.empty(len(values)), np.arange(len(values)) % self.folds
        for k in range(min(self.folds, len(values))):
            rest = fold != k if len(values) > 1 else fold == k
            self._boosters.append(train(settings, Dataset(columns[rest], values[rest]), 100))
            guesses[fold == k] = self._boosters[-1].predict(columns[fold == k])
        self._missed = float(np.sqrt(np.mean((values - guesses) ** 2)))
        return guesses

    def predict(self, columns: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations over the folds."""
        votes = np.stack([booster.predict(columns) for booster in self._boosters])
        return votes.mean(axis=0), np.hypot(votes.std(axis=0), self._missed) + 1e-6


_known: dict[str, Callable[[], Regressor]] = {"gaussian-process": GaussianProcess, "ridge": Ridge}
if find_spec("lightgbm"):
    _known["lightgbm"] = Boosting
regressors: Mapping[str, Callable[[], Regressor]] = MappingProxyType(_known)
"""By name, in the order of preference among equals."""

"""Co-kriging: one Gaussian process over fidelities, f_i = rho_i f_{i-1} + delta_i, and what to measure next by it.

References:
    .. [Kennedy2000] Kennedy, O'Hagan: Predicting the Output from a Complex Computer Code when Fast Approximations are
       Available, Biometrika 87(1), 2000.
    .. [Rasmussen2006] Rasmussen, Williams: Gaussian Processes for Machine Learning, MIT Press 2006.
    .. [Trofimov2020] Trofimov et al.: Multi-fidelity Neural Architecture Search with Knowledge Distillation, arXiv
       2006.08341.
    .. [Cohn1996] Cohn, Ghahramani, Jordan: Active Learning with Statistical Models, JAIR 4, 1996.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import SettingsError

# scipy's solvers take a while to import, which a search without anchors need not wait for.

__all__ = ["CoKriging", "choose_fidelities"]

STARTS = (1.0, 0.3, 3.0)
"""First lengths of the search for hyperparameters, in median distances."""
LOG_RANGE = 5.0
"""Standard deviation of the lognormal priors, wide: they keep hyperparameters in place where values say nothing."""
NOISE = 0.01
"""Median of the prior of the noise, as a share of the values' variance."""


class CoKriging:
    """Gaussian processes of several fidelities, each a multiple of the one below and a process of its own.

    ``f_0 = delta_0`` and ``f_i = rho_i f_{i-1} + delta_i`` with independent processes delta of a Matérn kernel of
    smoothness 5/2 each ([Kennedy2000]_ equations 1 and 2, two levels there called f_low and f_high). Means are
    constants per level with a flat prior, so that their uncertainty is counted; hyperparameters maximize the
    restricted likelihood ([Rasmussen2006]_ equations 2.41 to 2.45) under wide lognormal priors.

    Attributes:
        levels: Fidelities that were seen, ascending; the last is what is predicted.
        rho: Factor of each level but the first to the one before, shape ``(len(levels) - 1,)``.
        noise: Standard deviation of a measurement at each level, in the values' unit.
    """

    def __init__(self) -> None:
        self.levels: tuple[int, ...] = ()
        self.rho = np.zeros(0)
        self.noise = np.zeros(0)

    def fit(self, columns: np.ndarray, levels: np.ndarray, values: np.ndarray) -> CoKriging:
        """Learn from measurements; return itself.

        Args:
            columns: What is known of each, shape ``(n, d)``, columns of about equal weight.
            levels: Fidelity of each, whole numbers, shape ``(n,)``.
            values: What was measured, finite, shape ``(n,)``.

        Raises:
            SettingsError: Fewer than two measurements.
        """
        if len(values) < 2:
            raise SettingsError(f"Expected two measurements or more to learn a process from, got {len(values)}")
        from scipy.optimize import minimize
        from threadpoolctl import threadpool_limits

        self.levels = tuple(np.unique(levels).tolist())
        self._columns, self._at = np.asarray(columns, dtype=float), np.searchsorted(self.levels, levels)
        self._middle = float(np.mean(values))
        self._unit = float(np.std(values)) or 1.0
        self._values = (values - self._middle) / self._unit
        distances = _distances(self._columns, self._columns)
        apart = distances[np.triu_indices(len(values), 1)]
        self._length = float(np.median(apart[apart > 0])) if (apart > 0).any() else 1.0
        k = len(self.levels)
        with threadpool_limits(1, user_api="blas"):  # sums in one order, whatever the number of threads
            found = [
                minimize(self._loss, self._first(start), args=(distances,), method="L-BFGS-B", bounds=_bounds(k))
                for start in STARTS
            ]
            self._theta = min(found, key=lambda one: one.fun).x
            self._solve(self._theta, distances)
        self.rho = self._theta[3 * k :]
        self.noise = np.exp(self._theta[2 * k : 3 * k] / 2) * self._unit
        return self

    def predict(self, columns: np.ndarray, level: int | None = None) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of a fidelity without noise, each shape ``(m,)``.

        Args:
            columns: Shape ``(m, d)``.
            level: One that was seen; by default the highest.
        """
        at = np.full(len(columns), self.levels.index(self.levels[-1] if level is None else level))
        seen, left = self._seen(columns, at)
        mean = seen.T @ self._weights + self._means[at]
        variance = self._prior(at) - (seen**2).sum(axis=0)
        variance = variance + np.einsum("ij,jk,ik->i", left, self._mean_covariance, left)
        return mean * self._unit + self._middle, np.sqrt(np.maximum(variance, 0.0)) * self._unit

    def covariance(self, left: np.ndarray, left_at: int, right: np.ndarray, right_at: int) -> np.ndarray:
        """Return posterior covariances of two fidelities at two lists of columns, shape ``(n, m)``.

        Args:
            left: Shape ``(n, d)``.
            left_at: Its fidelity, one that was seen.
            right: Shape ``(m, d)``.
            right_at: Likewise.
        """
        a, b = self.levels.index(left_at), self.levels.index(right_at)
        levels_of = np.full(len(left), a), np.full(len(right), b)
        prior = self._covariance(self._theta, _distances(left, right), *levels_of)
        (first, rest), (second, other) = self._seen(left, levels_of[0]), self._seen(right, levels_of[1])
        posterior = prior - first.T @ second + rest @ self._mean_covariance @ other.T
        return np.asarray(posterior * self._unit**2)

    def _first(self, length: float) -> np.ndarray:
        """Return hyperparameters to start from: logs of variances, lengths and noises per level, then factors."""
        k = len(self.levels)
        logs = [np.zeros(k), np.full(k, np.log(length * self._length)), np.full(k, np.log(NOISE))]
        logs[0][1:] = np.log(0.1)
        return np.concatenate([*logs, np.ones(k - 1)])

    def _loss(self, theta: np.ndarray, distances: np.ndarray) -> float:
        """Return minus the logarithm of the posterior of hyperparameters, but for a constant."""
        try:
            fit = self._solve(theta, distances)
        except np.linalg.LinAlgError:
            return 1e10
        k = len(self.levels)
        asked = self._first(1.0)[: 3 * k]
        return fit + 0.5 * float((((theta[: 3 * k] - asked) / LOG_RANGE) ** 2).sum())

    def _solve(self, theta: np.ndarray, distances: np.ndarray) -> float:
        """Solve for weights and means at hyperparameters; return minus the restricted log-likelihood."""
        from scipy.linalg import cholesky, solve_triangular

        k = len(self.levels)
        covariance = self._covariance(theta, distances, self._at, self._at)
        covariance[np.diag_indices_from(covariance)] += np.exp(theta[2 * k : 3 * k])[self._at] + 1e-10
        self._root = cholesky(covariance, lower=True)
        self._trend = solve_triangular(self._root, np.eye(k)[self._at], lower=True)
        values = solve_triangular(self._root, self._values, lower=True)
        precision = self._trend.T @ self._trend
        self._mean_covariance = np.linalg.inv(precision)
        self._means = self._mean_covariance @ (self._trend.T @ values)
        self._weights = values - self._trend @ self._means
        logs = 2 * np.log(np.diag(self._root)).sum() + np.linalg.slogdet(precision)[1]
        return 0.5 * float(self._weights @ self._weights + logs)

    def _seen(self, columns: np.ndarray, at: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return covariances with what was measured, whitened, shape ``(n, m)``; and of means what is not known."""
        from scipy.linalg import solve_triangular

        across = self._covariance(self._theta, _distances(columns, self._columns), at, self._at)
        seen = solve_triangular(self._root, across.T, lower=True)
        return seen, np.eye(len(self.levels))[at] - seen.T @ self._trend

    def _prior(self, at: np.ndarray) -> np.ndarray:
        variances = np.exp(self._theta[: len(self.levels)])
        return np.asarray((self._factors(self._theta) ** 2 @ variances)[at])

    def _covariance(self, theta: np.ndarray, distances: np.ndarray, left: np.ndarray, right: np.ndarray) -> np.ndarray:
        """Return prior covariances; `left` and `right` are levels by their number among those seen."""
        k = len(self.levels)
        factors = self._factors(theta)
        found = np.zeros(distances.shape)
        for j in range(k):
            shared = np.outer(factors[left, j], factors[right, j]) * np.exp(theta[j])
            found += shared * _matern(distances, np.exp(theta[k + j]))
        return found

    def _factors(self, theta: np.ndarray) -> np.ndarray:
        """Return how much each process adds to each level, shape ``(levels, processes)``: products of factors."""
        k = len(self.levels)
        rho = theta[3 * k :]
        factors = np.eye(k)
        for i in range(1, k):
            factors[i, :i] = rho[i - 1] * factors[i - 1, :i]
        return factors


def choose_fidelities(
    process: CoKriging,
    columns: np.ndarray,
    costs: np.ndarray,
    n: int,
    reference: np.ndarray | None = None,
) -> list[tuple[int, int]]:
    """Return what to measure next, one after another: pairs of candidate and level by gain per unit of cost.

    The gain of a measurement is by how much it lowers the variance of the highest fidelity, on average over a
    reference sample ([Cohn1996]_); it does not depend on what will be measured, so that several are chosen before any
    is known. Cost is multiply-adds x images x epochs or the like, never seconds ([Trofimov2020]_ divide by it too).

    Args:
        process: What is known.
        columns: Candidates, shape ``(m, d)``.
        costs: Of measuring each candidate at each of the process's levels, shape ``(m, levels)``; infinite where it
            cannot be.
        n: How many at most; a candidate may be chosen again at a higher level.
        reference: Columns over which the gain is averaged, shape ``(r, d)``; by default the candidates.

    Returns:
        At most n pairs of a row of `columns` and a level.
    """
    reference = columns if reference is None else reference
    top, m = process.levels[-1], len(columns)
    # Every (candidate, level) is one row; what is chosen is conditioned on by a step of a Cholesky factorization.
    toward = np.concatenate([process.covariance(columns, level, reference, top) for level in process.levels])
    joint = np.block([[process.covariance(columns, a, columns, b) for b in process.levels] for a in process.levels])
    noise = np.repeat(process.noise**2, m)
    price, chosen = costs.T.reshape(-1).astype(float), []
    for _ in range(n):
        variance = np.maximum(np.diag(joint), 0.0) + noise
        gain = (toward**2).mean(axis=1) / np.maximum(variance, 1e-30)
        rate = np.where(np.isfinite(price), gain / price, -np.inf)
        row = int(rate.argmax())
        if not rate[row] > 0:
            break
        chosen.append((row % m, int(process.levels[row // m])))
        share = joint[:, row] / variance[row]
        toward = toward - np.outer(share, toward[row])
        joint = joint - np.outer(share, joint[row])
        price[[level * m + row % m for level in range(row // m + 1)]] = np.inf  # each level once, none below it
    return chosen


def _bounds(levels: int) -> Sequence[tuple[float, float]]:
    logs = [(1e-4, 1e3), (1e-3, 1e3), (1e-8, 10.0)]
    return [*(tuple(np.log(pair)) for pair in logs for _ in range(levels)), *[(-20.0, 20.0)] * (levels - 1)]


def _distances(left: np.ndarray, right: np.ndarray) -> np.ndarray:
    from scipy.spatial.distance import cdist

    return np.asarray(cdist(left, right))


def _matern(distances: np.ndarray, length: float) -> np.ndarray:
    """Return Matérn correlations of smoothness 5/2 ([Rasmussen2006]_ equation 4.17)."""
    scaled = np.sqrt(5.0) * distances / length
    return np.asarray((1.0 + scaled + scaled**2 / 3.0) * np.exp(-scaled))

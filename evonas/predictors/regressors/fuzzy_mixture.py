"""Mixture of regressors by fuzzy clusters of what they read: one for each kind of architecture, softly joined."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from evonas.predictors.fuzzy_clusters import FuzzyClusters, fit_fuzzy_clusters
from evonas.predictors.regressors.regressor import Regressor

__all__ = ["FuzzyMixture"]

MIN_MEMBERS = 8
"""Members below which a cluster learns from all."""


class FuzzyMixture:
    """Prediction sum_c u_c(x) f_c(x), u the memberships of fuzzy c-means and f_c a regressor of the cluster's members.

    GENNAPE's soft mixture (Mills et al., AAAI 2023) around any regressor. A cluster's members are those that belong
    to it by an equal share or more; with fewer than 8 its regressor learns from all.

    Args:
        make: Makes the regressor of a cluster.
        clusters: Number of clusters; fewer values make fewer, at least 8 for each.
        seed: Of the clusters.
    """

    max_values = 5000

    def __init__(self, make: Callable[[], Regressor], clusters: int = 3, seed: int = 0) -> None:
        self._make, self._count, self._seed = make, clusters, seed
        self._heads: list[tuple[Regressor, float]] = []
        self._clusters: FuzzyClusters | None = None

    def fit(self, features: np.ndarray, values: np.ndarray) -> np.ndarray:
        """Learn; left-out predictions are mixed of those of the clusters."""
        count = max(1, min(self._count, len(values) // MIN_MEMBERS))
        self._clusters = fit_fuzzy_clusters(features, count, seed=self._seed)
        shares = self._clusters.memberships(features)
        self._heads = []
        mixed = np.zeros(len(values))
        for c in range(count):
            members = shares[:, c] >= 1 / count
            if members.sum() < MIN_MEMBERS:
                members = np.ones(len(values), dtype=bool)
            mean = float(values[members].mean())
            head = self._make()
            predicted = np.empty(len(values))
            predicted[members] = head.fit(features[members], values[members] - mean) + mean
            if not members.all():
                predicted[~members] = head.predict(features[~members])[0] + mean
            self._heads.append((head, mean))
            mixed += shares[:, c] * predicted
        return mixed

    def predict(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return means and standard deviations of the mixture: of its parts, and of how far they disagree.

        Raises:
            RuntimeError: Nothing was learned.
        """
        if self._clusters is None:
            raise RuntimeError("Expected a fitted mixture: call fit() first")
        shares = self._clusters.memberships(features).T
        parts = [(means + shift, sds) for head, shift in self._heads for means, sds in [head.predict(features)]]
        means, sds = (np.stack([part[i] for part in parts]) for i in (0, 1))
        mean: np.ndarray = (shares * means).sum(axis=0)
        return mean, np.sqrt((shares * (sds**2 + (means - mean) ** 2)).sum(axis=0))

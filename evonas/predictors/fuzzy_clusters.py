"""Fuzzy c-means: clusters of which every point is a member to some degree (Bezdek, 1981)."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

__all__ = ["FuzzyClusters", "fit_fuzzy_clusters"]

FUZZIFIER = 2.0
TOLERANCE = 1e-6
MAX_STEPS = 300


@dataclass(frozen=True)
class FuzzyClusters:
    """Centers of clusters.

    Attributes:
        centers: Shape ``(c, d)``.
        fuzzifier: The exponent m > 1; towards 1 each point is a member of the nearest cluster alone.
    """

    centers: np.ndarray
    fuzzifier: float = FUZZIFIER

    def memberships(self, points: np.ndarray) -> np.ndarray:
        """Return u_c(x) = 1 / sum_j (|x - v_c| / |x - v_j|)^(2 / (m - 1)), shape ``(n, c)``; rows sum to 1.

        A point on a center is its member alone; on several equal ones, of each alike.

        Args:
            points: Shape ``(n, d)``.
        """
        squares = ((points[:, None, :] - self.centers[None]) ** 2).sum(axis=2)
        on = squares == 0
        with np.errstate(over="ignore", divide="ignore", invalid="ignore"):  # a power beyond floats: no membership
            ratios = (squares[:, :, None] / squares[:, None, :]) ** (1 / (self.fuzzifier - 1))
            shares = 1 / ratios.sum(axis=2)
        alike = on / np.maximum(on.sum(axis=1, keepdims=True), 1)
        found: np.ndarray = np.where(on.any(axis=1, keepdims=True), alike, shares)
        return found


def fit_fuzzy_clusters(
    points: np.ndarray, clusters: int, *, fuzzifier: float = FUZZIFIER, seed: int = 0
) -> FuzzyClusters:
    """Return the clusters that minimize the sum of u^m |x - v|², by turns of centers and memberships.

    Args:
        points: Shape ``(n, d)``, as many as clusters or more.
        clusters: Number of clusters, from 1.
        fuzzifier: The exponent m > 1.
        seed: Of the points that centers start from, the first at random and each further one the farthest.
    """
    if not 1 <= clusters <= len(points) or fuzzifier <= 1:
        raise ValueError(
            f"Expected 1 to {len(points)} clusters and a fuzzifier above 1, got {clusters} and {fuzzifier}"
        )
    chosen = [int(np.random.default_rng(seed).integers(len(points)))]
    while len(chosen) < clusters:
        squares = ((points[:, None, :] - points[chosen][None]) ** 2).sum(axis=2).min(axis=1)
        chosen.append(int(squares.argmax()))
    found = FuzzyClusters(points[chosen].astype(np.float64), fuzzifier)
    scale = float(np.abs(points).max()) or 1.0
    for _ in range(MAX_STEPS):
        weights = found.memberships(points) ** fuzzifier
        total = weights.sum(axis=0)[:, None]
        centers = np.where(total > 0, weights.T @ points / np.where(total > 0, total, 1.0), found.centers)
        moved = float(np.abs(centers - found.centers).max())
        found = FuzzyClusters(centers, fuzzifier)
        if moved <= TOLERANCE * scale:
            break
    return found

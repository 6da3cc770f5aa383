"""Stacking: how much each part of the ranker counts, by how well it predicts anchors that it has not seen."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from scipy.optimize import nnls

__all__ = ["error_shares", "pulled_weights"]

SHARPNESS = 2
"""Power of the inverse mean squared error by which regressors share."""


def error_shares(left_out: Mapping[str, np.ndarray], scores: np.ndarray) -> dict[str, float]:
    """Return shares of regressors that sum to 1, the larger the better each predicts anchors without having seen them.

    Of regressors that err alike the mean errs less than each, and few anchors cannot distinguish them; one that errs
    much more gets next to nothing.

    Args:
        left_out: Left-out predictions by name, each of shape ``(n,)``; at least one.
        scores: What they predict.
    """
    errors = np.array([np.mean((column - scores) ** 2) for column in left_out.values()])
    shares = (max(float(errors.min()), 1e-12) / np.maximum(errors, 1e-12)) ** SHARPNESS
    return dict(zip(left_out, (shares / shares.sum()).tolist(), strict=True))


def pulled_weights(
    columns: Mapping[str, np.ndarray], scores: np.ndarray, pull: Mapping[str, float], strength: float
) -> dict[str, float]:
    """Return weights of 0 or more by which a sum of columns predicts scores, pulled to what is expected of them.

    They minimize the squared error and `strength` times the squared distance from `pull`: as if so many further
    anchors, at which every column is 1 apart from the others, bore that out (stacked regression, Breiman, Machine
    Learning 1996, with a prior). The more anchors there are, the less the pull counts, and a column that they do not
    bear out gets 0.

    Args:
        columns: By name, each of shape ``(n,)``.
        scores: What is predicted.
        pull: Weight that is expected of each.
        strength: Number of anchors that the pull counts for, 0 or more.
    """
    ridge = np.sqrt(strength) * np.eye(len(columns))
    rows = np.concatenate([np.stack([*columns.values()], axis=1), ridge])
    weights, _ = nnls(rows, np.concatenate([scores, ridge @ np.array([pull[name] for name in columns])]))
    return dict(zip(columns, weights.tolist(), strict=True))

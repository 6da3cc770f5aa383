"""Joint score: several scores that cost no training, made one number by their ranks in a reference sample."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from scipy.special import log_ndtr

from evonas.errors import SettingsError
from evonas.predictors.ranker.normal_scale import NormalScale

__all__ = ["FREE_SCORES", "JointScore"]

FREE_SCORES: Mapping[str, float] = MappingProxyType({"flops": 1.0, "swap": 2.0, "synflow": 1.0})
"""Scores that ``free`` joins, as far as they are known, and how often each counts; more is better for each."""


class JointScore:
    r"""Sum over scores of the logarithm of the share of a reference sample that scores worse.

    .. math:: J(x) = \sum_k w_k \log \Phi(z_k(x))

    with w_k how often score k counts and z_k its normal quantile (`NormalScale`), so that Phi(z_k) is its rank as a
    share, smooth between and beyond the sample's values. A sum of logarithms of ranks asks that no score be poor,
    rather than that one be excellent (as in AZ-NAS, Lee and Ham, CVPR 2024). Standardized: mean 0 and deviation 1 on
    the sample. No truth is used.

    Args:
        reference: Scores of the reference sample by name, each of shape ``(n,)``, more is better; NaN counts as worse
            than all.
        weights: How often each counts, 1 where it is not named.

    Raises:
        SettingsError: No scores.
    """

    def __init__(self, reference: Mapping[str, np.ndarray], weights: Mapping[str, float] = FREE_SCORES) -> None:
        if not reference:
            raise SettingsError(f"Expected scores to join, some of {', '.join(FREE_SCORES)}, got none.")
        self._weights = {name: weights.get(name, 1.0) for name in reference}
        self._scales = {name: NormalScale(values) for name, values in reference.items()}
        joined = self._sum(reference)
        spread = float(joined.std())
        self._mean, self._spread = float(joined.mean()), spread if spread > 0 else 1.0

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the scores that it joins."""
        return tuple(self._scales)

    def __call__(self, scores: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the joint score of architectures, shape ``(n,)``.

        Args:
            scores: Each of `names`, shape ``(n,)``.
        """
        return (self._sum(scores) - self._mean) / self._spread

    def _sum(self, scores: Mapping[str, np.ndarray]) -> np.ndarray:
        logs = [self._weights[name] * log_ndtr(scale(scores[name])) for name, scale in self._scales.items()]
        return np.asarray(np.sum(logs, axis=0))

"""General predictor: a score of architectures of any space, learned from trainings in others."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.errors import SettingsError
from evonas.predictors.encoders.traits import TRAITS
from evonas.predictors.ranker.normal_scale import NormalScale
from evonas.predictors.scale import normal_scores

__all__ = ["GENERAL_TRAITS", "GeneralPredictor", "TraitTable", "fit_general"]

GENERAL_TRAITS = ("flops", "depth", "activations", "spatial", "kernels", "even spatial", "even params")
"""Traits that it reads. The others rank well in one space and badly in another: parameters of NAS-Bench-Macro lie
where an identity changes the shape, fields and values in memory where images are large."""
PULL = 0.3
"""Strength of the pull to equal weights, relative to what all tables say together."""


@dataclass(frozen=True)
class TraitTable:
    """Trained architectures of one space.

    Attributes:
        traits: Their `TRAITS`, shape ``(n, len(TRAITS))``.
        values: What their trainings reached, more is better, finite, shape ``(n,)``.
    """

    traits: np.ndarray
    values: np.ndarray

    def __post_init__(self) -> None:
        if len(self.values) < 10 or np.ptp(self.values) == 0:
            raise SettingsError(f"Expected ten or more rows of different values to learn from, got {len(self.values)}")


class GeneralPredictor:
    r"""Weighted sum of traits, each as a normal quantile of its rank among architectures of the same space.

    .. math:: g(x) = \sum_k w_k \Phi^{-1}(p_k(x))

    with p_k(x) the share of a reference sample of the space whose trait k is less (`NormalScale`). What is large and
    what is small is a space's own matter: only the ranks carry over.

    Args:
        weights: Weight of each trait by name, some of `TRAITS`.
    """

    def __init__(self, weights: Mapping[str, float]) -> None:
        self.weights = dict(weights)
        self._columns = [TRAITS.index(name) for name in weights]
        self._values = np.array(list(weights.values()), dtype=np.float64)

    def __call__(self, traits: np.ndarray, reference: np.ndarray) -> np.ndarray:
        """Return scores of architectures, more is better, shape ``(n,)``.

        Args:
            traits: Their `TRAITS`, shape ``(n, len(TRAITS))``.
            reference: Those of a sample of the same space on the same skeleton, shape ``(m, len(TRAITS))``.
        """
        scales = [NormalScale(reference[:, column]) for column in self._columns]
        return quantiles(traits, scales, self._columns) @ self._values


def fit_general(
    tables: Sequence[TraitTable], names: Sequence[str] = GENERAL_TRAITS, pull: float = PULL
) -> GeneralPredictor:
    r"""Learn weights from tables of several spaces, each counting alike.

    Ridge regression of normal scores of the values, whose penalty pulls to equal weights rather than to 0: every trait
    of `names` is one of which more is better in all that is known, and few spaces cannot tell which counts most.

    Args:
        tables: One for each space; rows are ranked among the others of their table.
        names: Traits that are read.
        pull: Strength of the penalty.

    Raises:
        SettingsError: No table.
    """
    if not tables:
        raise SettingsError("Expected tables to learn from, got none.")
    columns = [TRAITS.index(name) for name in names]
    moments, products = np.zeros((len(names), len(names))), np.zeros(len(names))
    for table in tables:
        traits, values = table.traits, table.values
        ranked = quantiles(traits, [NormalScale(traits[:, column]) for column in columns], columns)
        moments += ranked.T @ ranked / len(values) / len(tables)
        products += ranked.T @ normal_scores(values) / len(values) / len(tables)
    equal = np.full(len(names), 1 / len(names))
    spread = float(equal @ moments @ equal)
    equal *= float(equal @ products) / spread if spread > 0 else 1.0
    found = equal + np.linalg.solve(moments + pull * np.eye(len(names)), products - moments @ equal)
    return GeneralPredictor(dict(zip(names, found.tolist(), strict=True)))


def quantiles(traits: np.ndarray, scales: Sequence[NormalScale], columns: Sequence[int]) -> np.ndarray:
    """Return traits as normal quantiles, shape ``(n, len(columns))``."""
    return np.stack([scale(traits[:, column]) for scale, column in zip(scales, columns, strict=True)], axis=1)

"""Importance of choices: how large the effects of each choice on a figure of architectures are."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

__all__ = ["ChoiceImportance", "choice_importances"]

FEWEST = 20
"""Architectures below which nothing is said."""
LEAST = 0.1
"""Share of the spread that effects predict, below which they are noise."""
FOLDS = 5


@dataclass(frozen=True)
class ChoiceImportance:
    """One choice of a space.

    Attributes:
        choice: Its name.
        share: Of the variances of all choices' effects, this one's, 0 to 1.
        best: Its option with the largest effect among those seen, and by how much it exceeds the choice's mean.
        worst: Its option with the smallest, likewise.
    """

    choice: str
    share: float
    best: tuple[str, float]
    worst: tuple[str, float]


def choice_importances(
    choices: Sequence[str], options: Sequence[Sequence[str]], genomes: np.ndarray, values: np.ndarray
) -> tuple[list[ChoiceImportance], float]:
    """Return the importance of each choice, the largest first, and how much of the spread all of them predict.

    A sum of one effect for each option is fitted (Bayesian ridge regression, as the effects of `AdditiveEffects`). The
    share of a choice is the variance of its effects over the architectures; what choices do together only is no part.

    Args:
        choices: Names, m of them.
        options: Names of each choice's options.
        genomes: Option of each choice, int, shape ``(n, m)``.
        values: Finite, shape ``(n,)``.

    Returns:
        The importances, none where there are fewer than `FEWEST` architectures, all values are equal, or the sum
        predicts less than `LEAST` of the spread; and the coefficient of determination of predictions of architectures
        left out of the fit, a fifth at a time, 0 to 1.
    """
    if len(values) < FEWEST or np.ptp(values) == 0:
        return [], 0.0
    # These take a second that other pages need not wait for.
    from sklearn.linear_model import BayesianRidge
    from sklearn.model_selection import KFold, cross_val_predict
    from threadpoolctl import threadpool_limits

    starts = np.cumsum([0, *map(len, options)])
    rows = np.zeros((len(values), starts[-1]))
    columns = genomes + starts[:-1]
    rows[np.arange(len(values))[:, None], columns] = 1.0
    with threadpool_limits(1, user_api="blas"):
        scaled = (values - values.mean()) / values.std()
        folds = KFold(FOLDS, shuffle=True, random_state=0)
        left_out = cross_val_predict(BayesianRidge(), rows, scaled, cv=folds)
        predicted = max(0.0, 1.0 - float(((scaled - left_out) ** 2).mean()))
        if predicted < LEAST:
            return [], predicted
        fitted = BayesianRidge().fit(rows, scaled)
    effects = fitted.coef_ * values.std()
    own = effects[columns]  # of each architecture the effect of each choice
    spread = own.var(axis=0)
    whole = spread.sum()
    found = []
    for i, choice in enumerate(choices):
        seen = np.unique(genomes[:, i])
        by_option = effects[starts[i] + seen] - own[:, i].mean()
        best, worst = int(by_option.argmax()), int(by_option.argmin())
        ends = [(str(options[i][seen[j]]), float(by_option[j])) for j in (best, worst)]
        found.append(ChoiceImportance(choice, float(spread[i] / whole) if whole else 0.0, ends[0], ends[1]))
    return sorted(found, key=lambda one: -one.share), predicted

"""Pool of classifiers to choose an ensemble from, by their probabilities on images that none was trained on.

References:
    .. [Caruana2004] Caruana, Niculescu-Mizil, Crew, Ksikes: Ensemble Selection from Libraries of Models, ICML 2004.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from evonas.errors import RunError
from evonas.pareto.objective import Constraint
from evonas.tasks.calibration import expected_error, log_loss

__all__ = ["By", "MemberPool", "classification_figures", "forward_selection", "subset_selection"]

By = Literal["nll", "acc"]
"""What an ensemble is chosen by: negative log-likelihood, or accuracy with ties decided by it."""


@dataclass(frozen=True, eq=False)
class MemberPool:
    """Candidates' probabilities and costs.

    Attributes:
        probabilities: Shape (k, n, classes).
        labels: Shape (n,).
        costs: Of each candidate by name, shape (k,); those of an ensemble are their sums.
        bounds: On these sums.
        by: What is optimized.
    """

    probabilities: np.ndarray
    labels: np.ndarray
    costs: Mapping[str, np.ndarray]
    bounds: tuple[Constraint, ...]
    by: By = "nll"

    def __len__(self) -> int:
        return len(self.probabilities)

    def value(self, members: Sequence[int]) -> float:
        """Return what is minimized of an ensemble."""
        mean = self.probabilities[list(members)].mean(0)
        loss = log_loss(mean, self.labels)
        if self.by == "nll":
            return loss
        return float((mean.argmax(1) != self.labels).mean()) + 1e-6 * min(loss, 1e3)

    def cost(self, name: str, members: Sequence[int]) -> float:
        """Return a cost of an ensemble: the sum of its members'."""
        return float(self.costs[name][list(members)].sum())

    def excess(self, members: Sequence[int]) -> list[float]:
        """Return by how much an ensemble breaks each bound, as a share of it; 0 or below where it keeps to it."""
        return [self.cost(bound.objective, members) / bound.bound - 1 for bound in self.bounds]

    def fits(self, members: Sequence[int]) -> bool:
        """Return whether an ensemble keeps to all bounds."""
        return all(over <= 0 for over in self.excess(members))

    def only(self, kept: Sequence[int]) -> MemberPool:
        """Return the pool of some candidates, renumbered in that order.

        Raises:
            RunError: None of them keeps to the bounds alone.
        """
        rows = list(kept)
        costs = {name: values[rows] for name, values in self.costs.items()}
        found = replace(self, probabilities=self.probabilities[rows], costs=costs)
        if not found.ranked():
            least = ", ".join(f"{bound.objective} {costs[bound.objective].min():,.4g}" for bound in self.bounds)
            raise RunError(
                "Expected a budget that one member keeps to, got "
                f"{' and '.join(map(str, self.bounds))}; the least are {least}"
            )
        return found

    def ranked(self) -> list[int]:
        """Return the candidates that keep to the bounds alone, the best first."""
        return sorted((i for i in range(len(self)) if self.fits([i])), key=lambda i: (self.value([i]), i))


def forward_selection(pool: MemberPool) -> tuple[int, ...]:
    """Return an ensemble by greedy forward selection without replacement ([Caruana2004]_ section 2).

    It begins with the best candidate that fits, and takes the one that lowers the value most as long as one does.

    Args:
        pool: One candidate or more of it keeps to the bounds.
    """
    chosen = pool.ranked()[:1]
    while True:
        further = [[*chosen, i] for i in range(len(pool)) if i not in chosen and pool.fits([*chosen, i])]
        best = min(further, key=pool.value, default=None)
        if best is None or pool.value(best) >= pool.value(chosen):
            return tuple(sorted(chosen))
        chosen = best


def subset_selection(pool: MemberPool, first: Sequence[Sequence[int]], *, seed: int = 0) -> tuple[int, ...]:
    """Return the best ensemble of those that NSGA-II looks at, by value and by the first bound's cost.

    Args:
        pool: One candidate or more of it keeps to the bounds.
        first: Ensembles to begin with.
        seed: Of the search.
    """
    from evonas.evolution.subsets import search_subsets

    price = pool.bounds[0].objective

    def members(mask: np.ndarray) -> list[int]:
        return np.flatnonzero(mask).tolist()

    begin = np.zeros((len(first) + 1, len(pool)), dtype=bool)
    for row, some in zip(begin, [pool.ranked()[:1], *first], strict=True):
        row[list(some)] = True
    found = search_subsets(
        lambda masks: np.array([[pool.value(members(m)), pool.cost(price, members(m))] for m in masks]),
        lambda masks: np.array([pool.excess(members(m)) for m in masks]),
        begin,
        seed=seed,
    )
    best = min(map(members, found), key=lambda some: (pool.value(some), pool.cost(price, some), some))
    return tuple(best)


def classification_figures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return accuracy, negative log-likelihood in nats and expected calibration error (15 bins) of probabilities.

    Args:
        probabilities: Shape (n, classes).
        labels: Shape (n,).
    """
    right = probabilities.argmax(1) == labels
    return {
        "accuracy": float(right.mean()),
        "nll": log_loss(probabilities, labels),
        "ece": expected_error(probabilities.max(1), right),
    }

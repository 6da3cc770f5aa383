"""Infill: the candidates to evaluate next, by expected gain in hypervolume, one after the other.

The hypervolume is integrated exactly along one objective and by quadrature over the others, so that any number
of objectives will do: over each of many points of the other objectives stands the depth down to which the front
leaves room, and a candidate gains what it reaches below that (the improvement of Emmerich et al., 2006). What
is uncertain is sampled: a sample holds what all candidates are worth where the predictor errs alike for all. A
chosen candidate counts as found, in each sample at its value there or a standard deviation better than expected,
whichever is better, so that the rest of a batch goes elsewhere along the front (a kriging believer, Ginsbourger et al.,
2010, on the optimistic estimate) and to none that is predicted alike.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from evonas.pareto.dominance import first_front

__all__ = ["Estimates", "choose_batch"]

QUADRATURE_LINES = 256
"""Points of the other objectives over which a hypervolume of two objectives is integrated; twice as many for more."""
REFERENCE_MARGIN = 0.1
"""How far the reference point lies beyond the worst that was seen, so that the ends of the front count."""
SHORTLIST_SIZE = 400
"""Candidates that are looked at closely: the best if their values were a standard deviation better."""
ZERO_GAIN = 1e-12
"""A gain that rounding may leave where nothing is gained; the whole space is 1."""


@dataclass(frozen=True)
class Estimates:
    """Predictions of n candidates, minimized.

    Attributes:
        mean: Shape ``(n, m)``.
        optimistic: A standard deviation better, shape ``(n, m)``.
        samples: Equally likely values, shape ``(s, n, m)``.
        feasible: Probability that no constraint is broken, shape ``(n,)``.
        violation: Expected sum of violations, shape ``(n,)``.
    """

    mean: np.ndarray
    optimistic: np.ndarray
    samples: np.ndarray
    feasible: np.ndarray
    violation: np.ndarray


def choose_batch(
    estimates: Estimates, evaluated: np.ndarray, front: np.ndarray, n: int, rng: np.random.Generator
) -> np.ndarray:
    """Return the numbers of n candidates, best first; all where there are fewer.

    Args:
        estimates: Of the candidates.
        evaluated: Finite values of all that was evaluated, shape ``(k, m)``, k of 1 or more: they set the scale.
        front: Values of the feasible and not dominated among them, shape ``(f, m)``; none where nothing was
            feasible: then the candidates that are likeliest to be come first.
        n: How many.
        rng: Source of randomness.
    """
    count = len(estimates.mean)
    n = min(n, count)
    if not len(front):
        return np.lexsort((rng.random(count), estimates.violation, -estimates.feasible))[:n]
    # The front may end further out than anything seen: its expected ends must lie within the reference point.
    likely = estimates.mean[estimates.feasible >= 0.5]
    expected = likely[first_front(likely)]
    room = _Room(np.concatenate([evaluated, expected]), estimates.optimistic, front, rng)
    promise = room.gains(estimates.optimistic[None]) * estimates.feasible
    order = np.lexsort((rng.random(count), -promise))[: max(SHORTLIST_SIZE, 2 * n)]
    samples, optimistic = estimates.samples[:, order], estimates.optimistic[order]
    gains = room.gains(samples) * estimates.feasible[order]
    # Greedy, not all at once: the gain of a set is submodular, so that taking the largest and subtracting what it
    # dominates from the gains of the others costs one pass per choice and is within 1 - 1/e of the best set.
    chosen: list[int] = []
    free = np.ones(len(order), dtype=bool)
    while len(chosen) < n:
        best = int(np.where(free, gains, -np.inf).argmax())
        if gains[best] <= ZERO_GAIN:  # the most promising go on
            best = int(np.flatnonzero(free)[0])
        chosen.append(int(order[best]))
        free[best] = False
        gains -= room.fill(np.minimum(samples[:, best], optimistic[best]), samples) * estimates.feasible[order]
    return np.array(chosen, dtype=np.int64)


class _Room:
    """The space that a front leaves: how deep it goes over points of all objectives but the last."""

    def __init__(
        self, evaluated: np.ndarray, optimistic: np.ndarray, front: np.ndarray, rng: np.random.Generator
    ) -> None:
        low = np.minimum(evaluated.min(axis=0), np.nanmin(optimistic, axis=0))
        high = evaluated.max(axis=0) + REFERENCE_MARGIN * np.ptp(evaluated, axis=0)
        self._low, self._span = low, np.where(high > low, high - low, 1.0)
        m = evaluated.shape[1]
        scaled = self._scaled(evaluated)
        lines = {1: 1, 2: QUADRATURE_LINES}.get(m, 2 * QUADRATURE_LINES)
        levels = (np.tile(np.arange(lines), (m - 1, 1)) + 0.5) / lines
        levels = rng.permuted(levels, axis=1).T  # a Latin hypercube
        self._points, weights = np.empty_like(levels), np.ones(len(levels))
        for j in range(m - 1):
            # Half of the points go where evaluations are: an outlier may stretch a scale ten times.
            # 65 of them bound 64 cells, which the lines divide evenly.
            ends = np.linspace(0, 1, 33), np.quantile(scaled[:, j], np.linspace(0, 1, 32))
            knots = np.sort(np.concatenate(ends))
            grid = np.linspace(0, 1, len(knots))
            self._points[:, j] = np.interp(levels[:, j], grid, knots)
            cell = np.clip(np.searchsorted(grid, levels[:, j], side="right") - 1, 0, len(knots) - 2)
            weights = weights * (knots[cell + 1] - knots[cell]) * (len(knots) - 1)
        self._weights = weights / len(levels)
        self._depth = np.ones((1, len(levels)))
        for row in front:
            self.fill(row[None])

    def _scaled(self, values: np.ndarray) -> np.ndarray:
        scaled: np.ndarray = (values - self._low) / self._span
        return scaled

    def gains(self, samples: np.ndarray) -> np.ndarray:
        """Return the mean gain of candidates over samples of shape ``(s, n, m)``, shape ``(n,)``."""
        total = sum(self._above(k, sample, slice(None)) for k, sample in enumerate(samples))
        return np.nan_to_num(total / len(samples))  # what cannot be computed gains nothing

    def fill(self, values: np.ndarray, samples: np.ndarray | None = None) -> np.ndarray:
        """Take away what values of shape ``(s, m)`` dominate, each in its sample; ``(1, m)``: in all.

        Args:
            values: In the objectives' order.
            samples: Of candidates, as for `gains`; None: there are none.

        Returns:
            What candidates gain less for it, shape ``(n,)``.
        """
        if len(self._depth) < len(values):
            self._depth = np.repeat(self._depth, len(values), axis=0)
        less = np.zeros(0 if samples is None else samples.shape[1])
        for k, row in enumerate(self._scaled(values)):
            lines = np.flatnonzero((row[:-1] <= self._points).all(axis=1) & (row[-1] < self._depth[k]))
            before = 0.0 if samples is None else self._above(k, samples[k], lines)
            self._depth[k, lines] = row[-1]
            if samples is not None:
                less += np.nan_to_num(before - self._above(k, samples[k], lines)) / len(samples)
        return less

    def _above(self, k: int, sample: np.ndarray, lines: np.ndarray | slice) -> np.ndarray:
        """Return gains in a sample over some lines."""
        points, depth = self._points[lines], self._depth[min(k, len(self._depth) - 1), lines]
        scaled = self._scaled(sample)
        gain = np.maximum(depth - scaled[:, -1:], 0.0)
        for j in range(scaled.shape[1] - 1):
            gain *= scaled[:, j : j + 1] <= points[:, j]
        weighted: np.ndarray = gain @ self._weights[lines]
        return weighted

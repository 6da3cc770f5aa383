"""Patience of a search: how many generations without a gain it waits for before it ends."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.pareto.amount import is_fraction
from evonas.pareto.dominance import minimized
from evonas.pareto.indicators import hypervolume, hypervolume_box
from evonas.pareto.objective import Objective
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run

__all__ = ["Patience", "patience_of"]

LEAST_GAIN = 1e-3
"""Share of the box of all values seen by which a front's hypervolume grows, at the least, for it to be a gain."""


class Patience:
    """Generations without a gain in hypervolume beyond noise; it follows from values alone, so that it replays.

    A generation gains where the hypervolume of the front so far grows by more than `LEAST_GAIN` of the box of all
    values seen though each new accuracy counts as one standard error less than it was read. Generations before
    anything keeps to the bounds do not count.

    Args:
        limit: Generations without a gain after which it is over; None: never.
        size: Evaluations of a generation: where fewer are added at a time, they add up.
        directions: k times "max" or "min".
        images: For each objective the images that it is a share of, None where it has no noise.
    """

    def __init__(
        self, limit: int | None, size: int, directions: Sequence[str], images: Sequence[int | None] | None = None
    ) -> None:
        self._limit, self._size, self._directions = limit, size, list(directions)
        self._images = list(images or [None] * len(self._directions))
        self._read: list[np.ndarray] = []
        self._doubted: list[np.ndarray] = []
        self._seen = np.zeros((0, len(self._directions)))
        self._waiting, self.without = 0, 0

    def tell(self, values: np.ndarray, violations: np.ndarray) -> None:
        """Take in what was evaluated.

        Args:
            values: Natural directions, shape ``(n, k)``; NaN: failed.
            violations: Shape ``(n, constraints)``.
        """
        if self._limit is None:
            return
        usable = np.isfinite(values).all(axis=1) & (violations <= 0).all(axis=1)
        self._read.append(minimized(values[usable], self._directions))
        self._doubted.append(minimized(self._worse(values[usable]), self._directions))
        self._waiting += len(values)
        if self._waiting >= self._size:
            self._waiting -= self._size
            self._close_generation()

    @property
    def over(self) -> bool:
        """Whether so many generations went by without a gain."""
        return self._limit is not None and self.without >= self._limit

    def _close_generation(self) -> None:
        new, doubted = np.concatenate(self._read), np.concatenate(self._doubted)
        self._read, self._doubted = [], []
        before, seen = self._seen, np.concatenate([self._seen, new])
        self._seen = seen
        if not len(seen):
            return
        low, extent = hypervolume_box(seen)

        def volume(points: np.ndarray) -> float:
            return hypervolume((points - low) / extent, np.ones(len(extent))) if len(points) else 0.0

        gain = volume(np.concatenate([before, doubted])) - volume(before)
        self.without = 0 if not len(before) or gain > LEAST_GAIN else self.without + 1

    def _worse(self, values: np.ndarray) -> np.ndarray:
        """Return values with each share of images one standard error, sqrt(p (1 - p) / n), worse."""
        worse = values.copy()
        for column, (images, direction) in enumerate(zip(self._images, self._directions, strict=True)):
            if images is not None:
                share = np.clip(values[:, column], 0.0, 1.0)
                error = np.sqrt(share * (1.0 - share) / images)
                worse[:, column] += -error if direction == "max" else error
        return worse


def patience_of(problem: SearchProblem, run: Run, objectives: Sequence[Objective]) -> Patience:
    """Patience that settings ask for; a search that is prolonged to a number of generations has none.

    Args:
        problem: What is searched.
        run: Its run.
        objectives: What is optimized, in order.
    """
    prolonged = run.manifest.get("generations") is not None
    limit = None if prolonged else problem.settings.patience
    read = set(problem.learned) if problem.data is not None else set()
    images = [
        len(problem.data.search) if problem.data is not None and o.name in read and is_fraction(o.name) else None
        for o in objectives
    ]
    return Patience(limit, problem.settings.population, [o.direction for o in objectives], images)

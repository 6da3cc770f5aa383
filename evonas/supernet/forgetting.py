"""Forgetting values: how an architecture's accuracy changes while others are trained."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import ArrayLike

from evonas.errors import EvaluationError, SettingsError


@dataclass(frozen=True)
class Forgetting:
    """One architecture's accuracy directly after its update and after those of others.

    Attributes:
        architecture: Its text.
        step: Update after which `before` was read.
        before: Accuracy directly after, in [0, 1].
        after: Accuracy at the end of the epoch, in [0, 1].
        noise: Variance that `after - before` has for want of images: were others drawn, it would vary so much.
    """

    architecture: str
    step: int
    before: float
    after: float
    noise: float = 0.0

    @property
    def value(self) -> float:
        """`after - before` (Ning et al. 2021, "Evaluating efficient performance estimators"); below 0:
        forgotten."""
        return self.after - self.before


def summarize(values: Sequence[Forgetting]) -> dict[str, float]:
    """Return mean and standard deviation of forgetting: over all, the first quarter and the last quarter.

    `sd_beyond_noise` is the standard deviation less what comes of reading few images, which is the same whatever the
    rule. A supernet that is frozen forgets nothing: read it with the accuracy of paths beside it.

    Args:
        values: In the order of training; at least one. A quarter has at least one.
    """
    if not values:
        raise SettingsError("Expected at least one forgetting value, got none")
    every = np.array([(value.value, value.noise) for value in sorted(values, key=lambda value: value.step)])
    quarter = max(1, len(every) // 4)
    parts = {"": every, "_first_quarter": every[:quarter], "_last_quarter": every[-quarter:]}
    figures: dict[str, float] = {}
    for name, part in parts.items():
        mean, noise = part.mean(axis=0)
        variance = part[:, 0].var(ddof=1) if len(part) > 1 else 0.0
        figures[f"mean{name}"] = float(mean)
        figures[f"sd{name}"] = math.sqrt(variance)
        figures[f"sd_beyond_noise{name}"] = math.sqrt(max(0.0, variance - noise))
    return figures


class ForgettingProbe:
    """Reads forgetting values while a supernet trains.

    Args:
        right: From an architecture to 1 for each image that it gets right and 0 for the others, shape (n,), such as
            `lambda a: evaluator.each(a)["accuracy"]`; must not draw from the training's generators.
        per_epoch: Architectures that are read in an epoch, at equal distances.
        every: Read in each `every`-th epoch, from the first on.
    """

    def __init__(self, right: Callable[[Any], ArrayLike], *, per_epoch: int = 4, every: int = 1) -> None:
        if per_epoch < 1 or every < 1:
            raise SettingsError(f"Expected at least 1 architecture per epoch, got {per_epoch} in every {every}")
        self._right = right
        self._per_epoch = per_epoch
        self._every = every
        self._open: list[tuple[Any, int, np.ndarray]] = []

    def after_step(self, architecture: Any, step: int, steps: int, total: int, epoch: int = 1) -> None:
        """Read the architecture just trained where it is its turn.

        Args:
            architecture: What was trained.
            step: Update within the epoch, from 0.
            steps: Updates of an epoch.
            total: Updates of the training so far.
            epoch: Epoch, from 1.
        """
        if (epoch - 1) % self._every:
            return
        chosen = {index * steps // self._per_epoch for index in range(self._per_epoch)}
        if step in chosen:
            self._open.append((architecture, total, self._read(architecture)))

    def after_epoch(self) -> list[Forgetting]:
        """Read the epoch's architectures again and return their values, those that could be read both times."""
        values = [_compare(str(a), step, before, self._read(a)) for a, step, before in self._open]
        self._open = []
        return [value for value in values if math.isfinite(value.value)]

    def _read(self, architecture: Any) -> np.ndarray:
        try:
            return np.atleast_1d(np.asarray(self._right(architecture), dtype=np.float64))
        except EvaluationError:  # no finite outputs: if that is divergence, the training reports it
            return np.array([math.nan])


def _compare(architecture: str, step: int, before: np.ndarray, after: np.ndarray) -> Forgetting:
    changes = after - before
    noise = float(changes.var(ddof=1)) / len(changes) if len(changes) > 1 else 0.0
    return Forgetting(architecture, step, float(before.mean()), float(after.mean()), noise)

"""Pyramid of trainings on a ladder: who has reached which level, and who climbs next.

References:
    .. [Wang2021] Wang et al.: RANK-NOSH, Efficient Predictor-Based Architecture Search via Non-Uniform Successive
       Halving, ICCV 2021, arXiv 2108.08019.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from evonas.training.ladder import Ladder

__all__ = ["Outcome", "Pyramid", "climb"]

Outcome = tuple[float | None, str | None]
"""What a training gave at a level: a value, or None and why it failed."""


class Pyramid:
    """Trainings on a ladder: which level each has reached and what it gave there; none is lost.

    Values of different levels are never compared: the best of a level are those among what stands on it. Equals keep
    the order in which they entered. A training that failed stays where it was and climbs no more.

    Args:
        ladder: Its levels.

    Attributes:
        values: Key of each training to what it gave at each level reached, highest is best, in order entered.
        failed: Key of each training that failed to its cause.
    """

    def __init__(self, ladder: Ladder) -> None:
        self.ladder = ladder
        self.values: dict[str, list[float]] = {}
        self.failed: dict[str, str] = {}

    def enter(self, keys: Iterable[str]) -> list[str]:
        """Take in new trainings, which begin at the first level; return those that were not in before."""
        new = [key for key in dict.fromkeys(keys) if key not in self.values]
        self.values |= {key: [] for key in new}
        return new

    def record(self, key: str, value: float | None, cause: str | None = None) -> None:
        """Take in what a training gave at the level that it is next to reach, or why it failed."""
        if value is None:
            self.failed[key] = cause or "unknown"
        else:
            self.values[key].append(value)

    def standing(self, level: int) -> list[str]:
        """Return what has reached a level, from 0, and no higher one, best first; nothing that failed."""
        here = [key for key, reached in self.values.items() if len(reached) == level + 1 and key not in self.failed]
        return sorted(here, key=lambda key: -self.values[key][level])

    def best(self, level: int, n: int) -> list[str]:
        """Return the n best that stand on a level: those that train on; fewer where fewer do."""
        return self.standing(level)[:n]


def climb(pyramid: Pyramid, keys: Iterable[str], train: Callable[[Sequence[str], int], Sequence[Outcome]]) -> None:
    """Start a pyramid, or do one further round: new trainings enter, and the best of each level climb one level.

    At the start as many climb as `Ladder.sizes` says; in a round of K new ones ``ceil(r K)`` of each level do, those
    that have just arrived among them ([Wang2021]_ algorithm 1).

    Args:
        pyramid: Changed in place.
        keys: What enters; those that are in already are left out.
        train: Called level by level, from 0, with what is to be trained on to it; returns an outcome for each.
    """
    ladder, start = pyramid.ladder, not pyramid.values
    moving = pyramid.enter(keys)
    sizes = ladder.sizes(len(moving)) if start else [ladder.climbers(len(moving))] * len(ladder.epochs)
    for level in range(len(ladder.epochs)):
        if level:
            moving = pyramid.best(level - 1, sizes[level])
        if moving:
            for key, outcome in zip(moving, train(moving, level), strict=True):
                pyramid.record(key, *outcome)

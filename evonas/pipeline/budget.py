"""Time that a search may take: what each step gets of what is left, and when it is over."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence

__all__ = ["Allowance", "Budget"]

WEIGHTS = {
    "latency table": 15.0, "scores": 8.0, "supernet": 45.0, "paths": 15.0, "anchors": 25.0, "evolution": 25.0,
    "baseline": 25.0, "front": 10.0,
}  # fmt: skip
"""Steps in their order, with the weights by which a step and those after it divide what is left."""
PROBE_SHARE, PROBE_SECONDS = 0.05, 10.0
"""Most that is spent on finding out what a step costs: of what is left, and in seconds."""

CERTAIN = 0.9
"""Part of a supernet's time that its updates are planned for: one that is cut ends at a high learning rate."""

FEWEST = 2
"""Candidates that are evaluated whatever the time: fewer make no front."""
READING, WRITING = 1.5, 5.0
"""What a front is counted as: evaluations for each member of a population, and seconds for it and its report."""


class Budget:
    """A deadline that every step draws from; without one, no step is ever over.

    What is left is divided again before each step, so that a step which took less or more than its share is made up
    for by those after it. Whatever a step decides by it is the caller's to store before it takes effect.

    Args:
        seconds: Wall-clock time of the whole command; None: no deadline.
        steps: Steps of this search, names of `WEIGHTS`.
        spent: Seconds of it that are gone, such as those of a session that was stopped.
        clock: Monotonic time in seconds.
    """

    def __init__(
        self,
        seconds: float | None,
        steps: Sequence[str] = tuple(WEIGHTS),
        *,
        spent: float = 0.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._weights = {name: weight for name, weight in WEIGHTS.items() if name in steps}
        self._clock = clock
        self._end = math.inf if seconds is None else clock() + seconds - spent

    @property
    def bounded(self) -> bool:
        """Whether there is a deadline."""
        return math.isfinite(self._end)

    @property
    def left(self) -> float:
        """Seconds until the deadline, 0 or more; infinite where there is none."""
        return max(0.0, self._end - self._clock())

    def now(self) -> float:
        """Return the time of the clock, seconds."""
        return self._clock()

    def share(self, step: str, *, reserve: float | None = None) -> float:
        """Return the seconds that a step gets of what is left.

        Args:
            step: The step that begins.
            reserve: Seconds that the steps after it are known to need; None: by their weights.
        """
        if not self.bounded:
            return math.inf
        if reserve is not None:
            return max(0.0, self.left - reserve)
        return self.left * self.part(step)

    def part(self, step: str) -> float:
        """Return the part that a step gets of what is left when it begins, by the weights, 0 to 1."""
        names = list(self._weights)
        return self._weights[step] / sum(self._weights[name] for name in names[names.index(step) :])

    def end_of(self, step: str) -> Callable[[], bool]:
        """Return what says whether the share of a step that begins now is used up; without a deadline it never is."""
        end = self._clock() + self.share(step)
        return lambda: self._clock() >= end

    def probe(self) -> float:
        """Return the seconds that may be spent on finding out what a step costs."""
        return min(PROBE_SHARE * self.left, PROBE_SECONDS)

    def has(self, step: str) -> bool:
        """Return whether a step is one of this search."""
        return step in self._weights


class Allowance:
    """Time of an evolution: what is left but for what is known to come after it, checked between evaluations.

    Args:
        budget: What it draws from.
        population: Members that a front may have.
    """

    def __init__(self, budget: Budget, population: int) -> None:
        self._budget, self._population = budget, population
        self._reserve = budget.left - budget.share("evolution") if budget.bounded else 0.0
        self._evaluations, self._seconds, self._known = 0, 0.0, 0

    @property
    def bounded(self) -> bool:
        """Whether there is a deadline."""
        return self._budget.bounded

    @property
    def left(self) -> float:
        """Seconds that further evaluations may take."""
        reserve = self._reserve
        if self._evaluations and not self._budget.has("baseline"):  # which takes as long as evolution does
            members = min(self._population, self._evaluations + 1)
            reserve = min(reserve, WRITING + READING * members * self._unit)
        return self._budget.share("evolution", reserve=reserve)

    @property
    def _unit(self) -> float:
        return self._seconds / self._evaluations if self._evaluations else 0.0

    def noting(self, advance: Callable[[int], None]) -> Callable[[int], None]:
        """Return a function that is given evaluations, one by one as they end, and passes the numbers on."""
        last = self._budget.now()

        def note(n: int) -> None:
            nonlocal last
            now = self._budget.now()
            if n == 1:  # what was stored or cheap is passed on in one number at the end
                self._evaluations, self._seconds, last = self._evaluations + 1, self._seconds + now - last, now
            self._known += n
            advance(n)

        return note

    def over(self) -> bool:
        """Return whether another evaluation would end too late."""
        return self._known >= FEWEST and self.left <= self._unit

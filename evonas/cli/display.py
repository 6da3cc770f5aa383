"""State of a search as its display shows it: phases, share done, rate, time left; and the text that fits a width."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from evonas.files.duration import duration

__all__ = ["ProgressState", "fit"]

SETTLING = 5.0
"""Seconds in which the time left that is shown follows its estimate most of the way, at the least."""
SETTLING_SHARE = 0.05
"""The same as a share of the time that has passed: late estimates are of more, and move less."""
EARLY = 0.1
"""Share done up to which the time left may jump: nothing is known yet."""
LARGEST_JUMP = 2.0
"""Factor between one time left that is shown and the next, at the most."""
LEAST_SHARE = 0.02
"""Share of everything below which no time left is shown."""


@dataclass(eq=False)
class Phase:
    """A step of the work: its share of the whole as planned, and how far it is."""

    name: str
    weight: float
    total: int = 0
    done: int = 0
    began: float | None = None
    seconds: float | None = None

    @property
    def share(self) -> float:
        """How much of it is done, 0 to 1."""
        if self.seconds is not None:
            return 1.0
        return min(1.0, self.done / self.total) if self.total > 0 else 0.0


@dataclass
class ProgressState:
    """Phases of some work and the clock: what a display says of them.

    Args:
        clock: Monotonic time in seconds.
    """

    clock: Callable[[], float]
    phases: list[Phase] = field(default_factory=list)
    note: str = ""

    def __post_init__(self) -> None:
        self._began = self._at = self.clock()
        self._current: Phase | None = None
        self._inner: list[Phase] = []
        self._left: float | None = None
        self._share = 0.0

    def plan(self, phases: Mapping[str, float]) -> None:
        """Say which phases are to come, by name, each with its expected share of the time."""
        self.phases += [Phase(name, weight) for name, weight in phases.items()]

    def begin(self, name: str, total: int) -> Phase:
        """Begin a phase; planned ones before it that never began are taken out, for they had nothing to do.

        One that begins inside another is shown in its place, and counts as part of it.
        """
        self.note = ""
        if self._current is not None and self._current.seconds is None:
            inner = Phase(name, 0.0, total, began=self.clock())
            self._inner.append(inner)
            return inner
        planned = next((i for i, one in enumerate(self.phases) if one.name == name and one.began is None), None)
        if planned is None:
            begun = [i for i, one in enumerate(self.phases) if one.began is not None]
            planned = begun[-1] + 1 if begun else 0
            mean = sum(one.weight for one in self.phases) / len(self.phases) if self.phases else 1.0
            self.phases.insert(planned, Phase(name, mean / 4 if self.phases else 1.0))
        self.phases = [one for i, one in enumerate(self.phases) if i >= planned or one.began is not None]
        phase = next(one for one in self.phases if one.name == name and one.began is None)
        phase.total, phase.began = total, self.clock()
        self._current = phase
        return phase

    def end(self, phase: Phase) -> None:
        """End a phase, and what began inside it."""
        assert phase.began is not None
        phase.seconds, self.note = self.clock() - phase.began, ""
        self._inner = self._inner[: self._inner.index(phase)] if phase in self._inner else []

    @property
    def shown(self) -> Phase | None:
        """The phase that is shown: the innermost that runs, else the last."""
        return self._inner[-1] if self._inner else self._current

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return self.clock() - self._began

    @property
    def share(self) -> float:
        """How much of everything is done, 0 to 1, as planned; it never falls."""
        whole = sum(one.weight for one in self.phases)
        if whole > 0:
            self._share = max(self._share, sum(one.weight * one.share for one in self.phases) / whole)
        return self._share

    @property
    def place(self) -> str:
        """Which phase runs of how many, such as ``3/6``; empty where there is one alone."""
        if self._current is None or len(self.phases) < 2:
            return ""
        return f"{self.phases.index(self._current) + 1}/{len(self.phases)}"

    @property
    def rate(self) -> float:
        """Units a second of the phase that is shown; 0 where nothing is known."""
        phase = self.shown
        return 0.0 if phase is None or not phase.done else phase.done / max(1e-9, self._taken(phase))

    def left(self) -> float | None:
        """Seconds left, None where too little is known; between two calls it moves smoothly toward its estimate."""
        now, estimate = self.clock(), self._estimate()
        passed, self._at = now - self._at, now
        if estimate is None:
            return self._left
        if self._left is None or self.share < EARLY:
            self._left = estimate
            return self._left
        expected = max(1.0, self._left - passed)
        follow = 1 - math.exp(-passed / max(SETTLING, SETTLING_SHARE * self.elapsed))
        moved = expected * (max(1.0, estimate) / expected) ** follow
        self._left = min(max(moved, self._left / LARGEST_JUMP), self._left * LARGEST_JUMP)
        return self._left

    def _estimate(self) -> float | None:
        """Seconds left: of the current phase by its own rate, of later ones by how long the past took for its share."""
        if self.share < LEAST_SHARE:
            return None
        known = [one for one in self.phases if one.began is not None]
        weight = sum(one.weight * one.share for one in known)
        busy = sum(self._taken(one) for one in known)
        if weight <= 0:
            return None
        later = busy / weight * sum(one.weight for one in self.phases if one.began is None)
        phase = self._current
        if phase is None or phase.seconds is not None:
            return later
        rest = self._taken(phase) * (1 - phase.share) / phase.share if phase.share else busy / weight * phase.weight
        return rest + later

    def _taken(self, phase: Phase) -> float:
        assert phase.began is not None
        return phase.seconds if phase.seconds is not None else self.clock() - phase.began


BAR = 20
"""Cells of the bar."""


def bar(share: float, cells: int = BAR) -> str:
    """Bar of a share, in whole and half cells."""
    halves = round(2 * cells * share)
    return ("━" * (halves // 2) + ("╸" if halves % 2 else "")).ljust(cells, "─")


def fit(state: ProgressState, width: int, *, with_bar: bool = True) -> str:
    """Line that a display shows: what has no room is left out, the least important first.

    What is kept longest: the phase with its number, the share of everything, the time left, the time passed; then
    units done, the rate, the bar, and the note.

    Args:
        state: How far the work is.
        width: Characters of a line.
        with_bar: Whether there is a bar.
    """
    phase, left, rate = state.shown, state.left(), state.rate
    name = "" if phase is None else f"{state.place} {phase.name}".strip()
    parts: list[tuple[int, str]] = [
        (0, name),
        (6, bar(state.share) if with_bar else ""),
        (1, f"{state.share:.0%}".rjust(4)),
        (2, "" if left is None else f"{duration(left)} left"),
        (3, f"{duration(state.elapsed)} passed"),
        (4, "" if phase is None or phase.total < 2 else f"{phase.done:,}/{phase.total:,}"),
        (5, f"{rate:.1f}/s" if rate >= 1 else f"{duration(1 / rate)} each" if rate else ""),
        (7, state.note),
    ]
    kept = [part for part in parts if part[1]]
    while len(kept) > 1 and len("  ".join(text for _, text in kept)) > width:
        kept.remove(max(kept))
    line = "  ".join(text for _, text in kept)
    return line if len(line) <= width else line[: max(0, width - 1)] + "…"

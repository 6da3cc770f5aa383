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


OWN_RATE = 0.05
"""Share of a phase at which its own rate counts as much as what phases before it took for their shares."""


@dataclass(eq=False)
class Phase:
    """A step of the work: its share of the whole as planned, and how far it is.

    Attributes:
        name: By which it was planned and begins.
        weight: Share of the time that is expected of it; 0 of what was not planned and runs inside another.
        total: Units that it has.
        done: Units that are done.
        began: When it began; None: not yet.
        seconds: How long it took; None: it has not ended.
        aside: Seconds that phases inside it took, which are theirs.
    """

    name: str
    weight: float
    total: int = 0
    done: int = 0
    began: float | None = None
    seconds: float | None = None
    aside: float = 0.0

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
        self._end = math.inf
        self._running: list[Phase] = []
        self._last: Phase | None = None
        self._left: float | None = None
        self._share, self._reached = 0.0, 0

    def plan(self, phases: Mapping[str, float], seconds: float | None = None) -> None:
        """Say which phases are to come, by name, each with its expected share of the time.

        What ran before there was a plan has no share in it. With seconds until a deadline no more than these are left.
        """
        self._end = math.inf if seconds is None else self.clock() + seconds
        for one in self.phases:
            one.weight = 0.0
        self._share, self._left, self._reached = 0.0, None, 0
        self.phases += [Phase(name, weight) for name, weight in phases.items()]

    @property
    def counted(self) -> list[Phase]:
        """Phases that have begun or are to come, in order; what later ones got further without had nothing to do."""
        further = [i for i, one in enumerate(self.phases) if one.done or one.seconds is not None]
        return [one for i, one in enumerate(self.phases) if one.began is not None or not further or i > further[-1]]

    def begin(self, name: str, total: int) -> Phase:
        """Begin a phase; planned ones before it that have not begun when it gets further had nothing to do.

        One that begins inside another is shown instead of it. Where it was planned it has its own share, else it
        counts as part of the other.
        """
        self.note = ""
        planned = next((i for i, one in enumerate(self.phases) if one.name == name and one.began is None), None)
        if planned is None and self._running:
            phase = Phase(name, 0.0)
        else:
            phase = self.phases[self._unplanned(name) if planned is None else planned]
        phase.total, phase.began = total, self.clock()
        self._running.append(phase)
        self._last = phase
        return phase

    def _unplanned(self, name: str) -> int:
        """Index of a new phase that nobody planned, after those that have begun."""
        begun = [i for i, one in enumerate(self.phases) if one.began is not None]
        index = begun[-1] + 1 if begun else 0
        mean = sum(one.weight for one in self.phases) / len(self.phases) if self.phases else 1.0
        self.phases.insert(index, Phase(name, mean / 4 if self.phases else 1.0))
        return index

    def end(self, phase: Phase) -> None:
        """End a phase, and what began inside it."""
        assert phase.began is not None
        index = self._running.index(phase)
        for one in reversed(self._running[index:]):
            assert one.began is not None
            one.seconds = self.clock() - one.began
            outer = self._running[self._running.index(one) - 1] if one is not self._running[0] else None
            if outer is not None:
                outer.aside += one.seconds
        self._running, self._last, self.note = self._running[:index], phase, ""

    @property
    def running(self) -> bool:
        """Whether a phase runs."""
        return bool(self._running)

    def inside(self, phase: Phase) -> bool:
        """Whether a phase that runs began inside another."""
        return phase in self._running[1:]

    @property
    def shown(self) -> Phase | None:
        """The phase that is shown: the innermost that runs, else the last."""
        return self._running[-1] if self._running else self._last

    @property
    def elapsed(self) -> float:
        """Seconds since the work began."""
        return self.clock() - self._began

    @property
    def share(self) -> float:
        """How much of everything is done, 0 to 1, as planned; it never falls."""
        phases = self.counted
        whole = sum(one.weight for one in phases)
        if whole > 0:
            self._share = max(self._share, sum(one.weight * one.share for one in phases) / whole)
        return self._share

    @property
    def number(self) -> str:
        """How many phases have begun of how many, such as ``3/6``; empty where there is one alone.

        It never falls, also where a phase goes on after one that ran inside it.
        """
        known = [one for one in (self._last, *self._running) if one in self.phases]
        number, _, whole = (self.number_of(known[-1]) if known else "").partition("/")
        if not whole:
            return ""
        self._reached = min(max(self._reached, int(number)), int(whole))
        return f"{self._reached}/{whole}"

    def number_of(self, phase: Phase) -> str:
        """Number of a phase among all, such as ``3/6``; empty where there is one alone, or it was not planned."""
        phases = self.counted
        return f"{phases.index(phase) + 1}/{len(phases)}" if phase in phases and len(phases) > 1 else ""

    @property
    def rate(self) -> float:
        """Units a second of the phase that is shown; 0 where nothing is known."""
        phase = self.shown
        return 0.0 if phase is None or not phase.done else phase.done / max(1e-9, self._taken(phase))

    def left(self) -> float | None:
        """Seconds left, None where too little is known; between two calls it moves smoothly toward its estimate."""
        left = self._moved()
        return None if left is None else min(left, max(0.0, self._end - self.clock()))

    def _moved(self) -> float | None:
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
        """Seconds left: of running phases by their own rate and that of the past, of later ones by the past's alone."""
        if self.share < LEAST_SHARE:
            return None
        phases = self.counted
        known = [one for one in phases if one.began is not None and one.weight]
        weight = sum(one.weight * one.share for one in known)
        if weight <= 0:
            return None
        pace = sum(self._taken(one) for one in known) / weight
        later = pace * sum(one.weight for one in phases if one.began is None)
        running = (one for one in self._running if one in phases)
        return later + sum(self._rest(one, pace) for one in running)

    def _rest(self, phase: Phase, pace: float) -> float:
        """Seconds that a running phase still takes: what the past promised counts until its own rate is known."""
        whole = (self._taken(phase) + OWN_RATE * pace * phase.weight) / (phase.share + OWN_RATE)
        return whole * (1 - phase.share)

    def _taken(self, phase: Phase) -> float:
        """Seconds that a phase took itself, without those inside it."""
        assert phase.began is not None
        gross = phase.seconds if phase.seconds is not None else self.clock() - phase.began
        aside = phase.aside
        if phase in self._running[:-1]:
            inner = self._running[self._running.index(phase) + 1]
            assert inner.began is not None
            aside += self.clock() - inner.began
        return gross - aside


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
    name = "" if phase is None else f"{state.number} {phase.name}".strip()
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

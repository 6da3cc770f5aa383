"""Timing of onnxruntime sessions: in turns, warmed up, by the median."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np

from evonas.errors import SettingsError

FEWEST_ROUNDS = 3  # a median of fewer rounds would follow one disturbance


class Runnable(Protocol):
    """Session that is timed: onnxruntime's, or anything that runs like one."""

    def run(self, output_names: Any, feed: Any) -> Any:
        """Compute all outputs."""


@dataclass(frozen=True)
class Timing:
    """Times of one session's calls.

    Attributes:
        median_ms: Median, milliseconds.
        mad_ms: Median absolute deviation from the median, milliseconds, not scaled.
        minimum_ms: Shortest call, milliseconds.
        repeats: Timed calls.
    """

    median_ms: float
    mad_ms: float
    minimum_ms: float
    repeats: int


@dataclass(frozen=True)
class Noise:
    """Difference between two measurements of the same model.

    Attributes:
        difference_ms: Absolute difference of the two medians, milliseconds.
        relative: That difference over the mean of the medians.
        timings: The two measurements.
    """

    difference_ms: float
    relative: float
    timings: tuple[Timing, Timing]


def measure(
    sessions: Sequence[Runnable],
    feeds: Sequence[Mapping[str, np.ndarray]],
    *,
    repeats: int = 100,
    warmup: int = 5,
    burst: int = 5,
    seconds: float | None = None,
    clock: Callable[[], int] = time.perf_counter_ns,
) -> list[Timing]:
    """Time sessions in rounds, so that a disturbance of the machine meets all of them alike.

    First every session is called `warmup` times, one session after the other. Then, round after round, every
    session has its turn in the order given: one call that is not timed, for the session before has filled the
    caches with its own, and `burst` calls that are, each by itself. The garbage collector rests meanwhile.

    Args:
        sessions: What to time.
        feeds: The inputs of each session's calls.
        repeats: Timed calls of each session, rounded up to whole bursts, 1 or more.
        warmup: Calls of each session before the first round, 0 or more.
        burst: Timed calls in a turn, 1 or more.
        seconds: Start no further round after this time, warm-up included; at least three rounds are made (or
            as many as `repeats` asks for). None sets no bound.
        clock: Monotonic time in nanoseconds.

    Returns:
        One timing per session, in order.

    Raises:
        SettingsError: A count is out of range, or there is not one feed per session.
    """
    for name, value, least in (("repeats", repeats, 1), ("warmup", warmup, 0), ("burst", burst, 1)):
        if value < least:
            raise SettingsError(f"Expected {name} of {least} or more, got {value}")
    if len(sessions) != len(feeds):
        raise SettingsError(f"Expected one feed per session, got {len(feeds)} feeds for {len(sessions)} sessions")
    pairs = list(zip(sessions, feeds, strict=True))
    times: list[list[int]] = [[] for _ in pairs]
    collecting = gc.isenabled()
    gc.disable()
    try:
        start = clock()
        for session, feed in pairs:
            for _ in range(warmup):
                session.run(None, feed)
        for done in range(-(-repeats // burst)):
            if seconds is not None and done >= FEWEST_ROUNDS and clock() - start >= seconds * 1e9:
                break
            for (session, feed), taken in zip(pairs, times, strict=True):
                session.run(None, feed)
                for _ in range(burst):
                    begin = clock()
                    session.run(None, feed)
                    taken.append(clock() - begin)
    finally:
        if collecting:
            gc.enable()
    return [_summary(taken) for taken in times]


def noise_floor(pair: tuple[Runnable, Runnable], feed: Mapping[str, np.ndarray], **options: Any) -> Noise:
    """Measure two sessions of the same model in turns: what they differ by is noise.

    Args:
        pair: Two sessions opened on one model with the same options.
        feed: The input of both.
        **options: Those of `measure`.
    """
    first, second = measure(pair, (feed, feed), **options)
    difference = abs(first.median_ms - second.median_ms)
    mean = (first.median_ms + second.median_ms) / 2
    return Noise(difference_ms=difference, relative=difference / mean if mean else 0.0, timings=(first, second))


def _summary(nanoseconds: list[int]) -> Timing:
    values = np.asarray(nanoseconds, dtype=np.float64) / 1e6
    median = float(np.median(values))
    return Timing(
        median_ms=median,
        mad_ms=float(np.median(np.abs(values - median))),
        minimum_ms=float(values.min()),
        repeats=len(values),
    )

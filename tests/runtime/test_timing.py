from __future__ import annotations

import gc
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SettingsError
from evonas.runtime import measure, noise_floor, random_feed, session


class Clock:
    """Time that passes only when a fake session runs."""

    def __init__(self):
        self.now = 0
        self.calls: list[str] = []

    def __call__(self) -> int:
        return self.now

    def session(self, name: str, *durations_ns: int) -> Fake:
        return Fake(self, name, durations_ns)


class Fake:
    def __init__(self, clock: Clock, name: str, durations_ns: tuple[int, ...]):
        self.clock, self.name, self.durations = clock, name, durations_ns
        self.count = 0

    def run(self, output_names, feed):
        assert not gc.isenabled()
        assert feed == {"name": self.name}
        self.clock.calls.append(self.name)
        self.clock.now += self.durations[self.count % len(self.durations)]
        self.count += 1


def timed(clock: Clock, sessions, **options):
    return measure(sessions, [{"name": fake.name} for fake in sessions], clock=clock, **options)


def test_sessions_take_turns_as_documented():
    clock = Clock()
    timed(clock, [clock.session("a", 1), clock.session("b", 1)], repeats=4, warmup=3, burst=2)
    assert "".join(clock.calls) == "aaabbb" + "aaabbb" * 2


def test_median_deviation_and_minimum_are_known():
    clock = Clock()
    million = 1_000_000
    # The first call of each turn is not timed: with bursts of two, calls 2 and 3 of every three are.
    fake = clock.session("a", 90 * million, 1 * million, 2 * million, 90 * million, 4 * million, 9 * million)
    (timing,) = timed(clock, [fake], repeats=4, warmup=0, burst=2)
    assert timing.median_ms == 3.0  # of 1, 2, 4, 9
    assert timing.mad_ms == 1.5  # of 2, 1, 1, 6
    assert timing.minimum_ms == 1.0
    assert timing.repeats == 4


@given(
    durations=st.lists(st.integers(1, 10**9), min_size=1, max_size=8),
    repeats=st.integers(1, 30),
    burst=st.integers(1, 7),
)
def test_statistics_lie_where_they_must(durations, repeats, burst):
    clock = Clock()
    (timing,) = timed(clock, [clock.session("a", *durations)], repeats=repeats, burst=burst)
    assert min(durations) / 1e6 <= timing.minimum_ms <= timing.median_ms <= max(durations) / 1e6
    assert 0 <= timing.mad_ms <= (max(durations) - min(durations)) / 1e6
    assert timing.repeats == math.ceil(repeats / burst) * burst


def test_time_bounds_the_rounds_but_three_are_made():
    second = 1_000_000_000
    for seconds, rounds in ((0.0, 3), (1000.0, 10), (11.0, 6)):
        clock = Clock()
        (timing,) = timed(clock, [clock.session("a", second)], repeats=10, warmup=0, burst=1, seconds=seconds)
        assert timing.repeats == rounds


def test_garbage_collector_is_left_as_it_was():
    clock = Clock()
    timed(clock, [clock.session("a", 1)], repeats=1)
    assert gc.isenabled()
    gc.disable()
    try:
        timed(clock, [clock.session("a", 1)], repeats=1)
        assert not gc.isenabled()
    finally:
        gc.enable()
    with pytest.raises(AssertionError):
        measure([clock.session("a", 1)], [{"name": "wrong"}], clock=clock)
    assert gc.isenabled()


def test_noise_floor_is_what_two_measurements_differ_by():
    clock = Clock()
    pair = (clock.session("a", 2_000_000), clock.session("a", 3_000_000))
    noise = noise_floor(pair, {"name": "a"}, clock=clock, repeats=5)
    assert noise.difference_ms == 1.0
    assert noise.relative == pytest.approx(0.4)
    assert [timing.median_ms for timing in noise.timings] == [2.0, 3.0]


def test_real_sessions_take_time(kept):
    sessions = [session(kept.path), session(kept.path)]
    feed = random_feed(sessions[0])
    for timing in measure(sessions, [feed, feed], repeats=6, warmup=1, burst=3):
        assert 0 < timing.minimum_ms <= timing.median_ms
        assert 0 <= timing.mad_ms < math.inf
        assert timing.repeats == 6


def test_counts_that_make_no_sense_are_refused():
    fake = Clock().session("a", 1)
    for options in ({"repeats": 0}, {"warmup": -1}, {"burst": 0}):
        with pytest.raises(SettingsError, match=f"Expected {next(iter(options))} of"):
            measure([fake], [{}], **options)
    with pytest.raises(SettingsError, match="Expected one feed per session, got 2"):
        measure([fake], [{}, {}])


def test_nothing_to_measure_is_nothing():
    assert measure([], []) == []

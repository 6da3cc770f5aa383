from __future__ import annotations

import itertools

import pytest

from evonas.supernet import throughput


@pytest.fixture
def trial(monkeypatch):
    """Make a trial whose updates take these seconds, by a clock of its own; returns a function of the options."""

    def run(*seconds: float, **options) -> tuple[float, int]:
        ticks = iter(itertools.accumulate((0.0, *seconds)))
        # Times that are known, instead of the clock's.
        monkeypatch.setattr(throughput.time, "perf_counter", lambda: next(ticks))
        done = []

        def train(*arguments, progress, **others):
            for _ in seconds:
                done.append(1)
                progress(None)

        # Times that are known, instead of the clock's.
        monkeypatch.setattr(throughput, "train_supernet", train)
        return throughput.time_update(None, None, "uniform", batch_size=2, **options), len(done)

    return run


def test_the_first_update_is_left_out_and_the_others_averaged(trial):
    assert trial(100.0, 1.0, 2.0, 6.0, updates=3) == (3.0, 4)


def test_a_trial_ends_after_its_updates_or_its_time_but_not_before_two(trial):
    assert trial(1.0, 1.0, 1.0, 1.0, 1.0, updates=2) == (1.0, 3)
    assert trial(1.0, 1.0, 1.0, 1.0, updates=9, seconds=2.5) == (1.0, 3)
    assert trial(50.0, 4.0, 1.0, updates=9, seconds=10) == (4.0, 2)

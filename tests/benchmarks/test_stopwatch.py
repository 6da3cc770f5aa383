from __future__ import annotations

import threading

import pytest
import torch

from evonas.benchmarks.stopwatch import Stepwise, peak_bytes, take_turns


def test_parts_take_turns_and_each_goes_first():
    order = []
    seconds = take_turns({name: lambda name=name: order.append(name) for name in "ab"}, rounds=3, warm=1)
    assert "".join(order) == "abbaabba"
    assert {name: values.shape for name, values in seconds.items()} == {"a": (3,), "b": (3,)}


@pytest.mark.filterwarnings("ignore")  # of the profiler about itself
def test_peak_is_what_was_live_at_once():
    def work():
        first = torch.zeros(1000, 1000)
        del first
        second = torch.zeros(500, 1000)
        third = second + 1
        return second, third

    assert peak_bytes(work) == pytest.approx(4_000_000, rel=0.01)
    assert peak_bytes(lambda: None) == 0


def test_steps_of_two_works_alternate():
    seen = []

    def work(name):
        def run(after):
            for number in range(3):
                seen.append(f"{name}{number}")
                after(number)
            return f"{name} done"

        return Stepwise(run)

    first, second = work("a"), work("b")
    for _ in range(3):
        first.step()
        second.step()
    assert seen == ["a0", "b0", "a1", "b1", "a2", "b2"]
    assert first.finish() == "a done"
    second.close()
    second.close()


def test_what_is_closed_leaves_no_thread():
    before = threading.active_count()
    never = Stepwise(lambda after: after(0))
    started = Stepwise(lambda after: [after(number) for number in range(9)])
    started.step()
    never.close()
    started.close()
    assert threading.active_count() == before


def test_errors_of_the_work_are_raised_by_its_step():
    work = Stepwise(lambda after: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        work.step()

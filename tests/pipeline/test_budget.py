from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.pipeline.budget import FEWEST, WEIGHTS, Allowance, Budget


class Clock:
    def __init__(self):
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def test_without_a_time_nothing_is_ever_over(clock):
    budget = Budget(None, clock=clock)
    clock.now = 1e9
    assert not budget.bounded
    assert budget.left == budget.share("supernet") == math.inf
    assert not Allowance(budget, 40).over()


def test_a_step_gets_its_weight_among_those_to_come(clock):
    budget = Budget(110.0, ["supernet", "evolution", "front"], clock=clock, spent=30.0)
    assert budget.left == 80.0
    assert budget.share("supernet") == pytest.approx(80 * 45 / 80)
    assert budget.share("evolution") == pytest.approx(80 * 25 / 35)
    assert budget.share("front") == 80.0
    assert budget.share("evolution", reserve=20.0) == 60.0
    assert budget.share("evolution", reserve=90.0) == 0.0
    clock.now += 100.0
    assert budget.left == budget.share("front") == 0.0


@given(st.lists(st.floats(0.5, 1.25), min_size=len(WEIGHTS), max_size=len(WEIGHTS)), st.floats(10, 1e4))
def test_steps_that_take_about_their_share_end_before_the_deadline(factors, seconds):
    clock = Clock()
    budget = Budget(seconds, clock=clock)
    for step, factor in list(zip(WEIGHTS, factors, strict=True))[:-1]:
        clock.now += factor * budget.share(step)
    assert clock.now < 100.0 + seconds
    assert budget.left > 0.0
    assert budget.share("front") == pytest.approx(budget.left)


@pytest.mark.parametrize(("seconds", "probe"), [(60.0, 3.0), (1800.0, 10.0)])
def test_probes_are_short(clock, seconds, probe):
    assert Budget(seconds, clock=clock).probe() == pytest.approx(probe)


def test_an_evolution_leaves_what_the_front_is_known_to_need(clock):
    allowance = Allowance(Budget(350.0, ["evolution", "front"], clock=clock), population=10)
    assert allowance.left == pytest.approx(250.0)  # by weights, as nothing is known
    note = allowance.noting(lambda n: None)
    for _ in range(FEWEST):
        assert not allowance.over()
        clock.now += 4.0
        note(1)
    assert allowance.left == pytest.approx(350 - 8 - (5 + 1.5 * 3 * 4))  # of three evaluations no more are on a front
    clock.now += allowance.left - 4.5
    assert not allowance.over()
    clock.now += 0.6  # another would end too late
    assert allowance.over()


def test_the_first_candidates_are_evaluated_whatever_the_time(clock):
    allowance = Allowance(Budget(1.0, ["evolution", "front"], clock=clock), population=10)
    clock.now += 50.0
    assert not allowance.over()
    allowance.noting(lambda n: None)(FEWEST)
    assert allowance.over()

from __future__ import annotations

import json
from contextlib import contextmanager
from dataclasses import replace

import pytest
import torch
from safetensors.torch import load_file

from evonas.config import make_settings
from evonas.errors import SettingsError
from evonas.files.progress import Silent
from evonas.pipeline import run as pipeline
from evonas.pipeline.plan import UNITS, Plan, PlannedStep, make_plan, refuse_too_short
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.unit_costs import UnitCosts

UNIT = UnitCosts(score=0.1, update=0.2, path=0.5, epoch=2.0, evaluation=0.5)


@pytest.fixture(scope="module")
def problem(tiny):
    settings = make_settings(
        space=tiny, train_limit=300, population=20, generations=40, warm_start=200, anchors=8, anchor_epochs="2,6"
    )
    return SearchProblem(settings)


def test_without_a_deadline_every_step_is_planned_in_full(problem):
    plan = make_plan(problem, UNIT, None, 3.0)
    assert [step.name for step in plan.steps] == ["scores", "supernet", "paths", "anchors", "evolution", "front"]
    numbers = {step.name: step.number for step in plan.steps}
    assert (numbers["scores"], numbers["paths"], numbers["evolution"], numbers["front"]) == (200, 128, 800, 20)
    assert all(step.number == step.full for step in plan.steps)
    assert plan.seconds == pytest.approx(3 + 5 + sum(step.seconds for step in plan.steps))
    head, *steps = plan.lines()
    assert head.startswith("Plan, about ")
    assert steps[0] == "  200 architectures scored, 20 s"
    assert not any("Less" in line for line in steps)
    long = make_plan(problem, UnitCosts(evaluation=10.0), None, 3.0)
    assert "--time 30m" in long.lines()[-1]


@pytest.mark.parametrize("seconds", [60.0, 120.0, 1800.0])
def test_with_a_deadline_steps_shrink_until_all_of_them_fit(problem, seconds):
    plan = make_plan(problem, UNIT, seconds, 3.0)
    assert plan.seconds <= seconds
    filling = ("evolution", "supernet")  # epochs are not given
    assert all(step.number <= step.full for step in plan.steps if step.name not in filling)
    if seconds == 1800.0:
        assert all(step.number > step.full for step in plan.steps if step.name in filling)
    assert all(step.seconds >= step.least for step in plan.steps)
    if seconds == 60.0:
        assert " of 200 architectures scored" in plan.lines(0.0)[1]
    assert plan.lines(0.0)[0].startswith("Plan for 1 min" if seconds == 60 else "Plan for ")


def test_what_no_trial_times_is_said_and_its_time_set_aside(problem):
    units = UnitCosts(score=0.1, path=0.5, epoch=2.0, evaluation=0.5)  # as of a search from published weights
    free, bounded = (make_plan(problem, units, seconds, 3.0) for seconds in (None, 600.0))
    assert "beside what is not timed" in free.lines(0.0)[0]
    assert free.lines(0.0)[1] == "  Adapting the published weights, not timed"
    ((words, most),) = bounded.untimed
    assert most > 100
    assert bounded.seconds <= 600
    assert bounded.lines(0.0)[1].startswith(f"  {words}, ")
    assert bounded.lines(0.0)[1].endswith(" at most")


def test_blocks_of_a_latency_table_are_planned_and_belong_to_the_least(tiny):
    settings = make_settings(space=tiny, train_limit=300, objectives=("acc", "latency"), anchors=0)
    problem = SearchProblem(settings)
    units = replace(UNIT, block=0.5, blocks=60)
    plan, known = make_plan(problem, units, 300.0, 3.0), make_plan(problem, UNIT, 300.0, 3.0)
    assert plan.least == pytest.approx(known.least + 30.0)
    assert "  60 blocks exported for latencies, 30 s" in plan.lines(0.0)
    assert any(line.startswith("  Measuring the latency table, ") for line in plan.lines(0.0))
    assert not any("latenc" in line for line in known.lines(0.0))
    assert plan.seconds <= 300.0


def test_one_unit_is_no_plural():
    one = PlannedStep("supernet", "updates of the supernet", 1, 1, 1.0, 1.0)
    assert one.line == "  1 update of the supernet, 1 s"
    assert replace(one, full=9).line == "  1 of 9 updates of the supernet, 1 s"


@pytest.mark.parametrize(("seconds", "epochs"), [(60.0, 0), (1800.0, 32)])
def test_anchors_too_few_to_teach_anything_are_not_planned(problem, seconds, epochs):
    plan = make_plan(problem, UNIT, seconds, 3.0)
    assert {step.name: step.number for step in plan.steps}["anchors"] == epochs
    assert ("  0 of 32 epochs of anchors, 0 s" in plan.lines(0.0)) == (epochs == 0)


def test_a_budget_below_the_least_is_refused_with_what_would_do(problem):
    least = make_plan(problem, UNIT, 1000.0, 3.0).least
    assert least == pytest.approx(3 + 5 + 4 * 0.1 + 0.2 + 8 * 0.5 + 2 * 0.5 + 0.5)
    refuse_too_short(make_plan(problem, UNIT, least, 3.0), "15s")
    with pytest.raises(SettingsError, match=r"takes 17 s at the least, got --time 5s: give --time 17s or more"):
        refuse_too_short(make_plan(problem, UNIT, 5.0, 3.0), "5s")


def test_a_plan_is_stored_and_what_it_rests_on_decided():
    class Recorder:
        def __init__(self):
            self.written = {}
            self.store = self

        def update_manifest(self, **content):
            self.written |= json.loads(json.dumps(content))

        def decide(self, key, make):
            self.written[key] = make()

    kept, free = Recorder(), Recorder()
    Plan((), UNIT, 3.0, 60.0).store(kept)
    Plan((), UNIT, 3.0, None).store(free)
    assert kept.written[UNITS]["path"] == 0.5
    assert kept.written["plan"]["budget"] == 60.0
    assert UNITS not in free.written


class Loud:
    """Progress that somebody sees."""

    def __init__(self):
        self.lines, self.tasks = [], []

    def plan(self, phases, seconds=None):
        pass

    @contextmanager
    def task(self, name, total):
        self.tasks.append(name)
        yield Silent()

    def say(self, text):
        self.lines.append(text)


def test_the_trials_of_a_plan_that_is_seen_change_no_bit(finished, quick, tmp_path):
    loud = Loud()
    seen = pipeline.search(make_settings(**quick), tmp_path / "seen", progress=loud)
    assert any(line.startswith("Plan, about") for line in loud.lines)
    assert loud.tasks[0] == "Trying what a unit of work takes"  # it may take seconds
    assert seen.manifest["plan"]["steps"]
    assert not seen.store.decisions(UNITS)
    assert (seen.path / "front.csv").read_bytes() == (finished / "front.csv").read_bytes()
    here, there = (load_file(path / "supernet.safetensors") for path in (seen.path, finished))
    assert here.keys() == there.keys()
    assert all(torch.equal(here[name], there[name]) for name in here)

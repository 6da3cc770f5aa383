"""Plan of a search: what each step does and takes, said and stored before anything expensive."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from evonas.errors import SettingsError
from evonas.files.duration import duration, parse_time
from evonas.files.progress import Progress, Silent
from evonas.objectives.accuracy.main_effects import FEWEST as FEWEST_PATHS
from evonas.objectives.accuracy.main_effects import REFERENCES
from evonas.pipeline.anchor_rounds import affordable_anchors, anchor_rounds, start_and_rounds
from evonas.pipeline.budget import FEWEST, Budget
from evonas.pipeline.phases import reads_sample
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.unit_costs import UnitCosts, measure_units
from evonas.runs.run import Run

__all__ = [
    "FEWEST_SCORED",
    "SUPERNET_UPDATES",
    "UNITS",
    "Plan",
    "budget_of",
    "make_plan",
    "plan_search",
    "planned_units",
]

UNITS = "unit costs"
"""Decision that holds what trials of a search with a deadline found."""
SUPERNET_UPDATES = 1500
"""Updates of supernet training where neither epochs nor a time are given."""
FEWEST_SCORED = 4
"""Architectures that are scored whatever the time."""
LONG = 1800.0
"""Seconds from which a search without a deadline says how to get less."""
ENDING = 5.0
"""Seconds that a front, its files and the report take at the least, beside what is read of members."""
UNTIMED = {"latency table": "Measuring the latency table", "supernet": "Adapting the published weights"}
"""Steps that have no unit of their own to time."""
TRIALS_SHARE, TRIALS_SECONDS = 0.02, 4.0
"""Most that the trial of a supernet's updates takes of a time: of what is left, and in seconds."""
AMPLE = 1.2
"""Times the least that is asked for: trials are short."""


@dataclass(frozen=True)
class PlannedStep:
    """A step of a plan.

    Attributes:
        name: One of the budget's steps.
        what: What it does, in words that follow a number.
        number: How many of it are planned.
        full: How many there would be without a deadline.
        seconds: Expected time.
        least: Seconds below which it gives nothing.
    """

    name: str
    what: str
    number: int
    full: int
    seconds: float
    least: float

    @property
    def line(self) -> str:
        """The step in words, such as ``103 of 500 architectures scored, 6 s``."""
        fewer = self.number < self.full
        amount = f"{self.number:,} of {self.full:,}" if fewer else f"{self.number:,}"
        what = self.what if fewer or self.number != 1 else re.sub(r"(\w+)s\b", r"\1", self.what, count=1)
        return f"  {amount} {what}, {duration(self.seconds)}"


@dataclass(frozen=True)
class Plan:
    """The steps of a search with what they are expected to take.

    Attributes:
        steps: In order.
        units: What they rest on.
        spent: Seconds that were gone when it was made.
        budget: Seconds in all; None: no deadline.
        untimed: Steps that no trial times, in words, each with the seconds that it may take; 0 without a deadline.
    """

    steps: tuple[PlannedStep, ...]
    units: UnitCosts
    spent: float
    budget: float | None
    untimed: tuple[tuple[str, float], ...] = ()

    @property
    def seconds(self) -> float:
        """Expected time of the whole search; without a deadline what no trial times is left out."""
        return self.spent + ENDING + sum(step.seconds for step in self.steps) + sum(most for _, most in self.untimed)

    @property
    def least(self) -> float:
        """Seconds that would just do."""
        return self.spent + ENDING + sum(step.least for step in self.steps)

    def lines(self, now: float | None = None) -> list[str]:
        """Return the plan for people.

        Args:
            now: Seconds since the epoch; None: the clock's.
        """
        if not self.steps:
            return []
        now = time.time() if now is None else now
        if self.budget is not None:
            end = time.strftime("%H:%M", time.localtime(now + self.budget - self.spent))
            head = f"Plan for {duration(self.budget)}, to end by {end}, after short trials:"
        else:
            whole = "beside what is not timed" if self.untimed else "in all"
            head = f"Plan, about {duration(self.seconds)} {whole} by short trials:"
        lines = [head]
        for words, most in self.untimed:
            lines.append(f"  {words}, {'not timed' if self.budget is None else f'{duration(most)} at most'}")
        lines += [step.line for step in self.steps]
        if self.budget is None and self.seconds > LONG:
            lines.append("  Less: --time 30m fits all of it to half an hour; or lower --generations or --anchors")
        return lines

    def store(self, run: Run) -> None:
        """Write the plan into a run, and what a clock decided before it takes effect."""
        run.update_manifest(
            plan={
                "budget": self.budget,
                "expected_seconds": round(self.seconds, 1),
                "steps": [asdict(step) for step in self.steps],
            }
        )
        if self.budget is not None:
            run.store.decide(UNITS, lambda: asdict(self.units))


def budget_of(problem: SearchProblem, baselines: Collection[str], seconds: float | None, spent: float) -> Budget:
    """Return the time of a search.

    Args:
        problem: What is searched.
        baselines: What it is compared with.
        seconds: All of it; None: no deadline.
        spent: Seconds of it that are gone.
    """
    settings = problem.settings
    steps = {
        "latency table": "latency" in problem.evaluated,
        "scores": settings.warm_start > 0 and problem.data is not None,
        "supernet": bool(problem.learned),
        "paths": reads_sample(problem),
        "anchors": bool(settings.anchors),
        "evolution": True,
        "front": True,
        "baseline": "random" in baselines,
    }
    return Budget(seconds, [name for name, has in steps.items() if has], spent=spent)


def plan_search(problem: SearchProblem, progress: Progress, began: float) -> Plan | None:
    """Return the plan of a new search and say it; None where nobody would hear it and there is no deadline.

    Args:
        problem: What is searched.
        progress: Prints the plan.
        began: When the command began, by `time.monotonic`.

    Raises:
        SettingsError: The time is below the least that would do, which is named.
    """
    given = problem.settings.time
    if given is None and (isinstance(progress, Silent) or not problem.learned):
        return None
    seconds = None if given is None else parse_time(given)
    left = None if seconds is None else max(0.0, seconds - (time.monotonic() - began))
    with progress.task("Trying what a unit of work takes", 1) as task:
        units = measure_units(problem, None if left is None else min(TRIALS_SHARE * left, TRIALS_SECONDS))
        task.advance(1)
    plan = make_plan(problem, units, seconds, time.monotonic() - began)
    refuse_too_short(plan, given)
    for line in plan.lines():
        progress.say(line)
    return plan


def refuse_too_short(plan: Plan, given: str | None) -> None:
    """Refuse a time in which no front comes about.

    Raises:
        SettingsError: It is below the least, which is named.
    """
    if plan.budget is not None and plan.budget < plan.least:
        least = math.ceil(AMPLE * plan.least)
        raise SettingsError(
            f"This search takes {duration(least)} at the least, got --time {given}: give --time {least}s or more, "
            "or fewer or smaller images"
        )


def make_plan(problem: SearchProblem, units: UnitCosts, seconds: float | None, spent: float) -> Plan:
    """Return the plan of a search: each step in full, or as much of it as its share of the time allows.

    Args:
        problem: What is searched.
        units: Seconds of one unit of each step.
        seconds: Time of the whole command; None: no deadline.
        spent: Seconds of it that are gone.
    """
    settings = problem.settings
    budget = budget_of(problem, settings.baseline, seconds, spent)
    left, steps, untimed = max(0.0, budget.left - ENDING), [], []
    # Generations fill the time that there is, as do epochs that are not given; other steps have an end of their own.
    filling = {"evolution", "baseline"} | ({"supernet"} if settings.epochs is None else set())
    for name, what, full, unit, fewest in _full(problem, units):
        if not budget.has(name):
            continue
        if not unit:
            if name in UNTIMED and full:
                most = left * budget.part(name) if budget.bounded else 0.0
                left -= most
                untimed.append((UNTIMED[name], most))
            continue
        number = full
        if budget.bounded:
            affordable = int(left * budget.part(name) / unit)
            number = max(fewest, affordable if name in filling else min(full, affordable))
            if name == "anchors":
                number = _epochs_of_anchors(problem, number)
            left = max(0.0, left - number * unit)
        steps.append(PlannedStep(name, what, number, full, number * unit, fewest * unit))
    return Plan(tuple(steps), units, spent, seconds, tuple(untimed))


def _epochs_of_anchors(problem: SearchProblem, epochs: int) -> int:
    """Return the epochs of as many anchors as so many epochs train; 0 where too few to teach anything."""
    number = affordable_anchors(problem.ladder, problem.settings.anchors or 0, epochs)
    return problem.ladder.total_epochs(*start_and_rounds(anchor_rounds(number), False)) if number else 0


def _full(problem: SearchProblem, units: UnitCosts) -> list[tuple[str, str, int, float, int]]:
    """Return name, words, full number, seconds of one and fewest of each step that has a known unit."""
    settings, data = problem.settings, problem.data
    per_epoch = max(1, len(data.train) // settings.batch_size) if data is not None else 1
    epochs = settings.epochs or max(1, round(SUPERNET_UPDATES / per_epoch))
    evaluations = settings.population * settings.generations
    anchors = 0
    if settings.anchors:
        anchors = problem.ladder.total_epochs(*start_and_rounds(anchor_rounds(settings.anchors), False))
    trained = 0 if settings.supernet else epochs * per_epoch
    return [
        ("latency table", "blocks exported for latencies", units.blocks, units.block, units.blocks),
        ("latency table", "latency tables", min(1, units.blocks), 0.0, 1),
        ("scores", "architectures scored", settings.warm_start, units.score, FEWEST_SCORED),
        ("supernet", "updates of the supernet", trained, units.update, 1),
        ("paths", "paths read as a reference", REFERENCES, units.path, FEWEST_PATHS),
        ("anchors", "epochs of anchors", anchors, units.epoch, 0),
        ("evolution", "evaluations", evaluations, units.evaluation, FEWEST),
        ("front", "members read once more", settings.population, units.path, 1),
        ("baseline", "random architectures", evaluations, units.evaluation, 0),
    ]


def planned_units(run: Run) -> dict[str, Any]:
    """Return the unit costs that a run's plan rests on; empty where it has none."""
    found: dict[str, Any] = run.store.decisions(UNITS).get(UNITS, {})
    return found

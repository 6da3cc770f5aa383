"""First populations that are read from the largest architecture down."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.files.progress import Silent
from evonas.pareto.objective import Objective
from evonas.pipeline.budget import Budget
from evonas.pipeline.context import problem_of
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.shrunk import FIRST, Change, ends_of, lowered, shrunk_first
from evonas.runs.run import Run
from tests.pipeline.published import settings


def test_the_path_downwards_takes_what_loses_least_per_cost_saved():
    weights = np.array([4.0, 2.0, 1.0])

    def costs(genomes):
        return np.array([1.0 + float(weights @ genome) for genome in genomes])

    start = np.array([2, 1, 1])
    losses = {Change(0, 1): 0.2, Change(0, 0): 0.3, Change(1, 0): 0.5, Change(2, 0): 0.01}
    path, lost = lowered(start, losses, costs, target=-np.inf)
    assert [genome.tolist() for genome in path] == [[2, 1, 0], [0, 1, 0], [0, 0, 0]]
    assert lost == pytest.approx([0.01, 0.31, 0.81])
    path, _ = lowered(start, losses, costs, target=7.0)
    assert [genome.tolist() for genome in path] == [[2, 1, 0], [0, 1, 0]]


def test_the_first_population_is_read_from_the_largest_down(published_run, made):
    with Run.open(published_run) as opened:
        problem, _ = problem_of(opened)
        genomes, read = opened.store.decisions(FIRST)[FIRST]
        first = {member.architecture for member in opened.store.members() if member.generation == 0}
    keys = {problem.genome.key(np.array(genome)) for genome in genomes}
    assert first == keys
    assert {problem.genome.key(genome) for genome in ends_of(problem)} <= keys
    assert len(read) == len(set(read)) >= len(problem.space.cardinalities)


class Reader:
    """An engine that reads FLOPs as accuracy, and of one candidate nothing."""

    def __init__(self, problem, failing=None, advance=0.0):
        self.problem, self.failing, self.advance, self.now = problem, failing, advance, 0.0

    def evaluate(self, candidates, names, done, over):
        values = []
        for candidate in candidates:
            self.now += self.advance
            began = over is None or not over()
            known = self.problem.bounds.cheap["flops"].evaluate([candidate])[0]["flops"].value
            values.append([known if began and str(candidate) != self.failing else np.nan])
        return np.array(values)


class Told(Silent):
    def __init__(self):
        self.said = []

    def say(self, text):
        self.said.append(text)


@pytest.fixture
def problem(made):
    return SearchProblem(settings(made, resolution=24, train_limit=60, population=6))


def read(problem, engine, seconds=None):
    told = Told()
    budget = Budget(seconds, clock=lambda: engine.now)
    return shrunk_first(problem, [Objective("acc", "", "max")], engine, told, budget), told.said


def test_what_fails_is_not_on_the_path(problem, monkeypatch):
    # Nothing is drawn, so that all that is chosen comes from the path.
    monkeypatch.setattr(problem.genome, "near_largest", lambda n, rng: ends_of(problem))
    (genomes, texts), said = read(problem, Reader(problem))
    on_path = [problem.genome.key(np.array(genome)) for genome in genomes]
    changed = next(text for text in texts[1:] if text in on_path)  # one change of the largest that is taken first
    again, _ = read(problem, Reader(problem, failing=changed))
    assert said == []
    assert changed in again.read
    assert again.genomes is not None
    assert changed not in [problem.genome.key(np.array(genome)) for genome in again.genomes]


def test_where_nothing_can_be_read_or_the_time_is_short_that_is_said(problem):
    (_, texts), _ = read(problem, Reader(problem))
    (genomes, _), said = read(problem, Reader(problem, failing=texts[0]))
    assert genomes is None
    assert said == ["The largest architecture could not be read: the first population is drawn"]
    (genomes, texts), said = read(problem, Reader(problem, advance=1.0), seconds=5.0)
    assert genomes is None
    assert texts
    assert "The time does not reach" in said[0]

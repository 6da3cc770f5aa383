"""First population of a search from published weights: the largest architecture, made smaller where that costs least.

Each choice of the largest is changed alone and read with shared weights; what a few changes cost is taken to be the
sum. Always the change that loses least accuracy per cost saved comes next, and on the way down to where nothing saves
any more all choices are read a few times. [Yang2018]_ takes such a path with a reading at every step.

References:
    .. [Yang2018] Yang et al.: NetAdapt, ECCV 2018, arXiv 1804.03230.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from evonas.engine import LocalEngine
from evonas.files.progress import Progress
from evonas.pareto.dominance import choose_first
from evonas.pareto.objective import Objective
from evonas.pipeline.budget import Budget
from evonas.pipeline.problem import SearchProblem

__all__ = ["FIRST", "MEASURING", "Shrunk", "ends_of", "lowered", "shrunk_first"]

MEASURING = "Measuring what each choice is worth"
"""Name of this step."""
FIRST = "first population"
"""Key under which what it chose is stored."""
ROUNDS = 4
"""Readings on the way from the largest to the smallest: between two of them losses are added up."""
LEAST_LOSS = 0.01
"""Loss that a change counts as having at least, relative to the largest's score: what reads as less is noise, and many
changes that cost nothing alone cost much together."""
TIME_SHARE = 0.25
"""Of the time of an evolution, what the readings may take; where it does not reach, the population is drawn."""
SHRUNK_SHARE = 2 / 3
"""Of the population beside the ends, what comes from the path; the rest is drawn at all distances."""


class Change(NamedTuple):
    """A gene of the largest architecture set to another option."""

    gene: int
    option: int


class Shrunk(NamedTuple):
    """Choice of a first population, and what was read for it.

    Attributes:
        genomes: Of a first population; None: none was chosen.
        read: Texts of the candidates that were read.
    """

    genomes: list[list[int]] | None
    read: list[str]


def shrunk_first(
    problem: SearchProblem,
    objectives: Sequence[Objective],
    engine: LocalEngine,
    progress: Progress,
    budget: Budget,
) -> Shrunk:
    """First population of what costs least, or none where nothing is learned or the time does not reach.

    Args:
        problem: What is searched.
        objectives: What is optimized.
        engine: What evaluates.
        progress: Shows how far it is.
        budget: Time that may be taken.
    """
    learned = next((objective for objective in objectives if objective.name in problem.learned), None)
    if learned is None:
        return Shrunk(None, [])
    began, allowed = budget.now(), TIME_SHARE * budget.share("evolution")
    late = (lambda: budget.now() - began > allowed) if budget.bounded else None
    sides: list[int | None] = [int(i) for i in np.argsort(problem.genome.resolutions)] or [None]
    ends, genes = ends_of(problem), len(problem.space.cardinalities)
    path, lost = [_at(ends[-1], sides[0])], [0.0]  # the largest at the lowest resolution
    keys: list[str] = []
    high, low = _costs(problem, [path[0], ends[0]])
    with progress.task(MEASURING, ROUNDS * int(problem.space.cardinalities.sum() - genes)) as task:

        def read(genomes: Sequence[np.ndarray]) -> np.ndarray:
            candidates = [problem.genome.candidate(one) for one in genomes]
            keys.extend(str(one) for one in candidates if str(one) not in keys)
            values = engine.evaluate(candidates, [learned.name], task.advance, late)[:, 0]
            return -values if learned.direction == "max" else values

        whole = read([_at(path[0], side) for side in sides])
        for step in range(1, ROUNDS + 1):
            now = path[-1]
            changes = _changes(problem, now)
            scores = read([now, *(_changed(now, change) for change in changes)])
            if late is not None and late() and not np.isfinite(scores).all():
                progress.say(f"The time does not reach for {MEASURING.lower()}: the first population is drawn")
                return Shrunk(None, keys)
            if not np.isfinite([*whole, scores[0]]).all():
                progress.say("The largest architecture could not be read: the first population is drawn")
                return Shrunk(None, keys)
            lost[-1] = float(scores[0] - whole[0])
            least = LEAST_LOSS * abs(whole[0])
            losses = {
                change: max(least, float(score - scores[0]))
                for change, score in zip(changes, scores[1:], strict=True)
                if np.isfinite(score)  # what fails is not on the path; the store holds its cause
            }
            target = high * (low / high) ** (step / ROUNDS) if 0 < low < high else -np.inf
            further, more = lowered(now, losses, lambda genomes: _costs(problem, genomes), target)
            path, lost = path + further, lost + [lost[-1] + loss for loss in more]
            if not further:
                break
    rows = [_at(one, side) for side in sides for one in path]
    values = np.column_stack([np.concatenate([first + np.array(lost) for first in whole]), _costs(problem, rows)])
    count = round(SHRUNK_SHARE * (problem.settings.population - len(ends)))
    chosen = [rows[i] for i in choose_first(values, max(0, count))]

    def draw(n: int, rng: np.random.Generator) -> np.ndarray:
        others = problem.genome.near_largest(n, rng)
        return np.concatenate([ends, np.stack([*chosen, *others, *rows])]).astype(others.dtype)

    rng = np.random.default_rng([problem.settings.seed, 1])
    return Shrunk(problem.bounds.sample(problem.settings.population, rng, draw)[0].tolist(), keys)


def ends_of(problem: SearchProblem) -> np.ndarray:
    """Return genomes of the smallest architecture at the lowest resolution, and of the largest at each."""
    space, sides = problem.space, problem.genome.resolutions
    smallest, largest = (space.encode(form) for form in space.extremes())
    if not sides:
        return np.stack([smallest, largest])
    order = sorted(range(len(sides)), key=lambda index: sides[index])
    return np.stack([np.append(smallest, order[0]), *(np.append(largest, index) for index in reversed(order))])


def _changes(problem: SearchProblem, genome: np.ndarray) -> list[Change]:
    """Changes of one gene of the space that give another candidate of lower cost, each candidate once."""
    known, found = {problem.genome.key(genome)}, []
    for gene, options in enumerate(problem.space.cardinalities):
        for option in range(int(options)):
            key = problem.genome.key(_changed(genome, Change(gene, option)))
            if key not in known:
                known.add(key)
                found.append(Change(gene, option))
    costs = _costs(problem, [genome, *(_changed(genome, change) for change in found)])
    return [change for change, cost in zip(found, costs[1:], strict=True) if cost < costs[0]]


def lowered(
    start: np.ndarray, losses: dict[Change, float], costs: Callable[[Sequence[np.ndarray]], np.ndarray], target: float
) -> tuple[list[np.ndarray], list[float]]:
    """Genomes from a first one downwards, it excluded, and what each loses by the sum of its changes.

    Args:
        start: Where it begins.
        losses: Of each change of it alone, above 0.
        costs: Returns the costs of genomes.
        target: Cost at or below which the path ends.
    """
    path, lost, current = [start], [0.0], float(costs([start])[0])
    while current > target:
        genome = path[-1]
        steps = [change for change in losses if genome[change.gene] != change.option]
        if not steps:
            break
        saved = current - costs([_changed(genome, step) for step in steps])
        before = [losses.get(Change(step.gene, int(genome[step.gene])), 0.0) for step in steps]
        loss = np.array([max(losses[step] - old, 0.1 * losses[step]) for step, old in zip(steps, before, strict=True)])
        price = np.where(saved > 0, loss / np.where(saved > 0, saved, 1.0), np.inf)
        best = int(np.argmin(price))
        if not np.isfinite(price[best]):
            break
        path.append(_changed(genome, steps[best]))
        lost.append(lost[-1] + float(loss[best]))
        current -= float(saved[best])
    return path[1:], lost[1:]


def _costs(problem: SearchProblem, genomes: Sequence[np.ndarray]) -> np.ndarray:
    """Cost of genomes: the first objective that is known for nothing, else FLOPs."""
    cheap = problem.bounds.cheap
    name = next((name for name in problem.evaluated if name in cheap and name not in problem.learned), "flops")
    rows = cheap[name].evaluate([problem.genome.candidate(genome) for genome in genomes])
    values = [np.inf if row[name].value is None else row[name].value for row in rows]
    direction = next(o.direction for o in cheap[name].objectives if o.name == name)
    return -np.array(values, dtype=float) if direction == "max" else np.array(values, dtype=float)


def _changed(genome: np.ndarray, change: Change) -> np.ndarray:
    other = genome.copy()
    other[change.gene] = change.option
    return other


def _at(genome: np.ndarray, side: int | None) -> np.ndarray:
    """Genome at another of the resolutions, by its index among them."""
    if side is None:
        return genome
    other = genome.copy()
    other[-1] = side
    return other

"""A search by generations: all results of one are told before the next is asked for."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable, Sequence

import numpy as np

from evonas.config import parse_time
from evonas.engine import LocalEngine
from evonas.files.progress import Progress
from evonas.pareto.dominance import minimized
from evonas.pareto.objective import Objective
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.surrogate import make_evolution, note_predictors
from evonas.runs.run import Run

EVOLUTION_SHARE = 0.4
"""Of a budget of time, what evolution may take."""


def search_by_generations(
    problem: SearchProblem,
    run: Run,
    first: np.ndarray,
    objectives: Sequence[Objective],
    engine: LocalEngine,
    progress: Progress,
    after_generation: Callable[[Run], None],
) -> tuple[list[str], np.ndarray]:
    """Search generation by generation.

    Args:
        problem: What is searched.
        run: Where it is stored.
        first: Genomes to begin with.
        objectives: What is optimized, k of them.
        engine: What evaluates.
        progress: Shows how far it is.
        after_generation: Called with the run after each generation.

    Returns:
        Canonical texts in the order told, and values, shape ``(n, len(problem.evaluated))``.

    Raises:
        EvaluationError: Ten evaluations in a row failed.
    """
    size, directions = problem.settings.population, [objective.direction for objective in objectives]
    evolution = make_evolution(problem, run, objectives, engine, first)
    texts: list[str] = []
    told: list[np.ndarray] = []
    asking, inside, aside, began = 0.0, 0.0, 0.0, time.perf_counter()
    with progress.task("Searching", generations(problem, run, 0) * size) as task:
        for generation in itertools.count():
            if len(texts) >= generations(problem, run, len(texts)) * size:
                break
            start = time.perf_counter()
            genomes = evolution.ask()
            asking += time.perf_counter() - start
            if not len(genomes):
                progress.say("Every architecture of the space was evaluated.")
                break
            candidates = [problem.genome.candidate(genome) for genome in genomes]
            texts += [problem.genome.key(genome) for genome in genomes]
            run.store.enroll(generation, texts[-len(candidates) :], evolution.parents)  # type: ignore[arg-type]
            start = time.perf_counter()
            values = engine.evaluate(candidates, problem.evaluated, task.advance)
            inside += time.perf_counter() - start
            told.append(values)
            own = minimized(values[:, : len(directions)], directions)
            evolution.tell(genomes, own, problem.violations(values))
            start = time.perf_counter()
            after_generation(run)
            aside += time.perf_counter() - start
    whole = time.perf_counter() - began
    note_predictors(run, evolution, problem.names)
    if problem.settings.surrogate:
        run.update_manifest(timings={"predictors_seconds": round(asking, 3)})
        progress.say(f"Predictors took {asking / whole:.0%} of the time of the search itself")
    outside = whole - inside - aside
    run.update_manifest(
        timings={
            "reporting_seconds": round(aside, 3),
            "outside_evaluations_ms_per_candidate": round(1e3 * outside / max(1, len(texts)), 4),
        }
    )
    return texts, np.concatenate(told)


def generations(problem: SearchProblem, run: Run, told: int) -> int:
    """Return how many generations a search has: as many as asked for or, once the first is told, as time allows.

    Args:
        problem: What is searched.
        run: Where what the clock decides is stored.
        told: Architectures told so far.
    """
    prolonged: int | None = run.manifest.get("generations")
    if prolonged is not None:
        return prolonged
    settings = problem.settings
    if settings.time is None or told < settings.population:
        return settings.generations
    seconds = parse_time(settings.time)
    affordable: int = run.store.decide("generations", lambda: _affordable(problem, run, seconds))
    return affordable


def _affordable(problem: SearchProblem, run: Run, seconds: float) -> int:
    """Return the generations that a time allows, given what the evaluations of the first one took."""
    rows = {(row.architecture, row.objective): row.seconds for row in run.store.evaluations()}
    first = {member.architecture for member in run.store.members() if member.generation == 0}
    spent = sum(s for (text, name), s in rows.items() if text in first and name in problem.evaluated)
    return max(1, int(EVOLUTION_SHARE * seconds / max(spent, 1e-3)))

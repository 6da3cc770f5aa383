"""A search by generations: all results of one are reported before the next is asked for."""

from __future__ import annotations

import itertools
import shlex
import time
from collections.abc import Callable, Sequence
from functools import partial

import numpy as np

from evonas.engine import LocalEngine
from evonas.files.progress import Progress
from evonas.pareto.dominance import minimized
from evonas.pareto.objective import Objective
from evonas.pipeline.budget import Allowance, Budget
from evonas.pipeline.patience import patience_of
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.surrogate import make_evolution, note_predictors
from evonas.runs.run import Run

END = "end"
"""Decision in which generation the time was over; only what is stored of it counts."""


def search_by_generations(
    problem: SearchProblem,
    run: Run,
    first: np.ndarray,
    objectives: Sequence[Objective],
    engine: LocalEngine,
    progress: Progress,
    after_generation: Callable[[Run], None],
    budget: Budget,
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
        budget: Time that may be taken; when it is over, also within a generation, what was evaluated counts.

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
    allowance = Allowance(budget, size)
    patience = patience_of(problem, run, objectives)
    ended: int | None = run.store.decisions(END).get(END) if budget.bounded else None
    with progress.task("Searching", generations(problem, run, 0, allowance) * size) as task:
        for generation in itertools.count():
            if len(texts) >= generations(problem, run, len(texts), allowance) * size:
                break
            start = time.perf_counter()
            genomes = evolution.ask()
            asking += time.perf_counter() - start
            if not len(genomes):
                progress.say("Every architecture of the space was evaluated.")
                break
            candidates = [problem.genome.candidate(genome) for genome in genomes]
            keys = [problem.genome.key(genome) for genome in genomes]
            run.store.enroll(generation, keys, evolution.parents)  # type: ignore[arg-type]  # its keys are texts here
            over = _stop(ended == generation, allowance, engine.known(candidates, problem.evaluated))
            start = time.perf_counter()
            values = engine.evaluate(candidates, problem.evaluated, allowance.noting(task.advance), over)
            inside += time.perf_counter() - start
            if over is not None and over():
                run.store.decide(END, partial(int, generation))
                known = engine.known(candidates, problem.evaluated)
                texts += [key for key, done in zip(keys, known, strict=True) if done]
                told.append(values[known])
                progress.say(
                    f"The time is over in generation {generation + 1}: the front of what was evaluated follows"
                )
                break
            texts += keys
            told.append(values)
            own = minimized(values[:, : len(directions)], directions)
            violations = problem.bounds.violations(values)
            evolution.tell(genomes, own, violations)
            patience.tell(values[:, : len(directions)], violations)
            start = time.perf_counter()
            after_generation(run)
            aside += time.perf_counter() - start
            if patience.over:
                end_by_patience(run, patience.without, len(texts), progress)
                break
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


def end_by_patience(run: Run, without: int, evaluations: int, progress: Progress) -> None:
    """Write down and say that a search ends since further generations gained nothing.

    Args:
        run: Its run.
        without: Generations that gained nothing.
        evaluations: So far.
        progress: Shows it.
    """
    run.update_manifest(patience={"without_gain": without, "evaluations": evaluations})
    progress.say(
        f"{without} generations brought no gain in hypervolume beyond noise: the search ends after {evaluations:,} "
        f"evaluations (evonas resume {shlex.quote(str(run.path))} --generations N goes on)"
    )


def _stop(ended: bool, allowance: Allowance, known: np.ndarray) -> Callable[[], bool] | None:
    """Return what says that no more evaluations of a generation are begun; None: all are.

    Args:
        ended: Whether the time was over in this generation when it was searched first.
        allowance: Time that evolution may take.
        known: Which candidates are stored; where all are, a resumed search goes on to what it has not done.
    """
    if ended:
        return lambda: True
    return None if not allowance.bounded or known.all() else allowance.over


def generations(problem: SearchProblem, run: Run, evaluated: int, allowance: Allowance) -> int:
    """Return how many generations a search has: as many as asked for or, once the first is evaluated, as time allows.

    Args:
        problem: What is searched.
        run: Where what the clock decides is stored.
        evaluated: Architectures evaluated so far.
        allowance: Time that evolution may take.
    """
    prolonged: int | None = run.manifest.get("generations")
    if prolonged is not None:
        return prolonged
    settings = problem.settings
    if not allowance.bounded or evaluated < settings.population:
        return settings.generations
    affordable: int = run.store.decide("generations", lambda: _affordable(problem, run, allowance.left))
    return affordable


def _affordable(problem: SearchProblem, run: Run, seconds: float) -> int:
    """Return the generations that a time allows after the first, which is counted, given what its evaluations took."""
    rows = {(row.architecture, row.objective): row.seconds for row in run.store.evaluations()}
    first = {member.architecture for member in run.store.members() if member.generation == 0}
    spent = sum(s for (text, name), s in rows.items() if text in first and name in problem.evaluated)
    return 1 + int(seconds / max(spent, 1e-3))

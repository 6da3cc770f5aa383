"""A search without generations: each result is reported as it comes, and the order is stored and replayed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from evonas.engine import LocalEngine, Stream
from evonas.evolution import SteadyEvolution
from evonas.files.progress import Progress
from evonas.pareto.dominance import minimized
from evonas.pareto.objective import Objective
from evonas.pipeline.budget import Allowance, Budget
from evonas.pipeline.generational import END, end_by_patience, generations
from evonas.pipeline.patience import patience_of
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run

CANDIDATES_PER_WORKER = 2
"""Candidates under way per worker: one that is computed and one that waits, so that no worker does."""


def search_asynchronously(
    problem: SearchProblem,
    run: Run,
    first: np.ndarray,
    objectives: Sequence[Objective],
    engine: LocalEngine,
    progress: Progress,
    after_generation: Callable[[Run], None],
    budget: Budget,
) -> tuple[list[str], np.ndarray]:
    """Search, telling each result as it comes.

    The k-th candidate is asked for as soon as all but so many of the k before it are told, so that what is asked
    for follows from the order of telling alone: a resumed search, and a prolonged one, replays the stored order.

    Args:
        problem: What is searched.
        run: Where it is stored; the number under way is decided once.
        first: Genomes to begin with.
        objectives: What is optimized, k of them.
        engine: What evaluates.
        progress: Shows how far it is.
        after_generation: Called with the run after each population's worth.
        budget: Time that may be taken; when it is over, what was told counts.

    Returns:
        Canonical texts in the order told, and values, shape ``(n, len(problem.evaluated))``.

    Raises:
        EvaluationError: Ten evaluations in a row failed.
        RunError: The run does not replay.
    """
    store, size = run.store, problem.settings.population
    directions = [objective.direction for objective in objectives]
    evolution = SteadyEvolution(
        problem.genome.cardinalities,
        key=problem.genome.key,
        objectives=len(problem.names),
        constraints=len(problem.constraints),
        population=size,
        seed=problem.settings.seed,
        sample=problem.genome.sample,
        ordered=problem.genome.ordered,
        initial=first,
        algorithm=problem.settings.algorithm,
    )
    stream = Stream(engine, problem.evaluated)
    under_way = store.decide("under way", lambda: CANDIDATES_PER_WORKER * (engine.pool.size if engine.pool else 1))
    stored = [member.architecture for member in store.members()]
    genomes: dict[str, tuple[np.ndarray, tuple[str, ...]]] = {}
    texts: list[str] = []
    lineage: list[tuple[str, ...]] = []
    told: list[np.ndarray] = []
    asked = 0
    allowance = Allowance(budget, size)
    patience = patience_of(problem, run, objectives)
    ended: int | None = store.decisions(END).get(END) if budget.bounded else None
    with progress.task("Searching", size * generations(problem, run, 0, allowance)) as task:
        advance = allowance.noting(task.advance)
        while len(texts) < (end := size * generations(problem, run, len(texts), allowance)):
            late = budget.bounded and ended is None and len(texts) >= len(stored) and allowance.over()
            if late or len(texts) == ended:
                store.decide(END, texts.__len__)
                progress.say("The time is over: the front of what was evaluated follows")
                break
            while asked < len(texts) + under_way:
                genome = evolution.ask()
                if not len(genome):
                    break
                candidate = problem.genome.candidate(genome[0])
                genomes[str(candidate)] = genome, tuple(map(str, evolution.parents[0]))
                if asked < end:  # asked for in any case, so that a longer search asks the same
                    stream.submit(candidate)
                asked += 1
            if not genomes:
                break
            candidate, values = stream.next(stored[len(texts)] if len(texts) < len(stored) else None)
            text = str(candidate)
            genome, parents = genomes.pop(text)
            texts.append(text)
            lineage.append(parents)
            generation = (len(texts) - 1) // size
            store.enroll(generation, texts[generation * size :], lineage[generation * size :])
            told.append(values)
            own = minimized(values[None, : len(directions)], directions)
            violations = problem.bounds.violations(values[None])
            evolution.tell(genome, own, violations)
            patience.tell(values[None, : len(directions)], violations)
            advance(1)
            if len(texts) % size == 0:
                after_generation(run)
            if patience.over:
                end_by_patience(run, patience.without, len(texts), progress)
                break
    stream.drain()
    return texts, np.stack(told)

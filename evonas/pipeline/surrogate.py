"""A search assisted by predictors: what they see of a problem's architectures, and how they join evolution."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

import numpy as np

from evonas.engine import LocalEngine
from evonas.evolution import Evolution
from evonas.objectives import Evaluator
from evonas.objectives.table import TableEvaluator
from evonas.pareto.dominance import minimized
from evonas.pareto.objective import Objective
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run
from evonas.spaces import Candidate

ROUND_DIVISOR = 4
"""A round asks for this fraction of a population: fewer evaluations between fits, better ones."""
NSGA2_OBJECTIVES = 3
"""Objectives above which nsga3 is suggested."""
SMALL_INNER_SEARCH = 40, 8
"""Population and generations of a round's inner search where predictors see the supernet's estimate."""
WARM_START_SCORE = "swap"
"""The training-free score of the warm start, which predictors see where it is stored."""


def make_evolution(
    problem: SearchProblem, run: Run, objectives: Sequence[Objective], engine: LocalEngine, first: np.ndarray
) -> Evolution:
    """Return the search algorithm that settings ask for, assisted by predictors or plain.

    Args:
        problem: What is searched.
        run: Where proposals are stored round by round.
        objectives: What is optimized, in order.
        engine: What evaluates.
        first: Genomes to begin with.
    """
    settings, genome = problem.settings, problem.genome
    given: dict[str, Any] = {
        "key": genome.key,
        "objectives": len(objectives),
        "constraints": len(problem.constraints),
        "population": settings.population,
        "seed": settings.seed,
        "sample": genome.sample,
        "ordered": genome.ordered,
        "initial": first,
        "algorithm": settings.algorithm,
    }
    if not settings.surrogate:
        return Evolution(genome.cardinalities, **given)
    from evonas.evolution.surrogate import INNER_SEARCH, SurrogateEvolution
    from evonas.predictors import TokenEncoder, token_groups

    features = _GenomeFeatures(problem, run, objectives, engine)
    # The supernet's estimate of a candidate takes a while, so that fewer are read.
    inner = INNER_SEARCH if features.shared is None else SMALL_INNER_SEARCH
    encoder = TokenEncoder(
        lambda row: token_groups(problem.space, genome.candidate(row).architecture), features.statistics, genome.key
    )
    return SurrogateEvolution(
        genome.cardinalities,
        encoder=encoder,
        cheap=features.cheap,
        batch=max(2, settings.population // ROUND_DIVISOR),
        remember=run.store.decide,
        inner=inner,
        **given,
    )


def suggestion(algorithm: str, objectives: int) -> str | None:
    """Return a better algorithm for so many objectives, in a sentence; None where there is none to suggest.

    Above three objectives almost all members of a population dominate none of the others, and crowding tells them
    apart badly; reference directions do it better (Deb and Jain, IEEE Transactions on Evolutionary Computation 2014).
    """
    if objectives <= NSGA2_OBJECTIVES or algorithm != "nsga2":
        return None
    return f"Note: with {objectives} objectives  --algorithm nsga3  spreads the front better than nsga2"


def note_predictors(run: Run, evolution: Evolution, names: Sequence[str]) -> None:
    """Write down which predictors the last round used, for each expensive objective, and how well they ranked."""
    if evolution.choices:
        chosen = {names[j]: asdict(choice) for j, choice in evolution.choices.items()}
        run.update_manifest(surrogate={"predictors": chosen})


class _GenomeFeatures:
    """Knowledge of genomes without an evaluation."""

    def __init__(self, problem: SearchProblem, run: Run, objectives: Sequence[Objective], engine: LocalEngine) -> None:
        self._problem, self._run = problem, run
        self._directions = [objective.direction for objective in objectives]
        evaluators = engine.evaluators
        self._computed = {
            name: evaluators[name]
            for name in problem.evaluated
            if name in problem.bounds.cheap and not isinstance(evaluators[name], TableEvaluator)
        }
        self._costs = {name: problem.bounds.cheap[name] for name in ("flops", "params")} | self._computed
        self._learned = next((name for name in problem.learned if name in evaluators), "acc")
        shared = evaluators[self._learned].shared_weights() if self._learned in evaluators else None
        self.shared = None if shared is None else LocalEngine({self._learned: shared}, run.store)
        # An objective that is evaluated as the search goes on would be seen by a resumed search too early.
        stored = () if WARM_START_SCORE in problem.evaluated else run.store.series()
        self._scores = [series for series in stored if series[0] == WARM_START_SCORE]

    def cheap(self, genomes: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return minimized values and violations, NaN where only an evaluation shows."""
        problem = self._problem
        values = np.full((len(genomes), len(problem.evaluated)), np.nan)
        candidates = [self._problem.genome.candidate(genome) for genome in genomes]
        for column, name in enumerate(problem.evaluated):
            if name in self._computed:
                values[:, column] = _column(self._computed[name], name, candidates)
        own = minimized(values[:, : len(self._directions)], self._directions)
        return own, problem.bounds.violations(values)

    def statistics(self, genomes: np.ndarray) -> np.ndarray:
        """Return costs, pixels where resolutions are searched, and training-free scores as far as they are stored."""
        candidates = [self._problem.genome.candidate(genome) for genome in genomes]
        columns = [_column(evaluator, name, candidates) for name, evaluator in self._costs.items()]
        if self._problem.genome.resolutions:
            columns.append(np.array([math.prod(one.resolution or (0, 0)) for one in candidates], dtype=np.float64))
        if self.shared is not None:
            columns.append(self.shared.evaluate(candidates, [self._learned])[:, 0])
        texts = [str(candidate) for candidate in candidates]
        for name, fingerprint in self._scores:
            found = self._run.store.lookup(texts, name, fingerprint)
            known = [found[text].value if text in found else None for text in texts]
            columns.append(np.array([np.nan if value is None else value for value in known], dtype=np.float64))
        return np.stack(columns, axis=1)


def _column(evaluator: Evaluator, name: str, candidates: Sequence[Candidate]) -> np.ndarray:
    values = [row[name].value for row in evaluator.evaluate(candidates)]
    return np.array([np.nan if value is None else value for value in values], dtype=np.float64)

"""Bounds of a search, and what is drawn inside those on objectives that need no training."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from evonas.errors import SettingsError
from evonas.objectives import Evaluator
from evonas.pareto.objective import Constraint
from evonas.pipeline.asked import Asked
from evonas.pipeline.feasibility import Feasibility, find_feasibility, repaired, violation_sum
from evonas.pipeline.genome import SearchGenome
from evonas.spaces import Candidate

__all__ = ["Bounds"]

ARCHITECTURES_TRIED = 2000
"""Candidates drawn in each way to see whether a bound on a cheap objective can be kept at all."""
REPAIRED = 200
"""Candidates outside the bounds that are repaired at most."""
DRAWS = 20
"""Times that so many candidates are drawn again while too few keep to the bounds."""


class Bounds:
    """Bounds of a search. Those on cheap objectives are known before work begins.

    Args:
        asked: Objectives and bounds.
        genome: Genomes, and the candidates they mean.
        cheap: Evaluators that need no training, by objective.
        seed: The search's.

    Attributes:
        cheap: These, with what was added.
        feasibility: What keeps to bounds on cheap objectives; None: there are none.

    Raises:
        SettingsError: A bound that no architecture keeps.
    """

    def __init__(self, asked: Asked, genome: SearchGenome, cheap: Mapping[str, Evaluator], seed: int) -> None:
        self._asked, self._genome, self._seed = asked, genome, seed
        self.cheap = dict(cheap)
        self.feasibility: Feasibility | None = None
        self._refuse_impossible()

    def add_cheap(self, name: str, evaluator: Evaluator) -> None:
        """Add an evaluator that needs no training, and see whether bounds on it can be kept.

        Raises:
            SettingsError: One cannot.
        """
        self.cheap[name] = evaluator
        self._refuse_impossible()

    def _refuse_impossible(self) -> None:
        """Find out what keeps to bounds on cheap objectives, and refuse one that nothing keeps to.

        Raises:
            SettingsError: Neither a large sample nor a descent from its nearest keeps to a bound; the message holds
                the nearest value.
        """
        constraints = self._cheap_constraints()
        if not constraints:
            return
        rng = np.random.default_rng([self._seed, 3])
        ends = np.stack([np.zeros_like(self._genome.cardinalities), self._genome.cardinalities - 1])
        draws = [self._genome.sample(ARCHITECTURES_TRIED, rng, by=by) for by in ("choice", "size")]
        sample = np.concatenate([*draws, ends])
        self.feasibility = find_feasibility(
            constraints, self._read, sample, len(sample) - 2, self._genome.cardinalities
        )
        for constraint in constraints:
            best = self.feasibility.corners[str(constraint)]
            if constraint.violation(best) > 0:
                raise SettingsError(
                    f"No architecture of {len(sample)} tried keeps to {constraint}: the nearest has {best:,.6g}; "
                    "loosen the constraint or choose another skeleton"
                )
        if self.feasibility.violation > 0:
            raise SettingsError(
                f"No architecture was found that keeps to {' and '.join(map(str, constraints))} at once, though each "
                f"alone can be kept: the nearest has {self.feasibility.nearest_text}; loosen one"
            )

    def with_feasible(self, genomes: np.ndarray) -> np.ndarray:
        """Return a first population whose last members are what was found to keep to all bounds on cheap objectives.

        Args:
            genomes: Shape ``(n, genes)``; without such bounds they come back as they are.
        """
        if self.feasibility is None or len(self._cheap_constraints()) == 0:
            return genomes
        there = {self._genome.key(genome) for genome in genomes}
        found = {self._genome.key(genome): genome for genome in self.feasibility.feasible}
        new = [genome for key, genome in found.items() if key not in there][: len(genomes)]
        if not new:
            return genomes
        return np.concatenate([genomes[: len(genomes) - len(new)], np.stack(new).astype(genomes.dtype)])

    def sample(
        self, n: int, rng: np.random.Generator, draw: Callable[[int, np.random.Generator], np.ndarray] | None = None
    ) -> tuple[np.ndarray, list[Candidate]]:
        """Draw different candidates, those first that keep to bounds on cheap objectives.

        Where too few do, others are repaired, so that they keep to them with as few genes changed as possible.

        Args:
            n: How many; fewer come back where the space holds fewer.
            rng: Source of randomness.
            draw: Draws so many genomes; None: as the search's genome draws them.

        Returns:
            Genomes of shape ``(n, genes)`` and their candidates.
        """
        kept: dict[str, tuple[np.ndarray, Candidate]] = {}
        spare: dict[str, tuple[np.ndarray, Candidate]] = {}
        for _ in range(DRAWS):
            genomes = (draw or self._genome.sample)(n, rng)
            candidates = [self._genome.candidate(genome) for genome in genomes]
            feasible = np.ones(len(candidates), dtype=bool)
            for constraint in self._cheap_constraints():
                values = self._values(constraint.objective, candidates)
                feasible &= np.array([constraint.violation(value) <= 0 for value in values])
            for genome, candidate, good in zip(genomes, candidates, feasible, strict=True):
                (kept if good else spare).setdefault(str(candidate), (genome, candidate))
            if len(kept) >= n:
                break
        if len(kept) < n and self.feasibility is not None:
            for genome, _ in list(spare.values())[:REPAIRED]:
                mended = repaired(self._violation_of, genome, self._genome.cardinalities)
                if mended is not None:
                    candidate = self._genome.candidate(mended)
                    kept.setdefault(str(candidate), (mended.astype(genome.dtype), candidate))
                if len(kept) >= n:
                    break
        chosen = [*kept.values(), *spare.values()][:n]
        return np.stack([genome for genome, _ in chosen]), [candidate for _, candidate in chosen]

    def violations(self, values: np.ndarray) -> np.ndarray:
        """Return by how much each row of values breaks each constraint.

        Args:
            values: Shape ``(n, len(evaluated))``, natural directions.

        Returns:
            Shape ``(n, len(constraints))``, relative to the bound; NaN where the value is.
        """
        columns = {name: i for i, name in enumerate(self._asked.evaluated)}
        broken = np.zeros((len(values), len(self._asked.constraints)))
        for i, constraint in enumerate(self._asked.constraints):
            column = values[:, columns[constraint.objective]]
            broken[:, i] = [constraint.violation(v) if np.isfinite(v) else np.nan for v in column]
        return broken

    def _cheap_constraints(self) -> list[Constraint]:
        return [constraint for constraint in self._asked.constraints if constraint.objective in self.cheap]

    def _violation_of(self, genomes: np.ndarray) -> np.ndarray:
        """Return the sum of relative violations of bounds on cheap objectives, shape ``(n,)``; infinite: it fails."""
        constraints = self._cheap_constraints()
        names = dict.fromkeys(constraint.objective for constraint in constraints)
        return violation_sum(constraints, {name: self._read(name, genomes) for name in names})

    def _read(self, name: str, genomes: np.ndarray) -> np.ndarray:
        return np.array(self._values(name, [self._genome.candidate(genome) for genome in genomes]))

    def _values(self, name: str, candidates: Sequence[Candidate]) -> list[float]:
        values = [row[name].value for row in self.cheap[name].evaluate(candidates)]
        return [float("nan") if value is None else value for value in values]

"""Feasibility of bounds on cheap objectives: what share of a space keeps to them, and what lies nearest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.pareto.objective import Constraint

__all__ = ["Feasibility", "find_feasibility", "least", "repaired", "violation_sum"]

SWEEPS = 4
"""Times that the descent goes over all genes, at the most."""
KICKS, KICKED = 24, 3
"""Times that a descent which ended outside the bounds begins again with a few genes of its end drawn, and how many."""

Read = Callable[[str, np.ndarray], np.ndarray]
"""Reads an objective of genomes of shape ``(n, genes)``, as floats of shape ``(n,)``; NaN: it fails."""


@dataclass(frozen=True)
class Feasibility:
    """Knowledge of bounds before any work.

    Attributes:
        kept: Share of random architectures that keep to all bounds, 0 to 1.
        tried: How many were drawn.
        violation: Smallest sum of relative violations that was found; 0 where something keeps to all bounds.
        feasible: Genomes found by search that keep to all bounds, shape ``(n, genes)``: the nearest, and corners.
        corners: For each bound the best value of its objective that was found, by its text.
        nearest: Values of the genome that comes nearest to all bounds, by objective.
    """

    kept: float
    tried: int
    violation: float
    feasible: np.ndarray
    corners: dict[str, float]
    nearest: dict[str, float]

    def sentences(self) -> list[str]:
        """What a search says of its bounds before it begins."""
        reached = ", ".join(f"{text} reaches {value:,.6g}" for text, value in self.corners.items())
        lines = [
            f"{self.kept:.2%} of {self.tried:,} random architectures keep to {' and '.join(self.corners)}; "
            f"alone, {reached}"
        ]
        if self.violation > 0:
            lines.append(f"None was found that keeps to all of it: the nearest has {self.nearest_text}")
        elif not self.kept:
            number = len(np.unique(self.feasible, axis=0))
            found = f"{number} that {'does' if number == 1 else 'do'}"
            lines.append(f"Search found {found}, and the first population is made to keep to them")
        return lines

    @property
    def nearest_text(self) -> str:
        """Values of the nearest in words, and by how much it breaks its bounds."""
        values = ", ".join(f"{name} {value:,.6g}" for name, value in self.nearest.items())
        return f"{values}, which breaks its bounds by {self.violation:.2%} in sum"


def find_feasibility(
    constraints: Sequence[Constraint], read: Read, sample: np.ndarray, drawn: int, cardinalities: np.ndarray
) -> Feasibility:
    """Return what share of a sample keeps to bounds, and by coordinate descent what lies nearest and furthest inside.

    Args:
        constraints: Bounds, one or more.
        read: Reads a cheap objective.
        sample: Genomes of shape ``(n, genes)``, the random ones first.
        drawn: How many of them are random.
        cardinalities: Options of each gene.
    """

    names = dict.fromkeys(constraint.objective for constraint in constraints)
    known = {name: read(name, sample) for name in names}

    def violation_of(genomes: np.ndarray) -> np.ndarray:
        return violation_sum(constraints, {name: read(name, genomes) for name in names})

    found = violation_sum(constraints, known)
    starts = [sample[int(np.argmin(found))]]
    corners = {}
    for constraint in constraints:
        sign = 1.0 if constraint.sign == "<=" else -1.0

        def signed(genomes: np.ndarray, name: str = constraint.objective, sign: float = sign) -> np.ndarray:
            return np.nan_to_num(sign * read(name, genomes), nan=np.inf)

        start = sample[int(np.argmin(np.nan_to_num(sign * known[constraint.objective], nan=np.inf)))]
        end, value = least(signed, start, cardinalities)
        corners[str(constraint)] = sign * value
        starts.append(end)
    ends = [] if found.min() <= 0 else _ends(violation_of, starts, cardinalities)
    genomes = np.stack([*starts, *ends])
    amounts = violation_of(genomes)
    best = genomes[int(np.argmin(amounts))][None]
    nearest = {name: float(read(name, best)[0]) for name in names}
    kept = float((found[:drawn] <= 0).mean())
    return Feasibility(kept, drawn, float(amounts.min()), genomes[amounts <= 0], corners, nearest)


def violation_sum(constraints: Sequence[Constraint], columns: Mapping[str, np.ndarray]) -> np.ndarray:
    """Return the sum of relative violations of rows of values, shape ``(n,)``; infinite where a value is not finite.

    Args:
        constraints: Bounds, one or more.
        columns: Values of shape ``(n,)`` by objective.
    """
    rows = [
        [c.violation(value) if np.isfinite(value) else np.inf for value in columns[c.objective]] for c in constraints
    ]
    return np.asarray(np.sum(rows, axis=0))


def _ends(
    violation_of: Callable[[np.ndarray], np.ndarray], starts: Sequence[np.ndarray], cardinalities: np.ndarray
) -> list[np.ndarray]:
    """Return where descents end: from the nearest and the corners and, while nothing keeps to the bounds, by kicks.

    From the corners too: one gene at a time, a descent may end where one bound holds and another is out of reach.
    """
    found = [least(violation_of, start, cardinalities, enough=0.0) for start in starts]
    rng = np.random.default_rng(0)
    for _ in range(KICKS):
        genome, amount = min(found, key=lambda one: one[1])
        if amount <= 0:
            break
        kicked = np.array(genome)
        genes = rng.choice(len(cardinalities), min(KICKED, len(cardinalities)), replace=False)
        kicked[genes] = rng.integers(cardinalities[genes])
        found.append(least(violation_of, kicked, cardinalities, enough=0.0))
    return [genome for genome, _ in found]


def repaired(
    violation_of: Callable[[np.ndarray], np.ndarray], genome: np.ndarray, cardinalities: np.ndarray
) -> np.ndarray | None:
    """Return a genome changed one gene at a time until it keeps to all bounds; None where that does not lead there.

    Always the change comes next that breaks the bounds least, so that as little as possible changes.

    Args:
        violation_of: Sum of relative violations of genomes of shape ``(n, genes)``; 0 where all bounds hold.
        genome: Where it begins.
        cardinalities: Options of each gene.
    """
    current, amount = np.array(genome), float(violation_of(np.asarray(genome)[None])[0])
    for _ in range(len(cardinalities)):
        if amount <= 0:
            return current
        others = np.repeat(current[None], int(np.sum(cardinalities)), axis=0)
        rows = np.arange(len(others))
        others[rows, np.repeat(np.arange(len(cardinalities)), cardinalities)] = np.concatenate(
            [np.arange(options) for options in cardinalities]
        )
        values = violation_of(others)
        if values.min() >= amount:
            return None
        current, amount = others[int(np.argmin(values))], float(values.min())
    return current if amount <= 0 else None


def least(
    value: Callable[[np.ndarray], np.ndarray],
    start: np.ndarray,
    cardinalities: np.ndarray,
    *,
    enough: float = -np.inf,
) -> tuple[np.ndarray, float]:
    """Return the genome that coordinate descent ends at, and its value: no change of one gene lowers it.

    Args:
        value: What is made small, of genomes of shape ``(n, genes)``.
        start: Genome to begin with.
        cardinalities: Options of each gene.
        enough: Value at which it ends.
    """
    best, lowest = np.array(start), float(value(np.asarray(start)[None])[0])
    for _ in range(SWEEPS):
        before = lowest
        for gene, options in enumerate(cardinalities):
            if lowest <= enough:
                return best, lowest
            others = np.repeat(best[None], options, axis=0)
            others[:, gene] = np.arange(options)
            values = value(others)
            if values.min() < lowest:
                best, lowest = others[int(np.argmin(values))], float(values.min())
        if lowest >= before:
            break
    return best, lowest

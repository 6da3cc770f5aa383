"""Feasibility of bounds on cheap objectives: what share of a space keeps to them, and what lies nearest."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.pareto.objective import Constraint

__all__ = ["Feasibility", "find_feasibility", "least"]

SWEEPS = 4
"""Times that the descent goes over all genes, at the most."""

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
    """

    kept: float
    tried: int
    violation: float
    feasible: np.ndarray
    corners: dict[str, float]

    def sentences(self) -> list[str]:
        """What a search says of its bounds before it begins."""
        reached = ", ".join(f"{text} reaches {value:,.6g}" for text, value in self.corners.items())
        lines = [
            f"{self.kept:.2%} of {self.tried:,} random architectures keep to {' and '.join(self.corners)}; "
            f"alone, {reached}"
        ]
        if self.violation > 0:
            lines.append(
                f"None was found that keeps to all of it: the nearest breaks its bounds by {self.violation:.2%} in sum"
            )
        return lines


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

    def violation(columns: Mapping[str, np.ndarray]) -> np.ndarray:
        rows = [
            [c.violation(value) if np.isfinite(value) else np.inf for value in columns[c.objective]]
            for c in constraints
        ]
        return np.asarray(np.sum(rows, axis=0))

    def violation_of(genomes: np.ndarray) -> np.ndarray:
        return violation({name: read(name, genomes) for name in names})

    found = violation(known)
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
    # From the corners too: one gene at a time, a descent may end where one bound holds and another is out of reach.
    ends = [least(violation_of, start, cardinalities) for start in starts] if found.min() > 0 else []
    amount = min([float(found.min()), *(value for _, value in ends)])
    genomes = np.stack([*starts, *(genome for genome, _ in ends)])
    feasible = genomes[violation_of(genomes) <= 0]
    return Feasibility(float((found[:drawn] <= 0).mean()), drawn, amount, feasible, corners)


def least(
    value: Callable[[np.ndarray], np.ndarray], start: np.ndarray, cardinalities: np.ndarray
) -> tuple[np.ndarray, float]:
    """Return the genome that coordinate descent ends at, and its value: no change of one gene lowers it.

    Args:
        value: What is made small, of genomes of shape ``(n, genes)``.
        start: Genome to begin with.
        cardinalities: Options of each gene.
    """
    best, lowest = np.array(start), float(value(np.asarray(start)[None])[0])
    for _ in range(SWEEPS):
        before = lowest
        for gene, options in enumerate(cardinalities):
            others = np.repeat(best[None], options, axis=0)
            others[:, gene] = np.arange(options)
            values = value(others)
            if values.min() < lowest:
                best, lowest = others[int(np.argmin(values))], float(values.min())
        if lowest >= before:
            break
    return best, lowest

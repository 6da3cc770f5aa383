"""Assembly of a front from what was evaluated, with its hypervolume and reference point."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from evonas.pareto.dominance import first_front, minimized
from evonas.pareto.front import Front, Member
from evonas.pareto.indicators import hypervolume, hypervolume_box
from evonas.pareto.objective import Constraint, Objective

__all__ = ["make_front"]


def make_front(
    architectures: Sequence[str],
    values: np.ndarray,
    objectives: Sequence[Objective],
    violations: np.ndarray | None = None,
    known: Mapping[str, Mapping[str, float]] | None = None,
    constraints: Sequence[Constraint] = (),
) -> Front:
    """Return the front of evaluated architectures.

    The reference point of the hypervolume lies a margin beyond the worst value of each objective among all evaluated
    architectures that are feasible (`hypervolume_box`).

    Args:
        architectures: Canonical texts.
        values: Floats of shape ``(n, objectives)``, natural directions, NaN where an evaluation failed.
        objectives: What the columns are.
        violations: Shape ``(n, constraints)``; above 0 where a constraint is broken.
        known: Further numbers by architecture.
        constraints: Checked again where a member was measured whole.
    """
    directions = [objective.direction for objective in objectives]
    turned = minimized(values, directions) if len(values) else values.reshape(0, len(objectives))
    found = first_front(turned, violations) if len(values) else np.zeros(0, dtype=int)
    order = sorted(found.tolist(), key=lambda i: (turned[i, -1], turned[i, 0], architectures[i]))
    known = known or {}
    members = []
    for i in order:
        more = dict(known.get(architectures[i], {}))
        member = Member(
            architectures[i],
            {o.name: float(value) for o, value in zip(objectives, values[i], strict=True)},
            more,
            tuple(str(c) for c in constraints if _breaks(c, more)),
        )
        members.append(member)
    feasible = np.isfinite(turned).all(axis=1)
    if violations is not None and violations.size:
        feasible &= (violations <= 0).all(axis=1)
    volume, reference = None, np.zeros(0)
    if feasible.any():
        low, extent = hypervolume_box(turned[feasible])
        volume = float(hypervolume((turned[feasible] - low) / extent, np.ones(len(objectives))))
        reference = minimized((low + extent)[None], directions)[0]
    return Front(tuple(objectives), tuple(members), tuple(float(v) for v in reference), volume)


def _breaks(constraint: Constraint, known: Mapping[str, float]) -> bool:
    """Return whether a member measured whole breaks a constraint by more than the measurement's noise."""
    measured = known.get(f"{constraint.objective}_measured")
    if measured is None:
        return False
    noise = 3 * known.get(f"{constraint.objective}_mad", 0.0)
    return constraint.violation(measured - noise if constraint.sign == "<=" else measured + noise) > 0

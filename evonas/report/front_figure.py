"""Data of the front's figure: one panel per pair of objectives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from evonas.pareto.dominance import first_front, minimized
from evonas.pareto.front import Member
from evonas.pareto.objective import Objective
from evonas.report.contents import Contents

WIDE = 30.0
"""Ratio of largest to smallest value beyond which an axis is logarithmic."""
FAR = 2.0
"""Per cent of the evaluations, the worst, that may lie outside a panel where they would squeeze the rest."""


@dataclass(frozen=True)
class Panel:
    """One pair of objectives.

    Attributes:
        x: Objective of the horizontal axis.
        y: Objective of the vertical axis.
        evaluations: All that kept to the constraints and did not fail, shape ``(n, 2)``.
        infeasible: Those that broke a constraint, shape ``(k, 2)``.
        front: Members of the front, ascending by x, shape ``(f, 2)``.
        joined: Those of them that no other dominates in these two alone, ascending by x, shape ``(j, 2)``.
        selected: The selected member, shape ``(2,)``, or None.
        log: Whether the horizontal axis is logarithmic.
        bounds: Limits of both axes, shape ``(2, 2)``: low and high of x, of y.
        outside: Evaluations that lie beyond the bounds.
    """

    x: Objective
    y: Objective
    evaluations: np.ndarray
    infeasible: np.ndarray
    front: np.ndarray
    joined: np.ndarray
    selected: np.ndarray | None
    log: bool
    bounds: np.ndarray
    outside: int


def front_panels(contents: Contents, selected: Member | None = None) -> list[Panel]:
    """Return the panels of a run: the first objective against each other one, or against the order reported.

    Args:
        contents: The run.
        selected: Member to mark.
    """
    names = [objective.name for objective in contents.objectives]
    if len(names) == 1:
        return [_alone(contents, selected)]
    finite = np.isfinite(contents.values).all(axis=1)
    chosen = None if selected is None else np.array([selected.values[name] for name in names])
    return [
        _panel(
            contents.objectives[i],
            contents.objectives[0],
            contents.values[finite][:, [i, 0]],
            contents.feasible[finite],
            contents.front.values[:, [i, 0]],
            None if chosen is None else chosen[[i, 0]],
        )
        for i in range(1, len(names))
    ]


def _alone(contents: Contents, selected: Member | None) -> Panel:
    """Return the panel of a single objective: its values in the order reported."""
    objective = contents.objectives[0]
    order = Objective("evaluation", "number", "min")
    values = np.column_stack([np.arange(1, len(contents.texts) + 1), contents.values[:, 0]])
    finite = np.isfinite(values[:, 1])
    members = [m for m in contents.front if m.architecture in contents.indices]
    front = np.array([[contents.indices[m.architecture] + 1, m.values[objective.name]] for m in members])
    chosen = None
    if selected is not None and selected.architecture in contents.indices:
        chosen = np.array([contents.indices[selected.architecture] + 1, selected.values[objective.name]], dtype=float)
    panel = _panel(
        order, objective, values[finite], contents.feasible[finite], front.reshape(-1, 2).astype(float), chosen
    )
    # The line is the best so far; the order is no quantity whose ratios mean something.
    best = first_front(minimized(panel.evaluations, ["min", objective.direction]))
    high = len(values) + 0.5
    bounds = np.array([(0.5 - 0.03 * high, 1.03 * high), panel.bounds[1]])
    return replace(panel, joined=panel.evaluations[np.sort(best)], log=False, bounds=bounds)


def _panel(
    x: Objective,
    y: Objective,
    values: np.ndarray,
    feasible: np.ndarray,
    front: np.ndarray,
    selected: np.ndarray | None,
) -> Panel:
    front = front[np.argsort(front[:, 0], kind="stable")]
    joined = front[first_front(minimized(front, [x.direction, y.direction]))] if len(front) else front
    joined = joined[np.lexsort((joined[:, 1], joined[:, 0]))]
    both = np.concatenate([values[feasible], front])
    log = bool(len(both) and both[:, 0].min() > 0 and both[:, 0].max() / both[:, 0].min() > WIDE)
    bounds = np.array([_bounds(both[:, 0], front[:, 0], x, log), _bounds(both[:, 1], front[:, 1], y)])
    outside = ((values < bounds[:, 0]) | (values > bounds[:, 1])).any(axis=1)
    return Panel(
        x=x,
        y=y,
        evaluations=values[feasible],
        infeasible=values[~feasible],
        front=front,
        joined=joined,
        selected=selected,
        log=log,
        bounds=bounds,
        outside=int(outside.sum()),
    )


def _bounds(values: np.ndarray, front: np.ndarray, objective: Objective, log: bool = False) -> tuple[float, float]:
    """Return limits that hold all of the front, and all evaluations but the far tail on the worse side."""
    if not len(values):
        return (0.0, 1.0)
    if objective.direction == "max":
        low, high = min(np.percentile(values, FAR), front.min(initial=np.inf)), values.max()
    else:
        low, high = values.min(), max(np.percentile(values, 100 - FAR), front.max(initial=-np.inf))
    if log:
        edge = (high / low) ** 0.04
        return (float(low / edge), float(high * edge))
    edge = 0.05 * (high - low) or 0.05 * abs(high) or 1.0
    return (float(low - edge), float(high + edge))


def staircase(joined: np.ndarray, x: Objective, y: Objective) -> np.ndarray:
    """Return the corners of the line that joins a front: what its members dominate, and no more.

    Args:
        joined: Non-dominated points, ascending by x, shape ``(j, 2)``.
        x: Objective of the horizontal axis.
        y: Objective of the vertical axis.

    Returns:
        Shape ``(2j - 1, 2)``, or ``(0, 2)``.
    """
    corners = []
    for (left, low), (right, high) in pairwise(joined):
        corners.append((left, low))
        # Between two members only the worse of both is sure to be reached in each objective.
        corner_x = max(left, right) if x.direction == "min" else min(left, right)
        corner_y = max(low, high) if y.direction == "min" else min(low, high)
        corners.append((corner_x, corner_y))
    corners += [tuple(point) for point in joined[-1:]]
    return np.array(corners).reshape(-1, 2)

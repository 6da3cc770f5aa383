"""Attainment surfaces of several seeds, drawn: best, median and worst, with every seed's front."""

from __future__ import annotations

import io
from typing import Any

import numpy as np

from evonas.errors import require
from evonas.pareto.attainment import attainment_surface
from evonas.pareto.dominance import first_front, minimized
from evonas.pareto.objective import Objective
from evonas.pareto.seed_comparison import SeedComparison
from evonas.report.amounts import heading, is_accuracy
from evonas.report.draw import CLOUD, FRONT, INK, style_axes
from evonas.report.front_figure import staircase
from evonas.report.origins import number

__all__ = ["plot_seeds"]

BAND = "#bfd0f2"
WIDE = 30.0
"""Ratio of largest to smallest value beyond which an axis is logarithmic."""


def plot_seeds(found: SeedComparison, *, dpi: int = 160) -> bytes:
    """Draw the fronts of all seeds faint, their median front, and the band between what one and what all reach.

    With three objectives there is a panel for the first one against each other one, each with the surfaces of these
    two alone. With one objective each seed's best value is a point.

    Args:
        found: The comparison.
        dpi: Pixels per inch.

    Returns:
        A PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    others = list(range(1, len(found.objectives)))
    figure = require("matplotlib.figure", "report").Figure(
        figsize=(7.6 if len(others) < 2 else 6.1 * len(others), 4.9), dpi=dpi, layout="constrained"
    )
    for place, other in enumerate(others or [None]):
        axes = figure.add_subplot(1, max(1, len(others)), place + 1)
        style_axes(axes)
        if other is None:
            _single(axes, found)
        else:
            _pair(axes, found, other)
    reached = f"{found.half} of {len(found.fronts)}"
    figure.suptitle(
        f"Median front, what {reached} seeds reach", color=INK, fontsize=12.5, fontweight="bold", x=0.02, ha="left"
    )
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()


def _single(axes: Any, found: SeedComparison) -> None:
    (objective,) = found.objectives
    best = max if objective.direction == "max" else min
    values = {seed: best(m.values[objective.name] for m in ms) for seed, ms in found.fronts.items() if ms}
    axes.plot(list(map(str, values)), list(values.values()), "o", color=FRONT, label="best of a seed")
    median = found.median_front
    if median is not None and len(median):
        axes.axhline(float(median[0, 0]), color=FRONT, lw=1.6, label="median")
    _format(axes.yaxis, objective)
    axes.set_ylabel(heading(objective), color=INK, fontsize=10)
    axes.set_xlabel("seed", color=INK, fontsize=10)
    axes.legend(frameon=False, fontsize=8.5, labelcolor=INK)


def _pair(axes: Any, found: SeedComparison, other: int) -> None:
    """Draw the first objective over another one, in the directions that are theirs."""
    y, x = found.objectives[0], found.objectives[other]
    points = [
        np.array([[m.values[x.name], m.values[y.name]] for m in ms]).reshape(-1, 2) for ms in found.fronts.values()
    ]
    every = np.concatenate(points)
    if every[:, 0].min() > 0 and every[:, 0].max() / every[:, 0].min() > WIDE:
        axes.set_xscale("log")
    for front in points:
        label = "a seed's front" if front is points[0] else None
        axes.plot(*_stairs(front, x, y).T, color=CLOUD, lw=0.9, alpha=0.7, zorder=2)
        axes.plot(*front.T, "o", color=CLOUD, ms=3, alpha=0.7, label=label, zorder=2)
    surfaces = _surfaces(points, x, y)
    ends = [_extended(surfaces[reached], every, x, y) for reached in (1, len(points))]
    if all(len(line) for line in ends):
        axes.fill(*np.concatenate([ends[0], ends[1][::-1]]).T, color=BAND, alpha=0.45, lw=0, zorder=1,
                  label="between what one and what all reach")  # fmt: skip
    median = _extended(surfaces[found.half], every, x, y)
    if len(median):
        axes.plot(*median.T, color=FRONT, lw=2.2, label="median front", zorder=4)
    for side, objective in ((axes.xaxis, x), (axes.yaxis, y)):
        _format(side, objective)
    axes.set_xlabel(heading(x), color=INK, fontsize=10, labelpad=7)
    axes.set_ylabel(heading(y), color=INK, fontsize=10, labelpad=7)
    place = f"{'lower' if y.direction == 'max' else 'upper'} {'right' if x.direction == 'min' else 'left'}"
    axes.legend(loc=place, frameon=True, framealpha=0.92, edgecolor="none", fontsize=8.5, labelcolor=INK)


def _surfaces(points: list[np.ndarray], x: Objective, y: Objective) -> dict[int, np.ndarray]:
    """Return surfaces of two objectives alone, by how many seeds reach them, natural directions."""
    directions = [x.direction, y.direction]
    turned = [minimized(front, directions) for front in points]
    return {k: minimized(attainment_surface(turned, k), directions) for k in range(1, len(points) + 1)}


def _stairs(points: np.ndarray, x: Objective, y: Objective) -> np.ndarray:
    """Return the line that joins what no other point dominates, ascending by x."""
    if not len(points):
        return points
    kept = points[first_front(minimized(points, [x.direction, y.direction]))]
    return staircase(kept[np.lexsort((kept[:, 1], kept[:, 0]))], x, y)


def _extended(surface: np.ndarray, every: np.ndarray, x: Objective, y: Objective) -> np.ndarray:
    """Return the line of a surface, drawn on to the worst values on any front, where it goes on straight."""
    line = _stairs(surface, x, y)
    if not len(line):
        return line
    worst_x = every[:, 0].max() if x.direction == "min" else every[:, 0].min()
    worst_y = every[:, 1].min() if y.direction == "max" else every[:, 1].max()
    steep, flat = (line[0, 0], worst_y), (worst_x, line[-1, 1])
    if x.direction == "max":
        steep, flat = (worst_x, line[0, 1]), (line[-1, 0], worst_y)
    return np.array([steep, *line, flat])


def _format(side: Any, objective: Objective) -> None:
    scale = 100 if is_accuracy(objective.name, objective.unit) else 1
    ticker = require("matplotlib.ticker", "report")
    side.set_major_formatter(ticker.FuncFormatter(lambda value, _: number(scale * value)))

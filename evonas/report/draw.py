"""Drawing the front with matplotlib: figures of their own, no global state, no display."""

from __future__ import annotations

import io
import math
from typing import Any

import numpy as np

from evonas.errors import require
from evonas.pareto.front import Member
from evonas.pareto.objective import Objective
from evonas.report.amounts import bound_text, is_accuracy, shown, unit_shown
from evonas.report.contents import Contents
from evonas.report.front_figure import Panel, front_panels, staircase
from evonas.report.origins import number, origin

INK, SOFT, GRID = "#1f2733", "#5d6877", "#e6e9ee"
CLOUD, BROKEN, FRONT, CHOSEN = "#8b97a8", "#c9a27e", "#2358c5", "#e0560e"
LIMIT = 20_000
"""Evaluations drawn at most; beyond it an even part of them."""


def plot_front(contents: Contents, selected: Member | None = None, *, dpi: int = 160) -> bytes:
    """Draw a run: all evaluations faint, the front joined, the selected member marked.

    Failed evaluations are not drawn. With more than two objectives there is a panel for the first one against
    each other one.

    Args:
        contents: The run.
        selected: Member to mark; None marks none.
        dpi: Pixels per inch.

    Returns:
        A PNG.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    panels = front_panels(contents, selected)
    columns = min(2, len(panels))
    rows = -(-len(panels) // columns)
    figure = require("matplotlib.figure", "report").Figure(
        figsize=(7.6 if columns == 1 else 6.1 * columns, 4.9 * rows), dpi=dpi, layout="constrained"
    )
    figure.get_layout_engine().set(w_pad=0.14, h_pad=0.14, wspace=0.04, hspace=0.04)
    for i, panel in enumerate(panels):
        _draw_panel(figure.add_subplot(rows, columns, i + 1), panel, contents)
    members = f"{len(contents.front)} member{'s' if len(contents.front) != 1 else ''}"
    title = f"{members} on the front of {len(contents.texts):,} architectures evaluated"
    figure.suptitle(title, color=INK, fontsize=12.5, fontweight="bold", x=0.02, ha="left")
    figure.supxlabel(_footnote(contents, panels), color=SOFT, fontsize=8, x=0.02, ha="left", wrap=True)
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", facecolor="white")
    return buffer.getvalue()


def style_axes(axes: Any) -> None:
    """Give axes the look of all figures: a faint grid behind, no ticks, lines at the left and below alone."""
    axes.set_axisbelow(True)
    axes.grid(color=GRID, lw=0.8)
    axes.tick_params(colors=SOFT, labelcolor=SOFT, length=0, labelsize=9)
    for name, spine in axes.spines.items():
        spine.set_visible(name in ("left", "bottom"))
        spine.set_color("#b9c1cc")


def _draw_panel(axes: Any, panel: Panel, contents: Contents) -> None:
    ticker = require("matplotlib.ticker", "report")
    style_axes(axes)
    if panel.log:
        axes.set_xscale("log")
        axes.xaxis.set_minor_locator(ticker.NullLocator())
    for side, objective, ends in zip((axes.xaxis, axes.yaxis), (panel.x, panel.y), panel.bounds, strict=True):
        side.set_major_formatter(ticker.FuncFormatter(lambda value, _, o=objective, e=ends: _tick(value, o, e)))
    axes.set_xlim(*panel.bounds[0])
    axes.set_ylim(*panel.bounds[1])

    if len(panel.infeasible):
        points = _thin(panel.infeasible)
        axes.plot(*points.T, "x", color=BROKEN, ms=4, mew=0.9, alpha=0.5, label="breaks a constraint", zorder=2)
    if len(panel.evaluations):
        points = _thin(panel.evaluations)
        alpha = float(np.clip(60 / max(len(points), 1) ** 0.7, 0.12, 0.45))
        axes.scatter(*points.T, s=14, color=CLOUD, alpha=alpha, lw=0, label="evaluated", zorder=3)
    for constraint in contents.constraints:
        for objective, line in ((panel.x, axes.axvline), (panel.y, axes.axhline)):
            if constraint.objective == objective.name:
                words = bound_text(constraint, objective.unit)
                line(constraint.bound, color=BROKEN, lw=1.2, ls=(0, (4, 3)), zorder=2, label=words)
    axes.plot(*staircase(panel.joined, panel.x, panel.y).T, color=FRONT, lw=1.6, zorder=4)
    axes.scatter(*panel.front.T, s=34, color=FRONT, edgecolor="white", lw=0.9, label="front", zorder=5)
    if panel.selected is not None:
        x, y = panel.selected
        axes.scatter([x], [y], s=150, facecolor="none", edgecolor=CHOSEN, lw=2.2, zorder=6)
        # Its values stand in the legend: beside the marker they would cover the front or an axis.
        own, cost = shown(y, panel.y.name, panel.y.unit, with_unit=True), shown(x, panel.x.name, panel.x.unit)
        words = f"{own} at {cost}, selected"
        axes.scatter([], [], s=60, facecolor="none", edgecolor=CHOSEN, lw=2, label=words)
    axes.set_xlabel(_axis(panel.x), color=INK, fontsize=10, labelpad=7)
    axes.set_ylabel(_axis(panel.y), color=INK, fontsize=10, labelpad=7)
    lower = panel.y.direction == "max"
    side = "right" if panel.x.direction == "min" else "left"
    axes.legend(
        loc=f"{'lower' if lower else 'upper'} {side}", frameon=True, framealpha=0.92, edgecolor="none",
        fontsize=8.5, labelcolor=INK, handletextpad=0.4, borderpad=0.6,
    )  # fmt: skip


def _axis(objective: Objective) -> str:
    unit = f" ({unit_shown(objective.name, objective.unit)})" if objective.unit else ""
    if objective.name == "evaluation":
        return "evaluations in the order reported"
    better = "higher is better  ↑" if objective.direction == "max" else "lower is better  ↓"
    return f"{objective.name}{unit} — {better}"


def _tick(value: float, objective: Objective, ends: np.ndarray) -> str:
    """Number beside an axis; of an accuracy in percent, with the decimals that tell it from the next."""
    scale = 100 if is_accuracy(objective.name, objective.unit) else 1
    step = scale * (ends[1] - ends[0]) / 10
    if 0 < step < abs(scale * value) / 1000:  # all of the axis lies within the last of four digits
        return f"{scale * value:,.{max(0, math.ceil(-math.log10(step)))}f}"
    return number(scale * value)


def _footnote(contents: Contents, panels: list[Panel]) -> str:
    notes = [f"{o.name}: {origin(o.name, contents.settings, o.unit, contents.manifest)}." for o in contents.objectives]
    if failed := int((~np.isfinite(contents.values).all(axis=1)).sum()):
        notes.append(f"{failed:,} failed evaluations are not drawn.")
    if outside := max(panel.outside for panel in panels):
        notes.append(f"{outside:,} lie far off, outside the frame.")
    if len(contents.texts) > LIMIT:
        notes.append(f"An even part of {LIMIT:,} is drawn.")
    if not contents.ended:
        notes.append("The search has not ended.")
    return "  ".join(notes)


def _thin(points: np.ndarray) -> np.ndarray:
    if len(points) <= LIMIT:
        return points
    thinned: np.ndarray = points[np.linspace(0, len(points) - 1, LIMIT).astype(int)]
    return thinned

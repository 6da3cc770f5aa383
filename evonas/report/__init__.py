"""Figures and the report of a run: figure data apart from figure drawing.

`gather` reads a run once into plain numbers and texts, `Contents`. All else is made of these: `plot_front` a PNG
of the front, `write_report` one self-contained HTML file.
"""

from evonas.report.contents import Contents, gather, short
from evonas.report.draw import plot_front
from evonas.report.front_figure import Panel, front_panels, staircase

__all__ = [
    "Contents",
    "Panel",
    "front_panels",
    "gather",
    "plot_front",
    "short",
    "staircase",
]

"""Figures and the report of a run: figure data apart from figure drawing.

`gather` reads a run once into plain numbers and texts, `Contents`. All else is made of these: `plot_front` a PNG
of the front, `draw_architecture` a drawing for `to_svg`, `write_report` one self-contained HTML file.
"""

from evonas.report.architecture import draw_architecture
from evonas.report.contents import Contents, gather
from evonas.report.draw import plot_front
from evonas.report.drawing import Drawing, to_png, to_svg
from evonas.report.front_figure import Panel, front_panels, staircase
from evonas.report.page import make_page
from evonas.report.write import write_report

__all__ = [
    "Contents",
    "Drawing",
    "Panel",
    "draw_architecture",
    "front_panels",
    "gather",
    "make_page",
    "plot_front",
    "staircase",
    "to_png",
    "to_svg",
    "write_report",
]

"""Drawings as lists of shapes, and what writes them: SVG by itself, PNG with matplotlib."""

from __future__ import annotations

import io
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from html import escape

from evonas.errors import require

Point = tuple[float, float]
FONT = "system-ui, -apple-system, 'Segoe UI', Roboto, Helvetica, Arial, sans-serif"
ROLES = {
    # role: fill, stroke, text; in the light and in the dark
    "paper": (("#ffffff", "#ffffff", "#1f2733"), ("#161b22", "#161b22", "#e6edf3")),
    "soft": (("none", "none", "#5d6877"), ("none", "none", "#9aa7b8")),
    "edge": (("none", "#aab4c2", "#5d6877"), ("none", "#566274", "#9aa7b8")),
    "node": (("#eef1f5", "#aab4c2", "#1f2733"), ("#242c37", "#566274", "#e6edf3")),
    "output": (("#1f2733", "#1f2733", "#ffffff"), ("#d5dde7", "#d5dde7", "#161b22")),
    "conv": (("#dce8ff", "#6b96e8", "#173a80"), ("#1b3056", "#5b8ae6", "#cfe0ff")),
    "dilated": (("#ebe2fb", "#a384dc", "#4b2a87"), ("#332554", "#9a7ad8", "#e5d8ff")),
    "pool": (("#fdebd6", "#e0a258", "#7a4508"), ("#47300f", "#cf9447", "#ffe0b8")),
    "skip": (("#dff3e6", "#6fba8c", "#175c36"), ("#173a27", "#5aa97a", "#c9f2d9")),
    "idle": (("none", "#c3cad4", "#8b97a8"), ("none", "#465162", "#75829a")),
    "level0": (("#e3eefb", "#8fb6e4", "#173a66"), ("#1b2b40", "#4f7fb8", "#d3e5fb")),
    "level1": (("#b9d4f3", "#6b9ad3", "#12315a"), ("#21426b", "#5f93d0", "#e1eefd")),
    "level2": (("#7fb0e6", "#4580c0", "#0b2547"), ("#2c629f", "#76a9e2", "#f0f6ff")),
    "level3": (("#3f7fc4", "#2b629f", "#ffffff"), ("#4c8fd8", "#9cc4f0", "#08172b")),
    "level4": (("#1f5596", "#163f71", "#ffffff"), ("#8fbdf0", "#c5def8", "#08172b")),
}
"""Colors of what shapes mean."""


@dataclass(frozen=True)
class Box:
    """A rectangle with a label in its middle; `x` and `y` are its top left corner, `dashed` its border."""

    x: float
    y: float
    width: float
    height: float
    role: str
    label: str = ""
    size: float = 11.5
    radius: float = 7.0
    dashed: bool = False
    hint: str = ""


@dataclass(frozen=True)
class Curve:
    """A line through points, level at each of them; `arrow` ends it with a head."""

    points: tuple[Point, ...]
    role: str = "edge"
    dashed: bool = False
    arrow: bool = False


@dataclass(frozen=True)
class Label:
    """A line of text; `anchor` is the part of it that stands at `x`: start, middle or end."""

    x: float
    y: float
    text: str
    role: str = "paper"
    size: float = 12.0
    bold: bool = False
    anchor: str = "start"


Shape = Box | Curve | Label


@dataclass(frozen=True)
class Drawing:
    """Shapes on a sheet, in pixels; `title` says in words what is to be seen."""

    width: float
    height: float
    shapes: tuple[Shape, ...]
    title: str


def text_width(text: str, size: float) -> float:
    """Return about how many pixels a text is wide."""
    return 0.56 * size * len(text)


def stack(drawings: Sequence[Drawing], title: str, gap: float = 18.0) -> Drawing:
    """Return drawings one below the other."""
    shapes: list[Shape] = []
    top = 0.0
    for drawing in drawings:
        shapes += [_lowered(shape, top) for shape in drawing.shapes]
        top += drawing.height + gap
    return Drawing(max((d.width for d in drawings), default=1.0), max(1.0, top - gap), tuple(shapes), title)


def _lowered(shape: Shape, by: float) -> Shape:
    from dataclasses import replace

    if isinstance(shape, Curve):
        return replace(shape, points=tuple((x, y + by) for x, y in shape.points))
    return replace(shape, y=shape.y + by)


# ------------------------------------------------------------------------------------------------------ SVG


def stylesheet() -> str:
    """Return the CSS that colors drawings, in the light and in the dark."""

    def rules(dark: bool) -> str:
        return "".join(
            f".ev-{role}{{fill:{colors[dark][0]};stroke:{colors[dark][1]}}}.ev-{role}-text{{fill:{colors[dark][2]}}}"
            for role, colors in ROLES.items()
        )

    return (
        f".ev text{{font-family:{FONT};stroke:none}}.ev path{{fill:none}}{rules(False)}"
        f"@media (prefers-color-scheme:dark){{{rules(True)}.ev path{{fill:none}}}}"
    )


def to_svg(drawing: Drawing, *, alone: bool = True) -> str:
    """Return a drawing as SVG.

    Args:
        drawing: The drawing; its texts may hold anything.
        alone: Whether it is a file of its own: with colors and a sheet below it. Else `stylesheet` must be on
            the page.
    """
    width, height = _short(drawing.width), _short(drawing.height)
    head = (
        f'<svg xmlns="http://www.w3.org/2000/svg" class="ev" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" role="img"><title>{_safe(drawing.title)}</title>'
    )
    if alone:
        head += f'<style>{stylesheet()}</style><rect class="ev-paper" width="100%" height="100%"/>'
    return head + "".join(map(_shape, drawing.shapes)) + "</svg>"


def _shape(shape: Shape) -> str:
    if isinstance(shape, Curve):
        dash = ' stroke-dasharray="4 4"' if shape.dashed else ""
        path = f'<path class="ev-{shape.role}" stroke-width="1.4" d="{_path(shape.points)}"{dash}/>'
        if shape.arrow:
            x, y = shape.points[-1]
            head = f"M{_short(x - 6)} {_short(y - 3.5)}L{_short(x)} {_short(y)}L{_short(x - 6)} {_short(y + 3.5)}"
            path += f'<path class="ev-{shape.role}" stroke-width="1.4" d="{head}"/>'
        return path
    if isinstance(shape, Label):
        bold = ' font-weight="600"' if shape.bold else ""
        return (
            f'<text class="ev-{shape.role}-text" x="{_short(shape.x)}" y="{_short(shape.y)}" '
            f'font-size="{shape.size:g}" text-anchor="{shape.anchor}"{bold}>{_safe(shape.text)}</text>'
        )
    dash = ' stroke-dasharray="4 3"' if shape.dashed else ""
    box = (
        f'<rect class="ev-{shape.role}" x="{_short(shape.x)}" y="{_short(shape.y)}" width="{_short(shape.width)}" '
        f'height="{_short(shape.height)}" rx="{shape.radius:g}"{dash}/>'
    )
    if shape.label:
        x, y = shape.x + shape.width / 2, shape.y + shape.height / 2 + 0.36 * shape.size
        box += (
            f'<text class="ev-{shape.role}-text" x="{_short(x)}" y="{_short(y)}" font-size="{shape.size:g}" '
            f'text-anchor="middle">{_safe(shape.label)}</text>'
        )
    return f"<g><title>{_safe(shape.hint)}</title>{box}</g>" if shape.hint else box


def _path(points: Sequence[Point]) -> str:
    (x, y), *rest = points
    parts = [f"M{_short(x)} {_short(y)}"]
    for end_x, end_y in rest:
        middle = _short((x + end_x) / 2)
        if abs(end_y - y) < 0.05:
            parts.append(f"H{_short(end_x)}")
        else:
            parts.append(f"C{middle} {_short(y)} {middle} {_short(end_y)} {_short(end_x)} {_short(end_y)}")
        x, y = end_x, end_y
    return "".join(parts)


def _short(value: float) -> str:
    return f"{value:.1f}".removesuffix(".0")


def _safe(text: str) -> str:
    # XML 1.0 cannot hold other control characters, escaped or not.
    return escape("".join(c if c.isprintable() else " " for c in text), quote=True)


# ------------------------------------------------------------------------------------------------------ PNG


def to_png(drawing: Drawing) -> bytes:
    """Return a drawing as a PNG of twice its size in pixels.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    figures = require("matplotlib.figure", "report")
    patches, paths = require("matplotlib.patches", "report"), require("matplotlib.path", "report")
    figure = figures.Figure(figsize=(drawing.width / 72, drawing.height / 72), dpi=144)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set_xlim(0, drawing.width)
    axes.set_ylim(drawing.height, 0)
    axes.axis("off")
    for shape in drawing.shapes:
        fill, stroke, ink = ROLES[shape.role][0]
        line = (0, (4, 3)) if isinstance(shape, Box | Curve) and shape.dashed else "-"
        if isinstance(shape, Curve):
            corners = list(_corners(shape.points))
            codes = [paths.Path.MOVETO, *[paths.Path.CURVE4] * (len(corners) - 1)]
            axes.add_patch(patches.PathPatch(paths.Path(corners, codes), fill=False, edgecolor=stroke, lw=1.2, ls=line))
            if shape.arrow:
                x, y = shape.points[-1]
                axes.plot([x - 6, x, x - 6], [y - 3.5, y, y + 3.5], color=stroke, lw=1.2)
        elif isinstance(shape, Box):
            axes.add_patch(
                patches.FancyBboxPatch(
                    (shape.x + shape.radius, shape.y + shape.radius),
                    shape.width - 2 * shape.radius,
                    shape.height - 2 * shape.radius,
                    boxstyle=f"round,pad={shape.radius}",
                    facecolor=fill, edgecolor=stroke, lw=1.1, ls=line,
                )
            )  # fmt: skip
            axes.text(
                shape.x + shape.width / 2, shape.y + shape.height / 2, shape.label, parse_math=False,
                color=ink, fontsize=shape.size * 0.86, ha="center", va="center",
            )  # fmt: skip
        else:
            axes.text(
                shape.x, shape.y, shape.text, color=ink, fontsize=shape.size * 0.86, va="baseline",
                fontweight="bold" if shape.bold else "normal", parse_math=False,
                ha={"start": "left", "middle": "center", "end": "right"}[shape.anchor],
            )  # fmt: skip
    content = io.BytesIO()
    figure.savefig(content, format="png", facecolor="white")
    return content.getvalue()


def _corners(points: Sequence[Point]) -> Iterable[Point]:
    (x, y), *rest = points
    yield (x, y)
    for end_x, end_y in rest:
        middle = (x + end_x) / 2
        yield from ((middle, y), (middle, end_y), (end_x, end_y))
        x, y = end_x, end_y

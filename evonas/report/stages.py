"""Drawing stages as rows of blocks: the kernel is a block's width, the expansion its color."""

from __future__ import annotations

from typing import NamedTuple

from evonas.report.drawing import Box, Curve, Drawing, Label, Shape, text_width
from evonas.spaces.picture import ChainPicture, PicturedBlock

ROW, HEIGHT, GAP, MARGIN = 44.0, 30.0, 8.0, 14.0


class _Block(NamedTuple):
    label: str
    kernel: int
    expand: int
    runs: bool
    hint: str


def draw_stages(space: str, chain: ChainPicture) -> Drawing:
    """Draw an architecture of a stage space, the input at the top.

    Args:
        space: Name of its space.
        chain: The chain; blocks beyond a stage's depth are dashed outlines.
    """
    factor = f" × {chain.width:g}" if chain.width != 1 else ""
    rows = [[_block(block) for block in stage.blocks] for stage in chain.stages]
    levels = sorted({block.expand for row in rows for block in row if block.runs and block.kernel})
    shapes: list[Shape] = []
    widest = 0.0
    top = MARGIN
    notes = [
        f"{stage.channels}{factor} channels{_stride(stage.stride)}{', SE' if stage.gated else ''}"
        for stage in chain.stages
    ]
    left = MARGIN + max(text_width(note, 10.5) for note in [*notes, "pooling, classifier"]) + 12
    shapes += _label(top, "stem", f"{chain.channels}{factor} channels{_stride(chain.stride)}")
    shapes.append(Box(left, top, _width(chain.kernel), HEIGHT, "node", f"conv {chain.kernel}×{chain.kernel}"))
    for number, (note, row) in enumerate(zip(notes, rows, strict=True)):
        top += ROW
        shapes += _label(top, f"stage {number}", note)
        blocks, right = _row(row, left, top, levels)
        shapes += blocks
        widest = max(widest, right)
    top += ROW
    hidden = f" → {chain.hidden}" if chain.hidden else ""
    shapes += _label(top, "head", "pooling, classifier")
    text = f"{chain.features}{factor}{hidden}"
    shapes.append(Box(left, top, max(_width(3), text_width(text, 11.5) + 20), HEIGHT, "node", text))
    top += HEIGHT + 24
    legend, x = _legend(levels, left, top)
    shapes += legend
    if chain.resolution:
        top += 18
        side = chain.resolution
        shapes.append(Label(MARGIN, top, f"input: {side} × {side} pixels", "soft", 11))
    words = "; ".join(
        f"stage {i}: {', '.join(block.label for block in row if block.runs)}" for i, row in enumerate(rows)
    )
    title = f"Stages of an architecture of {space} (k: kernel, e: expansion). {words}"
    return Drawing(max(widest, x) + MARGIN, top + MARGIN, tuple(shapes), title)


def _row(row: list[_Block], left: float, top: float, levels: list[int]) -> tuple[list[Shape], float]:
    """Return a stage's blocks from left to right, joined by lines, and where they end."""
    shapes: list[Shape] = []
    x = left
    for i, block in enumerate(row):
        width = _width(block.kernel)
        if i:
            line = (x - GAP, top + HEIGHT / 2), (x, top + HEIGHT / 2)
            shapes.append(Curve(line, "edge" if block.runs else "idle"))
        role = _level(block.expand, levels) if block.runs and block.kernel else "idle"
        shapes.append(Box(x, top, width, HEIGHT, role, block.label, radius=6, dashed=role == "idle", hint=block.hint))
        x += width + GAP
    return shapes, x - GAP


def _legend(levels: list[int], left: float, top: float) -> tuple[list[Shape], float]:
    """Return what widths and colors of blocks mean, and where that ends."""
    shapes: list[Shape] = [Label(MARGIN, top, "kernel: width of a block", "soft", 11)]
    shapes.append(Label(left, top, "expansion:", "soft", 11))
    x = left + text_width("expansion:", 11) + 12
    for expand in levels:
        shapes.append(Box(x, top - 11, 14, 14, _level(expand, levels), radius=3))
        shapes.append(Label(x + 20, top, f"{expand}", "soft", 11))
        x += 28 + text_width(str(expand), 11) + 8
    return shapes, x


def _block(pictured: PicturedBlock) -> _Block:
    name, runs, kernel, expand, groups, gated = pictured
    if kernel == 0:
        return _Block("skip", 0, 0, runs, f"{name}: nothing is computed")
    if not runs:
        return _Block("off", 0, 0, False, "does not run: beyond the stage's depth")
    label = f"k{kernel} e{expand}" + (f" g{groups}" if groups > 1 else "") + (" se" if gated else "")
    return _Block(label, kernel, expand, True, f"{name}: kernel {kernel}, expansion {expand}")


def _label(top: float, name: str, more: str) -> list[Shape]:
    return [
        Label(MARGIN, top + 13, name, size=12.5, bold=True),
        Label(MARGIN, top + 27, more, "soft", 10.5),
    ]


def _stride(stride: int) -> str:
    return f", stride {stride}" if stride > 1 else ""


def _width(kernel: int) -> float:
    return 46.0 if kernel == 0 else 38.0 + 9 * kernel


def _level(expand: int, levels: list[int]) -> str:
    """Return the role of an expansion: the paler, the smaller."""
    index = levels.index(expand)
    return f"level{round(index * 3 / max(1, len(levels) - 1)) if len(levels) > 1 else 1}"

"""Drawing cells as layered graphs: nodes are circles, operations are labels on the edges between them."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.report.drawing import Box, Curve, Drawing, Label, Shape, stack, text_width
from evonas.report.layers import arrange
from evonas.spaces.picture import CellPicture

HEIGHT, COLUMN, MARGIN, TOP = 24.0, 26.0, 14.0, 34.0


def draw_cells(space: str, cells: Sequence[CellPicture]) -> Drawing:
    """Draw the cells of an architecture, one below the other, the input at the left.

    Args:
        space: Name of its space.
        cells: As written: parts that no output depends on are pale. Canonical: they are left out.
    """
    drawings = [_draw_cell(cell) for cell in cells]
    words = "; ".join(
        f"{_heading(cell.kind)}: "
        + ", ".join(
            f"node {i} takes {' and '.join(f'{one.name} of {cell.source_name(one.source)}' for one in operations)}"
            for i, operations in enumerate(cell.nodes)
        )
        for cell in cells
    )
    return stack(drawings, f"Cells of an architecture of {space}. {words}")


def _heading(kind: str) -> str:
    return "cell" if kind == "cell" else f"{kind} cell"


def _draw_cell(cell: CellPicture) -> Drawing:
    inputs, live = len(cell.inputs), cell.live
    depth = dict.fromkeys(range(inputs), 0)
    layers: dict[object, int] = {node: 0 for node in range(inputs)}
    boxes: dict[object, Box] = {
        node: _box(cell.source_name(node), "node" if node in live else "idle", 9) for node in range(inputs)
    }
    edges: list[tuple[object, object]] = []
    idle: list[bool] = []

    def join(start: object, end: object, pale: bool) -> None:
        edges.append((start, end))
        idle.append(pale)

    for node, operations in enumerate(cell.nodes, inputs):
        if node not in live and cell.pruned:
            continue
        kept = [one for one in operations if not (cell.pruned and one.style == "idle")]
        depth[node] = 1 + max((depth[one.source] for one in kept), default=0)
        layers[node] = 2 * depth[node]
        boxes[node] = _box(str(node - inputs), "node" if node in live else "idle", 7)
        for number, one in enumerate(kept):
            key = (node, number)
            pale = node not in live or one.style == "idle"
            layers[key] = layers[node] - 1
            boxes[key] = _box(one.name, "idle" if pale else one.style, 8)
            join(one.source, key, pale)
            join(key, node, pale)
    last = max(layers.values()) + 1
    for name, nodes in cell.outputs:
        layers[name] = last
        boxes[name] = _box(name if len(nodes) > 1 or len(cell.outputs) > 1 else "output", "output", 9)
        for node in nodes:
            if node in layers:
                join(node, name, False)
    return _drawing(_heading(cell.kind), layers, edges, idle, boxes)


def _box(label: str, role: str, pad: float) -> Box:
    size = 11.5
    width = max(HEIGHT, text_width(label, size) + 2 * pad)
    return Box(0, 0, width, HEIGHT, role, label, size, radius=HEIGHT / 2, dashed=role == "idle")


def _drawing(
    heading: str,
    layers: dict[object, int],
    edges: list[tuple[object, object]],
    idle: list[bool],
    boxes: dict[object, Box],
) -> Drawing:
    layout = arrange(layers, edges, {vertex: HEIGHT for vertex in layers})
    widths = [0.0] * (max(layers.values()) + 1)
    for vertex, layer in layers.items():
        widths[layer] = max(widths[layer], boxes[vertex].width)
    lefts, x = [], MARGIN
    for width in widths:
        lefts.append(x)
        x += width + COLUMN
    shapes: list[Shape] = [Label(MARGIN, 20, heading, size=13, bold=True)]
    lowest = 0.0
    curves, drawn = [], []
    for (start, end), route, pale in zip(edges, layout.routes, idle, strict=True):
        first, last = route[0], route[-1]
        begin = _middle(lefts, widths, first[0]) + boxes[start].width / 2
        finish = _middle(lefts, widths, last[0]) - boxes[end].width / 2
        points = [(begin, TOP + first[1])]
        for layer, y in route[1:-1]:
            # Level through the whole column, so that no line cuts a label.
            points += [(lefts[layer], TOP + y), (lefts[layer] + widths[layer], TOP + y)]
            lowest = max(lowest, y)
        points.append((finish, TOP + last[1]))
        if begin < lefts[first[0]] + widths[first[0]]:
            points.insert(1, (lefts[first[0]] + widths[first[0]], TOP + first[1]))
        if finish > lefts[last[0]]:
            points.insert(-1, (lefts[last[0]], TOP + last[1]))
        arrow = isinstance(end, int | str)
        curves.append(Curve(tuple(points), "idle" if pale else "edge", dashed=pale, arrow=arrow))
    for vertex, box in boxes.items():
        y = TOP + layout.centers[vertex]
        left = _middle(lefts, widths, layers[vertex]) - box.width / 2
        drawn.append(
            Box(left, y - HEIGHT / 2, box.width, HEIGHT, box.role, box.label, box.size, box.radius, box.dashed)
        )
        lowest = max(lowest, layout.centers[vertex] + HEIGHT / 2)
    return Drawing(x - COLUMN + MARGIN, TOP + lowest + MARGIN, (*shapes, *curves, *drawn), heading)


def _middle(lefts: list[float], widths: list[float], layer: int) -> float:
    return lefts[layer] + widths[layer] / 2

"""Drawing cells as layered graphs: places are circles, operations are labels on the edges between them."""

from __future__ import annotations

from evonas.report.drawing import Box, Curve, Drawing, Label, Shape, stack, text_width
from evonas.report.layers import arrange
from evonas.spaces import Cell, CellArchitecture, CellSpace

HEIGHT, COLUMN, MARGIN, TOP = 24.0, 26.0, 14.0, 34.0
ROLE = {"skip": "skip", "max_pool": "pool", "avg_pool": "pool", "none": "idle"}
INPUTS = {
    "previous": ("cell k−2", "cell k−1"),
    "streams": ("sum k−1", "concat k−1"),
    "stages": ("cell k−1",),
}


def draw_cells(space: CellSpace, architecture: CellArchitecture) -> Drawing:
    """Draw the cells of an architecture, one below the other, the input at the left.

    Args:
        space: Its space.
        architecture: As written: parts that no output depends on are pale. Canonical: they are left out.
    """
    drawings = [
        _draw_cell(space, kind, cell, architecture.pruned)
        for kind, cell in zip(architecture.kinds, architecture.cells, strict=True)
    ]
    words = "; ".join(
        f"{_heading(kind)}: "
        + ", ".join(
            f"node {i} takes {' and '.join(f'{operation} of {_name(space, source)}' for operation, source in edges)}"
            for i, edges in enumerate(cell.nodes)
        )
        for kind, cell in zip(architecture.kinds, architecture.cells, strict=True)
    )
    return stack(drawings, f"Cells of an architecture of {space.name}. {words}")


def _heading(kind: str) -> str:
    return "cell" if kind == "cell" else f"{kind} cell"


def _name(space: CellSpace, place: int) -> str:
    inputs = INPUTS[space.definition.cell.chain]
    return inputs[place] if place < len(inputs) else f"node {place - len(inputs)}"


def _live(space: CellSpace, cell: Cell, zeros: set[str]) -> set[int]:
    live = {place for places in cell.outputs for place in places}
    for i in range(len(cell.nodes) - 1, -1, -1):
        if i + space.inputs in live:
            live.update(source for operation, source in cell.nodes[i] if operation not in zeros)
    return live


def _draw_cell(space: CellSpace, kind: str, cell: Cell, pruned: bool) -> Drawing:
    tables = space.definition.operations
    zeros = {name for name, table in tables.items() if table.kind == "none"}
    live = _live(space, cell, zeros)
    depth = dict.fromkeys(range(space.inputs), 0)
    layers: dict[object, int] = {place: 0 for place in range(space.inputs)}
    boxes: dict[object, Box] = {
        place: _box(_name(space, place), "place" if place in live else "idle", 9) for place in range(space.inputs)
    }
    edges: list[tuple[object, object]] = []
    idle: list[bool] = []

    def join(start: object, end: object, pale: bool) -> None:
        edges.append((start, end))
        idle.append(pale)

    for place, operations in enumerate(cell.nodes, space.inputs):
        if place not in live and pruned:
            continue
        kept = [edge for edge in operations if not (pruned and edge.operation in zeros)]
        depth[place] = 1 + max((depth[edge.source] for edge in kept), default=0)
        layers[place] = 2 * depth[place]
        boxes[place] = _box(str(place - space.inputs), "place" if place in live else "idle", 7)
        for number, (operation, source) in enumerate(kept):
            key = (place, number)
            pale = place not in live or operation in zeros
            table = tables[operation]
            role = ROLE.get(table.kind, "dilated" if table.dilation > 1 else "conv")
            layers[key] = layers[place] - 1
            boxes[key] = _box(operation, "idle" if pale else role, 8)
            join(source, key, pale)
            join(key, place, pale)
    last = max(layers.values()) + 1
    names = ("sum", "concat") if len(cell.outputs) == 2 else ("concat",)
    for name, places in zip(names, cell.outputs, strict=True):
        layers[name] = last
        boxes[name] = _box(name if len(places) > 1 or len(names) > 1 else "output", "output", 9)
        for place in places:
            if place in layers:
                join(place, name, False)
    return _placed(_heading(kind), layers, edges, idle, boxes)


def _box(label: str, role: str, pad: float) -> Box:
    size = 11.5
    width = max(HEIGHT, text_width(label, size) + 2 * pad)
    return Box(0, 0, width, HEIGHT, role, label, size, radius=HEIGHT / 2, dashed=role == "idle")


def _placed(
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
        y = TOP + layout.places[vertex]
        left = _middle(lefts, widths, layers[vertex]) - box.width / 2
        drawn.append(
            Box(left, y - HEIGHT / 2, box.width, HEIGHT, box.role, box.label, box.size, box.radius, box.dashed)
        )
        lowest = max(lowest, layout.places[vertex] + HEIGHT / 2)
    return Drawing(x - COLUMN + MARGIN, TOP + lowest + MARGIN, (*shapes, *curves, *drawn), heading)


def _middle(lefts: list[float], widths: list[float], layer: int) -> float:
    return lefts[layer] + widths[layer] / 2

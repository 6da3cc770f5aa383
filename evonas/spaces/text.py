"""Text forms of architectures: the literature's own, read without executing anything.

============== ==================================================================================
form           example
============== ==================================================================================
genotype       ``Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=…)``
nasbench201    ``|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|``
discretized    ``Genotype(normal=[[('sep_conv_5x5', 0), …], …], normal_sum=[2], normal_concat=[3, 4], …)``, and
               the literature's ``Genotype(normal=[('sep_conv_5x5', 0, 0), …], normal_output={'sum': …}, …)``
digits         ``02110212``
lists          ``{"ks": [3, …], "e": [4, …], "d": [2, …]}``
blocks         ``k3e6-skip-k5e3/k7e3``
============== ==================================================================================
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from evonas.errors import SpaceError
from evonas.spaces.architecture import Architecture, Cell, CellArchitecture, Edge, StageArchitecture

if TYPE_CHECKING:
    from evonas.spaces.cell import CellSpace
    from evonas.spaces.space import Space
    from evonas.spaces.stage import StageSpace

LONGEST = 100_000
"""Characters beyond which a text is refused unread."""


def write(architecture: Architecture) -> str:
    """Return the text of an architecture in its space's form."""
    return FORMS[architecture.form][0](architecture)


def read(text: str, space: Space) -> Architecture:
    """Read a text in the space's form; whether it is a member is the space's to say.

    Raises:
        SpaceError: Not in that form; the message quotes the text and an example.
    """
    form = space.definition.form
    _, reader, example = FORMS[form]
    if not isinstance(text, str) or not text.strip() or len(text) > LONGEST:
        raise SpaceError(f"Expected an architecture of space '{space.name}' such as {example}, got {text!r:.80}")
    try:
        return reader(text.strip(), space)
    except SpaceError as error:
        raise SpaceError(f"Not an architecture of space '{space.name}': {error}") from None
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, SyntaxError, RecursionError, MemoryError):
        raise SpaceError(
            f"Not an architecture of space '{space.name}': expected a text such as {example}, got {text!r:.80}"
        ) from None


# --------------------------------------------------------------------------------------------- cell families


def _call(text: str, name: str) -> dict[str, Any]:
    """Return the keyword arguments of a call written with literals only."""
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call) or call.args or getattr(call.func, "id", None) != name:
        raise SpaceError(f"expected {name}(normal=…, …), got {text!r:.80}")
    return {str(keyword.arg): _literal(keyword.value) for keyword in call.keywords}


def _literal(node: ast.expr) -> Any:
    if isinstance(node, ast.Call) and getattr(node.func, "id", None) == "range" and not node.keywords:
        bounds = [ast.literal_eval(argument) for argument in node.args]
        if all(isinstance(bound, int) and abs(bound) < 100 for bound in bounds):
            return list(range(*bounds))
    return ast.literal_eval(node)


def _edges(pairs: Any) -> tuple[Edge, ...]:
    edges = []
    for operation, source in pairs:
        if not isinstance(operation, str) or type(source) is not int:
            raise SpaceError(f"expected ('operation', place) pairs, got {(operation, source)!r:.60}")
        edges.append(Edge(operation, source))
    return tuple(edges)


def _places(values: Any) -> tuple[int, ...]:
    values = list(values)
    if any(type(value) is not int or value < 0 for value in values):
        raise SpaceError(f"expected numbers of nodes, got {values!r:.60}")
    return tuple(sorted(set(values)))


def _expect_keys(found: dict[str, Any], expected: Sequence[str]) -> None:
    if set(found) != set(expected):
        raise SpaceError(f"expected the fields {', '.join(expected)}, got {', '.join(found) or 'none'}")


def _write_genotype(architecture: CellArchitecture) -> str:
    fields = []
    for kind, cell in zip(architecture.kinds, architecture.cells):
        edges = [tuple(edge) for node in cell.nodes for edge in node]
        fields += [f"{kind}={edges}", f"{kind}_concat={list(cell.outputs[0])}"]
    return f"Genotype({', '.join(fields)})"


def _read_genotype(text: str, space: CellSpace) -> CellArchitecture:
    fields = _call(text, "Genotype")
    _expect_keys(fields, [name for kind in space.kinds for name in (kind, f"{kind}_concat")])
    kept = space.definition.cell.kept
    cells = []
    for kind in space.kinds:
        edges = _edges(fields[kind])
        nodes = tuple(edges[i : i + kept] for i in range(0, len(edges), kept))
        cells.append(Cell(nodes, (_places(fields[f"{kind}_concat"]),)))
    return CellArchitecture("genotype", space.kinds, tuple(cells))


def _write_discretized(architecture: CellArchitecture) -> str:
    fields = []
    for kind, cell in zip(architecture.kinds, architecture.cells):
        nodes = [[tuple(edge) for edge in node] for node in cell.nodes]
        fields.append(f"{kind}={nodes}, {kind}_sum={list(cell.outputs[0])}, {kind}_concat={list(cell.outputs[1])}")
    return f"Genotype({', '.join(fields)})"


def _read_discretized(text: str, space: CellSpace) -> CellArchitecture:
    fields = _call(text, "Genotype")
    if any(name.endswith("_output") for name in fields):
        return _read_flat(fields, space)
    _expect_keys(fields, [name for kind in space.kinds for name in (kind, f"{kind}_sum", f"{kind}_concat")])
    cells = tuple(
        Cell(
            tuple(_edges(node) for node in fields[kind]),
            (_places(fields[f"{kind}_sum"]), _places(fields[f"{kind}_concat"])),
        )
        for kind in space.kinds
    )
    return CellArchitecture("discretized", space.kinds, cells)


def _read_flat(fields: dict[str, Any], space: CellSpace) -> CellArchitecture:
    """Read (operation, place, node) triples and outputs by node, those that reach no output left out."""
    _expect_keys(fields, [name for kind in space.kinds for name in (kind, f"{kind}_output")])
    cells = []
    for kind in space.kinds:
        nodes: list[Any] = [[] for _ in range(space.definition.cell.nodes)]
        for operation, place, node in fields[kind]:
            nodes[_places([node])[0]].append((operation, place))
        edges = tuple(_edges(node) or space.empty(i) for i, node in enumerate(nodes))
        outputs = fields[f"{kind}_output"]
        _expect_keys(outputs, ["sum", "concat"])
        streams = (_places(node + space.inputs for node in outputs[name]) for name in ("sum", "concat"))
        cells.append(Cell(edges, tuple(streams)))
    return CellArchitecture("discretized", space.kinds, tuple(cells))


def _write_nasbench201(architecture: CellArchitecture) -> str:
    groups = ("|".join(f"{operation}~{source}" for operation, source in node) for node in architecture.cells[0].nodes)
    return "+".join(f"|{group}|" for group in groups)


def _read_nasbench201(text: str, space: CellSpace) -> CellArchitecture:
    nodes = []
    for group in text.split("+"):
        if not re.fullmatch(r"(\|\w+~\d{1,2})+\|", group):
            raise SpaceError(f"expected groups such as |operation~0|, joined by +, got {group!r:.60}")
        pairs = (item.split("~") for item in group.strip("|").split("|"))
        nodes.append(tuple(Edge(operation, int(source)) for operation, source in pairs))
    return CellArchitecture("nasbench201", space.kinds, (Cell(tuple(nodes), ((space.inputs + len(nodes) - 1,),)),))


# -------------------------------------------------------------------------------------------- stage families


def _write_digits(architecture: StageArchitecture) -> str:
    return "".join(code for stage in architecture.blocks for code in stage)


def _read_digits(text: str, space: StageSpace) -> StageArchitecture:
    if len(text) != space.free_blocks:
        raise SpaceError(f"expected {space.free_blocks} characters, one per block, got {text!r:.60}")
    codes = iter(text)
    return space.assemble([[next(codes) for _ in options] for options in space.free_options])


def _write_lists(architecture: StageArchitecture) -> str:
    options = [re.fullmatch(r"k(\d+)e(\d+)", option) for stage in architecture.blocks for option in stage]
    content: dict[str, Any] = {
        "ks": [int(match[1]) for match in options if match],
        "e": [int(match[2]) for match in options if match],
        "d": list(architecture.depths),
    }
    if architecture.resolution is not None:
        content["r"] = architecture.resolution
    return json.dumps(content)


def _read_lists(text: str, space: StageSpace) -> StageArchitecture:
    content = json.loads(text)
    if not isinstance(content, dict):
        raise SpaceError(f"expected an object with ks, e and d, got {text!r:.60}")
    resolution = content.pop("r", None)
    if isinstance(resolution, list) and len(resolution) == 1:
        resolution = resolution[0]
    _expect_keys(content, ["ks", "e", "d"])
    for name, length in (("ks", space.free_blocks), ("e", space.free_blocks), ("d", len(space.free_options))):
        values = content[name]
        if not isinstance(values, list) or len(values) != length or any(type(v) is not int for v in values):
            raise SpaceError(f"expected {length} whole numbers in '{name}', got {values!r:.80}")
    options = iter(f"k{kernel}e{expand}" for kernel, expand in zip(content["ks"], content["e"]))
    blocks = [[next(options) for _ in stage] for stage in space.free_options]
    # Once-for-All draws a depth for every stage, and runs the blocks there are.
    depths = [min(depth, len(stage)) for depth, stage in zip(content["d"], space.free_options)]
    return space.assemble(blocks, depths, resolution if space.definition.resolutions else None)


def _write_blocks(architecture: StageArchitecture) -> str:
    stages = []
    for options, depth in zip(architecture.blocks, architecture.depths):
        marks = [option if i < depth else f"({option})" for i, option in enumerate(options)]
        stages.append("-".join(marks))
    text = "/".join(stages)
    return text if architecture.resolution is None else f"{text}@{architecture.resolution}"


def _read_blocks(text: str, space: StageSpace) -> StageArchitecture:
    text, mark, resolution = text.partition("@")
    blocks, depths = [], []
    for stage in text.split("/"):
        options = stage.split("-")
        running = [not option.startswith("(") for option in options]
        depth = sum(running)
        if running != [True] * depth + [False] * (len(options) - depth):
            raise SpaceError(f"blocks in parentheses do not run and come last, got {stage!r:.60}")
        blocks.append([option.strip("()") for option in options])
        depths.append(depth)
    return space.assemble(blocks, depths, int(resolution) if mark else None)


FORMS: dict[str, tuple[Callable[[Any], str], Callable[[str, Any], Any], str]] = {
    "genotype": (
        _write_genotype,
        _read_genotype,
        "Genotype(normal=[('sep_conv_3x3', 0), …], normal_concat=[2, 3, 4, 5], reduce=[…], reduce_concat=[…])",
    ),
    "discretized": (
        _write_discretized,
        _read_discretized,
        "Genotype(normal=[[('sep_conv_3x3', 0), …], …], normal_sum=[2], normal_concat=[3, 4], reduce=…)",
    ),
    "nasbench201": (_write_nasbench201, _read_nasbench201, "|nor_conv_3x3~0|+|none~0|skip_connect~1|+|…|"),
    "digits": (_write_digits, _read_digits, "02110212"),
    "lists": (_write_lists, _read_lists, '{"ks": [3, …], "e": [4, …], "d": [2, …]}'),
    "blocks": (_write_blocks, _read_blocks, "k3e6-skip-k5e3/k7e3"),
}

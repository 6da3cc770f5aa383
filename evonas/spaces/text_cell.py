"""Text forms of cell spaces, read without executing anything."""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Sequence
from typing import Any, Protocol

from evonas.errors import SpaceError
from evonas.spaces.architecture import CellArchitecture
from evonas.spaces.definition_cell import TRANSNAS, CellFile
from evonas.spaces.foreign_cell import flat_pairs, genotype_fields, own_name
from evonas.spaces.foreign_nasbench201 import nasbench201_text
from evonas.spaces.graph import Cell, Edge
from evonas.spaces.literal import value_of


class CellMembers(Protocol):
    """Shape of the cells of a space, as far as a reader of texts needs it."""

    definition: CellFile
    kinds: tuple[str, ...]
    inputs: int

    def empty(self, node: int) -> tuple[Edge, ...]:
        """Return the edges that stand for a node without any."""


def expect_keys(found: dict[str, Any], expected: Sequence[str]) -> None:
    """Refuse fields that are missing or unknown."""
    if set(found) != set(expected):
        raise SpaceError(f"expected the fields {', '.join(expected)}, got {', '.join(found) or 'none'}")


def _call(text: str, name: str) -> dict[str, Any]:
    """Return the keyword arguments of a call written with literals only."""
    call = ast.parse(text, mode="eval").body
    if not isinstance(call, ast.Call) or call.args or getattr(call.func, "id", None) != name:
        raise SpaceError(f"expected {name}(normal=…, …), got {text!r:.80}")
    return {str(keyword.arg): value_of(keyword.value) for keyword in call.keywords}


def _edges(pairs: Any, known: Collection[str]) -> tuple[Edge, ...]:
    edges = []
    for operation, source in pairs:
        if not isinstance(operation, str) or type(source) is not int:
            raise SpaceError(f"expected ('operation', source) pairs, got {(operation, source)!r:.60}")
        edges.append(Edge(own_name(operation, known), source))
    return tuple(edges)


def _sources(values: Any) -> tuple[int, ...]:
    values = list(values)
    if any(type(value) is not int or value < 0 for value in values):
        raise SpaceError(f"expected numbers of nodes, got {values!r:.60}")
    return tuple(sorted(set(values)))


def read_genotype(text: str, space: CellMembers) -> CellArchitecture:
    """Read an architecture in the form genotype."""
    return _genotype(_call(text, "Genotype"), space)


def read_foreign_genotype(text: str, space: CellMembers) -> CellArchitecture | None:
    """Read a genotype as other programs write it, None where a text holds none."""
    cell = space.definition.cell
    fields = genotype_fields(text, space.kinds, cell.nodes)
    if fields is None:
        return None
    pairs = {kind: flat_pairs(fields[kind], cell.kept) for kind in space.kinds if kind in fields}
    return _genotype(fields | pairs, space)


def _genotype(fields: dict[str, Any], space: CellMembers) -> CellArchitecture:
    expect_keys(fields, [name for kind in space.kinds for name in (kind, f"{kind}_concat")])
    kept = space.definition.cell.kept
    cells = []
    for kind in space.kinds:
        edges = _edges(fields[kind], space.definition.operations)
        nodes = tuple(edges[i : i + kept] for i in range(0, len(edges), kept))
        cells.append(Cell(nodes, (_sources(fields[f"{kind}_concat"]),)))
    return CellArchitecture("genotype", space.kinds, tuple(cells))


def read_discretized(text: str, space: CellMembers) -> CellArchitecture:
    """Read an architecture in the form discretized."""
    return _discretized(_call(text, "Genotype"), space)


def read_foreign_discretized(text: str, space: CellMembers) -> CellArchitecture | None:
    """Read a genotype with learned outputs as other programs write it, None where a text holds none."""
    fields = genotype_fields(text, space.kinds, space.definition.cell.nodes)
    return None if fields is None else _discretized(fields, space)


def _discretized(fields: dict[str, Any], space: CellMembers) -> CellArchitecture:
    if any(name.endswith("_output") for name in fields):
        return _read_flat(fields, space)
    expect_keys(fields, [name for kind in space.kinds for name in (kind, f"{kind}_sum", f"{kind}_concat")])
    cells = tuple(
        Cell(
            tuple(_edges(node, space.definition.operations) for node in fields[kind]),
            (_sources(fields[f"{kind}_sum"]), _sources(fields[f"{kind}_concat"])),
        )
        for kind in space.kinds
    )
    return CellArchitecture("discretized", space.kinds, cells)


def _read_flat(fields: dict[str, Any], space: CellMembers) -> CellArchitecture:
    """Read (operation, source, node) triples and outputs by node, those that reach no output left out."""
    expect_keys(fields, [name for kind in space.kinds for name in (kind, f"{kind}_output")])
    cells = []
    for kind in space.kinds:
        nodes: list[Any] = [[] for _ in range(space.definition.cell.nodes)]
        for operation, source, node in fields[kind]:
            nodes[_sources([node])[0]].append((operation, source))
        edges = tuple(_edges(node, space.definition.operations) or space.empty(i) for i, node in enumerate(nodes))
        outputs = fields[f"{kind}_output"]
        expect_keys(outputs, ["sum", "concat"])
        streams = (_sources(node + space.inputs for node in outputs[name]) for name in ("sum", "concat"))
        cells.append(Cell(edges, tuple(streams)))
    return CellArchitecture("discretized", space.kinds, tuple(cells))


def read_nasbench201(text: str, space: CellMembers) -> CellArchitecture:
    """Read an architecture in the form nasbench201."""
    nodes = []
    for group in text.split("+"):
        if not re.fullmatch(r"(\|\w+~\d{1,2})+\|", group):
            raise SpaceError(f"expected groups such as |operation~0|, joined by +, got {group!r:.60}")
        pairs = (item.split("~") for item in group.strip("|").split("|"))
        nodes.append(
            tuple(Edge(own_name(operation, space.definition.operations), int(source)) for operation, source in pairs)
        )
    return CellArchitecture("nasbench201", space.kinds, (Cell(tuple(nodes), ((space.inputs + len(nodes) - 1,),)),))


TRANSNAS_CELL = re.compile(r"(?<![\w-])(?:64-41414-)?([0-3])_([0-3]{2})_([0-3]{3})(?!\w)")
"""A cell of TransNAS-Bench-101, the base channels and modules before it left out or not."""


def read_transnas(text: str, space: CellMembers) -> CellArchitecture:
    """Read an architecture in the form transnas, which may stand inside other text.

    References:
        .. [Duan2021] Duan et al.: TransNAS-Bench-101, CVPR 2021, arXiv 2105.11871.
    """
    found = {match.groups() for match in TRANSNAS_CELL.finditer(text)}
    if len(found) != 1:
        raise SpaceError(f"expected one cell such as 64-41414-1_02_333, got {len(found)} in {text!r:.60}")
    names = tuple(TRANSNAS)
    (groups,) = found
    nodes = tuple(tuple(Edge(names[int(digit)], source) for source, digit in enumerate(group)) for group in groups)
    return CellArchitecture("transnas", space.kinds, (Cell(nodes, ((space.inputs + len(nodes) - 1,),)),))


def read_foreign_nasbench201(text: str, space: CellMembers) -> CellArchitecture | None:
    """Read a NAS-Bench-201 cell as other programs write it, None where a text holds none."""
    string = nasbench201_text(text)
    return None if string is None else read_nasbench201(string, space)

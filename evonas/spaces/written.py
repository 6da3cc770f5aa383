"""Text of architectures: the literature's forms, written from plain data."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from evonas.spaces.definition_cell import TRANSNAS
from evonas.spaces.graph import Cell

_Kinds = tuple[str, ...]
_Cells = tuple[Cell, ...]
_Blocks = tuple[tuple[str, ...], ...]


def write_cells(form: str, kinds: _Kinds, cells: _Cells) -> str:
    """Return the text of one cell of each kind in a form such as ``genotype``."""
    return _CELLS[form](kinds, cells)


def write_stages(form: str, blocks: _Blocks, depths: tuple[int, ...], resolution: int | None) -> str:
    """Return the text of the blocks of each stage, of which `depths` run, in a form such as ``blocks``."""
    return _STAGES[form](blocks, depths, resolution)


def _genotype(kinds: _Kinds, cells: _Cells) -> str:
    fields = []
    for kind, cell in zip(kinds, cells, strict=True):
        edges = [tuple(edge) for node in cell.nodes for edge in node]
        fields += [f"{kind}={edges}", f"{kind}_concat={list(cell.outputs[0])}"]
    return f"Genotype({', '.join(fields)})"


def _discretized(kinds: _Kinds, cells: _Cells) -> str:
    fields = []
    for kind, cell in zip(kinds, cells, strict=True):
        nodes = [[tuple(edge) for edge in node] for node in cell.nodes]
        fields.append(f"{kind}={nodes}, {kind}_sum={list(cell.outputs[0])}, {kind}_concat={list(cell.outputs[1])}")
    return f"Genotype({', '.join(fields)})"


def _nasbench201(kinds: _Kinds, cells: _Cells) -> str:
    groups = ("|".join(f"{operation}~{source}" for operation, source in node) for node in cells[0].nodes)
    return "+".join(f"|{group}|" for group in groups)


def _transnas(kinds: _Kinds, cells: _Cells) -> str:
    digits = {name: str(number) for number, name in enumerate(TRANSNAS)}
    return "64-41414-" + "_".join("".join(digits[operation] for operation, _ in node) for node in cells[0].nodes)


def _digits(blocks: _Blocks, depths: tuple[int, ...], resolution: int | None) -> str:
    return "".join(code for stage in blocks for code in stage)


def _lists(blocks: _Blocks, depths: tuple[int, ...], resolution: int | None) -> str:
    options = [re.fullmatch(r"k(\d+)e(\d+)", option) for stage in blocks for option in stage]
    content: dict[str, Any] = {
        "ks": [int(match[1]) for match in options if match],
        "e": [int(match[2]) for match in options if match],
        "d": list(depths),
    }
    if resolution is not None:
        content["r"] = resolution
    return json.dumps(content)


def _stages(blocks: _Blocks, depths: tuple[int, ...], resolution: int | None) -> str:
    options = [re.fullmatch(r"k(\d+)e(\d+)(s?)", stage[0]) for stage in blocks]
    content = {
        "e": [int(match[2]) for match in options if match],
        "k": [int(match[1]) for match in options if match],
        "l": list(depths),
        "se": [bool(match[3]) for match in options if match],
    }
    return json.dumps(content)


def _blocks(blocks: _Blocks, depths: tuple[int, ...], resolution: int | None) -> str:
    stages = []
    for options, depth in zip(blocks, depths, strict=True):
        marks = [option if i < depth else f"({option})" for i, option in enumerate(options)]
        stages.append("-".join(marks))
    text = "/".join(stages)
    return text if resolution is None else f"{text}@{resolution}"


_CELLS: dict[str, Callable[[_Kinds, _Cells], str]] = {
    "genotype": _genotype,
    "discretized": _discretized,
    "nasbench201": _nasbench201,
    "transnas": _transnas,
}
_STAGES: dict[str, Callable[[_Blocks, tuple[int, ...], int | None], str]] = {
    "digits": _digits,
    "lists": _lists,
    "blocks": _blocks,
    "stages": _stages,
}

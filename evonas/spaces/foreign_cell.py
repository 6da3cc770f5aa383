"""Genotypes of cells as other programs write them, read into the fields of the strict forms.

References:
    .. [Siems2020] Siems et al.: NAS-Bench-301, arXiv 2008.09777; its configurations name an edge by its number.
    .. [NASLib] github.com/automl/NASLib, ``search_spaces/*/conversions.py``: numbers of operations.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

from evonas.errors import SpaceError
from evonas.spaces.literal import find_calls, read_literal, value_of

CONFIGURED = re.compile(r"edge_(normal|reduce)_(\d{1,3})['\"]?\s*(?:,\s*Value)?\s*[:=]\s*['\"]?(\w+)")
"""An edge of a configuration of NAS-Bench-301, in JSON, as a Python dictionary or as ConfigSpace prints it."""
COMPACT = (
    "max_pool_3x3",
    "avg_pool_3x3",
    "skip_connect",
    "sep_conv_3x3",
    "sep_conv_5x5",
    "dil_conv_3x3",
    "dil_conv_5x5",
)
"""Operations that NASLib's compact form of DARTS cells counts."""
ALIASES = {
    "Identity": "skip_connect",
    "FactorizedReduce": "skip_connect",
    "SepConv3x3": "sep_conv_3x3",
    "SepConv5x5": "sep_conv_5x5",
    "DilConv3x3": "dil_conv_3x3",
    "DilConv5x5": "dil_conv_5x5",
    "AvgPool": "avg_pool_3x3",
    "AvgPool1x1": "avg_pool_3x3",
    "MaxPool": "max_pool_3x3",
    "ReLUConvBN1x1": "nor_conv_1x1",
    "ReLUConvBN3x3": "nor_conv_3x3",
    "Zero": "none",
    "zero": "none",
}
"""Names of operations in NASLib."""


def genotype_fields(text: str, kinds: Sequence[str], nodes: int) -> dict[str, Any] | None:
    """Return the fields of a genotype that stands in a text, or None where none does.

    Args:
        text: ``NAME = Genotype(...)`` or a text that holds one, a mapping with its fields as JSON or as Python prints
            it, a configuration of NAS-Bench-301, or NASLib's compact pairs.
        kinds: Kinds of cells, in the order of fields without names.
        nodes: Nodes of a cell, all of which are outputs where a text doesn't say.

    Raises:
        SpaceError: It holds several genotypes.
    """
    every = {f"{kind}_concat": list(range(2, 2 + nodes)) for kind in kinds}
    configured = CONFIGURED.findall(text)
    if configured:
        return _configured(configured) | every
    calls = find_calls(text, "Genotype")
    try:
        value = read_literal(text)
    except ValueError:
        value = None
    if isinstance(value, str) and value != text:
        return genotype_fields(value, kinds, nodes)
    inside = _inside(value, kinds) if isinstance(value, Mapping) else None
    if inside is not None:
        return _of_kinds(inside, kinds)
    if calls:
        return _one_call(calls, kinds)
    compact = _compact(value, kinds)
    return None if compact is None else compact | every


def _one_call(calls: dict[str, ast.Call], kinds: Sequence[str]) -> dict[str, Any]:
    """Return the fields of the only genotype among calls."""
    order = [name for kind in kinds for name in (kind, f"{kind}_concat")]
    read = []
    for call in calls.values():
        fields = dict(zip(order, (value_of(argument) for argument in call.args), strict=False))
        read.append(fields | {str(keyword.arg): value_of(keyword.value) for keyword in call.keywords})
    if any(fields != read[0] for fields in read):
        raise SpaceError(f"expected one genotype, got {len(calls)}: {', '.join(calls)}; give one of them")
    return read[0]


def _inside(value: Any, kinds: Sequence[str], depth: int = 3) -> dict[str, Any] | None:
    """Return the only mapping with all kinds among a mapping and what it holds."""
    if isinstance(value, Mapping) and set(kinds) <= set(value):
        return {str(name): content for name, content in value.items()}
    if isinstance(value, Mapping) and depth:
        found = [inner for part in value.values() if (inner := _inside(part, kinds, depth - 1)) is not None]
        return found[0] if len(found) == 1 else None
    return None


def _configured(edges: Sequence[tuple[str, str, str]]) -> dict[str, Any]:
    """Return the edges of a configuration, whose numbers count a node's inputs node by node from node 2."""
    fields: dict[str, list[tuple[str, int]]] = {"normal": [], "reduce": []}
    for kind, number, operation in sorted(set(edges), key=lambda edge: int(edge[1])):
        source, inputs = int(number), 2
        while source >= inputs:
            source, inputs = source - inputs, inputs + 1
        fields[kind].append((operation, source))
    return dict(fields)


def _compact(value: Any, kinds: Sequence[str]) -> dict[str, Any] | None:
    """Return the fields of one list of pairs (source, number of the operation) for each kind."""
    if not isinstance(value, (list, tuple)) or len(value) != len(kinds):
        return None
    fields = {}
    for kind, pairs in zip(kinds, value, strict=True):
        if not isinstance(pairs, (list, tuple)) or not all(
            isinstance(pair, (list, tuple)) and len(pair) == 2 and all(type(part) is int for part in pair)
            for pair in pairs
        ):
            return None
        if any(not 0 <= operation < len(COMPACT) for _, operation in pairs):
            raise SpaceError(f"the compact form counts {len(COMPACT)} operations from 0, got {value!r:.80}")
        fields[kind] = [(COMPACT[operation], source) for source, operation in pairs]
    return fields


def _of_kinds(fields: dict[str, Any], kinds: Sequence[str]) -> dict[str, Any]:
    """Return the fields that say something of a kind of cell; what else a record holds is left out."""
    return {name: value for name, value in fields.items() if name.partition("_")[0] in kinds}


def flat_pairs(pairs: Any, kept: int) -> list[tuple[Any, Any]]:
    """Return pairs (operation, source), read from a flat list or from one of lists by node, either side first.

    Args:
        pairs: As written.
        kept: Edges of a node.

    Raises:
        SpaceError: A node has another number of edges.
    """
    flat = []
    for item in pairs:
        if len(item) == 2 and any(isinstance(part, str) for part in item):
            flat.append(item)
            continue
        if len(item) != kept:
            raise SpaceError(f"expected {kept} ('operation', source) pairs of a node, got {item!r:.60}")
        flat += item
    return [tuple(pair) if isinstance(pair[0], str) else (pair[1], pair[0]) for pair in flat]


def own_name(operation: str, known: Collection[str]) -> str:
    """Return the name of an operation in a space, which NASLib may call otherwise."""
    return operation if operation in known else ALIASES.get(operation, operation)

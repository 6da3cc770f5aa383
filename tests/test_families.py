"""Families stay at home: outside `spaces/` and `networks/` no module asks which family a space or a network is of."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

import pytest

import evonas
from evonas.networks import Network, Slot
from evonas.spaces import Architecture, Decision, Space
from evonas.spaces.definition import File

PACKAGE = Path(evonas.__file__).parent
HOMES = ("spaces", "networks")


def below(base: type) -> set[type]:
    """Return the classes that derive from one, at any depth."""
    return {found for cls in base.__subclasses__() for found in ({cls} | below(cls))}


FAMILY = {
    cls.__name__
    for cls in set().union(*map(below, (Space, Architecture, Network, Slot, File)), get_args(Decision))
    if cls.__module__.startswith(tuple(f"evonas.{home}." for home in HOMES))
}
"""Names of the classes that only one family has."""
MODULES = {
    *(f"evonas.networks.{name}" for name in ("cell", "cell_module", "chain", "mbconv", "stage", "wiring")),
    *(f"evonas.spaces.{name}" for name in ("cell", "definition_cell", "definition_stage", "stage")),
}
"""Modules that know one family alone."""
COMMON = set(File.model_fields) | {"model_dump"}
"""What the files of all spaces say."""


def questions(tree: ast.Module) -> Iterator[str]:
    """Yield what asks for a family in a module."""
    for node in ast.walk(tree):
        line = f"line {getattr(node, 'lineno', 0)}"
        match node:
            case ast.ImportFrom(module=str(module), names=names):
                yield from (f"{line} imports {name.name}" for name in names if name.name in FAMILY)
                if module in MODULES:
                    yield f"{line} imports from {module}"
            case ast.Attribute(value=ast.Attribute(attr="definition"), attr=attribute) if attribute not in COMMON:
                yield f"{line} reads definition.{attribute}"
            case ast.Attribute(attr=attribute) | ast.Name(id=attribute) if attribute in FAMILY:
                yield f"{line} names {attribute}"
            case ast.Compare(left=left, comparators=others):
                if any(isinstance(one, ast.Attribute) and one.attr == "family" for one in (left, *others)):
                    yield f"{line} compares a family"
            case ast.Call(func=ast.Name(id="getattr" | "hasattr" as asked), args=[ast.Attribute(attr=attribute), *_]):
                if attribute == "definition":
                    yield f"{line} asks {asked}(….definition, …)"


def test_no_module_outside_their_rooms_asks_for_a_family():
    assert {"CellSpace", "StageArchitecture", "CellNetwork", "ElasticSlot", "BlockDecision", "StageFile"} <= FAMILY
    found = [
        f"{path.relative_to(PACKAGE)}: {question}"
        for path in sorted(PACKAGE.rglob("*.py"))
        if path.relative_to(PACKAGE).parts[0] not in HOMES
        for question in questions(ast.parse(path.read_text()))
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize(
    "code",
    [
        "from evonas.spaces import CellSpace",
        "from evonas.spaces.stage import StageSpace as Chain",
        "from evonas.networks.cell_module import wirings",
        "import evonas\nisinstance(space, evonas.spaces.CellSpace)",
        "def f(space):\n    if space.family == 'stage': pass",
        "def f(space):\n    return getattr(space.definition, 'operations', ())",
        "def f(space):\n    return space.definition.stages",
    ],
)
def test_the_rule_finds_each_way_of_asking(code):
    assert list(questions(ast.parse(code)))


def test_the_rule_lets_common_questions_pass():
    code = "from evonas.spaces import Space\ndef f(space):\n    return space.definition.source, space.extremes()"
    assert not list(questions(ast.parse(code)))


STEERS = {"split", "rsplit", "partition", "rpartition", "removeprefix", "removesuffix"}


@pytest.mark.parametrize("room", ["networks", "objectives/cost", "objectives/latency", "supernet/rules"])
def test_no_module_that_reads_paths_takes_names_apart_at_dots(room):
    found = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in sorted((PACKAGE / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in STEERS
        and any(isinstance(one, ast.Constant) and str(one.value).startswith((".", "__")) for one in node.args)
    ]
    assert not found, found

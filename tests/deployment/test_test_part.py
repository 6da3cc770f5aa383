"""The test part of a run's data is read after the search alone."""

from __future__ import annotations

import ast
from pathlib import Path

import evonas

SEARCHES = ("pipeline", "engine", "objectives", "supernet", "proxies", "predictors", "evolution")
READERS = {"read_test", "test_accuracy"}


def readings(text: str) -> list[int]:
    """Return the lines that read a test part."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(text))
        if (isinstance(node, ast.Attribute) and node.attr == "test" and isinstance(node.ctx, ast.Load))
        or (isinstance(node, ast.Name) and node.id in READERS)
        or (isinstance(node, ast.Call) and [getattr(one, "value", None) for one in node.args] == ["test"])
    ]


def test_what_searches_reads_no_test_image():
    package = Path(evonas.__file__).parent
    found = [
        f"{path.relative_to(package)}:{line}"
        for room in SEARCHES
        for path in sorted((package / room).rglob("*.py"))
        for line in readings(path.read_text())
    ]
    assert found == []


def test_readings_are_seen():
    assert readings("a = data.test\nb = data.part('test')\nc = test_accuracy(n, d)\nd = data.train\n") == [1, 2, 3]

"""Scripts that travel without the package: one module's text, with what it imports of the package put into it."""

from __future__ import annotations

import ast
import importlib.util
import sys
from pathlib import Path

from evonas.errors import ExportError

__all__ = ["standalone"]

OWN = __name__.partition(".")[0]


def standalone(module: str) -> str:
    """Return the text of a module as a script of its own, the modules of this package that it imports inlined.

    Of these come the statements after their imports, in the order in which they are imported; what they import from
    elsewhere stands at the top, each once. Names must not clash, and such modules may hold names alone
    (``from evonas.data.photo import read_photo``).

    Args:
        module: Its name, such as ``evonas.deployment.predict_alone``.
    """
    outside: dict[str, set[str]] = {}
    bodies: dict[str, str] = {}
    docstring = _gather(module, outside, bodies)
    lines = {name: _import_line(name, names) for name, names in outside.items()}
    future = lines.pop("__future__", "")
    known = sorted(name for name in lines if name.partition(".")[0] in sys.stdlib_module_names)
    groups = [[lines[name] for name in held] for held in (known, sorted(set(lines) - set(known)))]
    for group in groups:
        group.sort(key=lambda line: line.startswith("from "))
    end = "\n" if "\n" in docstring else ""
    top = "\n\n".join(filter(None, [f'"""{docstring}{end}"""', future, *map("\n".join, groups)]))
    return "\n\n\n".join([top, *bodies.values()]) + "\n"


def _import_line(module: str, names: set[str]) -> str:
    """Return the statement that imports a module, or names of it."""
    return f"from {module} import {', '.join(sorted(names))}" if names else f"import {module}"


def _gather(module: str, outside: dict[str, set[str]], bodies: dict[str, str]) -> str:
    """Add a module's imports and its text, after those of what it imports; return its docstring."""
    spec = importlib.util.find_spec(module)
    if spec is None or spec.origin is None:
        raise ExportError(f"Expected the source of {module} beside the package, found none: install it from its wheel")
    text = Path(spec.origin).read_text(encoding="utf-8")
    tree = ast.parse(text)
    docstring = ast.get_docstring(tree) or ""
    statements = tree.body[1:] if docstring else tree.body
    first = len(statements)
    for number, node in enumerate(statements):
        if not isinstance(node, ast.Import | ast.ImportFrom):
            first = number
            break
        if isinstance(node, ast.ImportFrom) and (node.module or "").partition(".")[0] == OWN:
            if node.module not in bodies:
                _gather(node.module or "", outside, bodies)
        elif isinstance(node, ast.ImportFrom):
            outside.setdefault(node.module or "", set()).update(_as_written(alias) for alias in node.names)
        else:
            outside.update((_as_written(alias), set()) for alias in node.names)
    lines = text.splitlines()
    start = statements[first].lineno if first < len(statements) else len(lines) + 1
    decorators = getattr(statements[first], "decorator_list", []) if first < len(statements) else []
    start = min([start, *(one.lineno for one in decorators)])
    bodies[module] = "\n".join(lines[start - 1 :]).strip()
    return docstring


def _as_written(alias: ast.alias) -> str:
    """Return an imported name, with the one that it gets where that is another."""
    return f"{alias.name} as {alias.asname}" if alias.asname else alias.name

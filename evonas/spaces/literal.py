"""Literals in texts: JSON and Python's own, with the few calls that print as data; nothing is executed."""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator
from typing import Any

MANY = 1000
"""Elements beyond which a range is no literal."""
NEAR = 200
"""Characters before a call in which the name that it is assigned to is searched for."""
_SEQUENCES = frozenset({"list", "tuple", "array", "tensor", "sorted"})
_MAPPINGS = frozenset({"dict", "OrderedDict"})
_NUMBERS = frozenset({"int", "int8", "int16", "int32", "int64", "uint8", "float", "float32", "float64"})


def read_literal(text: str) -> Any:
    """Return what a text writes as JSON or as Python prints it.

    Lists, dictionaries, numbers and texts, also inside ``range``, ``list``, ``array``, ``OrderedDict`` and the like.

    Raises:
        ValueError: It is neither.
    """
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        pass
    try:
        return value_of(ast.parse(text.strip(), mode="eval").body)
    except (SyntaxError, RecursionError, MemoryError, TypeError) as error:
        raise ValueError(f"no literal: {text!r:.80}") from error


def value_of(node: ast.expr) -> Any:
    """Return the value of an expression that is written with literals only.

    Raises:
        ValueError: It is not.
    """
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Tuple):
        return tuple(value_of(element) for element in node.elts)
    if isinstance(node, (ast.List, ast.Set)):
        return [value_of(element) for element in node.elts]
    if isinstance(node, ast.Dict):
        pairs = zip(node.keys, node.values, strict=True)
        return {value_of(key): value_of(value) for key, value in pairs if key is not None}
    if isinstance(node, ast.Name) and node.id in ("null", "true", "false"):  # JSON's, among Python's quotes
        return {"null": None, "true": True, "false": False}[node.id]
    if isinstance(node, ast.Call):
        return _called(node)
    return ast.literal_eval(node)


def _called(call: ast.Call) -> Any:
    """Return the value of a call that prints as data, such as ``range(2, 6)`` or ``np.array([2, 3])``."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
    arguments = [value_of(argument) for argument in call.args]
    if name == "range" and not call.keywords and all(type(bound) is int and abs(bound) < MANY for bound in arguments):
        return list(range(*arguments))
    if name in _SEQUENCES and len(arguments) == 1 and isinstance(arguments[0], (list, tuple)):
        return list(arguments[0])
    if name in _MAPPINGS and len(arguments) <= 1:
        given = {str(keyword.arg): value_of(keyword.value) for keyword in call.keywords}
        return {**(dict(arguments[0]) if arguments else {}), **given}
    if name in _NUMBERS and len(arguments) == 1 and isinstance(arguments[0], (int, float)):
        return arguments[0]
    raise ValueError(f"no literal: {name or 'a call'}(…)")


def find_calls(text: str, name: str) -> dict[str, ast.Call]:
    """Return the calls of a name that stand anywhere in a text, each by what is assigned to it, else by number."""
    found: dict[str, ast.Call] = {}
    for match in re.finditer(rf"\b{name}(?=\()", text):
        try:
            call = ast.parse(f"{name}{_balanced(text, match.end())}", mode="eval").body
        except (SyntaxError, ValueError, RecursionError, MemoryError):
            continue
        if isinstance(call, ast.Call):
            before = re.search(
                r"(\w+)\s*(?::\s*\w+\s*)?=\s*(?:\w+\.)?$", text[max(0, match.start() - NEAR) : match.start()]
            )
            label = before[1] if before is not None and before[1] not in found else f"number {len(found) + 1}"
            found[label] = call
    return found


def _balanced(text: str, start: int) -> str:
    """Return the text from a bracket to the one that closes it; all of the rest where none does."""
    depth = 0
    for position, character in _unquoted(text, start):
        depth += (character in "([{") - (character in ")]}")
        if depth == 0:
            return text[start : position + 1]
    return text[start:]


def _unquoted(text: str, start: int) -> Iterator[tuple[int, str]]:
    quote = ""
    for position in range(start, len(text)):
        character = text[position]
        if quote:
            quote = "" if character == quote else quote
        elif character in "'\"":
            quote = character
        else:
            yield position, character

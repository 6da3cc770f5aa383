"""Cause of a failed export, in one line, and the submodule it came from."""

from __future__ import annotations

import re
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn

_ANSI = re.compile(r"\x1b\[[0-9;]*m")
_LONGEST = 240  # characters of the exporter's own words


def explain(module: nn.Module, error: BaseException) -> str:
    """Return the root cause of an exporter's error, and where in the module it lies, as one line.

    Args:
        module: The module that was exported.
        error: What the exporter raised; the chain of causes is followed to its root.

    Returns:
        Such as ``"ValueError: wrong shape (in 'cells.3.conv', a Conv2d)"``; the module only where it is known.
    """
    chain = list(_chain(error))
    root = chain[-1]
    lines = [line.strip() for line in _ANSI.sub("", str(root)).splitlines() if line.strip()]
    text = f"{type(root).__name__}: {lines[0]}" if lines else type(root).__name__
    if len(text) > _LONGEST:
        text = text[: _LONGEST - 1] + "…"
    where = _module_of(module, chain)
    return f"{text.rstrip('.')} ({where})" if where else text.rstrip(".")


def _chain(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _frames(error: BaseException) -> Iterator[FrameType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _module_of(module: nn.Module, chain: list[BaseException]) -> str:
    """Name the innermost submodule that ran, or was being translated, when the error was raised."""
    names = {id(part): name for name, part in module.named_modules()}
    parts = dict(module.named_modules())
    found = None
    for error in chain:
        for frame in _frames(error):
            scope = frame.f_locals
            name = names.get(id(scope.get("self")))
            if name is None:
                name = _translated(scope.get("node"))
            if name in parts:
                found = name
    if not found:
        return ""
    return f"in '{found}', a {type(parts[found]).__name__}"


def _translated(node: object) -> str | None:
    """Return the submodule that a node of torch.export's graph came from."""
    stack = getattr(node, "meta", None)
    if not isinstance(stack, dict) or not stack.get("nn_module_stack"):
        return None
    path = list(stack["nn_module_stack"].values())[-1][0]
    return str(path).removeprefix("L['self'].").removeprefix("L__self___")

"""Evolutionary multi-objective neural architecture search, from data to a verified ONNX model.

    import evonas

    run = evonas.search(objectives=("acc", "flops"))
    front = evonas.read_front(run)
    print(front.select("knee"))

What stands here is imported when first used: torch is not loaded before it is needed.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from evonas.config import Settings
    from evonas.data import Dataset, load_data
    from evonas.errors import EvonasError
    from evonas.front import Front, read_front
    from evonas.networks import build
    from evonas.objectives import Context, Objective, Result
    from evonas.pipeline import resume, search
    from evonas.problem import run_context
    from evonas.run import Run
    from evonas.spaces import Architecture, Skeleton, Space, load_space
    from evonas.tables import Table, load_table

__version__ = "0.1.0"

_HOME = {
    "Architecture": "evonas.spaces",
    "Context": "evonas.objectives",
    "Dataset": "evonas.data",
    "EvonasError": "evonas.errors",
    "Front": "evonas.front",
    "Objective": "evonas.objectives",
    "Result": "evonas.objectives",
    "Run": "evonas.run",
    "Settings": "evonas.config",
    "Skeleton": "evonas.spaces",
    "Space": "evonas.spaces",
    "Table": "evonas.tables",
    "build": "evonas.networks",
    "load_data": "evonas.data",
    "load_space": "evonas.spaces",
    "load_table": "evonas.tables",
    "read_front": "evonas.front",
    "resume": "evonas.pipeline",
    "run_context": "evonas.problem",
    "search": "evonas.pipeline",
}

__all__ = [
    "Architecture",
    "Context",
    "Dataset",
    "EvonasError",
    "Front",
    "Objective",
    "Result",
    "Run",
    "Settings",
    "Skeleton",
    "Space",
    "Table",
    "build",
    "load_data",
    "load_space",
    "load_table",
    "read_front",
    "resume",
    "run_context",
    "search",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module 'evonas' has no attribute '{name}'")
    return getattr(importlib.import_module(_HOME[name]), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

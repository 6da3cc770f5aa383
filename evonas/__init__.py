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
    from evonas.networks import build
    from evonas.objectives import Context
    from evonas.objectives.result import Result
    from evonas.pareto.front import Front
    from evonas.pareto.objective import Objective
    from evonas.pipeline.context import run_context
    from evonas.pipeline.run import resume, search
    from evonas.pipeline.study import Study
    from evonas.runs.front_file import read_front
    from evonas.runs.run import Run
    from evonas.spaces import Architecture, Skeleton, Space, load_space
    from evonas.tables.table import Table, load_table

_HOME = {
    "__version__": "evonas.version",
    "Architecture": "evonas.spaces",
    "Context": "evonas.objectives",
    "Dataset": "evonas.data",
    "EvonasError": "evonas.errors",
    "Front": "evonas.pareto.front",
    "Objective": "evonas.pareto.objective",
    "Result": "evonas.objectives",
    "Run": "evonas.runs.run",
    "Settings": "evonas.config",
    "Skeleton": "evonas.spaces",
    "Space": "evonas.spaces",
    "Study": "evonas.pipeline.study",
    "Table": "evonas.tables.table",
    "build": "evonas.networks",
    "load_data": "evonas.data",
    "load_space": "evonas.spaces",
    "load_table": "evonas.tables.table",
    "read_front": "evonas.runs.front_file",
    "resume": "evonas.pipeline.run",
    "run_context": "evonas.pipeline.context",
    "search": "evonas.pipeline.run",
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
    "Study",
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

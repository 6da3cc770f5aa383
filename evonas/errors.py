"""Errors: one root, few leaves; each message says what was expected, what came and what to do."""

from __future__ import annotations

import difflib
import importlib
import inspect
from collections.abc import Iterable
from types import ModuleType


class EvonasError(Exception):
    """Root of every error that evonas raises on purpose; its message is one line, whatever a user's text brings."""

    def __str__(self) -> str:
        return " ".join(super().__str__().splitlines())


class SettingsError(EvonasError, ValueError):
    """A setting, an objective or a constraint that makes no sense."""


class SpaceError(EvonasError, ValueError):
    """A space file, a genome or an architecture's text that is malformed."""


class DataError(EvonasError, ValueError):
    """Data that cannot be read, or read but not used."""


class RunError(EvonasError):
    """A run directory that is missing, foreign, locked or not what the command needs."""


class EvaluationError(EvonasError):
    """An objective that could not be computed."""


class InfeasibleError(EvaluationError):
    """A search in which no architecture that was evaluated keeps to the constraints."""


class TrainingError(EvonasError):
    """Training that diverged, or a checkpoint that does not fit."""


class ExportError(EvonasError):
    """A model that could not be exported or did not pass its checks."""


class GraphError(EvonasError, ValueError):
    """A network's file that cannot be read as a computation graph."""


class MissingExtraError(EvonasError, ImportError):
    """An optional dependency that is not installed."""


def suggest(name: str, known: Iterable[str]) -> str:
    """Return " Did you mean 'x'?" for the known name nearest to `name`, or "" where none is near."""
    near = difflib.get_close_matches(name, list(known), n=1, cutoff=0.6)
    return f" Did you mean '{near[0]}'?" if near else ""


def lacking(thing: object, contract: type) -> list[str]:
    """Return the members of a contract that a thing lacks, in the contract's order.

    Args:
        thing: What should keep the contract.
        contract: A Protocol; its annotated attributes and its methods but for private ones are the members.
    """
    methods = (name for name, value in vars(contract).items() if inspect.isroutine(value))
    named = dict.fromkeys((*inspect.get_annotations(contract), *methods))
    public = [name for name in named if name == "__call__" or not name.startswith("_")]
    return [name for name in public if not hasattr(thing, name)]


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module.

    Args:
        module: Importable name, such as ``"pyarrow.parquet"``.
        extra: Extra of this package that brings it, such as ``"data"``.

    Raises:
        MissingExtraError: The module is not installed; the message holds the command that installs it.
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        raise MissingExtraError(
            f"This needs the package '{module.partition('.')[0]}', which is not installed: "
            f"run  pip install 'evonas[{extra}]'"
        ) from error

"""Names of robust objectives: ``robust:NAME@ARGUMENTS``; torch is not imported."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from evonas.attacks.attack import read_attack
from evonas.attacks.settings import ATTACKS
from evonas.errors import SettingsError, suggest
from evonas.objectives.robust.contract import Perturbation
from evonas.objectives.robust.corruption import read_corruption, with_kinds
from evonas.pareto.objective import Objective

__all__ = ["KINDS", "ROBUST", "is_robust", "read_robust", "robust_names", "robust_objective"]

ROBUST = "robust:"
"""Beginning of the names."""
UNIT = "fraction of images"


class RobustKind(NamedTuple):
    """Kind of change of images.

    Attributes:
        read: Reads ``NAME@ARGUMENTS``.
        text: What the objective is, in half a sentence.
    """

    read: Callable[[str], Perturbation]
    text: str


KINDS: Mapping[str, RobustKind] = MappingProxyType(
    {
        name: RobustKind(read_attack, f"share of images right under {kind.title}: {kind.text}")
        for name, kind in ATTACKS.items()
    }
    | {
        "corruption": RobustKind(
            read_corruption,
            "share of images right under noise, blur, weather and digital corruption, mean over the kinds",
        )
    }
)
"""What stands behind ``robust:``, by name."""


def is_robust(name: str) -> bool:
    """Return whether a name is that of a robust objective, or means to be."""
    return name.startswith(ROBUST)


def robust_names() -> list[str]:
    """Return the robust objectives with their own arguments, such as ``robust:pgd``."""
    return [f"{ROBUST}{kind}" for kind in KINDS]


def read_robust(name: str, corruptions: Sequence[str] = ()) -> Perturbation:
    """Return what ``robust:NAME@ARGUMENTS`` does to images.

    Args:
        name: The objective.
        corruptions: Kinds that a setting names for ``robust:corruption``; none: all.

    Raises:
        SettingsError: No such kind, or arguments that it does not take.
    """
    text = name.removeprefix(ROBUST)
    kind = text.partition("@")[0]
    if kind not in KINDS:
        raise SettingsError(
            f"Unknown objective '{name}': expected {ROBUST}NAME with NAME among {', '.join(KINDS)}."
            f"{suggest(kind, KINDS)}"
        )
    return with_kinds(KINDS[kind].read(text), corruptions)


def robust_objective(name: str) -> Objective:
    """Return the objective of that name: the share of images that survives."""
    return Objective(name, UNIT, "max")

"""Candidates: what a search evaluates and stores, an architecture and whatever else is searched with it.

Plain data: `evonas.training` interprets a recipe, `evonas.objectives` a resolution.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, fields, replace

from evonas.errors import SpaceError
from evonas.spaces.architecture import Architecture, StageArchitecture
from evonas.spaces.space import Space

__all__ = ["Candidate", "Recipe", "as_candidates", "parse_candidate"]

SEPARATOR = " @ "
"""Stands in no architecture's text."""


@dataclass(frozen=True, slots=True)
class Recipe:
    """The recipe genes of a candidate: settings of its training; None where one is not searched.

    Attributes:
        epochs: Epochs.
        optimizer: Name of the optimizer.
        lr: Learning rate at its peak.
        weight_decay: Weight decay.
    """

    epochs: int | None = None
    optimizer: str | None = None
    lr: float | None = None
    weight_decay: float | None = None

    def genes(self) -> dict[str, int | float | str]:
        """Return what is searched, by name."""
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {name: value for name, value in values.items() if value is not None}

    def __str__(self) -> str:
        return json.dumps(self.genes(), sort_keys=True, allow_nan=False)


@dataclass(frozen=True, slots=True)
class Candidate:
    """Candidate that is evaluated and stored; its text is the store's key.

    Attributes:
        architecture: The architecture, canonical where it is evaluated.
        recipe: How it is trained; None: recipes are not searched.
        resolution: Height and width of its input in pixels; None: not searched, the skeleton's holds.
    """

    architecture: Architecture
    recipe: Recipe | None = None
    resolution: tuple[int, int] | None = None

    @property
    def sized(self) -> Architecture:
        """The architecture, with the candidate's resolution where it has one of its own.

        Raises:
            SpaceError: The resolution is not square, or architectures of the space have none.
        """
        if self.resolution is None:
            return self.architecture
        if not isinstance(self.architecture, StageArchitecture) or self.resolution[0] != self.resolution[1]:
            raise SpaceError(f"Expected an architecture of stages at a square resolution, got {self}")
        return replace(self.architecture, resolution=self.resolution[0])

    def __str__(self) -> str:
        """Return the architecture's text alone where nothing else is searched, else that and what is."""
        parts = [str(self.architecture)]
        if self.resolution is not None:
            parts.append(f"{self.resolution[0]}x{self.resolution[1]}")
        if self.recipe is not None:
            parts.append(str(self.recipe))
        return SEPARATOR.join(parts)


def as_candidates(architectures: Iterable[Architecture]) -> list[Candidate]:
    """Return candidates that are these architectures, nothing else searched."""
    return [Candidate(architecture) for architecture in architectures]


def parse_candidate(text: str, space: Space) -> Candidate:
    """Read the text of a candidate; its architecture comes back canonical.

    Args:
        text: What `str` gives of a candidate, or any text form of an architecture.
        space: Where the architecture is from.

    Raises:
        SpaceError: The text is no candidate of this space.
    """
    form, *rest = text.split(SEPARATOR, 2)
    architecture = space.canonical(space.parse(form))
    resolution = recipe = None
    if rest and (match := re.fullmatch(r"(\d+)x(\d+)", rest[0])):
        resolution = int(match[1]), int(match[2])
        rest = rest[1:]
    if rest:
        try:
            recipe = Recipe(**json.loads(SEPARATOR.join(rest)))
        except (ValueError, TypeError) as error:
            raise SpaceError(f"Expected HEIGHTxWIDTH and a recipe after '{SEPARATOR}', got '{rest[0]}'") from error
    return Candidate(architecture, recipe, resolution)

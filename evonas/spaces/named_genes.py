"""Named choices of candidates of a search: those of the space, and a resolution that was searched beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from evonas.spaces.candidate import Candidate
from evonas.spaces.space import Space

__all__ = ["NamedGenes", "named_genes"]


class NamedGenes(NamedTuple):
    """Choices of candidates, m of them.

    Attributes:
        choices: Their names.
        options: Names of each choice's options.
        genomes: Option of each choice of each candidate, int64, shape ``(n, m)``.
    """

    choices: list[str]
    options: list[tuple[str, ...]]
    genomes: np.ndarray


def named_genes(space: Space[Any], candidates: Sequence[Candidate]) -> NamedGenes:
    """Return the choices of candidates; ``resolution`` is the last where they differ in it.

    Args:
        space: Their space.
        candidates: One or more.

    Raises:
        SpaceError: An architecture is none of the space.
    """
    choices, options = list(space.choices), [tuple(names) for names in space.option_names]
    genomes = np.stack([space.encode(one.architecture) for one in candidates]).astype(np.int64)
    sides = sorted({one.resolution for one in candidates if one.resolution is not None})
    if len(sides) > 1:
        choices.append("resolution")
        options.append(tuple(f"{height}x{width}" for height, width in sides))
        genomes = np.column_stack([genomes, [sides.index(one.resolution) for one in candidates if one.resolution]])
    return NamedGenes(choices, options, genomes)

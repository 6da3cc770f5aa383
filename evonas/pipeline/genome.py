"""Genome of a search: the genes of its space, and those of whatever else is searched, read as candidates."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.errors import SettingsError
from evonas.spaces import Space
from evonas.spaces.candidate import Candidate
from evonas.spaces.near_largest import near_largest
from evonas.spaces.stage_genes import is_monotone

__all__ = ["SearchGenome"]


class SearchGenome:
    """The code between genomes and candidates.

    The space's genes come first; a gene for the resolution follows where resolutions are searched. The space, its
    size and its architectures know nothing of it.

    Args:
        space: The space.
        resolutions: Sides of square inputs to choose from; none: the skeleton's holds and there is no such gene.

    Raises:
        SettingsError: The space chooses resolutions itself, or one stands twice.
    """

    def __init__(self, space: Space, resolutions: Sequence[int] = ()) -> None:
        if resolutions and space.definition.resolutions:
            raise SettingsError(f"The space {space.name} chooses resolutions itself: leave them out")
        if len(set(resolutions)) != len(resolutions):
            raise SettingsError(f"Expected different resolutions, got {list(resolutions)}")
        self.space = space
        self.resolutions = tuple(resolutions)
        extra = [len(self.resolutions)] if self.resolutions else []
        self.cardinalities: np.ndarray = np.concatenate([space.cardinalities, np.array(extra, dtype=np.int64)])
        by_size = [is_monotone(self.resolutions)] if self.resolutions else []
        self.ordered: np.ndarray = np.concatenate([space.ordered, np.array(by_size, dtype=bool)])

    def sample(self, n: int, rng: np.random.Generator, by: str = "choice") -> np.ndarray:
        """Draw genomes, int16 of shape ``(n, genes)``; `by` as `Space.sample` takes it.

        The space's genes are drawn first, so that they are the same whatever else is searched.
        """
        genomes = self.space.sample(n, rng, by=by)
        if not self.resolutions:
            return genomes
        further = rng.integers(len(self.resolutions), size=(n, 1))
        return np.concatenate([genomes, further], axis=1).astype(genomes.dtype)

    def near_largest(self, n: int, rng: np.random.Generator) -> np.ndarray:
        """Draw genomes at all distances from the largest architecture, of any resolution, shape ``(n, genes)``.

        Raises:
            SettingsError: Architectures have no largest.
        """
        genomes = near_largest(self.space, rng.random(n), rng)
        if not self.resolutions:
            return genomes
        further = rng.integers(len(self.resolutions), size=(n, 1))
        return np.concatenate([genomes, further], axis=1).astype(genomes.dtype)

    def candidate(self, genome: np.ndarray) -> Candidate:
        """Return the candidate that a genome means, its architecture canonical."""
        form = self.space.form(genome[: len(self.space.cardinalities)])
        if not self.resolutions:
            return Candidate(form)
        side = self.resolutions[int(genome[-1])]
        return Candidate(form, resolution=(side, side))

    def key(self, genome: np.ndarray) -> str:
        """Return the text of a genome's candidate: what stores and duplicates go by."""
        return self.space.key(genome) if not self.resolutions else str(self.candidate(genome))

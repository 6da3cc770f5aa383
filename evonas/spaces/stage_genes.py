"""Genome of the stage family: where each choice stands in it, and what its numbers mean."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evonas.spaces.definition_stage import StageTable

__all__ = ["StageGenes", "is_monotone"]

_Places = tuple[int | None, int | None, int]
"""Where the two genes of a block stand, and how many options the second has; None: no choice."""


def is_monotone(sizes: Sequence[int]) -> bool:
    """Return whether sizes are listed upwards or downwards."""
    return list(sizes) in (sorted(sizes), sorted(sizes, reverse=True))


class StageGenes:
    """Genes of a space of stages: kernels, expansions, candidates of blocks, then depths, then the resolution.

    Args:
        stages: All stages of the space.
        free: Numbers of the stages that have a choice.
        options: Option names of their blocks.
        depths: Their depths.
        resolutions: Input sides that are a choice of the space; empty: none.
        most_blocks: Most blocks of each stage that may run; genes of others are left out.

    Attributes:
        choices: Name of each choice to the names of its options, in the order of the genome; those with one option
            have no gene.
        ordered: Names of the choices whose options are listed by size, upwards or downwards: kernels, expansions,
            depths and resolutions that are, and operations whose stage says so.
    """

    def __init__(
        self,
        stages: Sequence[StageTable],
        free: Sequence[int],
        options: Sequence[Sequence[Sequence[str]]],
        depths: Sequence[Sequence[int]],
        resolutions: Sequence[int],
        most_blocks: Sequence[int],
    ) -> None:
        self._options, self._depths, self._resolutions = options, depths, resolutions
        self.choices: dict[str, tuple[str, ...]] = {}
        self.ordered: set[str] = set()
        genes: dict[tuple[str | int, ...], int] = {}

        def add(key: tuple[str | int, ...], name: str, known: Sequence[str | int], ordered: bool) -> None:
            if len(known) > 1:
                genes[key] = len(self.choices)
                self.choices[name] = tuple(map(str, known))
                if ordered:
                    self.ordered.add(name)

        for part in ("kernel", "expand"):
            for s, i in enumerate(free):
                sizes = getattr(stages[i], part)
                for b in range(most_blocks[i]):
                    add((part, s, b), f"stage{i}.block{b}.{part}", sizes, is_monotone(sizes))
        for s, i in enumerate(free):
            if stages[i].uniform:
                add(("operation", s, 0), f"stage{i}.operation", options[s][0], stages[i].ordered)
            elif not stages[i].kernel:
                for b, names in enumerate(options[s][: most_blocks[i]]):
                    add(("operation", s, b), f"stage{i}.block{b}.operation", names, stages[i].ordered)
        for s, i in enumerate(free):
            add(("depth", s), f"stage{i}.depth", depths[s], is_monotone(depths[s]))
        add(("resolution",), "resolution", resolutions, is_monotone(resolutions))
        self._block_genes: tuple[tuple[_Places, ...], ...] = tuple(
            tuple(
                (genes.get(("kernel", s, b)), genes.get(("expand", s, b)), len(stages[i].expand))
                if stages[i].kernel
                else (genes.get(("operation", s, 0 if stages[i].uniform else b)), None, 1)
                for b in range(stages[i].blocks)
            )
            for s, i in enumerate(free)
        )
        self._uniform = tuple(stages[i].uniform for i in free)
        self._depth_genes = tuple(genes.get(("depth", s)) for s in range(len(free)))
        self._resolution_gene = genes.get(("resolution",))

    def draw_depths(self, genomes: np.ndarray, rng: np.random.Generator) -> None:
        """Draw depths by how many members have each, in place; genes of blocks that do not run become 0.

        Args:
            genomes: Shape (n, n_choices).
            rng: Source of randomness.
        """
        for s, (options, depths) in enumerate(zip(self._options, self._depths, strict=True)):
            gene = self._depth_genes[s]
            if gene is None:
                continue
            if self._uniform[s]:  # as many have each depth, and the stage's only operation gene always counts
                genomes[:, gene] = rng.choice(len(depths), size=len(genomes))
                continue
            weights = np.array([math.prod(len(o) for o in options[:depth]) for depth in depths], dtype=float)
            genomes[:, gene] = rng.choice(len(depths), size=len(genomes), p=weights / weights.sum())
            depth = np.array(depths)[genomes[:, gene]]
            for b, (first, second, _) in enumerate(self._block_genes[s]):
                for index in (first, second):
                    if index is not None:
                        genomes[depth <= b, index] = 0

    def decode(
        self, genes: Sequence[int] | np.ndarray
    ) -> tuple[tuple[tuple[str, ...], ...], tuple[int, ...], int | None]:
        """Return the options of all blocks of the free stages, their depths, and the resolution that is chosen."""

        def number(index: int | None) -> int:
            return 0 if index is None else int(genes[index])

        blocks = tuple(
            tuple(
                names[number(first) * width + number(second)]
                for names, (first, second, width) in zip(stage, indices, strict=True)
            )
            for stage, indices in zip(self._options, self._block_genes, strict=True)
        )
        depths = tuple(known[number(gene)] for known, gene in zip(self._depths, self._depth_genes, strict=True))
        return blocks, depths, self._resolutions[number(self._resolution_gene)] if self._resolutions else None

    def encode(self, blocks: Sequence[Sequence[str]], depths: Sequence[int], resolution: int | None) -> np.ndarray:
        """Return the genome, shape (n_choices,), that `decode` reads back."""
        genes = np.zeros(len(self.choices), dtype=np.int16)
        for stage, options, indices in zip(blocks, self._options, self._block_genes, strict=True):
            for option, known, (first, second, width) in zip(stage, options, indices, strict=True):
                numbers = divmod(known.index(option), width)
                for index, number in zip((first, second), numbers, strict=True):
                    if index is not None:
                        genes[index] = number
        for depth, known_depths, gene in zip(depths, self._depths, self._depth_genes, strict=True):
            if gene is not None:
                genes[gene] = known_depths.index(depth)
        if self._resolution_gene is not None and resolution is not None:
            genes[self._resolution_gene] = self._resolutions.index(resolution)
        return genes

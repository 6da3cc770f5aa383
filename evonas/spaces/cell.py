"""The cell family: small graphs of operations, stacked (DARTS, LHD, NAS-Bench-201, TransNAS-Bench-101).

References:
    .. [Liu2019] Liu, Simonyan, Yang: DARTS, ICLR 2019, arXiv 1806.09055.
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326.
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np

from evonas.errors import SpaceError
from evonas.spaces.architecture import CellArchitecture
from evonas.spaces.canonical import CanonicalCells
from evonas.spaces.cell_steps import CellSteps
from evonas.spaces.definition_cell import CellFile
from evonas.spaces.graph import Cell, Edge
from evonas.spaces.nasbench201 import unique_string
from evonas.spaces.node import NodeCode
from evonas.spaces.parts import count_cell_parts
from evonas.spaces.path import Path, Step
from evonas.spaces.picture import CellPicture, PicturedOperation
from evonas.spaces.skeleton import Skeleton
from evonas.spaces.space import Space
from evonas.spaces.text import read

INPUTS = {
    "previous": ("cell k−2", "cell k−1"),
    "streams": ("sum k−1", "concat k−1"),
    "stages": ("cell k−1",),
    "modules": ("cell k−1",),
}
"""What the inputs of a cell are, by the way that cells are chained."""
STYLES = {"skip": "skip", "max_pool": "pool", "avg_pool": "pool", "none": "idle"}


class CellSpace(Space[CellArchitecture]):
    """A space whose architectures are one cell of each kind.

    Genes run kind by kind, node by node, as `NodeCode` lays them out; where outputs are learned, two genes
    per cell follow: the non-empty sets of nodes summed and concatenated, as bit masks minus one.
    """

    definition: CellFile
    unread = frozenset({"width", "strides", "features", "blocks", "norm_eps"})

    def __init__(self, definition: CellFile) -> None:
        super().__init__(definition)
        cell = definition.cell
        self.kinds = cell.kinds
        self.inputs = cell.inputs
        self.operations = tuple(definition.operations)
        self._codes = tuple(
            NodeCode(self.operations, cell.inputs + i, cell.wiring, cell.kept) for i in range(cell.nodes)
        )
        self._masks = 2**cell.nodes - 1 if cell.outputs == "learned" else 0
        self._every = tuple(range(cell.inputs, cell.inputs + cell.nodes))
        self._mask_sources = tuple(
            tuple(source for bit, source in enumerate(self._every) if mask >> bit & 1) for mask in range(2**cell.nodes)
        )
        tables = definition.operations
        self._none = frozenset(name for name, table in tables.items() if table.kind == "none")
        self._looks = {
            name: STYLES.get(table.kind, "dilated" if table.dilation > 1 else "conv") for name, table in tables.items()
        }
        self._skips = frozenset(name for name, table in tables.items() if table.kind == "skip")
        self._canonical = CanonicalCells(definition, self._codes)
        self._steps = CellSteps(definition)
        choices: dict[str, tuple[str, ...]] = {}
        masks = tuple("+".join(map(str, sources)) for sources in self._mask_sources[1:])
        for kind in self.kinds:
            for i, code in enumerate(self._codes):
                choices |= {f"{kind}.{cell.inputs + i}.{name}": names for name, names in code.genes}
            if self._masks:
                choices |= {f"{kind}.sum": masks, f"{kind}.concat": masks}
        self._set_choices(choices)
        starts = np.cumsum([0, *(len(code.genes) for code in self._codes)]).tolist()
        self._slices = tuple(
            (code, start, stop) for code, start, stop in zip(self._codes, starts[:-1], starts[1:], strict=True)
        )
        self._cell_genes = starts[-1] + (2 if self._masks else 0)

    @property
    def size(self) -> int:
        """Number of architectures: sets of (operation, source) pairs where wiring is joint, else genotypes."""
        cell = math.prod(code.size for code in self._codes) * max(1, self._masks) ** 2
        return int(cell ** len(self.kinds))

    def sample(self, n: int, rng: np.random.Generator, by: str = "size") -> np.ndarray:
        """Draw genomes; for this family both ways are the same distribution of architectures."""
        self._check_by(by)
        genomes = rng.integers(0, self.cardinalities, size=(n, len(self.choices))).astype(np.int16)
        if self.definition.cell.wiring == "joint" and by == "size" and n:
            # Several genomes mean one set of pairs, equally many for each: return the one encode() gives.
            genomes = np.stack([self.encode(self.decode(genome)) for genome in genomes])
        return genomes

    def decode(self, genome: Sequence[int] | np.ndarray) -> CellArchitecture:
        """Return the architecture a genome means, as written."""
        genes = self.check_genome(genome)
        cells = []
        for offset in range(0, len(genes), self._cell_genes):
            nodes = tuple(code.decode(genes[offset + start : offset + stop]) for code, start, stop in self._slices)
            end = offset + self._cell_genes
            cells.append(Cell(nodes, self._outputs(genes[end - 2 : end])))
        return CellArchitecture(self.definition.form, self.kinds, tuple(cells))

    def encode(self, architecture: CellArchitecture) -> np.ndarray:
        """Return a genome of shape ``(n_choices,)`` that decodes to the architecture."""
        if not isinstance(architecture, CellArchitecture) or architecture.kinds != self.kinds:
            raise SpaceError(f"Expected an architecture of space '{self.name}', got {architecture}")
        genes: list[int] = []
        for kind, cell in zip(self.kinds, architecture.cells, strict=True):
            if len(cell.nodes) != len(self._codes):
                raise SpaceError(
                    f"Cell '{kind}' of space '{self.name}' has {len(self._codes)} nodes, got {len(cell.nodes)}"
                )
            for i, (code, edges) in enumerate(zip(self._codes, cell.nodes, strict=True)):
                try:
                    genes += code.encode(edges)
                except SpaceError as error:
                    raise SpaceError(f"Cell '{kind}', node {i} of space '{self.name}': {error}") from None
            genes += self._output_genes(kind, cell.outputs)
        return np.array(genes, dtype=np.int16)

    def canonical(self, architecture: CellArchitecture) -> CellArchitecture:
        """Return the representative: dead parts pruned, sums ordered, nodes renumbered where wiring allows.

        Dead are operations that no output depends on, and operations whose result is zero whatever the
        weights. Pruned sources hold ``none`` where the space has it, else the first options.
        """
        cells = tuple(self._canonical.representative(cell) for cell in architecture.cells)
        return CellArchitecture(architecture.form, architecture.kinds, cells, True)

    def path(self, architecture: CellArchitecture) -> Path:
        """Return every operation that runs, and the preprocessing of the inputs that are read.

        In spaces with two streams the second input's width is a choice: it has an option (`width_after`) for each
        kind of cell that it may follow, and so has the classifier. Where outputs are chosen, nodes that reach none
        are no part of the network as written either ([Chao2023]_).
        """
        steps: list[Step] = []
        known = self._steps
        counts = [len(cell.outputs[-1]) for cell in architecture.cells] if self._masks else []
        for kind, cell in zip(self.kinds, architecture.cells, strict=True):
            live = self._canonical.live(cell) if architecture.pruned or self._masks else None
            sources_read = set()
            for i, (edges, of_edge) in enumerate(zip(cell.nodes, known.edges[kind], strict=True), self.inputs):
                if live is not None and i not in live:
                    continue
                begin = len(steps)
                for edge in edges:
                    step = of_edge.get(edge)
                    if step is not None:  # none runs nothing
                        sources_read.add(edge[1])
                        steps.append(step)
                if known.repeats and len(set(edges)) < len(edges):
                    steps[begin:] = known.numbered(steps[begin:])
            for source in range(self.inputs):
                if not architecture.pruned or source in sources_read:
                    steps += known.inputs(kind, source, counts)
            if self._masks:
                for stream, sources in zip(known.streams[kind], cell.outputs, strict=True):
                    steps += [stream[source] for source in sources]
        if self._masks:
            steps += known.outputs(counts)
        return tuple(steps)

    def parse(self, text: str) -> CellArchitecture:
        """Read an architecture from a text form of the literature, as written."""
        # There and back proves membership, and orders the edges of a node where order means nothing.
        return self.decode(self.encode(read(text, self)))

    def literature_key(self, architecture: CellArchitecture) -> str:
        """Return NAS-Bench-201's unique string for its form; the canonical text for others."""
        if self.definition.cell.chain == "stages":  # in modules a skip may reduce, which is no identity
            return unique_string(architecture, self._none, self._skips)
        return super().literature_key(architecture)

    def multiplicity(self, architecture: CellArchitecture) -> int | None:
        """Return how many members share the canonical form; None where the space is too large to count."""
        if self.size > 100_000:
            return None
        return self._multiplicities[self.canonical(architecture)]

    @cached_property
    def _multiplicities(self) -> Counter[CellArchitecture]:
        return Counter(self.canonical(self.decode(genome)) for genome in np.ndindex(*self.cardinalities))

    def describe_choices(self) -> dict[str, tuple[str | int, ...]]:
        """Return the operations that an edge chooses among."""
        return {"operation": self.operations}

    def skeleton_changes(self, channels: int) -> dict[str, Any]:
        """Return the number of channels, which is a field of its own; see `Space.skeleton_changes`."""
        return {"channels": channels}

    def picture(self, architecture: CellArchitecture, skeleton: Skeleton | None = None) -> tuple[CellPicture, ...]:
        """Return the graph of each kind of cell; see `Space.picture`."""
        if not isinstance(architecture, CellArchitecture):
            raise SpaceError(f"Expected an architecture of space '{self.name}', got {architecture}")
        return tuple(
            CellPicture(
                kind,
                INPUTS[self.definition.cell.chain],
                tuple(tuple(PicturedOperation(*edge, self._looks[edge.operation]) for edge in e) for e in cell.nodes),
                tuple(zip(("sum", "concat")[-len(cell.outputs) :], cell.outputs, strict=True)),
                frozenset(self._canonical.live(cell)),
                architecture.pruned,
            )
            for kind, cell in zip(self.kinds, architecture.cells, strict=True)
        )

    def count_parts(self, architecture: CellArchitecture) -> dict[str, Mapping[str, float]]:
        """Return ways through the cells and parts of their nodes; see `count_cell_parts`."""
        kinds = {name: table.kind for name, table in self.definition.operations.items()}
        return count_cell_parts(architecture, self.inputs, kinds)

    def empty(self, node: int) -> tuple[Edge, ...]:
        """Return the edges that stand for a dead node: ``none`` where the space has it, else the first."""
        return self._codes[node].empty

    # ------------------------------------------------------------------------------------------------ cells

    def _outputs(self, genes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        if self._masks:
            return tuple(self._mask_sources[gene + 1] for gene in genes)
        return (self._every,) if self.definition.cell.outputs == "all" else ((self._every[-1],),)

    def _output_genes(self, kind: str, outputs: tuple[tuple[int, ...], ...]) -> list[int]:
        if not self._masks:
            if outputs != self._outputs(()):
                raise SpaceError(f"Cell '{kind}' of space '{self.name}' puts out {self._outputs(())[0]}, got {outputs}")
            return []
        if len(outputs) != 2 or not all(sources and set(sources) <= set(self._every) for sources in outputs):
            raise SpaceError(
                f"Cell '{kind}' of space '{self.name}' has a sum and a concat of nodes {self._every}, got {outputs}"
            )
        return [sum(1 << source - self.inputs for source in set(sources)) - 1 for sources in outputs]

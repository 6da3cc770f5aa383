"""The cell family: small graphs of operations, stacked (DARTS, LHD, NAS-Bench-201).

References:
    .. [Liu2019] Liu, Simonyan, Yang: DARTS, ICLR 2019, arXiv 1806.09055.
    .. [Dong2020] Dong, Yang: NAS-Bench-201, ICLR 2020, arXiv 2001.00326.
    .. [Chao2023] Chao et al.: Rethink DARTS Search Space and Renovate a New Benchmark, ICML 2023,
       arXiv 2306.06852.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from evonas.errors import SpaceError
from evonas.spaces.architecture import Architecture, Cell, CellArchitecture, Edge, Path
from evonas.spaces.definition import CellFile
from evonas.spaces.node import NodeCode
from evonas.spaces.space import Space
from evonas.spaces.text import read

Nodes = tuple[tuple[Edge, ...], ...]


class CellSpace(Space):
    """A space whose architectures are one cell of each kind.

    Genes run kind by kind, node by node, as `NodeCode` lays them out; where outputs are learned, two genes
    per cell follow: the non-empty sets of nodes summed and concatenated, as bit masks minus one.
    """

    definition: CellFile

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
        self._mask_places = tuple(
            tuple(place for bit, place in enumerate(self._every) if mask >> bit & 1)
            for mask in range(2**cell.nodes)
        )
        kinds = {name: table.kind for name, table in definition.operations.items()}
        self._none = frozenset(name for name, kind in kinds.items() if kind == "none")
        # A zero passes these unchanged; a norm behind a convolution turns it into a constant.
        self._keeps_zero = frozenset(
            name
            for name, table in definition.operations.items()
            if table.kind in ("none", "skip") or (table.kind.endswith("pool") and not table.norm)
        )
        # Nodes may be renumbered where a node may read any place, and where it has no meaning of its own.
        free = cell.wiring == "open" or (cell.wiring != "dense" and not self._none)
        self._renumbers = free and cell.outputs != "last"
        choices: dict[str, int] = {}
        for kind in self.kinds:
            for i, code in enumerate(self._codes):
                choices |= {f"{kind}.{cell.inputs + i}.{name}": limit for name, limit in code.genes}
            if self._masks:
                choices |= {f"{kind}.sum": self._masks, f"{kind}.concat": self._masks}
        self._set_choices(choices)
        starts = np.cumsum([0, *(len(code.genes) for code in self._codes)]).tolist()
        self._slices = tuple(
            (code, start, stop) for code, start, stop in zip(self._codes, starts, starts[1:])
        )
        self._cell_genes = starts[-1] + (2 if self._masks else 0)

    @property
    def size(self) -> int:
        """Number of architectures: sets of (operation, place) pairs where wiring is joint, else genotypes."""
        cell = math.prod(code.size for code in self._codes) * max(1, self._masks) ** 2
        return cell ** len(self.kinds)

    def sample(self, n: int, rng: np.random.Generator, by: str = "size") -> np.ndarray:
        """Draw genomes; for this family both ways are the same distribution of architectures."""
        self._check_by(by)
        genomes = rng.integers(0, self.cardinalities, size=(n, len(self.choices))).astype(np.int16)
        if self.definition.cell.wiring == "joint":
            # Several genomes mean one set of pairs (equally many for each): return the one encode() gives.
            genomes = np.array(
                [self.encode(self.decode(genome)) for genome in genomes], dtype=np.int16
            ).reshape(n, len(self.choices))
        return genomes

    def decode(self, genome: Sequence[int] | np.ndarray) -> CellArchitecture:
        """Return the architecture a genome means, as written."""
        genes = self.check_genome(genome)
        cells = []
        for offset in range(0, len(genes), self._cell_genes):
            nodes = tuple(
                code.decode(genes[offset + start : offset + stop]) for code, start, stop in self._slices
            )
            end = offset + self._cell_genes
            cells.append(Cell(nodes, self._outputs(genes[end - 2 : end])))
        return CellArchitecture(self.definition.form, self.kinds, tuple(cells))

    def encode(self, architecture: Architecture) -> np.ndarray:
        """Return a genome of shape ``(n_choices,)`` that decodes to the architecture."""
        if not isinstance(architecture, CellArchitecture) or architecture.kinds != self.kinds:
            raise SpaceError(f"Expected an architecture of space '{self.name}', got {architecture}")
        genes: list[int] = []
        for kind, cell in zip(self.kinds, architecture.cells):
            if len(cell.nodes) != len(self._codes):
                raise SpaceError(
                    f"Cell '{kind}' of space '{self.name}' has {len(self._codes)} nodes, got {len(cell.nodes)}"
                )
            for i, (code, edges) in enumerate(zip(self._codes, cell.nodes)):
                try:
                    genes += code.encode(edges)
                except SpaceError as error:
                    raise SpaceError(f"Cell '{kind}', node {i} of space '{self.name}': {error}") from None
            genes += self._output_genes(kind, cell.outputs)
        return np.array(genes, dtype=np.int16)

    def canonical(self, architecture: Architecture) -> CellArchitecture:
        """Return the representative: dead parts pruned, sums ordered, nodes renumbered where wiring allows.

        Dead are operations that no output depends on, and operations whose result is zero whatever the
        weights. Pruned places hold ``none`` where the space has it, else the first options.
        """
        cells = tuple(self._canonical_cell(cell) for cell in architecture.cells)
        return CellArchitecture(architecture.form, architecture.kinds, cells, True)

    def path(self, architecture: Architecture) -> Path:
        """Return ``kind.node.source.operation`` of every operation that runs, and ``kind.input.N.on``.

        ``kind.input.N`` is the preprocessing of an input. In spaces with two streams the second one's width
        is a choice: it has an option ``after_KIND_COUNT`` for each kind of cell that it may follow, and so
        has the classifier, ``output``.
        """
        names: list[str] = []
        widths = [
            f"after_{kind}_{len(cell.outputs[-1])}" for kind, cell in zip(self.kinds, architecture.cells)
        ]
        for kind, cell in zip(self.kinds, architecture.cells):
            live = self._live(cell) if architecture.pruned else None
            read_places = set()
            for i, edges in enumerate(cell.nodes, self.inputs):
                for operation, source in edges:
                    if operation in self._none or (live is not None and i not in live):
                        continue
                    read_places.add(source)
                    names.append(f"{kind}.{i}.{source}.{operation}")
            for place in range(self.inputs):
                if live is None or place in read_places:
                    names += [f"{kind}.input.{place}.{option}" for option in self._input_options(place, widths)]
            if self._masks:
                for stream, places in zip(("sum", "concat"), cell.outputs):
                    names += [f"{kind}.{stream}.{place}" for place in places]
        names += [f"output.{option}" for option in self._input_options(1, widths) if option != "on"]
        return tuple(names)

    def parse(self, text: str) -> CellArchitecture:
        """Read an architecture from a text form of the literature, as written."""
        # There and back proves membership, and orders the edges of a node where order means nothing.
        return self.decode(self.encode(read(text, self)))

    def literature_key(self, architecture: Architecture) -> str:
        """Return NAS-Bench-201's unique string for its form; the canonical text for others."""
        if self.definition.form == "nasbench201":
            from evonas.spaces.nasbench201 import unique_string

            return unique_string(architecture)
        return super().literature_key(architecture)

    def multiplicity(self, architecture: Architecture) -> int | None:
        """Return how many members of the space share the canonical form, or None where too many to count."""
        if self.size > 10**6:
            return None
        if not hasattr(self, "_multiplicities"):
            counts: dict[CellArchitecture, int] = {}
            for genome in np.ndindex(*self.cardinalities):
                form = self.canonical(self.decode(genome))
                counts[form] = counts.get(form, 0) + 1
            self._multiplicities = counts
        return self._multiplicities[self.canonical(architecture)]

    # ------------------------------------------------------------------------------------------------ cells

    def _input_options(self, place: int, widths: list[str]) -> list[str]:
        return ["after_stem", *widths] if self._masks and place == 1 else ["on"]

    def _outputs(self, genes: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        if self._masks:
            return tuple(self._mask_places[gene + 1] for gene in genes)
        return (self._every,) if self.definition.cell.outputs == "all" else ((self._every[-1],),)

    def _output_genes(self, kind: str, outputs: tuple[tuple[int, ...], ...]) -> list[int]:
        if not self._masks:
            if outputs != self._outputs(()):
                raise SpaceError(
                    f"Cell '{kind}' of space '{self.name}' puts out {self._outputs(())[0]}, got {outputs}"
                )
            return []
        if len(outputs) != 2 or not all(places and set(places) <= set(self._every) for places in outputs):
            raise SpaceError(
                f"Cell '{kind}' of space '{self.name}' has a sum and a concat of nodes {self._every}, "
                f"got {outputs}"
            )
        return [sum(1 << place - self.inputs for place in set(places)) - 1 for places in outputs]

    def _live(self, cell: Cell) -> set[int]:
        """Return the nodes that an output depends on."""
        live = {place for places in cell.outputs for place in places}
        for i in range(len(cell.nodes) - 1, -1, -1):
            if i + self.inputs in live:
                live.update(source for operation, source in cell.nodes[i] if operation not in self._none)
        return live

    def _canonical_cell(self, cell: Cell) -> Cell:
        nodes = cell.nodes
        if self._none:
            nodes = self._without_zeros(nodes)
        if len(cell.outputs) == 2 or self._none:
            live = self._live(Cell(nodes, cell.outputs))
            dead = [i for i in range(len(nodes)) if i + self.inputs not in live]
        else:
            dead = []  # every node is put out
        if not self._renumbers:
            filled = list(nodes)
            for i in dead:
                filled[i] = self._codes[i].empty
            return Cell(tuple(filled), cell.outputs)
        return self._renumbered(nodes, dead, cell.outputs)

    def _without_zeros(self, nodes: Nodes) -> Nodes:
        """Replace operations that only pass a zero on by ``none``."""
        none = next(iter(self._none))
        zero: set[int] = set()
        clean = []
        for i, edges in enumerate(nodes, self.inputs):
            edges = tuple(
                Edge(none, source) if source in zero and operation in self._keeps_zero else Edge(operation, source)
                for operation, source in edges
            )
            if all(operation == none for operation, _ in edges):
                zero.add(i)
            clean.append(edges)
        return tuple(clean)

    def _renumbered(self, nodes: Nodes, dead: list[int], outputs: tuple[tuple[int, ...], ...]) -> Cell:
        """Order nodes by what they read: the least node first among those whose sources are placed."""
        inputs = self.inputs
        place = list(range(inputs)) + [-1] * len(nodes)
        waiting = [i for i in range(len(nodes)) if i not in dead]
        ordered: list[tuple[Edge, ...]] = []
        while waiting:
            best: tuple[tuple[tuple[int, str], ...], int] | None = None
            for i in waiting:
                edges = []
                for operation, source in nodes[i]:
                    position = place[source] if operation not in self._none else 0
                    if position < 0:
                        break
                    edges.append((position, operation))
                else:
                    edges.sort()
                    candidate = (tuple(edges), i)
                    if best is None or candidate < best:
                        best = candidate
            assert best is not None  # sources come before their readers, so one is always ready
            edges, i = best
            place[i + inputs] = inputs + len(ordered)
            ordered.append(tuple(Edge(operation, source) for source, operation in edges))
            waiting.remove(i)
        for i in dead:
            place[i + inputs] = inputs + len(ordered)
            ordered.append(self._codes[len(ordered)].empty)
        new_outputs = tuple(tuple(sorted(place[p] for p in places)) for places in outputs)
        return Cell(tuple(ordered), new_outputs)

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pytest

from evonas.errors import SpaceError
from evonas.spaces import load_space
from evonas.tables.table import Table


@dataclass(frozen=True)
class Code:
    genes: tuple[int, ...]

    def __str__(self) -> str:
        return "".join(map(str, self.genes))


class Codes:
    """Six genes of three options: what the benchmarks need of a space, and no more."""

    name = "codes"
    cardinalities = np.full(6, 3)
    ordered = np.zeros(6, dtype=bool)

    def parse(self, text: str) -> Code:
        if len(text) != 6 or set(text) - set("012"):
            raise SpaceError(f"expected six digits, got {text!r}")
        return Code(tuple(map(int, text)))

    def encode(self, code: Code) -> np.ndarray:
        return np.array(code.genes, dtype=np.int16)

    def decode(self, genome: np.ndarray) -> Code:
        return Code(tuple(int(gene) for gene in genome))

    def canonical(self, code: Code) -> Code:
        return code

    def count_parts(self, code: Code) -> dict[str, dict[str, float]]:
        return {}

    def key(self, genome: np.ndarray) -> str:
        return str(self.decode(genome))

    def sample(self, n: int, rng: np.random.Generator, by: str = "size") -> np.ndarray:
        return rng.integers(0, 3, size=(n, 6)).astype(np.int16)


@pytest.fixture(scope="session")
def codes() -> Codes:
    return Codes()


@pytest.fixture(scope="session")
def table(codes: Codes) -> Table:
    """All 729 codes; accuracy rewards twos and cost counts them, bumps make the front less than straight."""
    genomes = np.array(list(itertools.product(range(3), repeat=6)))
    twos = (genomes == 2).sum(axis=1)
    accuracy = 1 - 0.6**twos + 0.02 * (genomes[:, 0] == 1) + 0.001 * genomes[:, 1:] @ np.arange(5)
    return Table(
        {"acc": accuracy, "flops": twos + 0.1 * genomes.sum(axis=1), "params": genomes.sum(axis=1)},
        texts=["".join(map(str, genome)) for genome in genomes],
        space=codes,
        source="codes.csv",
    )


@pytest.fixture(scope="session")
def nasbench201():
    return load_space("nasbench201")

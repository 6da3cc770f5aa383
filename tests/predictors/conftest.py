"""Graphs of a small space, assembled once."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.graphs import ComputationGraph
from evonas.objectives.cost.architecture_graph import ArchitectureGraphs
from evonas.spaces import load_space


@pytest.fixture(scope="session")
def graphs() -> list[ComputationGraph]:
    """Return 60 graphs of cells of NAS-Bench-201."""
    space = load_space("nasbench201")
    assembled = ArchitectureGraphs(space, space.skeleton("small", in_channels=3, classes=10))
    genomes = space.sample(60, np.random.default_rng(0), by="choice")
    return [assembled(space.canonical(space.decode(genome))) for genome in genomes]

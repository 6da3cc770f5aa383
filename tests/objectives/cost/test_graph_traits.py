from __future__ import annotations

import numpy as np
import pytest

from evonas.objectives.cost.architecture_graph import ArchitectureGraphs
from evonas.objectives.cost.graph_traits import graph_traits
from evonas.objectives.cost.trait_reader import TraitReader
from evonas.predictors.encoders.traits import TRAITS
from evonas.spaces import load_space


@pytest.mark.parametrize("name", ["nasbench_macro", pytest.param("mobilenet_v3", marks=pytest.mark.slow)])
def test_traits_of_graphs_are_those_of_block_graphs(name, draw):
    """All but the number of values written: norms and what is done twice count in one alone."""
    space = load_space(name)
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    forms = draw(space, 3)
    graphs = ArchitectureGraphs(space, skeleton)
    found = np.stack([graph_traits(graphs(form)) for form in forms])
    known = TraitReader(space, skeleton)(forms)
    for column, trait in enumerate(TRAITS):
        if trait != "memory":
            np.testing.assert_allclose(found[:, column], known[:, column], rtol=1e-9, err_msg=trait)

from __future__ import annotations

from evonas.graphs import GraphNormalizer
from evonas.graphs.primitive import primitive
from evonas.objectives import Context, make_evaluator
from evonas.objectives.cost.architecture_graph import ArchitectureGraphs
from evonas.objectives.cost.graph_memory import graph_memory
from evonas.spaces import Candidate, load_space


def test_peak_is_counted_by_hand():
    builder = GraphNormalizer()
    image = builder.input((3, 4, 4))
    wide = builder.add(primitive("conv", (3, 4, 4), (8, 4, 4), (1, 1), (1, 1), (1, 1)), (image,))
    active = builder.add(primitive("relu", (8, 4, 4), (8, 4, 4)), (wide,))  # in place of what it reads
    other = builder.add(primitive("conv", (8, 4, 4), (5, 4, 4), (1, 1), (1, 1), (1, 1)), (active,))
    joined = builder.add(primitive("concat", (8, 4, 4), (13, 4, 4), detail=(1,)), (active, other))
    assert graph_memory(builder.finish([joined])) == 4 * 16 * (8 + 5 + 13)


def test_it_is_the_memory_of_an_architecture(draw):
    space = load_space("nasbench_macro")
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    (architecture,) = draw(space, 1)
    (row,) = make_evaluator("memory", Context(space, skeleton)).evaluate([Candidate(architecture)])
    assert graph_memory(ArchitectureGraphs(space, skeleton)(architecture)) == row["memory"].value

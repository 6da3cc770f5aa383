"""Pictures and counted parts: what others read of an architecture without knowing its family."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import SpaceError
from evonas.spaces import load_space
from evonas.spaces.picture import ChainPicture

CELL = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|none~1|none~2|"


def test_a_cell_is_a_graph_with_what_is_live():
    space = load_space("nasbench201")
    (cell,) = space.picture(space.parse(CELL))
    assert cell.kind == "cell"
    assert [[(one.name, one.source, one.style) for one in node] for node in cell.nodes] == [
        [("nor_conv_3x3", 0, "conv")],
        [("none", 0, "idle"), ("avg_pool_3x3", 1, "pool")],
        [("skip_connect", 0, "skip"), ("none", 1, "idle"), ("none", 2, "idle")],
    ]
    assert cell.live == {0, 3}
    assert cell.outputs == (("concat", (3,)),)
    assert [cell.source_name(source) for source in (0, 2)] == ["cell k−1", "node 1"]


def test_a_chain_has_every_block_and_whether_it_runs():
    space = load_space("mobilenet_v3")
    skeleton = space.skeleton("small", width=0.5, features=64)
    chain = space.picture(space.extremes()[0], skeleton)
    assert isinstance(chain, ChainPicture)
    assert (chain.width, chain.features) == (0.5, 64)
    assert [len(stage.blocks) for stage in chain.stages] == [1, 4, 4, 4, 4, 4]
    assert [sum(block.runs for block in stage.blocks) for stage in chain.stages] == [1, 2, 2, 2, 2, 2]
    assert {(block.kernel, block.expand) for stage in chain.stages[1:] for block in stage.blocks} == {(3, 3)}


def test_an_architecture_of_another_family_has_no_picture():
    cells, stages = load_space("darts"), load_space("mobilenet_v3")
    for space, other in ((cells, stages), (stages, cells)):
        stranger = other.decode(np.zeros(len(other.choices), dtype=int))
        with pytest.raises(SpaceError, match=f"Expected an architecture of space '{space.name}'"):
            space.picture(stranger)


def test_parts_are_counted_with_what_they_read():
    space = load_space("nasbench201")
    groups = space.count_parts(space.parse(CELL))
    assert groups["paths"] == {"cell:": 1, "cell:length 0": 1}
    assert groups["parts"]["cell:avg_pool_3x3<nor_conv_3x3"] == 1
    parts = load_space("nasbench_macro")
    counted = parts.count_parts(parts.parse("00120000"))["parts"]
    assert sum(n for part, n in counted.items() if part == "0") == 6
    assert counted["1:1>2"] == 1

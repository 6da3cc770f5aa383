"""Continuous weights become architectures by weight alone."""

from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import SpaceError
from evonas.networks import import_lhd
from evonas.spaces import CellWeights, Edge, discretize, load_space


def weights(seed: int = 0) -> CellWeights:
    rng = np.random.default_rng(seed)
    return CellWeights(rng.random((20, 7)), rng.random((2, 5)))


def test_first_architecture_of_the_literature(truth):
    """The normal cell that Chao et al. publish for their first search, under Base."""
    with np.load(truth / "lhd_alphas.npz", allow_pickle=False) as file:
        content = {name: file[name][0] for name in file.files}
    normal = CellWeights(content["normal_ops"], content["out3"])
    _, architecture, _ = import_lhd(normal, CellWeights(content["reduce_ops"], content["out4"]))
    cell = architecture.cells[0]
    assert [set(node) for node in cell.nodes] == [
        {Edge("skip_connect", 0), Edge("sep_conv_5x5", 0)},
        {Edge("skip_connect", 2), Edge("sep_conv_3x3", 0)},
        {Edge("sep_conv_3x3", 1), Edge("sep_conv_3x3", 0)},
        {Edge("sep_conv_3x3", 0), Edge("sep_conv_3x3", 3)},
        {Edge("skip_connect", 4), Edge("dil_conv_3x3", 0)},
    ]
    # Nodes 2 and 4 summed, 2, 3 and 4 concatenated; nodes stand behind the two inputs.
    assert cell.outputs == ((4, 6), (4, 5, 6))


def test_policies_differ_in_pairs_outputs_and_size():
    made = {policy: import_lhd(weights(0), weights(1), policy) for policy in ("Base", "1M", "3ops", "4out")}
    assert made["Base"][1] == made["1M"][1]
    assert made["3ops"][0].name == "lhd_3ops"
    assert all(len(node) == 3 for node in made["3ops"][1].cells[0].nodes)
    assert all(len(places) == 4 for cell in made["4out"][1].cells for places in cell.outputs)
    assert (made["Base"][2].channels, made["Base"][2].cells) == (36, 20)
    assert made["1M"][2].cells == 25
    assert made["1M"][2].channels > 36


def test_even_weights_keep_one_node():
    even = CellWeights(np.full((20, 7), 1 / 14), np.full((2, 5), 0.2))
    architecture = discretize(load_space("lhd"), (even, even))
    assert all(len(places) == 1 for cell in architecture.cells for places in cell.outputs)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda: import_lhd(weights(), weights(), "bse"), "Did you mean 'base'"),
        (lambda: discretize(load_space("darts"), (weights(), weights())), "got 'darts'"),
        (lambda: discretize(load_space("lhd"), (weights(),)), "Expected weights for normal, reduce"),
        (lambda: import_lhd(weights()._replace(outputs=np.ones(5)), weights()), "shape (2, 5)"),
        (lambda: import_lhd(weights()._replace(operations=np.full((20, 7), np.nan)), weights()), "finite"),
    ],
)
def test_what_is_refused(change, message):
    with pytest.raises(SpaceError) as caught:
        change()
    assert message in str(caught.value)

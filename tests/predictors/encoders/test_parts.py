from __future__ import annotations

import numpy as np
import pytest

from evonas.predictors import token_groups
from evonas.spaces import load_space, shipped


@pytest.mark.parametrize("name", shipped())
def test_architectures_of_every_space_are_told_apart(name):
    space = load_space(name)
    forms = {}
    for genome in space.sample(60, np.random.default_rng(0)):
        form = space.canonical(space.decode(genome))
        forms[str(form)] = token_groups(space, form)
    texts = {str(sorted((g, sorted(held.items())) for g, held in groups.items())) for groups in forms.values()}
    assert len(texts) == len(forms)
    assert len({tuple(groups) for groups in forms.values()}) == 1


def test_paths_of_a_cell_known_by_hand():
    space = load_space("nasbench201")
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|none~2|"
    found = token_groups(space, space.canonical(space.parse(text)))
    # The way over the second node ends there; a way that passes everything on is empty.
    ways = {way: n for way, n in found["paths"].items() if "length" not in way}
    assert ways == {"cell:": 1, "cell:nor_conv_3x3>nor_conv_1x1": 1}
    assert found["parts"]["cell:nor_conv_1x1<nor_conv_3x3"] == 1


def test_stages_count_only_blocks_that_run():
    space = load_space("mobilenet_v3")
    genome = np.zeros(len(space.cardinalities), dtype=np.int16)
    form = space.canonical(space.decode(genome))
    parts = token_groups(space, form)["parts"]
    options = sum(n for token, n in parts.items() if ":" not in token)
    assert options == sum(form.depths)


def test_ordered_choices_are_numbers_too_and_others_are_not():
    space = load_space("mobilenet_v3")
    form = space.canonical(space.decode(space.sample(1, np.random.default_rng(1))[0]))
    sizes = token_groups(space, form)["sizes"]
    assert [sizes[str(i)] for i in range(len(space.choices))] == space.encode(form).tolist()
    for name in ("darts", "nasbench201", "fbnet"):
        space = load_space(name)
        assert "sizes" not in token_groups(space, space.canonical(space.decode([0] * len(space.choices))))

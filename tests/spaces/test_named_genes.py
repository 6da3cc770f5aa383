from __future__ import annotations

import numpy as np

from evonas.spaces import Candidate, load_space
from evonas.spaces.named_genes import named_genes


def test_a_resolution_that_candidates_differ_in_is_their_last_choice():
    space = load_space("efficientnet_lite")
    forms = [space.canonical(space.decode(genome)) for genome in space.sample(4, np.random.default_rng(0))]
    plain = named_genes(space, [Candidate(form) for form in forms])
    assert plain.choices == list(space.choices)
    assert [space.canonical(space.decode(genome)) for genome in plain.genomes] == forms
    alike = named_genes(space, [Candidate(form, resolution=(64, 64)) for form in forms])
    assert alike.choices == plain.choices
    sides = [(96, 96), (64, 64), (24, 94), (96, 96)]
    found = named_genes(space, [Candidate(form, resolution=side) for form, side in zip(forms, sides, strict=True)])
    assert found.choices == [*plain.choices, "resolution"]
    assert found.options[-1] == ("24x94", "64x64", "96x96")
    assert np.array_equal(found.genomes[:, :-1], plain.genomes)
    assert found.genomes[:, -1].tolist() == [2, 1, 0, 2]

from __future__ import annotations

import numpy as np
import pytest

from evonas.errors import SettingsError
from evonas.pipeline.genome import SearchGenome
from evonas.spaces import Candidate, load_space, parse_candidate


def test_without_further_genes_it_is_the_spaces():
    space = load_space("darts")
    genome = SearchGenome(space)
    assert genome.cardinalities.tolist() == space.cardinalities.tolist()
    ours = genome.sample(7, np.random.default_rng(3))
    theirs = space.sample(7, np.random.default_rng(3), by="choice")
    assert ours.dtype == theirs.dtype
    assert (ours == theirs).all()
    assert [genome.key(row) for row in ours] == [space.key(row) for row in theirs]
    assert [genome.candidate(row) for row in ours] == [Candidate(space.form(row)) for row in theirs]


def test_a_resolution_is_a_gene_of_the_search_and_not_of_the_space():
    space = load_space("darts")
    size = space.size
    genome = SearchGenome(space, (16, 32, 64))
    assert genome.cardinalities.tolist() == [*space.cardinalities, 3]
    rows = genome.sample(60, np.random.default_rng(3))
    assert (rows[:, :-1] == space.sample(60, np.random.default_rng(3), by="choice")).all()
    candidates = [genome.candidate(row) for row in rows]
    assert {candidate.resolution for candidate in candidates} == {(16, 16), (32, 32), (64, 64)}
    assert [candidate.architecture for candidate in candidates] == [space.form(row[:-1]) for row in rows]
    assert [parse_candidate(genome.key(row), space) for row in rows] == candidates
    assert (space.size, len(space.cardinalities)) == (size, len(genome.cardinalities) - 1)


def test_resolutions_that_make_no_sense_are_refused():
    with pytest.raises(SettingsError, match="Expected different resolutions, got"):
        SearchGenome(load_space("darts"), (32, 32))

"""Sampling is uniform over what a space's size counts, or over each choice."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from scipy.stats import chisquare

from evonas.spaces import load_space, shipped

SPACES = sorted(shipped())
# With fixed seeds a test holds or not for good; this is the share of seeds that would fail a right sampler.
UNLIKELY = 1e-3


def numbers(genomes: np.ndarray, cardinalities: np.ndarray) -> np.ndarray:
    return np.ravel_multi_index(genomes.T.astype(np.int64), cardinalities)


@pytest.mark.parametrize("name", ["nasbench201", "nasbench_macro"])
def test_small_spaces_are_drawn_whole_and_evenly(name):
    space = load_space(name)
    genomes = space.sample(20 * space.size, np.random.default_rng(0))
    counts = np.bincount(numbers(genomes, space.cardinalities), minlength=space.size)
    assert counts.size == space.size
    assert counts.min() > 0
    assert chisquare(counts).pvalue > UNLIKELY


@pytest.mark.parametrize("name", SPACES)
def test_each_choice_is_uniform_by_choice(name):
    space = load_space(name)
    genomes = space.sample(20_000, np.random.default_rng(1), by="choice")
    values = [
        chisquare(np.bincount(g, minlength=c)).pvalue for g, c in zip(genomes.T, space.cardinalities, strict=True)
    ]
    assert min(values) > UNLIKELY / len(values)


@pytest.mark.parametrize("name", ["darts", "darts_open", "proxyless", "fbnet"])
def test_genotypes_are_uniform_by_size(name):
    """Where every genome counts once, by size is by choice."""
    space = load_space(name)
    assert space.size == np.prod(space.cardinalities.astype(object))
    first = space.sample(100, np.random.default_rng(2), by="size")
    assert np.array_equal(first, space.sample(100, np.random.default_rng(2), by="choice"))


@pytest.mark.parametrize("name", ["lhd", "lhd_3ops"])
def test_pairs_and_outputs_are_uniform_by_size(name):
    space = load_space(name)
    cells = [space.decode(genome).cells[0] for genome in space.sample(20_000, np.random.default_rng(3))]
    first = Counter(cell.nodes[0] for cell in cells)
    assert len(first) == {2: 91, 3: 364}[space.definition.cell.kept]
    assert chisquare(list(first.values())).pvalue > UNLIKELY
    for stream in (0, 1):
        outputs = Counter(cell.outputs[stream] for cell in cells)
        assert len(outputs) == 31
        assert chisquare(list(outputs.values())).pvalue > UNLIKELY


@pytest.mark.parametrize("name", ["mobilenet_v3", "mobilenet_v2"])
def test_active_configurations_are_uniform_by_size(name):
    space = load_space(name)
    drawn = [space.decode(genome) for genome in space.sample(20_000, np.random.default_rng(4))]
    weights = np.array([9.0**2, 9.0**3, 9.0**4])
    for stage in range(5):
        depths = np.bincount([a.depths[stage] for a in drawn], minlength=5)[2:]
        assert chisquare(depths, weights / weights.sum() * depths.sum()).pvalue > UNLIKELY
        for block in range(4):
            options = Counter(a.blocks[stage][block] for a in drawn if a.depths[stage] > block)
            assert len(options) == 9
            assert chisquare(list(options.values())).pvalue > UNLIKELY / 20
    deep = np.mean([a.depths[0] == 4 for a in drawn])
    assert abs(deep - 6561 / 7371) < 0.01


def test_blocks_that_do_not_run_hold_the_first_option_by_size():
    space = load_space("mobilenet_v3")
    for genome in space.sample(200, np.random.default_rng(5)):
        architecture = space.decode(genome)
        assert np.array_equal(space.encode(space.canonical(architecture)), genome)

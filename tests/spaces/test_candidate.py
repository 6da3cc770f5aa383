from __future__ import annotations

from dataclasses import FrozenInstanceError

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SpaceError
from evonas.spaces import Candidate, Recipe, as_candidates, load_space, parse_candidate, shipped
from evonas.spaces.candidate import SEPARATOR

SPACES = sorted(shipped())
recipes = st.builds(
    Recipe,
    epochs=st.none() | st.integers(1, 1000),
    optimizer=st.none() | st.sampled_from(["sgd", "adamw", "a @ b"]),
    lr=st.none() | st.floats(1e-6, 10),
    weight_decay=st.none() | st.floats(0, 1),
)


def draw(name: str, seed: int = 0) -> Candidate:
    space = load_space(name)
    (genome,) = space.sample(1, np.random.default_rng(seed))
    return Candidate(space.form(genome))


@pytest.mark.parametrize("name", SPACES)
def test_the_text_of_an_architecture_alone_is_the_architectures(name):
    for seed in range(20):
        candidate = draw(name, seed)
        assert str(candidate) == str(candidate.architecture)
        assert SEPARATOR not in str(candidate)
        assert parse_candidate(str(candidate), load_space(name)) == candidate


@given(
    st.sampled_from(["darts", "mobilenet_v3", "nasbench201"]),
    st.none() | recipes,
    st.none() | st.tuples(st.integers(1, 999), st.integers(1, 999)),
)
def test_a_text_reads_back_as_the_candidate_it_was_written_from(name, recipe, resolution):
    candidate = Candidate(draw(name).architecture, recipe, resolution)
    read = parse_candidate(str(candidate), load_space(name))
    assert read == candidate
    assert hash(read) == hash(candidate)


def test_candidates_that_differ_in_anything_have_other_texts():
    form = draw("darts").architecture
    ways = [
        Candidate(form), Candidate(form, Recipe()), Candidate(form, Recipe(epochs=3)), Candidate(form, Recipe(lr=3.0)),
        Candidate(form, None, (32, 32)), Candidate(form, None, (32, 48)), Candidate(form, Recipe(epochs=3), (32, 32)),
        Candidate(draw("darts", 1).architecture),
    ]  # fmt: skip
    assert len({str(way) for way in ways}) == len(set(ways)) == len(ways)


def test_candidates_do_not_change():
    candidate = draw("darts")
    with pytest.raises(FrozenInstanceError):
        candidate.resolution = (1, 1)
    with pytest.raises(FrozenInstanceError):
        Recipe().lr = 1.0


def test_as_candidates_searches_nothing_else():
    form = draw("darts").architecture
    assert as_candidates([form]) == [Candidate(form, None, None)]


@pytest.mark.parametrize("rest", ["32", "32x32x32", '{"depth": 3}', "{", "[1]", "32x32 @ 1", "{} @ {}"])
def test_what_follows_an_architecture_is_refused_where_it_is_no_gene(rest):
    with pytest.raises(SpaceError, match=r"Expected HEIGHTxWIDTH and a recipe after ' @ ', got"):
        parse_candidate(f"{draw('darts')} @ {rest}", load_space("darts"))

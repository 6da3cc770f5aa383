"""Stage spaces: depth, identities, resolution as a choice, and what is no member."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from evonas.errors import SpaceError
from evonas.networks import build
from evonas.spaces import load_space, shipped


@pytest.fixture(scope="module")
def elastic_resolution(tmp_path_factory):
    text = shipped()["mobilenet_v3"].read_text()
    text = text.replace('form = "lists"', 'form = "lists"\nresolutions = [16, 24, 32]')
    path = tmp_path_factory.mktemp("spaces") / "elastic.toml"
    path.write_text(text)
    return load_space(path)


def test_idle_blocks_do_not_tell_architectures_apart():
    space = load_space("mobilenet_v3")
    genome = space.sample(1, np.random.default_rng(0), by="choice")[0]
    depth = space.choices.index("stage1.depth")
    kernel = space.choices.index("stage1.block3.kernel")
    genome[depth] = 0
    others = []
    for option in range(3):
        genome[kernel] = option
        others.append(space.decode(genome))
    assert len(set(others)) == 3
    assert len({space.canonical(other) for other in others}) == 1


def test_identities_may_stand_anywhere_behind_the_first_block():
    space = load_space("nasbench_macro")
    assert space.canonical(space.parse("02101200")) == space.canonical(space.parse("02110200"))
    # A first block changes the shape, it is no identity.
    assert space.canonical(space.parse("02011200")) != space.canonical(space.parse("02101200"))


def test_multiplicity_counts_the_codes_of_a_canonical_form():
    space = load_space("nasbench_macro")
    codes = ["".join(map(str, digits)) for digits in np.ndindex(*space.cardinalities)]
    counted = Counter(space.canonical(space.parse(code)) for code in codes)
    assert sum(counted.values()) == 6_561
    assert all(space.multiplicity(architecture) == count for architecture, count in counted.items())


def test_resolution_as_a_choice(elastic_resolution):
    space, plain = elastic_resolution, load_space("mobilenet_v3")
    assert space.size == 3 * plain.size
    assert space.choices[-1] == "resolution"
    drawn = [space.decode(genome) for genome in space.sample(30, np.random.default_rng(0))]
    assert {architecture.resolution for architecture in drawn} == {16, 24, 32}
    for architecture in drawn:
        assert space.parse(str(architecture)) == architecture
        assert space.canonical(architecture).resolution == architecture.resolution
    network = build(space, space.skeleton("small", resolution=32), drawn[0])
    assert network.skeleton.resolution == drawn[0].resolution


def test_resolution_must_be_an_option(elastic_resolution):
    text = str(elastic_resolution.decode([0] * len(elastic_resolution.choices)))
    with pytest.raises(SpaceError, match=r"resolution is one of \(16, 24, 32\), got 20"):
        elastic_resolution.parse(text.replace('"r": 16', '"r": 20'))


def test_text_of_once_for_all_may_hold_its_resolution():
    space = load_space("mobilenet_v3")
    text = str(space.decode([0] * len(space.choices)))
    assert space.parse(text.replace("}", ', "r": [224]}')) == space.parse(text)


@given(st.integers(0, 2**32 - 1))
def test_blocks_round_trip(seed):
    for name in ("proxyless", "fbnet"):
        space = load_space(name)
        architecture = space.decode(space.sample(1, np.random.default_rng(seed))[0])
        assert space.parse(str(architecture)) == architecture


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("nasbench_macro", "0211021", "8 characters"),
        ("nasbench_macro", "02110213", "stage 2, block 2 is one of 0, 1, 2, got '3'"),
        ("mobilenet_v3", "[]", "object with ks, e and d"),
        ("mobilenet_v3", '{"ks": [3], "e": [3], "d": [2]}', "5 numbers in 'd', got 1"),
        ("proxyless", "zero", "expected stages of"),
        ("proxyless", "/".join(["zero-k3e3-k3e3-k3e3"] + ["k3e3-k3e3-k3e3-k3e3"] * 4 + ["k3e3"]), "got 'zero'"),
        ("fbnet", "k3e1/(skip)-k3e1-k3e1-k3e1", "in parentheses do not run and come last"),
    ],
)
def test_what_is_no_member(name, text, message):
    with pytest.raises(SpaceError) as caught:
        load_space(name).parse(text)
    assert message in str(caught.value)
    assert name in str(caught.value)


def test_choices_of_sizes_are_ordered_and_choices_of_operations_are_not():
    assert load_space("mobilenet_v3").ordered.all()
    assert load_space("efficientnet_lite").ordered.all()
    for name in ("darts", "nasbench201", "fbnet", "lhd"):
        space = load_space(name)
        assert space.ordered.shape == space.cardinalities.shape
        assert not space.ordered.any()


def test_sizes_out_of_order_are_not_ordered_and_downwards_is_an_order(tmp_path):
    text = shipped()["mobilenet_v3"].read_text()
    text = text.replace("kernel = [3, 5, 7]", "kernel = [3, 7, 5]").replace("expand = [3, 4, 6]", "expand = [6, 4, 3]")
    path = tmp_path / "mixed.toml"
    path.write_text(text)
    space = load_space(path)
    by_sort = {
        name.rpartition(".")[2]: bool(ordered) for name, ordered in zip(space.choices, space.ordered, strict=True)
    }
    assert by_sort == {"kernel": False, "expand": True, "depth": True}


def test_a_file_may_say_that_operations_are_listed_by_size(tmp_path):
    text = shipped()["nasbench_macro"].read_text()
    listed = 'operations = ["identity", "k3e3", "k5e6"]'
    path = tmp_path / "by_size.toml"
    path.write_text(text.replace(listed, f"{listed}\nordered = true", 1))
    assert load_space(path).ordered.tolist() == [True] * 2 + [False] * 6
    path.write_text(shipped()["mobilenet_v3"].read_text().replace("kernel = [3]", "kernel = [3]\nordered = true", 1))
    with pytest.raises(SpaceError, match="ordered: belongs to 'operations'"):
        load_space(path)

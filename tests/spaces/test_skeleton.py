"""Skeletons: named ones, overrides, what is refused."""

from __future__ import annotations

import pytest

from evonas.errors import SettingsError
from evonas.networks import build
from evonas.spaces import StageArchitecture, load_space, shipped


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_space_names_a_literature_skeleton(name):
    assert {"cifar", "imagenet", "taskonomy"} & set(load_space(name).skeletons)


def test_overrides():
    skeleton = load_space("darts").skeleton("cifar", classes=100, in_channels=1, resolution=28)
    assert (skeleton.channels, skeleton.cells, skeleton.classes) == (36, 20, 100)
    assert (skeleton.in_channels, skeleton.resolution) == (1, 28)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"colour": 1}, "A skeleton has no 'colour'"),
        ({"chanels": 1}, "Did you mean 'channels'"),
        ({"cells": 0}, "cells is above 0, got 0"),
        ({"width": float("nan")}, "width is above 0"),
    ],
)
def test_what_is_refused(changes, message):
    with pytest.raises(SettingsError, match=message):
        load_space("darts").skeleton("small", **changes)


def test_networks_refuse_frames_that_do_not_fit():
    space = load_space("nasbench201")
    with pytest.raises(SettingsError, match="stem of space 'nasbench201' is one of conv, got 'imagenet'"):
        build(space, space.skeleton("small", stem="imagenet"))
    space = load_space("mobilenet_v3")
    with pytest.raises(SettingsError, match=r"has 7 strides \(stem and stages\), got 2"):
        build(space, space.skeleton("small", strides=(1, 1)))


def test_fields_that_a_space_does_not_read_are_not_described():
    described = load_space("mobilenet_v3").describe_skeleton("imagenet")
    assert {"channels", "cells", "stem"}.isdisjoint(described)
    assert described["strides"] == (2, 1, 2, 2, 2, 1, 2)
    assert {"width", "strides"}.isdisjoint(load_space("darts").describe_skeleton("cifar"))


@pytest.mark.parametrize(("name", "layer"), [("darts", "stem.0"), ("mobilenet_v3", "stem.0")])
def test_channels_asked_for_are_those_of_the_stem(name, layer):
    space = load_space(name)
    changes = space.skeleton_changes(8)
    network = build(space, space.skeleton("small", **changes))
    factor = 3 if name == "darts" else 1  # DARTS multiplies the stem of cells by three
    assert network.get_submodule(layer).out_channels == 8 * factor


def test_only_spaces_of_stages_have_a_smallest_and_a_largest_member():
    with pytest.raises(SettingsError, match="Expected a space of stages"):
        load_space("darts").extremes()
    smallest, largest = load_space("nasbench_macro").extremes()
    assert (str(smallest), str(largest)) == ("00000000", "22222222")


def test_choices_are_described_by_sort():
    assert load_space("nasbench201").describe_choices()["operation"][0] == "none"
    assert load_space("mobilenet_v3").describe_choices()["expansion"] == (3, 4, 6)


def test_an_architecture_forgets_its_resolution_where_another_holds():
    chosen = StageArchitecture("blocks", (("k3e3",),), (1,), 160)
    assert chosen.without_resolution() == StageArchitecture("blocks", (("k3e3",),), (1,), None)
    cells = load_space("nasbench201").decode([1] * 6)
    assert (cells.resolution, cells.without_resolution()) == (None, cells)

"""Skeletons: named ones, overrides, what is refused."""

from __future__ import annotations

import pytest

from evonas.errors import SettingsError
from evonas.networks import build
from evonas.spaces import load_space, shipped


@pytest.mark.parametrize("name", sorted(shipped()))
def test_every_space_names_a_literature_skeleton(name):
    assert {"cifar", "imagenet"} & set(load_space(name).skeletons)


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

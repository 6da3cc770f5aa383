from __future__ import annotations

import pytest

from evonas.errors import SettingsError
from evonas.spaces import load_space
from evonas.spaces.skeleton_text import read_skeleton, skeleton_text


@pytest.mark.parametrize("text", ["cifar", "cifar:channels=48,cells=25", "small:stem=none,head=false"])
def test_a_skeleton_and_its_text_are_one(text):
    space = load_space("darts")
    read = read_skeleton(space, text)
    assert read_skeleton(space, skeleton_text(space, text.partition(":")[0], read)) == read
    assert (read == space.skeleton("cifar")) == (text == "cifar")


def test_numbers_that_are_fractions_may_be_written_whole():
    assert read_skeleton(load_space("mobilenet_v3"), "small:width=2").width == 2


@pytest.mark.parametrize(("text", "message"), [
    ("cifra", "Did you mean 'cifar'"),
    ("cifar:width=2", "No field 'width'"),
    ("cifar:chanels=2", "Did you mean 'channels'"),
    ("cifar:cells=many", "Expected cells such as 20"),
    ("cifar:cells=2.5", "Expected cells such as 20"),
    ("cifar:cells=0", "cells is above 0"),
    ("cifar:", "key=value"),
])  # fmt: skip
def test_texts_of_no_skeleton_are_refused(text, message):
    with pytest.raises(SettingsError, match=message):
        read_skeleton(load_space("darts"), text)

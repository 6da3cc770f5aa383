"""Cells of TransNAS-Bench-101: its strings, its networks, and what other modules may hold."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import SpaceError
from evonas.networks import build
from evonas.spaces import load_space, shipped
from evonas.spaces.toml import read_space

TEXT = "64-41414-1_02_333"


def expected_costs(text: str, classes: int = 75) -> tuple[int, int]:
    """Return parameters and multiply-adds at 224x224 by the publication's definition, in numbers alone."""
    groups = text.split("-")[-1].split("_")
    edges = [(source, digit) for group in groups for source, digit in enumerate(group)]
    params, macs, side, c = 3 * 32 * 9 + 64 + 32 * 64 * 9 + 128, 3 * 32 * 9 * 112**2 + 32 * 64 * 9 * 56**2, 56, 64
    for module in "41414":
        for first in (True, False):
            read, stride = c, 1
            if module == "4" and first:
                c, stride, side = 2 * c, 2, side // 2
            for source, digit in edges:
                c_in, moved = (read, stride) if source == 0 else (c, 1)
                weights = {"0": 0, "1": c_in * c if (moved, c_in) != (1, c) else 0, "2": c_in * c, "3": 9 * c_in * c}[
                    digit
                ]
                params += weights + (2 * c if weights else 0)
                macs += weights * side**2
    return params + c * classes + classes, macs + c * classes


def test_it_has_every_string_once():
    space = load_space("transnas_micro")
    assert space.size == 4096
    texts = {str(space.decode(genome)) for genome in np.ndindex(*space.cardinalities)}
    assert len(texts) == 4096
    assert {"64-41414-0_00_000", "64-41414-3_33_333", TEXT} <= texts
    assert all(str(space.parse(text)) == text for text in sorted(texts)[::97])


def test_a_string_is_read_as_the_publication_says():
    (cell,) = load_space("transnas_micro").parse(TEXT).cells
    assert cell.nodes == (
        (("skip_connect", 0),),
        (("none", 0), ("nor_conv_1x1", 1)),
        (("nor_conv_3x3", 0), ("nor_conv_3x3", 1), ("nor_conv_3x3", 2)),
    )


@pytest.mark.parametrize("text", ["1_02_333", f"arch={TEXT},", f'"{TEXT}"'])
def test_it_is_read_inside_other_text(text: str):
    assert str(load_space("transnas_micro").parse(text)) == TEXT


@pytest.mark.parametrize(
    "text", ["64-1234-basic", "64-41414-1_02_334", "64-41414-1_02_33", f"{TEXT} 64-41414-0_00_000", "32-41414-1_02_333"]
)
def test_what_is_no_cell_of_it_is_refused(text: str):
    with pytest.raises(SpaceError, match="64-41414-1_02_333"):
        load_space("transnas_micro").parse(text)


@pytest.mark.parametrize("text", [TEXT, "64-41414-3_33_333", "64-41414-1_11_111", "64-41414-2_20_103"])
def test_costs_are_those_of_the_published_networks(text: str):
    space = load_space("transnas_micro")
    with torch.device("meta"):
        network = build(space, space.literature_skeleton(), space.parse(text))
    macs = 0

    def count(layer: nn.Module, inputs: object, output: torch.Tensor) -> None:
        nonlocal macs
        assert isinstance(layer, (nn.Conv2d, nn.Linear))
        macs += layer.weight[0].numel() * output[0].numel()

    for layer in network.modules():
        if isinstance(layer, (nn.Conv2d, nn.Linear)):
            layer.register_forward_hook(count)
    with torch.no_grad():
        network.eval()(torch.zeros(1, 3, 224, 224, device="meta"))
    assert (sum(p.numel() for p in network.parameters()), macs) == expected_costs(text)


def test_a_skip_that_reduces_is_no_identity_and_so_no_key_of_nasbench201():
    space = load_space("transnas_micro")
    one, other = space.parse("1_03_001"), space.parse("0_30_001")
    assert space.literature_key(one) != space.literature_key(other)


def changed(**replaced: str) -> str:
    text = shipped()["transnas_micro"].read_text()
    for old, new in replaced.items():
        text = text.replace({"modules": '"41414"', "form": '"transnas"', "pool": '"conv", kernel = 1'}[old], new)
    return text


def test_every_digit_of_other_modules_changes_width_and_image():
    space = read_space(changed(modules='"1234"', form='"nasbench201"'), "other.toml")
    architecture = space.parse("|skip_connect~0|+|none~0|nor_conv_1x1~1|+|skip_connect~0|none~1|nor_conv_3x3~2|")
    network = build(space, space.skeleton("small", head=False), architecture).eval()
    shapes = []
    for cell in network.cells:
        cell.register_forward_hook(lambda module, inputs, outputs: shapes.append(tuple(outputs[0].shape[1:])))
    network(torch.zeros(1, 3, 32, 32))
    assert shapes == [(8, 32, 32), (16, 32, 32), (16, 16, 16), (32, 8, 8)]


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"modules": '"4141"'}, "'transnas' writes cells of 3 nodes in modules 41414"),
        ({"modules": '"5"'}, "modules"),
        ({"pool": '"avg_pool", kernel = 3', "form": '"nasbench201"'}, "which 'avg_pool' cannot"),
    ],
)
def test_modules_say_what_they_cannot_hold(changes: dict[str, str], message: str):
    with pytest.raises(SpaceError, match=message):
        read_space(changed(**changes), "other.toml")

"""Networks of images whose sides are odd or differ, as torch and as exporters see them."""

from __future__ import annotations

import pytest
import torch

from evonas.networks import build
from evonas.runtime import export, session
from evonas.spaces import load_space


@pytest.mark.parametrize("exporter", ["quick", "dynamo"])
@pytest.mark.parametrize(
    ("name", "text"),
    [
        # nodes without inputs are zeros of the size that a reduction leaves
        ("nasbench201", "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|nor_conv_1x1~1|avg_pool_3x3~2|"),
        ("efficientnet_lite", None),  # padding as TensorFlow's SAME depends on the size
    ],
)
def test_exported_networks_of_odd_sides_are_the_same(name, text, exporter):
    space = load_space(name)
    architecture = space.parse(text) if text else space.extremes()[0]
    network = build(space, space.skeleton("small", resolution=(13, 23), in_channels=1), architecture).eval()
    images = torch.randn(2, *network.skeleton.shape)
    model = export(network, images[:1], exporter=exporter, dynamic_batch=False)
    with torch.no_grad():
        expected = network(images[:1])
    assert expected.shape == (1, 10)
    got = session(model).run(None, {"images": images[:1].numpy()})[0]
    assert torch.allclose(torch.from_numpy(got), expected, atol=1e-4)

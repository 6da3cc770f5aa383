"""EfficientNet-Lite: known counts, TensorFlow's padding, and skeletons that are less deep than their space."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
import torch
from torch.nn.functional import conv2d, pad

from evonas.errors import SpaceError
from evonas.networks import build
from evonas.networks.same_padding import SameConv2d, same_padding
from evonas.spaces import load_space

PARAMETERS = {"lite0": 4_652_008, "lite1": 5_416_680, "lite2": 6_092_072}


def largest(space):
    return space.decode(space.cardinalities - 1)


@pytest.mark.parametrize("name", PARAMETERS)
def test_published_networks_are_the_largest_members_on_their_skeletons(name, count):
    space = load_space("efficientnet_lite")
    skeleton = space.skeleton(name)
    assert count(space, skeleton, largest(space.under(skeleton)))[0] == PARAMETERS[name]
    # A deeper member runs the blocks that there are.
    assert count(space, skeleton, largest(space))[0] == PARAMETERS[name]


def test_lite0_costs(count):
    space = load_space("efficientnet_lite")
    lite0 = largest(space.under(space.skeleton("lite0")))
    assert count(space, space.skeleton("lite0"), lite0)[1] == pytest.approx(385.19e6, abs=5e3)
    without = count(space, space.skeleton("lite0", resolution=96, head=False), lite0)[1]
    assert without == pytest.approx(70.51e6, abs=5e3)


@pytest.mark.parametrize("size", [5, 6, 7, 8, 65, 96])
@pytest.mark.parametrize("kernel", [1, 3, 5, 7])
@pytest.mark.parametrize("stride", [1, 2, 3])
def test_same_padding_is_tensorflows(size, kernel, stride):
    before, after = same_padding(size, kernel, stride)
    outputs = -(-size // stride)
    assert after - before in (0, 1)
    assert (size + before + after - kernel) // stride + 1 == outputs
    # No pixel of padding is more than what the last output needs.
    assert before + after == max(0, (outputs - 1) * stride + kernel - size)


def test_a_convolution_with_same_padding_reads_one_more_pixel_at_the_end():
    layer = SameConv2d(2, 3, 3, 2)
    image = torch.randn(1, 2, 8, 7, generator=torch.Generator().manual_seed(0))
    expected = conv2d(pad(image, (1, 1, 0, 1)), layer.weight, stride=2)
    assert torch.allclose(layer(image), expected, atol=1e-6)
    assert not torch.allclose(layer(image), conv2d(image, layer.weight, stride=2, padding=1), atol=1e-2)


def test_a_smaller_kernel_reads_the_center_of_the_larger_ones_pixels():
    for size, stride in product((7, 8, 96), (1, 2)):
        (large, _), (small, _) = same_padding(size, 5, stride), same_padding(size, 3, stride)
        assert large - small == 1


def test_a_skeleton_leaves_out_what_never_runs():
    space = load_space("efficientnet_lite")
    under = space.under(space.skeleton("lite0"))
    genomes = under.sample(50, np.random.default_rng(0))
    forms = [under.canonical(under.decode(genome)) for genome in genomes]
    assert max(form.depths[0] for form in forms) == 2
    assert all(space.canonical(space.parse(str(form))) == form for form in forms)
    assert all((under.form(under.encode(form)) == form) for form in forms)
    assert under.size < space.size
    assert under.under(space.skeleton("lite0")) is under
    blocks = [sum(3**d for d in (1, 2)), sum(6**d for d in (1, 2)), sum(3**d for d in (1, 2, 3))]
    blocks += [sum(6**d for d in (1, 2, 3)), sum(6**d for d in (1, 2, 3, 4)), 3]
    assert under.size == np.prod(blocks)


def test_a_skeleton_with_blocks_that_no_member_has_is_refused():
    space = load_space("efficientnet_lite")
    with pytest.raises(SpaceError, match=r"Stage 1 of 'efficientnet_lite' has a depth of \(1, 2, 3\), got 9"):
        space.under(space.skeleton("lite0", blocks=(1, 9, 2, 3, 3, 4, 1)))


@pytest.mark.parametrize("side", [32, 33])
def test_paths_equal_stand_alone_networks(side, settle):
    space = load_space("efficientnet_lite")
    skeleton = space.skeleton("small", classes=5, resolution=side)
    supernet = settle(build(space, skeleton, seed=1))
    images = torch.randn(2, 3, side, side, generator=torch.Generator().manual_seed(0))
    under = space.under(skeleton)
    for genome in under.sample(5, np.random.default_rng(2)):
        form = under.form(genome)
        with torch.no_grad():
            path = supernet(images, space.path(form))
            alone = supernet.extract(form)(images)
        assert torch.allclose(path, alone, rtol=1e-5, atol=1e-5)

from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.networks.elastic import ElasticConv2d


@pytest.mark.parametrize(("kernels", "kernel", "read"), [((3, 5, 7), 3, 5), ((3, 5, 7), 5, 5), ((3, 7), 3, 3)])
@pytest.mark.parametrize("depthwise", [False, True])
def test_a_smaller_kernel_reads_what_the_maps_to_it_read(kernels, kernel, read, depthwise):
    """The part in use is that which has a gradient once the maps are no longer the identity."""
    generator = torch.Generator().manual_seed(0)
    conv = ElasticConv2d(4, 4, kernels, depthwise=depthwise)
    for matrix in conv.maps.values():
        nn.init.normal_(matrix, generator=generator)
    conv(torch.randn(2, 3, 9, 9, generator=generator), None if depthwise else 2, kernel).square().sum().backward()
    part = conv.active(3, None if depthwise else 2, kernel)
    assert conv.weight.grad[part].shape[-1] == read
    assert bool((conv.weight.grad[part] != 0).all())
    conv.weight.grad[part] = 0.0
    assert not conv.weight.grad.any()

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError
from evonas.proxies import Naswot


def score(network: nn.Module, images: torch.Tensor) -> float:
    return Naswot().score(network, images, torch.Generator())


def test_kernel_of_one_layer_counted_by_hand():
    relu = nn.Sequential(nn.ReLU(), nn.Flatten())
    images = torch.tensor([[1.0, 1, -1, -1], [1, -1, 1, -1]]).reshape(2, 1, 2, 2)
    assert score(relu, images) == pytest.approx(math.log(4 * 4 - 2 * 2))


def test_all_layers_add_to_the_kernel(network, images):
    network.train()
    codes = []
    hooks = [
        module.register_forward_pre_hook(lambda module, inputs: codes.append((inputs[0] > 0).flatten(1).double()))
        for module in network.modules()
        if isinstance(module, nn.ReLU)
    ]
    network(images)
    for hook in hooks:
        hook.remove()
    code = torch.cat(codes, 1)
    kernel = code @ code.T + (1 - code) @ (1 - code).T
    assert score(network, images) == pytest.approx(torch.linalg.slogdet(kernel)[1].item(), rel=1e-12)


def test_order_does_not_matter(network, images):
    assert score(network, images.flip(0)) == pytest.approx(score(network, images), rel=1e-4)


def test_images_that_no_neuron_tells_apart_are_a_failure(images):
    relu = nn.Sequential(nn.ReLU(), nn.Flatten())
    with pytest.raises(EvaluationError, match="naswot: expected images with different activation patterns"):
        score(relu, images.abs() + 1)


def test_a_network_without_activations_is_a_failure(images):
    with pytest.raises(EvaluationError, match="functional activations are not seen"):
        score(nn.Conv2d(3, 3, 1), images)

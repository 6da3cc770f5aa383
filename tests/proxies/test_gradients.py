"""Synflow, grad_norm, snip and jacov on networks whose scores have a closed form."""

from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError
from evonas.proxies import GradNorm, Jacov, Snip, Synflow


def seeded(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.fixture
def linear(images):
    network = nn.Sequential(nn.Flatten(), nn.Linear(432, 5))
    return network


@pytest.fixture
def labels():
    return torch.randint(5, (16,), generator=seeded(4))


def test_synflow_of_linear_layers(images):
    deep = nn.Sequential(nn.Flatten(), nn.Linear(432, 7, bias=False), nn.ReLU(), nn.Linear(7, 5, bias=False))
    flow = (deep[3].weight.abs().double() @ deep[1].weight.abs().double()).sum().item()
    assert Synflow().score(deep, images, seeded()) == pytest.approx(math.log(2 * flow), abs=1e-12)


def test_synflow_leaves_norms_out(images):
    conv = nn.Sequential(nn.Conv2d(3, 4, 3, bias=False), nn.ReLU(), nn.Flatten(), nn.Linear(400, 5, bias=False))
    normed = nn.Sequential(conv[0], nn.BatchNorm2d(4), *conv[1:])
    nn.init.normal_(normed[1].weight)
    normed[1].running_mean.fill_(3)
    assert Synflow().score(normed, images, seeded()) == Synflow().score(conv, images, seeded())


def test_synflow_without_a_path_is_a_failure(images, linear):
    nn.init.zeros_(linear[1].weight)
    with pytest.raises(EvaluationError, match="synflow: expected a signal at the outputs"):
        Synflow().score(linear, images, seeded())


def test_grad_norm_and_snip_of_a_linear_layer(images, linear, labels):
    inputs = images.flatten(1)
    errors = torch.softmax(linear(images), 1) - nn.functional.one_hot(labels, 5)
    gradient = (errors.T @ inputs / 16).detach()
    norm = GradNorm().score(linear, images, seeded(), labels)
    assert norm == pytest.approx(gradient.norm().item(), rel=1e-5)
    salience = Snip().score(linear, images, seeded(), labels)
    assert salience == pytest.approx((gradient * linear[1].weight).abs().sum().item(), rel=1e-5)


def test_grad_norm_adds_the_norms_of_layers(network, images, labels):
    network.train()
    loss = nn.functional.cross_entropy(network(images), labels)
    layers = [m for m in network.modules() if isinstance(m, nn.Conv2d | nn.Linear)]
    gradients = torch.autograd.grad(loss, [layer.weight for layer in layers])
    expected = sum(gradient.norm().item() for gradient in gradients)
    assert GradNorm().score(network, images, seeded(), labels) == pytest.approx(expected, rel=1e-5)
    expected = sum(
        (layer.weight * gradient).abs().sum().item() for layer, gradient in zip(layers, gradients, strict=True)
    )
    assert Snip().score(network, images, seeded(), labels) == pytest.approx(expected, rel=1e-5)


@pytest.mark.parametrize("proxy", [GradNorm(), Snip()])
def test_labels_that_are_missing_or_do_not_fit_are_a_failure(images, linear, labels, proxy):
    with pytest.raises(EvaluationError, match="expected labels of the images, got none"):
        proxy.score(linear, images, seeded())
    with pytest.raises(EvaluationError, match="expected one label per image"):
        proxy.score(linear, images, seeded(), labels[:3])
    with pytest.raises(EvaluationError, match="expected one output per class"):
        proxy.score(linear, images, seeded(), labels + 5)


class Product(nn.Module):
    """An output whose gradient at an image is twice the image."""

    def forward(self, images):
        return images.flatten(1).square().sum(1, keepdim=True)


def test_jacov_of_known_correlations():
    images = torch.tensor([[1.0, -1, 0, 0], [0, 0, 1, -1]]).reshape(2, 1, 2, 2)
    uncorrelated = -2 * (math.log(1 + 1e-5) + 1 / (1 + 1e-5))
    assert Jacov().score(Product(), images, seeded()) == pytest.approx(uncorrelated, abs=1e-9)
    equal = torch.tensor([[1.0, -1, 0, 0], [2, -2, 0, 0]]).reshape(2, 1, 2, 2)
    values = (2 + 1e-5, 1e-5)
    expected = -sum(math.log(value) + 1 / value for value in values)
    assert Jacov().score(Product(), equal, seeded()) == pytest.approx(expected, rel=1e-6)


def test_jacov_of_a_network_that_ignores_its_images_is_a_failure(images, linear):
    nn.init.zeros_(linear[1].weight)
    with pytest.raises(EvaluationError, match="jacov: expected outputs that depend on every image"):
        Jacov().score(linear, images, seeded())

from __future__ import annotations

import pytest
import torch
from torch import nn

from evonas.errors import EvaluationError
from evonas.supernet import reestimate_norms


def images(n, seed=0):
    generator = torch.Generator().manual_seed(seed)
    return 3.0 + 2.0 * torch.randn(n, 2, 4, 4, generator=generator)


def network():
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return nn.Sequential(
            nn.Conv2d(2, 5, 3),
            nn.BatchNorm2d(5),
            nn.ReLU(),
            nn.Conv2d(5, 3, 1),
            nn.BatchNorm2d(3),
            nn.Dropout(),
        )


def test_statistics_are_those_of_all_images_in_every_layer():
    net, x = network(), images(64)
    reestimate_norms(net, [x])
    net.eval()
    first = net[0](x)
    second = net[3](net[2](net[1](first)))
    for norm, values in ((net[1], first), (net[4], second)):
        torch.testing.assert_close(norm.running_mean, values.mean((0, 2, 3)), rtol=1e-4, atol=1e-5)
        variance = values.var((0, 2, 3), unbiased=False)
        torch.testing.assert_close(norm.running_var, variance, rtol=1e-4, atol=1e-5)


def test_batches_of_unequal_size_are_pooled():
    x = torch.cat([images(10), images(31, seed=1) + 4.0, images(7, seed=2)])
    whole, parts = network(), network()
    reestimate_norms(whole, [x])
    reestimate_norms(parts, x.split([10, 31, 7]))
    torch.testing.assert_close(parts[1].running_mean, whole[1].running_mean, rtol=1e-5, atol=1e-6)
    torch.testing.assert_close(parts[1].running_var, whole[1].running_var, rtol=1e-5, atol=1e-6)


def test_only_statistics_change_and_they_do_not_depend_on_what_was_there():
    first, second = network(), network().eval()
    with torch.no_grad():
        second[1].running_mean += 5
    for net in (first, second):
        before = {name: value.clone() for name, value in net.state_dict().items() if "running" not in name}
        reestimate_norms(net, [images(32)])
        assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())
        assert net[1].momentum == 0.1
    assert torch.equal(first[4].running_var, second[4].running_var)
    assert first.training
    assert first[1].training
    assert not second[1].training
    assert not any(module._forward_hooks for module in first.modules())


def test_a_norm_on_no_image_is_refused_and_nothing_changes():
    net = network()
    before = {name: value.clone() for name, value in net.state_dict().items()}
    with pytest.raises(EvaluationError, match="got none"):
        reestimate_norms(net, [])
    with pytest.raises(EvaluationError, match="more images than 1"):
        reestimate_norms(nn.Sequential(nn.Flatten(), nn.BatchNorm1d(32)), [images(1)])
    assert all(torch.equal(net.state_dict()[name], value) for name, value in before.items())


def test_norms_off_the_path_keep_their_statistics(make_network):
    net = make_network()
    reestimate_norms(net, [torch.rand(16, 1, 6, 6)], path=("0.conv", "1.skip", "2.skip"))
    assert bool((net.slots[0]["conv"][-1].running_var != 1).all())
    assert bool((net.slots[1]["conv"][-1].running_var == 1).all())


def test_a_network_without_norms_needs_no_image():
    reestimate_norms(nn.Linear(2, 2), [])

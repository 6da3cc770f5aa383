from __future__ import annotations

import pytest
import torch
import torch.nn.functional as F
from torch import nn

from evonas.networks.elastic import ElasticConv2d, ElasticLayer
from evonas.supernet.activation_capture import ActivationCapture
from evonas.supernet.layers import (
    Call,
    columns_in_use,
    embed,
    geometry,
    groups_in_use,
    mean_patch,
    read_call,
    sampled_patches,
)


def images(*shape):
    return torch.randn(*shape, generator=torch.Generator().manual_seed(0), dtype=torch.float64)


@pytest.mark.parametrize("groups", [1, 2, 4])
@pytest.mark.parametrize(("stride", "padding", "dilation"), [(1, 1, 1), (2, 0, 1), (1, 2, 2)])
def test_a_weight_times_the_mean_patch_is_the_mean_output(groups, stride, padding, dilation):
    conv = nn.Conv2d(4, 8, 3, stride, padding, dilation, groups=groups, bias=False).double()
    x = images(5, 4, 7, 7)
    patch = mean_patch(read_call(conv, x, conv(x)))
    assert patch.shape == (groups, 1, 4 // groups * 9)
    outputs = torch.einsum("god,gnd->go", conv.weight.reshape(groups, 8 // groups, -1), patch).reshape(-1)
    torch.testing.assert_close(outputs, conv(x).mean((0, 2, 3)), rtol=0, atol=1e-12)


def test_a_pointwise_convolution_is_a_linear_layer():
    conv, linear = nn.Conv2d(6, 3, 1).double(), nn.Linear(6, 3).double()
    x = images(4, 6, 5, 5)
    flat = x.permute(0, 2, 3, 1).reshape(-1, 6)
    calls = [read_call(conv, x, conv(x)), read_call(linear, flat, linear(flat))]
    first, second = (embed(call, mean_patch(call)) for call in calls)
    torch.testing.assert_close(first.rows, second.rows, rtol=0, atol=1e-14)
    assert geometry(conv) == geometry(linear) == (1, 7)
    assert float(first.rows[0, 0, -1]) == 1.0


@pytest.mark.parametrize("groups", [1, 4])
def test_sampled_patches_are_patches_of_the_input(groups):
    conv = nn.Conv2d(4, 4, 3, padding=1, groups=groups, bias=False).double()
    x = images(5, 4, 6, 6)
    call = read_call(conv, x, conv(x))
    drawn = sampled_patches(7, torch.Generator().manual_seed(0))(call)
    assert drawn.shape == (groups, 7, 36 // groups)
    every = F.unfold(x, 3, padding=1).transpose(1, 2).reshape(-1, groups, 36 // groups).transpose(0, 1)
    distance = torch.cdist(drawn, every).amin(-1)
    assert float(distance.max()) < 1e-6
    again = sampled_patches(7, torch.Generator().manual_seed(0))(call)
    assert torch.equal(drawn, again)


def test_sampled_inputs_of_a_linear_layer_are_its_inputs():
    linear = nn.Linear(6, 3).double()
    x = images(9, 6)
    drawn = sampled_patches(20, torch.Generator().manual_seed(0))(read_call(linear, x, linear(x)))
    assert drawn.shape == (1, 20, 6)
    assert float(torch.cdist(drawn, x[None]).amin(-1).max()) < 1e-6


class Elastic(ElasticLayer, nn.Conv2d):
    def __init__(self, c_in, c_out, kernel, depthwise=False):
        groups = c_in if depthwise else 1
        super().__init__(c_in, c_out, kernel, padding=kernel // 2, groups=groups, bias=False)
        self.depthwise = depthwise

    def active(self, in_channels, out_channels=None, kernel=None):
        border = (self.kernel_size[0] - (kernel or self.kernel_size[0])) // 2
        middle = slice(border, self.kernel_size[0] - border)
        if self.depthwise:
            return slice(0, in_channels), slice(0, 1), middle, middle
        return slice(0, out_channels or self.out_channels), slice(0, in_channels), middle, middle

    def forward(self, x, out_channels=None, kernel=None):
        weight = self.weight[self.active(x.shape[1], out_channels, kernel)]
        groups = x.shape[1] if self.depthwise else 1
        return F.conv2d(x, weight, None, 1, weight.shape[-1] // 2, 1, groups)


def test_a_smaller_kernel_reads_the_middle_of_the_weight():
    conv = Elastic(4, 6, 5).double()
    x = images(3, 2, 7, 7)
    output = conv(x, out_channels=5, kernel=3)
    call = read_call(conv, x, output, 3)
    inputs = embed(call, mean_patch(call))
    assert inputs.rows.shape == (1, 1, 100)
    assert sorted(inputs.rows[0, 0].nonzero().flatten().tolist()) == columns_in_use(conv, call.active_slices).tolist()
    outputs = conv.weight[:5].reshape(5, -1) @ inputs.rows[0, 0]
    torch.testing.assert_close(outputs, output.mean((0, 2, 3)), rtol=0, atol=1e-12)


def test_a_narrower_depthwise_convolution_reads_its_first_groups():
    conv = Elastic(6, 6, 3, depthwise=True).double()
    x = images(3, 4, 7, 7)
    output = conv(x)
    call = read_call(conv, x, output)
    inputs = embed(call, mean_patch(call))
    assert inputs.groups == groups_in_use(conv, call.active_slices) == slice(0, 4)
    outputs = (conv.weight[:4].reshape(4, 1, -1) @ inputs.rows.mT).flatten()
    torch.testing.assert_close(outputs, output.mean((0, 2, 3)), rtol=0, atol=1e-12)


def mapped() -> ElasticConv2d:
    """Return a convolution whose kernel of 3 is a linear map of the middle of 5, one that mixes its entries."""
    conv = ElasticConv2d(4, 4, (3, 5), depthwise=True)
    with torch.no_grad():
        conv.maps["5to3"].copy_(torch.randn(9, 9, generator=torch.Generator().manual_seed(1)))
    return conv.double()


def test_inputs_of_a_mapped_kernel_are_carried_over_to_the_weight():
    conv = mapped()
    x = images(3, 3, 7, 7)
    output = conv(x, kernel=3)
    call = read_call(conv, x, output, 3)
    inputs = embed(call, mean_patch(call))
    outputs = (conv.weight[:3].reshape(3, 1, -1) @ inputs.rows.mT).flatten()
    torch.testing.assert_close(outputs, output.mean((0, 2, 3)), rtol=0, atol=1e-12)
    assert conv.weight.grad is None


def test_a_whole_call_has_no_slices():
    conv = Elastic(4, 6, 5)
    assert read_call(conv, torch.zeros(1, 4, 7, 7), torch.zeros(1, 6, 7, 7)).active_slices is None
    assert Call(conv, torch.zeros(1), (5, 5), None).active_slices is None


def test_a_layer_that_is_no_elastic_one_is_used_whole():
    """What merely has a method of that name is not asked."""
    plain = nn.Conv2d(4, 4, 3, padding=1)
    plain.active = lambda *sizes: (slice(0, 1),)
    assert read_call(plain, torch.zeros(1, 4, 5, 5), torch.zeros(1, 4, 5, 5)).active_slices is None


def test_slices_and_inputs_are_captured_and_no_hook_is_left_behind():
    network = nn.Sequential(Elastic(4, 6, 3), nn.BatchNorm2d(6), nn.ReLU())
    x = torch.ones(2, 3, 5, 5)
    with ActivationCapture(network, mean_patch) as capture:
        network(x)
        with torch.no_grad():
            network(x)
        assert list(capture.inputs) == ["0"]
        assert len(capture.inputs["0"]) == 1
        assert capture.active_slices["0.weight"] == [(slice(0, 6), slice(0, 3), slice(0, 3), slice(0, 3))]
        assert capture.active_slices["1.bias"] == [None]
        capture.clear()
        assert capture.inputs == {}
    network(x)
    assert capture.inputs == {}
    assert not any(module._forward_hooks for module in network.modules())


def test_centered_patches_add_up_to_nothing_where_a_norm_follows():
    generator = torch.Generator().manual_seed(0)
    summary = sampled_patches(5, generator, centered=True)
    conv = nn.Conv2d(4, 6, 3, bias=False).double()
    rows = summary(Call(conv, images(8, 4, 7, 7), (3, 3), None))
    assert float(rows.sum(1).abs().max()) < 1e-12
    assert float(rows.abs().max()) > 0.1
    linear = nn.Linear(4, 3).double()
    assert float(summary(Call(linear, images(8, 4), (1, 1), None)).sum(1).abs().max()) > 0.1


def test_the_mean_may_be_of_every_second_image():
    conv, x = nn.Conv2d(4, 6, 3, stride=2, dilation=2, padding=1).double(), images(8, 4, 9, 7)
    call, thinned = Call(conv, x, (3, 3), None), Call(conv, x[::2], (3, 3), None)
    torch.testing.assert_close(mean_patch(call, every=2), mean_patch(thinned), rtol=0, atol=1e-12)

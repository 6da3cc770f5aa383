from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evonas.deployment.compression.ranges import CALIBRATIONS, activation_ranges
from evonas.errors import ExportError
from evonas.runtime import export


@pytest.fixture(scope="module")
def model():
    network = nn.Sequential(nn.Conv2d(1, 2, 1), nn.ReLU(), nn.Flatten(), nn.Linear(128, 2))
    return export(network, torch.zeros(2, 1, 8, 8), exporter="quick")


def test_full_ranges_span_every_batch_and_others_cut_outliers(model, capsys):
    images = np.random.default_rng(0).normal(size=(512, 1, 8, 8)).astype(np.float32)
    images[5, 0, 0, 0], images[40, 0, 0, 0] = -90.0, 100.0  # of the first batch and of the second
    found = {method: activation_ranges(model, images, method)["images"] for method in CALIBRATIONS}
    low, high = (float(np.squeeze(value)) for value in found["minmax"].range_value)
    assert (low, high) == (-90.0, 100.0)
    for method in ("percentile", "entropy"):
        low, high = (float(np.squeeze(value)) for value in found[method].range_value)
        assert high - low < 185, method
    assert capsys.readouterr().out == ""


def test_what_hard_swish_maps_to_zero_takes_no_levels():
    network = nn.Sequential(nn.Conv2d(1, 1, 1), nn.Hardswish(), nn.Conv2d(1, 1, 1), nn.ReLU())
    with torch.no_grad():
        for layer, weight in ((network[0], 10.0), (network[2], -10.0)):
            layer.weight.fill_(weight)
            layer.bias.zero_()
    model = export(network, torch.zeros(2, 1, 8, 8), exporter="quick")
    images = np.random.default_rng(0).uniform(-1, 1, (32, 1, 8, 8)).astype(np.float32)
    found = activation_ranges(model, images)
    first, second = (node for node in model.graph.node if node.op_type == "Conv")
    assert float(np.squeeze(found[first.output[0]].range_value[0])) == -3.0
    assert float(np.squeeze(found[first.output[0]].range_value[1])) > 9.0
    assert float(np.squeeze(found[second.output[0]].range_value[0])) < -50.0  # ReLU reads it


def test_what_does_not_fit_the_model_is_refused(model):
    with pytest.raises(ExportError, match="could not be calibrated: ") as caught:
        activation_ranges(model, np.zeros((32, 1, 4, 8), dtype=np.float32))
    assert "\n" not in str(caught.value)

from __future__ import annotations

import logging

import numpy as np
import pytest
import torch
from torch import nn

from evonas.deployment import quantize
from evonas.errors import ExportError
from evonas.runtime import export, logits


@pytest.fixture(scope="module")
def model():
    generator = torch.Generator().manual_seed(0)
    network = nn.Sequential(nn.Conv2d(1, 8, 3), nn.ReLU(), nn.Flatten(), nn.Linear(8 * 36, 4))
    for parameter in network.parameters():
        nn.init.normal_(parameter, std=0.2, generator=generator)
    return export(network, torch.zeros(2, 1, 8, 8), exporter="quick", metadata={"space": "none"})


@pytest.fixture(scope="module")
def images():
    return np.random.default_rng(0).random((64, 1, 8, 8), dtype=np.float32)


def test_int8_follows_the_float_model(model, images):
    before = model.SerializeToString()
    quantized = quantize(model, images)
    assert model.SerializeToString() == before
    kinds = {node.op_type for node in quantized.graph.node}
    assert {"QuantizeLinear", "DequantizeLinear", "Conv"} <= kinds
    assert {weight.data_type for weight in quantized.graph.initializer} >= {3}  # int8
    assert {entry.key: entry.value for entry in quantized.metadata_props} == {"space": "none"}
    expected, got = logits(model, images), logits(quantized, images)
    assert np.abs(expected - got).max() < 0.05 * np.ptp(expected)
    assert not np.array_equal(expected, got)


def test_the_root_logger_is_left_as_it_was(model, images, caplog):
    handlers, filters = list(logging.getLogger().handlers), list(logging.getLogger().filters)
    quantize(model, images)
    assert logging.getLogger().handlers == handlers
    assert logging.getLogger().filters == filters
    assert not caplog.records


def test_too_few_images_are_refused(model, images):
    with pytest.raises(ExportError, match="at least 32 validation images to calibrate int8 on, got 31"):
        quantize(model, images[:31])


def test_what_cannot_be_quantized_is_told_in_one_line(model, images):
    with pytest.raises(ExportError, match="could not be quantized: ") as caught:
        quantize(model, images[:, :, :4])
    assert "\n" not in str(caught.value)

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evonas.deployment.compression.bias import correct_biases
from evonas.deployment.compression.qdq import quantize
from evonas.deployment.compression.weights import store_weights
from evonas.runtime import export, logits

NETWORKS = {
    "padded": lambda: nn.Sequential(nn.Conv2d(3, 8, 5, stride=2, padding=2, groups=1), nn.Flatten()),
    "depthwise": lambda: nn.Sequential(nn.Conv2d(3, 9, 5, padding=3, dilation=2, groups=3, bias=False), nn.Flatten()),
    "linear": lambda: nn.Sequential(nn.Flatten(), nn.Linear(192, 6)),
}


def exported(make):
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return export(make().eval(), torch.zeros(2, 3, 8, 8), exporter="quick")


@pytest.fixture(scope="module")
def images():
    return 5 + 3 * np.random.default_rng(0).random((64, 3, 8, 8), dtype=np.float32)


@pytest.mark.parametrize("name", NETWORKS)
def test_means_of_outputs_are_those_of_exact_weights(name, images):
    model = exported(NETWORKS[name])
    reduced = store_weights(model, "int8")
    corrected = store_weights(correct_biases(model, reduced, images), "int8")

    def mean(one):
        outputs = logits(one, images).astype(np.float64)
        channels = 6 if name == "linear" else 9 if name == "depthwise" else 8
        return outputs.reshape(len(images), channels, -1).mean((0, 2))

    off = np.abs(mean(reduced) - mean(model)).max()
    assert off > 1e-4  # or there were nothing to correct
    assert np.abs(mean(corrected) - mean(model)).max() < 0.02 * off


def test_the_weights_of_integers_are_read_too(images):
    model = exported(NETWORKS["padded"])
    corrected = correct_biases(model, quantize(model, images), images)
    by_storage = correct_biases(model, store_weights(model, "int8"), images)
    x = images[:4]
    np.testing.assert_allclose(logits(corrected, x), logits(by_storage, x), atol=1e-3)
    assert not np.array_equal(logits(corrected, x), logits(model, x))


def test_a_model_of_the_same_weights_needs_no_correction(images):
    model = exported(NETWORKS["padded"])
    assert correct_biases(model, model, images).SerializeToString() == model.SerializeToString()

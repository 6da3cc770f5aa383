from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import DataError, ExportError
from evonas.runtime import Parity, accuracy, export, logits, parity, session


@pytest.fixture(scope="module")
def flat() -> nn.Module:
    """Logits are the image's own four values."""
    return nn.Flatten()


def opened(module: nn.Module, example: torch.Tensor, *, dynamic_batch: bool = True):
    return session(export(module, example, dynamic_batch=dynamic_batch, exporter="quick"))


def test_kept_model_agrees_with_torch(kept, mixed, images):
    found = parity(mixed, kept.path, images, batch=5)
    assert found.max_abs_difference <= 1e-4
    assert found.agreement == 1.0
    assert found.logits.shape == (12, 5)
    np.testing.assert_array_equal(found.predictions, found.logits.argmax(axis=1))
    assert mixed.training
    found.require()


def test_differences_are_exact(flat):
    images = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.25, 0.0]]).reshape(3, 1, 1, 2)
    shifted = nn.Linear(2, 2, bias=True)
    with torch.no_grad():
        shifted.weight.copy_(torch.eye(2))
        shifted.bias.copy_(torch.tensor([0.0, 0.5]))
    other = opened(nn.Sequential(nn.Flatten(), shifted), images)
    found = parity(flat, other, images)
    assert found.max_abs_difference == 0.5
    assert found.agreement == pytest.approx(2 / 3)
    assert found.predictions.tolist() == [1, 0, 1]
    with pytest.raises(ExportError, match=r"difference of 0\.5 and 1 of 3 images"):
        found.require()


def test_small_difference_passes_only_within_tolerance_and_with_equal_classes():
    values = np.zeros((2, 2), dtype=np.float32)
    Parity(1e-5, 1.0, values.argmax(1), values).require()
    with pytest.raises(ExportError, match="2e-05"):
        Parity(2e-5, 1.0, values.argmax(1), values).require(tolerance=1e-5)
    with pytest.raises(ExportError, match="1 of 2 images"):
        Parity(0.0, 0.5, values.argmax(1), values).require()


def test_numbers_that_are_not_finite_never_agree(flat):
    images = torch.tensor([[0.0, float("nan")]]).reshape(1, 1, 1, 2)
    found = parity(flat, opened(flat, images), images)
    assert np.isnan(found.max_abs_difference)
    with pytest.raises(ExportError, match="difference of nan"):
        found.require()


def test_another_models_file_is_refused(flat, kept, images):
    with pytest.raises(ExportError, match=r"Expected logits of shape \(12, 192\) as torch's, got \(12, 5\)"):
        parity(flat, kept.path, images)


def test_images_that_do_not_fit_are_refused(kept):
    with pytest.raises(ExportError, match=r"got \(2, 1, 8, 8\) of float32") as caught:
        logits(kept.path, np.zeros((2, 1, 8, 8), dtype=np.float32))
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("batch", [1, 4, 100])
def test_logits_do_not_depend_on_the_batch(kept, images, batch):
    np.testing.assert_allclose(logits(kept.path, images, batch=batch), logits(kept.path, images), atol=1e-6)


def test_a_fixed_batch_is_filled_up(flat, images):
    fixed = opened(flat, images[:5], dynamic_batch=False)
    np.testing.assert_array_equal(logits(fixed, images), images.flatten(1).numpy())


@pytest.mark.parametrize("kind", [torch.as_tensor, np.asarray])
def test_accuracy_scales_bytes_and_counts(flat, kind):
    pixels = np.array([[255, 0], [0, 255], [51, 102], [7, 3]], dtype=np.uint8).reshape(4, 1, 1, 2)
    model = opened(flat, torch.zeros(1, 1, 1, 2))
    assert accuracy(model, kind(pixels), kind(np.array([0, 1, 1, 1])), batch=3) == 0.75
    np.testing.assert_array_equal(
        logits(model, kind(pixels), scale=255.0),
        (torch.from_numpy(pixels).float() / 255.0).flatten(1).numpy(),
    )
    np.testing.assert_array_equal(logits(model, kind(pixels), scale=16.0)[3], [7 / 16, 3 / 16])


def test_accuracy_refuses_what_it_cannot_count(flat):
    model = opened(flat, torch.zeros(1, 1, 1, 2))
    pixels = np.zeros((3, 1, 1, 2), dtype=np.uint8)
    with pytest.raises(DataError, match="2 labels for 3 images"):
        accuracy(model, pixels, [0, 1])
    with pytest.raises(DataError, match="at least one image"):
        accuracy(model, pixels[:0], [])

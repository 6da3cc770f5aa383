from __future__ import annotations

from copy import deepcopy
from dataclasses import replace

import numpy as np
import pytest
import torch
from torch import nn

from evonas.errors import DataError, ExportError
from evonas.runtime import accuracy, export, logits, parity, session
from evonas.runtime.parity import compare_outputs


@pytest.fixture(scope="module")
def flat() -> nn.Module:
    """Logits are the image's own four values."""
    return nn.Flatten()


def opened(module: nn.Module, example: torch.Tensor, *, dynamic_batch: bool = True):
    return session(export(module, example, dynamic_batch=dynamic_batch, exporter="quick"))


def test_kept_model_agrees_with_torch(kept, mixed, images):
    found = parity(mixed, kept.path, images, batch=5)
    assert found.error <= 1e-4
    assert 0 < found.torch_error <= 1e-4
    assert (found.agreement, found.ties, found.differing) == (1.0, 0, 0)
    assert found.logits.shape == (12, 5)
    np.testing.assert_array_equal(found.predictions, found.logits.argmax(axis=1))
    assert mixed.training
    assert next(mixed.parameters()).dtype is torch.float32
    found.require()


def test_differences_are_exact(flat):
    images = torch.tensor([[0.0, 1.0], [1.0, 0.0], [0.25, 0.0]]).reshape(3, 1, 1, 2)
    shifted = nn.Linear(2, 2, bias=True)
    with torch.no_grad():
        shifted.weight.copy_(torch.eye(2))
        shifted.bias.copy_(torch.tensor([0.0, 0.5]))
    other = opened(nn.Sequential(nn.Flatten(), shifted), images)
    found = parity(flat, other, images)
    assert (found.error, found.torch_error) == (0.5, 0.0)
    assert found.agreement == pytest.approx(2 / 3)
    assert found.predictions.tolist() == [1, 0, 1]
    # The third image's margin of 0.25 lies within twice the error: a tie, though the error itself is none of rounding.
    assert (found.ties, found.differing) == (1, 0)
    with pytest.raises(ExportError, match=r"off by 0\.5, where torch in float32 is by 0, and 0 of 3 images"):
        found.require()


DOUBLE = np.array([[3.0, 1.0, -4.0], [0.5, 0.4999, -1.0], [-2.0, 2.0, 0.0]])


def compared(error: float, torch_error: float = 0.0, double: np.ndarray = DOUBLE, at: tuple[int, int] = (0, 0)):
    """Outputs that are right but for one, and torch's likewise."""
    ours, single = double.copy(), double.copy()
    ours[at] += error
    single[2, 2] += torch_error
    return compare_outputs(ours, single, double)


def test_rms_and_spread_are_those_of_float64():
    found = compared(0.0)
    assert found.rms == pytest.approx(np.sqrt((DOUBLE**2).mean()))
    assert found.sd == pytest.approx(DOUBLE.std())


@pytest.mark.parametrize(
    ("error", "torch_error", "scale", "accepted"),
    [
        (0.9e-4, 0.0, 0.1, True),  # outputs below 1 are allowed 1e-4, and a thousandth of their spread of 0.2
        (1.1e-4, 0.0, 0.1, False),
        (1.9e-4, 0.0, 1.0, True),  # 1e-4 of a root mean square of 1.98
        (2.1e-4, 0.0, 1.0, False),
        (2.1e-4, 3e-5, 1.0, True),  # eight times torch's own error
        (1.9e-3, 1e-3, 1.0, True),
        (2.1e-3, 1e-3, 1.0, False),  # beyond a thousandth of the spread, whatever torch's error
        (np.nan, 0.0, 1.0, False),
    ],
)
def test_what_rounding_explains_is_accepted_and_nothing_else(error, torch_error, scale, accepted):
    found = compared(error, torch_error, scale * DOUBLE)
    if accepted:
        found.require()
        return
    with pytest.raises(ExportError, match="do not use this model"):
        found.require()


@pytest.mark.parametrize(("tolerance", "accepted"), [(1e-2, True), (1e-3, False)])
def test_a_tolerance_overrides(tolerance, accepted):
    found = compared(5e-3)
    with pytest.raises(ExportError, match=r"within 0\.000199 of torch"):
        found.require()
    if accepted:
        found.require(tolerance=tolerance)
    else:
        with pytest.raises(ExportError, match=r"within 0\.001 of torch"):
            found.require(tolerance=tolerance)


def test_a_class_that_differs_is_a_tie_only_within_both_errors():
    tie = compared(1.5e-4, at=(1, 1))  # a margin of 1e-4 below twice 1.5e-4
    assert (tie.ties, tie.differing, tie.agreement) == (1, 0, pytest.approx(2 / 3))
    tie.require()
    double = DOUBLE.copy()
    double[1, 1] = 0.4
    swapped = double.copy()
    swapped[1] = swapped[1, [1, 0, 2]]  # each by 0.1: no tie is so far, but for the error itself
    found = compare_outputs(swapped, double, double)
    assert (found.ties, found.differing) == (1, 0)
    with pytest.raises(ExportError):
        found.require()
    certain = replace(found, error=1e-5, ties=0, differing=1)
    with pytest.raises(ExportError, match="1 of 3 images change class"):
        certain.require()
    certain.require(classes=False)


class Deep(nn.Module):
    """A network so deep and of such large outputs that float32 itself is beyond 1e-4 of float64."""

    def __init__(self):
        super().__init__()
        generator = torch.Generator().manual_seed(0)
        self.layers = nn.Sequential(*(nn.Conv2d(8, 8, 3, padding=1, bias=False) for _ in range(14)))
        self.stem, self.head = nn.Conv2d(3, 8, 1), nn.Linear(8, 5)
        for layer in self.layers:
            nn.init.normal_(layer.weight, std=0.25, generator=generator)

    def forward(self, x):
        x = self.stem(x)
        for layer in self.layers:
            x = x + torch.relu(layer(x))
        return self.head(x.mean((2, 3)))


@pytest.fixture(scope="module")
def deep() -> nn.Module:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Deep().eval()


def test_good_models_of_large_outputs_are_accepted(deep, images):
    found = parity(deep, export(deep, images[:2], exporter="quick"), images)
    assert found.torch_error > 1e-4
    assert found.error > 1e-4
    found.require()


def _padding(deep):
    deep.layers[3].padding = (0, 0)
    deep.layers[3] = nn.Sequential(deep.layers[3], nn.ReplicationPad2d(1))


def _layer(deep):
    deep.layers[2], deep.layers[3] = deep.layers[3], deep.layers[2]


def _operation(deep):
    deep.layers[5] = nn.Sequential(deep.layers[5], nn.Hardtanh(-1e9, 5.0))


def _weight(deep):
    with torch.no_grad():
        deep.head.weight[0, 0] += 0.02


@pytest.mark.parametrize("fault", [_padding, _layer, _operation, _weight])
def test_planted_faults_are_refused(deep, images, fault):
    wrong = deepcopy(deep)
    fault(wrong)
    found = parity(deep, export(wrong, images[:2], exporter="quick"), images)
    with pytest.raises(ExportError, match="do not use this model"):
        found.require()


def test_numbers_that_are_not_finite_never_agree(flat):
    images = torch.tensor([[0.0, float("nan")]]).reshape(1, 1, 1, 2)
    found = parity(flat, opened(flat, images), images)
    assert np.isnan(found.error)
    with pytest.raises(ExportError, match="off by nan"):
        found.require()


def test_one_constant_output_is_accepted_within_its_own_rounding():
    compare_outputs(np.full((3, 1), 5.000001), np.full((3, 1), 5.0), np.full((3, 1), 5.0)).require(classes=False)
    with pytest.raises(ExportError):
        compare_outputs(np.full((3, 1), 5.0001), np.full((3, 1), 5.0), np.full((3, 1), 5.0)).require(classes=False)


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

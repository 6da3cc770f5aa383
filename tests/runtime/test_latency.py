from __future__ import annotations

import math

import pytest
import torch
from torch import nn

from evonas.errors import ExportError, SettingsError
from evonas.runtime import export, latency, launch_floor, measure_models, measure_modules


class Add(nn.Module):
    def forward(self, left, right):
        return left + right


class Bessel(nn.Module):
    def forward(self, x):
        return torch.special.bessel_j0(x)


@pytest.fixture
def seen(monkeypatch):
    """What was handed to the clock: sessions and feeds, in order."""
    handed = {}

    def watch(sessions, feeds, **options):
        handed.update(sessions=sessions, feeds=feeds, options=options)
        return measure(sessions, feeds, **options)

    measure = latency.measure
    # What is handed to the clock is not to be seen from outside.
    monkeypatch.setattr(latency, "measure", watch)
    return handed


def test_modules_of_any_number_of_inputs_are_timed(seen):
    image = torch.rand(3, 4, 8, 8)
    block = nn.Sequential(nn.Conv2d(4, 4, 3), nn.BatchNorm2d(4))
    timings = measure_modules(
        [(block, (image,)), (Add(), (image, image)), launch_floor()], batch=2, repeats=6, warmup=1, burst=2
    )
    assert len(timings) == 3
    assert all(0 < timing.minimum_ms <= timing.median_ms < math.inf for timing in timings)
    assert [timing.repeats for timing in timings] == [6, 6, 6]
    assert [[values.shape for values in feed.values()] for feed in seen["feeds"]] == [
        [(2, 4, 8, 8)],
        [(2, 4, 8, 8), (2, 4, 8, 8)],
        [(2, 1)],
    ]
    assert all(part.training for part in block.modules())


def test_the_model_that_is_timed_computes_what_the_module_does(seen):
    block = nn.Sequential(nn.Conv2d(4, 4, 3), nn.ReLU()).eval()
    image = torch.rand(1, 4, 8, 8)
    measure_modules([(block, (image,))], repeats=1, warmup=0)
    outputs = seen["sessions"][0].run(None, seen["feeds"][0])[0]
    torch.testing.assert_close(torch.from_numpy(outputs), block(image).detach(), atol=1e-5, rtol=0)


def test_the_floor_does_nothing():
    module, inputs = launch_floor()
    assert torch.equal(module(*inputs), inputs[0])
    model = export(module, inputs, exporter="quick")
    assert [node.op_type for node in model.graph.node] == ["Identity"]


def test_a_block_that_cannot_be_exported_is_named():
    image = (torch.rand(1, 2, 3, 3),)
    blocks = [(nn.ReLU(), image), (Bessel(), image)]
    with pytest.raises(ExportError, match=r"Block conv 16@8: Bessel could not .*bessel_j0"):
        measure_modules(blocks, names=["relu", "conv 16@8"])
    with pytest.raises(ExportError, match="Block 1 of 2: Bessel"):
        measure_modules(blocks)


def test_settings_that_make_no_sense_are_refused():
    blocks = [(nn.ReLU(), (torch.rand(1, 2),))]
    with pytest.raises(SettingsError, match="Expected one name per module, got 2"):
        measure_modules(blocks, names=["a", "b"])
    with pytest.raises(SettingsError, match="Expected a batch of 1 or more, got 0"):
        measure_modules(blocks, batch=0)


def test_models_are_timed_side_by_side(kept, seen):
    timings = measure_models([kept.path, kept.path.read_bytes()], batch=2, repeats=3, warmup=0, burst=1)
    assert [timing.repeats for timing in timings] == [3, 3]
    assert seen["feeds"][0]["images"].shape == (2, 3, 8, 8)
    assert (seen["feeds"][0]["images"] == seen["feeds"][1]["images"]).all()

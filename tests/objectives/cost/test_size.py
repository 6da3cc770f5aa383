from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.deployment.compression.qdq import quantize
from evonas.deployment.compression.weights import store_weights
from evonas.networks import build
from evonas.networks.unit_input import UnitInput
from evonas.objectives import Context, make_evaluator
from evonas.runtime import export
from evonas.spaces import Candidate, Space, as_candidates, load_space

BAND, BAND_INT8 = (0.98, 1.02), (0.95, 1.05)
"""Estimate by true size, of files of float and of 8 bits."""


def check(space: Space, draw, seeds: range) -> None:
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    evaluator = make_evaluator("size", Context(space, skeleton))
    for seed in seeds:
        (form,) = draw(space, 1, seed=seed)
        row = evaluator.evaluate([Candidate(form)])[0]
        network = build(space, skeleton, form).eval()
        generator = torch.Generator().manual_seed(0)
        for name, tensor in network.state_dict().items():  # norms and biases as training leaves them: no two are equal
            if tensor.dtype == torch.float32 and tensor.dim() == 1 and not name.endswith("num_batches_tracked"):
                tensor.copy_(torch.rand(tensor.shape, generator=generator) + 0.5)
        images = torch.randn(32, 3, skeleton.resolution, skeleton.resolution, generator=generator)
        model = export(UnitInput(network, [0.4, 0.5, 0.6], [0.2, 0.3, 0.25]).eval(), images[:2])
        small = store_weights(quantize(model, np.asarray(images)), "int8")
        for name, file, (low, high) in (("size", model, BAND), ("size_int8", small, BAND_INT8)):
            assert low <= row[name].value / file.ByteSize() <= high, name


def test_size_is_that_of_the_file(draw):
    check(load_space("nasbench_macro"), draw, range(10, 11))


@pytest.mark.slow
def test_sizes_are_those_of_files_in_every_space(space: Space, draw):
    check(space, draw, range(10, 12))


def test_size_counts_weights_exactly(tiny: Context, draw):
    forms = draw(tiny.space, 2)
    wide = Context(tiny.space, tiny.skeleton.replace(classes=110))
    small, large = (make_evaluator("size", context).evaluate(as_candidates(forms)) for context in (tiny, wide))
    # The classifier reads four nodes of 16 channels each, and has a bias.
    assert [b["size"].value - a["size"].value for a, b in zip(small, large, strict=True)] == [
        4 * 100 * (4 * 16 + 1)
    ] * 2


def test_eight_bits_take_less(space: Space, draw):
    forms = draw(space, 1)
    skeleton = space.skeleton("small", in_channels=3, classes=10, width=1.0, channels=32)
    (row,) = make_evaluator("size_int8", Context(space, skeleton)).evaluate(as_candidates(forms))
    assert row["size_int8"].value < row["size"].value

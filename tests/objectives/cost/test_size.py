from __future__ import annotations

import numpy as np
import pytest
import torch

from evonas.deployment.compression.qdq import quantize
from evonas.networks import build
from evonas.objectives import Context, make_evaluator
from evonas.runtime import export
from evonas.spaces import Candidate, Space, as_candidates, load_space

CELLS = 0.96, 1.35
"""Estimate by true size of the float files of small networks of cells, judged too large: see `FLOAT_COST`."""
BANDS = {
    **dict.fromkeys(("darts", "darts_open"), (CELLS, (0.6, 1.1))),
    **dict.fromkeys(("lhd", "lhd_3ops"), (CELLS, (0.9, 1.1))),
    "nasbench201": (CELLS, (0.9, 2.5)),
    "mobilenet_v3": ((0.96, 1.04), (0.5, 0.65)),  # gates in float are not counted: see `INT8_COST`
}
"""Spaces that are misjudged, float and 8 bits."""


def check(space: Space, draw, seeds: range) -> None:
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    evaluator = make_evaluator("size", Context(space, skeleton))
    for seed in seeds:
        (form,) = draw(space, 1, seed=seed)
        row = evaluator.evaluate([Candidate(form)])[0]
        network = build(space, skeleton, form).eval()
        images = torch.randn(
            32, 3, skeleton.resolution, skeleton.resolution, generator=torch.Generator().manual_seed(0)
        )
        model = export(network, images[:2])
        small = quantize(model, np.asarray(images))
        float_band, int8_band = BANDS.get(space.name, ((0.96, 1.04), (0.9, 1.1)))
        for name, file, (low, high) in (("size", model, float_band), ("size_int8", small, int8_band)):
            assert low <= row[name].value / len(file.SerializeToString()) <= high


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

from __future__ import annotations

import onnx
import torch

from evonas.networks import build
from evonas.objectives.cost.architecture_text import ArchitectureTexts
from evonas.predictors.encoders.chain_text import chain_text
from evonas.runtime import export
from evonas.spaces import load_space


def test_a_text_is_that_of_the_exported_network(draw):
    """Character by character, though each block is exported alone."""
    space = load_space("nasbench_macro")
    skeleton = space.skeleton("small", in_channels=3, classes=10)
    (architecture,) = draw(space, 1)
    network = build(space, skeleton, architecture).eval()
    model = export(network, torch.zeros(1, *skeleton.shape), dynamic_batch=False, exporter="quick")
    assert isinstance(model, onnx.ModelProto)
    for mode in ("faithful", "fixed"):
        assert ArchitectureTexts(space, skeleton, mode)(architecture) == chain_text(model, mode)

"""Counting multiply-adds with fvcore."""

from __future__ import annotations

import warnings
from collections import Counter
from typing import Any

import torch
from torch import Tensor, nn

UNCOUNTED = (
    "aten::batch_norm",
    "aten::group_norm",
    "aten::layer_norm",
    "aten::instance_norm",
    "aten::adaptive_avg_pool2d",
    "aten::upsample_nearest2d",
    "aten::upsample_bilinear2d",
)
"""Operations that fvcore counts by default and papers on architecture search do not."""


def _nothing(inputs: Any, outputs: Any) -> Counter:
    return Counter()


def count_flops(module: nn.Module, *inputs: Tensor) -> int:
    """Return the multiply-adds of convolutions, linear layers and matrix products, in evaluation mode.

    Args:
        module: Any module; its mode is restored.
        *inputs: What it is called with; with a batch of 1 the count is that of one image.
    """
    from fvcore.nn import FlopCountAnalysis  # heavy: loaded when first used

    training = module.training
    module.eval()
    try:
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            analysis = FlopCountAnalysis(module, inputs)
            # A handle of None would leave fvcore's default in place.
            analysis.set_op_handle(**dict.fromkeys(UNCOUNTED, _nothing))
            analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False).tracer_warnings("none")
            return int(analysis.total())
    finally:
        module.train(training)

"""Multiply-adds of a network: the other floor that every training-free score has to beat."""

from __future__ import annotations

import warnings
from collections import Counter
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from evonas.proxies.forward import Forward
from evonas.proxies.initialize import undisturbed
from evonas.proxies.proxy import Needs, Proxy

UNCOUNTED = (
    "aten::batch_norm",
    "aten::group_norm",
    "aten::layer_norm",
    "aten::instance_norm",
    "aten::adaptive_avg_pool2d",
    "aten::upsample_nearest2d",
    "aten::upsample_bilinear2d",
)


class Flops(Proxy):
    """Multiply-adds of one image: sum over convolutions and linear layers of outputs x inputs of each output.

    More ranks higher. Counted by fvcore in evaluation mode, without norms, pooling and upsampling; of the canonical
    form, which ranks better than what is written (a baseline of Ning et al. 2021, Evaluating Efficient Performance
    Estimators of NAS).

    It does not see what multiplies nothing: which pooling, skip or pooling at one stride, what is read where widths
    agree, dilation.
    """

    name = "flops"
    direction = "max"
    unseen: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"normal.*.source*": "what a node of a normal cell reads has one width and one resolution, so that costs agree"}
    )
    needs = Needs(initialization="own", canonical=True)

    def measure(self, forward: Forward) -> float:
        """Return the count."""
        return float(module_flops(forward.network, forward.images[:1]))


def module_flops(network: nn.Module, image: Tensor) -> int:
    """Multiply-adds of one image through any module, as fvcore counts them in evaluation mode; it stays as it was.

    Norms, pooling and upsampling are not counted.

    Args:
        network: It may have been changed by other tools, so that no space describes it.
        image: Shape (1, channels, height, width).
    """
    with torch.no_grad(), undisturbed(network), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of fvcore's use of torch.jit
        from fvcore.nn import FlopCountAnalysis  # heavy: loaded when first used

        analysis = FlopCountAnalysis(network, image.clone())
        # A handle of None would not do: fvcore asks its own handles first.
        analysis.set_op_handle(**dict.fromkeys(UNCOUNTED, _nothing))
        analysis.unsupported_ops_warnings(False).uncalled_modules_warnings(False)
        return int(analysis.total())


def _nothing(inputs: list[Any], outputs: list[Any]) -> Counter[str]:
    return Counter()

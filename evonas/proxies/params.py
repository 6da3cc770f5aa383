"""Parameter count of a network: the floor that every training-free score has to beat."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import ClassVar

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class Params(Proxy):
    """Number of a network's parameters: sum over weights and biases of their sizes; more ranks higher.

    Of the canonical form, which ranks better than what is written (a baseline of Ning et al. 2021, Evaluating
    Efficient Performance Estimators of NAS).

    It does not see what holds no weight: which pooling, skip or pooling at one stride, what is read where widths
    agree, dilation; nor where in the network, at which resolution, a weight works.
    """

    name = "params"
    direction = "max"
    unseen: ClassVar[Mapping[str, str]] = MappingProxyType(
        {"normal.*.source*": "what a node of a normal cell reads has one width and one resolution, so that costs agree"}
    )
    needs = Needs(initialization="own", canonical=True)

    def measure(self, forward: Forward) -> float:
        """Return the count."""
        return float(sum(parameter.numel() for parameter in forward.network.parameters()))

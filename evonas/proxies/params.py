"""Parameter count of a network: the floor that every training-free score has to beat."""

from __future__ import annotations

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class Params(Proxy):
    """Number of a network's parameters: sum over weights and biases of their sizes; more ranks higher.

    Of the canonical form where the network is built from one, which ranks better than what is written (a baseline of
    Ning et al. 2021, Evaluating Efficient Performance Estimators of NAS).

    It does not see what holds no weight: which pooling, skip or pooling at one stride, what is read where widths
    agree, dilation; nor where in the network, at which resolution, a weight works.
    """

    name = "params"
    direction = "max"
    needs = Needs(initialization="own")

    def measure(self, forward: Forward) -> float:
        """Return the count."""
        return float(sum(parameter.numel() for parameter in forward.network.parameters()))

"""Parameter count: the floor that every training-free score has to beat."""

from __future__ import annotations

from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Needs, Proxy


class Params(Proxy):
    """Number of a network's parameters; more ranks higher."""

    name = "params"
    direction = "max"
    needs = Needs(initialization="own")

    def measure(self, forward: Forward) -> float:
        """Return the count."""
        return float(sum(parameter.numel() for parameter in forward.network.parameters()))

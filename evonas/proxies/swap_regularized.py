"""Regularized SWAP-Score under named settings: sizes are steered to where SWAP-NAS steers them, or to the largest."""

from __future__ import annotations

from collections.abc import Sequence
from copy import copy
from dataclasses import replace
from typing import Unpack

import numpy as np

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies.forward import Forward
from evonas.proxies.proxy import Options, Proxy, Sizes
from evonas.proxies.swap import Swap

PUBLISHED = {"a": 0.9, "b": 1.2, "c": 1.5}
"""mu = sigma, in thousand parameters of the published proxy network, of SWAP-NAS-A, -B and -C on CIFAR-10; recalled,
for the authors' code has no search, but they fit the scale of that network's sizes."""
QUANTILES = {"a": 0.174, "b": 0.4685, "c": 0.7545}
"""Share of random genotypes whose published proxy network is no larger than `PUBLISHED`: of 2,000 of the space
`darts_open`, whose sizes have a standard deviation of `DEVIATION`."""
DEVIATION = 0.378
"""In thousand parameters."""
SETTINGS = ("largest", *PUBLISHED, *(f"paper_{name}" for name in PUBLISHED))


class SwapRegularized(Swap):
    """Regularized SWAP-Score Psi exp(-(theta - mu)^2 / sigma) with mu and sigma by a rule that sees no accuracy.

    ``largest``: mu is the largest theta of random architectures of the space and sigma = mu^2, so that the factor
    rises with size, from 1/e at none to 1 (ours). ``paper_a``, ``paper_b``, ``paper_c``: mu = sigma = 0.9, 1.2 and
    1.5 on the published proxy network (Peng et al. 2024, SWAP-NAS; networks of 3.06, 3.48 and 4.3 M parameters were
    found, as recalled). ``a``, ``b``, ``c``: the same preferences on any network: mu is the quantile of theta over
    random architectures that the published mu is on the published proxy network, and sqrt(sigma) is as many standard
    deviations of theta.

    It does not see what `Swap` does not see; it takes size for a merit or a fault whatever is in it.

    Args:
        setting: A name of `SETTINGS`.
        theta: As for `Swap`.
        options: Those of `Proxy`.

    Raises:
        SettingsError: No such setting, or an option that is out of range.
    """

    name = "swap_regularized"

    def __init__(self, *, setting: str = "largest", theta: Sizes = "scored", **options: Unpack[Options]) -> None:
        if setting not in SETTINGS:
            raise SettingsError(f"expected a setting of {', '.join(SETTINGS)} of '{self.name}', got '{setting}'")
        kind, _, name = setting.rpartition("_")
        if kind and theta != "scored":
            raise SettingsError(f"the setting '{setting}' is of the published proxy network, whose theta is 'scored'")
        if kind and options.get("skeleton", "proxy_paper") != "proxy_paper":
            raise SettingsError(
                f"the setting '{setting}' is of the skeleton proxy_paper, got {options['skeleton']}: use '{name}'"
            )
        if kind:
            options["skeleton"] = "proxy_paper"
        super().__init__(theta=theta, **options)
        self.setting = setting
        self.needs = replace(self.needs, head=True, sizes=theta)
        if kind:
            self.mu = self.sigma = PUBLISHED[name]

    def fitted(self, parameters: Sequence[int]) -> Proxy:
        """Return the proxy with mu and sigma of a space, from the sizes of random architectures."""
        if self.setting.startswith("paper_"):
            return self
        thousands = np.asarray(parameters, dtype=float) / 1000
        own = copy(self)
        if self.setting == "largest":
            own.mu = float(thousands.max())
            own.sigma = own.mu**2
        else:
            scale = float(thousands.std()) / DEVIATION
            own.mu = float(np.quantile(thousands, QUANTILES[self.setting]))
            own.sigma = PUBLISHED[self.setting] * scale**2
        return own

    def measure(self, forward: Forward) -> float:
        """Return the regularized score."""
        if self.mu is None or self.sigma is None:
            raise EvaluationError("expected mu and sigma of a space, got none: call fitted with sizes of its networks")
        if self.sigma == 0:
            raise EvaluationError("expected networks of different sizes, got equal ones: nothing is to be regularized")
        return super().measure(forward)

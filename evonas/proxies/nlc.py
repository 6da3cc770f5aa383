"""Nonlinearity coefficient: stretch of a network's Jacobian over the spread of its outputs."""

from __future__ import annotations

import math
import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Unpack

import torch
from torch import Tensor, nn
from torch.func import functional_call, jvp
from torch.nn.modules.batchnorm import _BatchNorm

from evonas.errors import EvaluationError, SettingsError
from evonas.proxies.activation_paths import last_tensor, stage_of
from evonas.proxies.forward import Forward, check_logits
from evonas.proxies.initialize import batch_statistics
from evonas.proxies.nlc_profile import BAND
from evonas.proxies.proxy import Options, Proxy


class Nlc(Proxy):
    """Nonlinearity coefficient sqrt(E tr(J C J') / tr D), C and D the covariances of inputs and outputs.

    J is the network's Jacobian at an image. It is 1 for an affine map and grows with nonlinearity. It is never
    plainly maximized: `objective` is the distance of its logarithm from a target band, and less of that is better
    (Philipp 2018, The Nonlinearity Coefficient, section 3; band: Philipp 2021, section 5).

    It does not see linear parts (skips, average pooling, factors on inputs and outputs, biases of the outputs) but
    for how they mix nonlinear ones, nor labels; `objective` sees nothing within the band.

    Args:
        band: Least and greatest coefficient aimed for, 0 < least <= greatest.
        products: Forward-mode products, each over the whole batch, >= 1; capped by the number of images less
            one.
        options: Those of `Proxy`.

    Raises:
        SettingsError: An option, `band` or `products` is out of range.
    """

    name = "nlc"
    direction = "min"

    def __init__(self, *, band: tuple[float, float] = BAND, products: int = 8, **options: Unpack[Options]) -> None:
        super().__init__(**options)
        if not 0 < band[0] <= band[1] or products < 1:
            raise SettingsError(f"expected a band 0 < least <= greatest and products >= 1, got {band} and {products}")
        self.band = band
        self.products = products

    def measure(self, forward: Forward) -> float:
        """Return the coefficient."""
        return nonlinearity(forward.network, forward.images, self.products)

    def objective(self, score: float) -> float:
        """Return how far the coefficient's logarithm is from the band; 0 within."""
        low, high = self.band
        return max(0.0, math.log(low / score), math.log(score / high))


def nonlinearity(network: nn.Module, images: Tensor, products: int) -> float:
    """Return the nonlinearity coefficient of a network on a batch.

    E tr(J C J') is the mean squared length of J(x) u over images x and deviations u of *other* images from
    the mean, one product for each shift of the batch against itself. Norms keep the statistics of the batch,
    so that an image's Jacobian is its own.

    Args:
        network: Network with its weights; it is not changed.
        images: Shape (n, channels, height, width), n >= 2.
        products: Number of shifts, >= 1; n - 1 of them use every pair.

    Raises:
        EvaluationError: Outputs are not finite or equal for all images.
    """
    return prefix_nonlinearity(network, images, products, ())[""]


def prefix_nonlinearity(network: nn.Module, images: Tensor, products: int, stages: Sequence[str]) -> dict[str, float]:
    """Return the coefficients of a network and of its prefixes, which end where its stages do; see `nonlinearity`.

    Args:
        network: Network with its weights; it is not changed.
        images: Shape (n, channels, height, width), n >= 2.
        products: Number of shifts, >= 1.
        stages: Parts of the network as `stage_of` names them. A prefix's output is the last output of its stage's
            modules.

    Returns:
        Coefficient by stage, in the order the stages end; of the whole network as "".

    Raises:
        EvaluationError: Outputs of the network or of a stage are not finite or equal for all images.
    """
    count = len(images)
    deviations = images - images.mean(0)
    parameters = {name: value.detach() for name, value in network.named_parameters()}

    def run(x: Tensor) -> dict[str, Tensor]:
        with _ends(network, stages) as ends:
            ends[""] = functional_call(network, parameters, (x.clone(),))
        return ends

    products = min(products, count - 1)
    with torch.no_grad(), batch_statistics(network), warnings.catch_warnings():
        # torch scripts its own formulas when the first product is taken, and warns of that.
        warnings.simplefilter("ignore", DeprecationWarning)
        _freeze_statistics(network, images)
        spreads = {stage: _spread(outputs) for stage, outputs in run(images).items()}
        stretches = dict.fromkeys(spreads, 0.0)
        for product in range(products):
            shift = 1 + product * (count - 1) // products
            changes = jvp(run, (images,), (deviations.roll(shift, 0),))[1]
            for stage, change in changes.items():
                stretches[stage] += change.double().flatten(1).square().sum(1).mean().item() / products
    return {stage: math.sqrt(stretches[stage] / spread) for stage, spread in spreads.items()}


def _spread(outputs: Tensor) -> float:
    values = check_logits(outputs).double().flatten(1)
    spread = (values - values.mean(0)).square().sum(1).mean().item()
    if spread <= 1e-24 * values.square().sum(1).mean().item():
        raise EvaluationError(
            "expected outputs that tell images apart, got equal ones: no path leads from the images to "
            "the outputs, or its neurons are dead"
        )
    return spread


@contextmanager
def _ends(network: nn.Module, stages: Sequence[str]) -> Iterator[dict[str, Tensor]]:
    """Collect the last output of each stage while the context lasts, in the order the stages end."""
    found: dict[str, Tensor] = {}

    def keep(stage: str, output: Any) -> None:
        tensor = last_tensor(output)
        if tensor is not None:
            found.pop(stage, None)
            found[stage] = tensor.clone()  # an activation behind it may write in place

    modules = network.named_modules() if stages else ()
    handles = [
        module.register_forward_hook(lambda module, inputs, output, stage=stage: keep(stage, output))
        for name, module in modules
        if name and (stage := stage_of(network, name)) in stages
    ]
    try:
        yield found
    finally:
        for handle in handles:
            handle.remove()


def _freeze_statistics(network: nn.Module, images: Tensor) -> None:
    """Fix every batch norm's statistics to those of the batch; `batch_statistics` takes them back."""
    norms = [module for module in network.modules() if isinstance(module, _BatchNorm)]

    def read(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        values = inputs[0].transpose(0, 1).flatten(1)
        statistics[module] = values.mean(1), values.var(1, unbiased=False)

    statistics: dict[nn.Module, tuple[Tensor, Tensor]] = {}
    hooks = [norm.register_forward_pre_hook(read) for norm in norms]
    try:
        network(images.clone())
    finally:
        for hook in hooks:
            hook.remove()
    for norm in norms:
        if norm in statistics:
            norm.running_mean, norm.running_var = statistics[norm]
            norm.training = False

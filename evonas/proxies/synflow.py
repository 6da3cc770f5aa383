"""SynFlow: signal that flows through a network whose weights are all made positive."""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.func import functional_call

from evonas.errors import EvaluationError
from evonas.proxies.forward import Forward, check_logits, weight_names
from evonas.proxies.initialize import NORMS, undisturbed
from evonas.proxies.proxy import Proxy


class Synflow(Proxy):
    """Logarithm of the synaptic flow: log of the sum over convolution and linear weights w of \\|w\\| dR/d\\|w\\|.

    R is the sum of the outputs for one image of ones, with all parameters replaced by their magnitudes and
    norms left out, in float64. More is better (Tanaka et al. 2020, SynFlow, equation 2; without norms as by
    Abdelfattah et al. 2021, Zero-Cost Proxies for Lightweight NAS, section 3.2; the logarithm keeps deep
    networks readable and does not change the order).

    It sees neither images nor labels, nor norms; activations only where they change positive values (a ReLU does
    not). Depth and width alone raise it.
    """

    name = "synflow"
    direction = "max"

    def measure(self, forward: Forward) -> float:
        """Return the logarithm of the flow."""
        flow = synaptic_flow(forward.network, tuple(forward.images.shape[1:]))
        if flow == 0:
            raise EvaluationError("expected a signal at the outputs, got none: no path of weights leads there")
        return math.log(flow)


def synaptic_flow(network: nn.Module, shape: tuple[int, ...]) -> float:
    """Return the synaptic flow of a network, without the logarithm.

    Args:
        network: Stand-alone network; it is not changed.
        shape: Channels, height and width of an image.

    Raises:
        EvaluationError: The flow overflows float64.
    """
    state = {
        name: value.detach().abs().double() if value.is_floating_point() else value
        for name, value in (*network.named_parameters(), *network.named_buffers())
    }
    weights = [state[name].requires_grad_() for name in weight_names(network)]
    hooks = [module.register_forward_hook(_bypass) for module in network.modules() if isinstance(module, NORMS)]
    try:
        with torch.enable_grad(), undisturbed(network):
            ones = torch.ones(1, *shape, dtype=torch.float64, device=next(iter(state.values())).device)
            outputs = check_logits(functional_call(network, state, (ones,)))
            gradients = torch.autograd.grad(outputs.sum(), weights, allow_unused=True)
    finally:
        for hook in hooks:
            hook.remove()
    return sum(
        (weight * gradient).abs().sum().item()
        for weight, gradient in zip(weights, gradients, strict=True)
        if gradient is not None
    )


def _bypass(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor:
    return inputs[0]

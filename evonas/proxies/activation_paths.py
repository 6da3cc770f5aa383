"""Activations of a network in the order they run: their inputs, and the products along paths through them."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError
from evonas.proxies.activation_nlc import activation_nlc
from evonas.proxies.initialize import batch_statistics
from evonas.proxies.nlc_profile import ActivationNlc
from evonas.proxies.patterns import ACTIVATIONS

__all__ = ["Activations", "last_tensor", "read_activations", "stage_of"]


@dataclass(frozen=True)
class Activations:
    """Activations of a network, and the greatest products of their unit coefficients.

    Attributes:
        found: In the order they run.
        products: Stage, or "" for the whole network -> product along the path to its end on which it is greatest.
        depths: The same -> most activations that follow one another up to its end.
    """

    found: tuple[ActivationNlc, ...]
    products: Mapping[str, float]
    depths: Mapping[str, int]


def stage_of(network: nn.Module, name: str) -> str:
    """Return the part of a network that a module belongs to: a child, or where that is a list a member of it."""
    first, *rest = name.split(".")
    child = dict(network.named_children()).get(first)
    return f"{first}.{rest[0]}" if rest and isinstance(child, nn.ModuleList) else first


def read_activations(network: nn.Module, images: Tensor) -> Activations:
    """Run a network once, norms with the batch's statistics, and read what its activations see.

    Paths are those of the automatic differentiation's graph, so that whatever a network's forward pass does counts.

    Args:
        network: It is not changed.
        images: Shape (n, channels, height, width).

    Raises:
        EvaluationError: An activation puts out one value for all inputs.
    """
    names = {module: name for name, module in network.named_modules()}
    inputs_of: list[tuple[nn.Module, Tensor, Tensor]] = []
    marks: dict[Any, int] = {}
    ends: dict[str, Any] = {}

    def before(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:  # before it writes in place
        values = inputs[0].detach().double().cpu()
        channels = values.transpose(0, 1).flatten(1) if values.ndim > 1 else values[None]
        inputs_of.append((module, channels.mean(1), channels.std(1, unbiased=False)))

    def after(module: nn.Module, inputs: tuple[Any, ...], output: Any) -> None:
        tensor = last_tensor(output)
        if tensor is None:
            return
        # The node itself: what writes in place later gives the tensor another.
        ends[stage_of(network, names[module])] = tensor.grad_fn
        if isinstance(module, ACTIVATIONS) and tensor.grad_fn is not None:
            marks[tensor.grad_fn] = len(inputs_of) - 1

    activations = [module for module in names if isinstance(module, ACTIVATIONS)]
    handles = [module.register_forward_pre_hook(before) for module in activations]
    handles += [module.register_forward_hook(after) for module in names if module is not network]
    try:
        with torch.enable_grad(), batch_statistics(network):
            # A copy, because a network may begin with an activation that writes in place.
            ends[""] = network(images.detach().requires_grad_().clone()).grad_fn
    finally:
        for handle in handles:
            handle.remove()
    found = _coefficients(network, names, inputs_of)
    logs = {node: math.log(found[number].unit) for node, number in marks.items()}
    known: dict[Any, tuple[float, int]] = {}
    reached = {stage: _greatest(node, logs, known) for stage, node in ends.items()}
    return Activations(
        found,
        {stage: math.exp(product) for stage, (product, _) in reached.items()},
        {stage: depth for stage, (_, depth) in reached.items()},
    )


def _coefficients(
    network: nn.Module, names: Mapping[nn.Module, str], inputs_of: Sequence[tuple[nn.Module, Tensor, Tensor]]
) -> tuple[ActivationNlc, ...]:
    found, units = [], dict[str, float]()
    for module, mean, sd in inputs_of:
        name = names[module]
        shared = repr(module) if next(module.parameters(), None) is None else name
        try:
            if shared not in units:
                units[shared] = activation_nlc(module)
            here = activation_nlc(module, mean, sd)
        except EvaluationError as error:
            raise EvaluationError(f"{name}: {error}") from None
        found.append(ActivationNlc(name, stage_of(network, name), type(module).__name__, units[shared], here))
    return tuple(found)


def last_tensor(output: Any) -> Tensor | None:
    """Return the last tensor that a module puts out, or None where it puts out none."""
    if isinstance(output, Tensor):
        return output
    if isinstance(output, (tuple, list)):
        return next((one for one in reversed(output) if isinstance(one, Tensor)), None)
    return None


def _greatest(node: Any, marks: Mapping[Any, float], known: dict[Any, tuple[float, int]]) -> tuple[float, int]:
    """Return the greatest sum of marks on a path that ends at a node of the graph, and the most marks on one."""
    stack: list[Any] = [] if node is None else [node]
    while stack:
        current = stack[-1]
        before = [function for function, _ in current.next_functions if function is not None]
        missing = [function for function in before if function not in known]
        if missing:
            stack += missing
            continue
        stack.pop()
        known[current] = _extended([known[function] for function in before], marks.get(current))
    return known.get(node, (0.0, 0))


def _extended(before: Sequence[tuple[float, int]], mark: float | None) -> tuple[float, int]:
    product = max((product for product, _ in before), default=0.0)
    depth = max((depth for _, depth in before), default=0)
    return (product, depth) if mark is None else (product + mark, depth + 1)

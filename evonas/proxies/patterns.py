"""Activation patterns: which neurons fire on which images, packed into words and counted exactly."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import lru_cache

import torch
from torch import Tensor, nn

from evonas.errors import EvaluationError

ACTIVATIONS: tuple[type[nn.Module], ...] = (
    nn.ReLU,
    nn.ReLU6,
    nn.LeakyReLU,
    nn.PReLU,
    nn.RReLU,
    nn.ELU,
    nn.CELU,
    nn.SELU,
    nn.GELU,
    nn.SiLU,
    nn.Mish,
    nn.Softplus,
    nn.Hardswish,
    nn.Hardtanh,
    nn.Tanh,
)
"""Modules whose input's sign is a pattern's bit; the gates Sigmoid and Hardsigmoid are left out."""

NO_ACTIVATION = (
    "expected activation modules with 4-D inputs, such as nn.ReLU after a convolution, got none: functional "
    "activations are not seen"
)

DIGIT = 24  # bits of a packed word: the largest for which a float32 sum of powers of two is exact
TABLE = 24  # samples up to which a table of all 2^S patterns is quicker than sorting


@contextmanager
def packing(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect the packed patterns of every activation that sees a 4-D input while the context lasts.

    Yields:
        A list that each forward pass appends to: one tensor of shape (digits, neurons) per activation call. A
        digit holds the bits of up to 24 images as a float32 integer. It works under `torch.func.vmap` too,
        and the bits are taken before activations that write in place.
    """
    with _before_activations(network, pack_bits) as packed:
        yield packed


@contextmanager
def sign_bits(network: nn.Module) -> Iterator[list[Tensor]]:
    """Collect, for every activation that sees a 4-D input, on how many neurons the bits of two images agree.

    Yields:
        A list that each forward pass appends to: one float64 tensor of shape (images, images) per call.
    """
    with _before_activations(network, agreement) as kernels:
        yield kernels


@contextmanager
def _before_activations(network: nn.Module, read: Callable[[Tensor], Tensor]) -> Iterator[list[Tensor]]:
    found: list[Tensor] = []

    def hook(module: nn.Module, inputs: tuple[Tensor, ...]) -> None:
        if inputs[0].ndim == 4:
            found.append(read(inputs[0]))

    hooks = [module.register_forward_pre_hook(hook) for module in network.modules() if isinstance(module, ACTIVATIONS)]
    try:
        yield found
    finally:
        for handle in hooks:
            handle.remove()


def pack_bits(values: Tensor) -> Tensor:
    """Pack the signs of a batch of pre-activations into integers held by float32.

    Args:
        values: Pre-activations, shape (samples, ...), any float type.

    Returns:
        Shape (ceil(samples / 24), neurons): digits in base 2^24, bit s % 24 of digit s // 24 of neuron v
        being ``values[s, v] > 0``.
    """
    bits = (values.detach().flatten(1) > 0).float()
    return _powers(bits.shape[0], bits.device) @ bits


def agreement(values: Tensor) -> Tensor:
    """Count the neurons on which the bits of two samples agree, for each pair of samples.

    Args:
        values: Pre-activations, shape (samples, ...).

    Returns:
        Shape (samples, samples), float64: neurons minus Hamming distance.
    """
    bits = (values.detach().flatten(1) > 0).float()
    both = (bits @ bits.T).double()
    ones = both.diagonal()
    return bits.shape[1] - ones[:, None] - ones[None, :] + 2 * both


@lru_cache(maxsize=16)
def _powers(samples: int, device: torch.device) -> Tensor:
    """Return the matrix that packs bits of shape (samples, neurons) by a product."""
    sample = torch.arange(samples)
    powers = torch.zeros(-(-samples // DIGIT), samples)
    powers[sample // DIGIT, sample] = torch.exp2((sample % DIGIT).float())
    return powers.to(device)


def count_packed(packed: Tensor, samples: int) -> Tensor:
    """Count distinct patterns exactly.

    Args:
        packed: Patterns of R networks as `pack_bits` makes them, shape (R, digits, neurons).
        samples: Number of images, S >= 1.

    Returns:
        Shape (R,), int64, each between 1 and min(neurons, 2^S).
    """
    if samples <= TABLE:
        rows, size = len(packed), 1 << samples
        seen = torch.zeros(rows * size, dtype=torch.bool, device=packed.device)
        offsets = torch.arange(rows, device=packed.device).unsqueeze(1) * size
        seen[(packed[:, 0].long() + offsets).flatten()] = True
        return seen.view(rows, size).count_nonzero(1)
    return torch.stack([_count_sorted(digits, samples) for digits in packed])


def _count_sorted(digits: Tensor, samples: int) -> Tensor:
    """Count distinct columns by sorting one int64 key each; beyond 62 images the key's head is a rank."""
    key, width = digits[0].long(), DIGIT
    for position, digit in enumerate(digits[1:], start=1):
        bits = min(DIGIT, samples - position * DIGIT)
        if width + bits > 62:
            key, width = torch.unique(key, return_inverse=True)[1], len(key).bit_length()
        key, width = (key << bits) | digit.long(), width + bits
    ordered = key.sort().values
    return (ordered[1:] != ordered[:-1]).sum() + 1


def count_patterns(network: nn.Module, images: Tensor) -> int:
    """Count the distinct activation patterns of a network as it stands, over the union of its activations.

    A pattern is one neuron's bits over the batch, a bit being the sign before the activation (Peng et al.
    2024, SWAP-NAS, definition 3.2).

    Args:
        network: Network with its weights and modes as they are to count.
        images: Shape (S, channels, height, width).

    Returns:
        Between 1 and min(neurons, 2^S).

    Raises:
        EvaluationError: The network holds no activation module with a 4-D input.
    """
    with torch.no_grad(), packing(network) as packed:
        network(images.clone())
    return int(count_packed(join(packed).unsqueeze(0), len(images)))


def join(packed: list[Tensor]) -> Tensor:
    """Return the patterns of all activations as one tensor, shape (digits, neurons).

    Raises:
        EvaluationError: There are none.
    """
    if not packed:
        raise EvaluationError(NO_ACTIVATION)
    return torch.cat(packed, 1)

"""Lower precision and compiled blocks: off by default, since what helps depends on the device."""

from __future__ import annotations

import types
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from typing import Any

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError, suggest
from evonas.networks.elastic import ElasticLayer

PRECISIONS: dict[str, torch.dtype | None] = {"float32": None, "bfloat16": torch.bfloat16}
"""What convolutions and linear layers are computed in; weights, norms and losses stay as they are."""


def check_precision(precision: str) -> None:
    """Refuse a name that is no precision's.

    Raises:
        SettingsError: No precision has this name.
    """
    if precision not in PRECISIONS:
        raise SettingsError(
            f"Expected a precision of {', '.join(PRECISIONS)}, got '{precision}'.{suggest(precision, PRECISIONS)}"
        )


def autocast(precision: str, device: torch.device) -> AbstractContextManager[Any]:
    """Return the context that forward passes run in.

    Args:
        precision: Name in `PRECISIONS`.
        device: Where the images are.

    Raises:
        SettingsError: No precision has this name.
    """
    check_precision(precision)
    dtype = PRECISIONS[precision]
    return nullcontext() if dtype is None else torch.autocast(device.type, dtype=dtype)


@contextmanager
def compiled_blocks(network: nn.Module, backend: str | Callable[..., Any] | None = "inductor") -> Iterator[int]:
    """Run the fixed candidates of a supernet's slots compiled; gives how many there are.

    Every candidate is compiled by itself, once, when a path first runs it: which candidates a path joins changes
    nothing that was compiled. Elastic ones (slices of one block) are left alone, as are identities.

    Args:
        network: The supernet; hooks on layers within candidates are not called meanwhile.
        backend: Of `torch.compile`; None: nothing is compiled.
    """
    blocks: list[nn.Module] = []
    if backend is not None:
        blocks = list(_fixed(network))
        for block in blocks:
            block.forward = _compiled(block, backend)
    try:
        yield len(blocks)
    finally:
        for block in blocks:
            del block.forward  # the class's own again


def _fixed(network: nn.Module) -> Iterator[nn.Module]:
    for slot in network.modules():
        if isinstance(slot, nn.ModuleDict):
            for candidate in slot.values():
                elastic = any(isinstance(layer, ElasticLayer) for layer in candidate.modules())
                if not elastic and any(True for _ in candidate.parameters()):
                    yield candidate


def _compiled(block: nn.Module, backend: str | Callable[..., Any]) -> Callable[..., Tensor]:
    own = block.forward

    def run(*args: Any) -> Tensor:
        outputs: Tensor = own(*args)
        return outputs

    # What is compiled is kept by code object, a few variants of each: without one of its own the blocks of a class
    # would count as variants of one function, and soon run as if nothing had been compiled.
    fresh = types.FunctionType(run.__code__.replace(), run.__globals__, run.__name__, None, run.__closure__)
    return torch.compile(fresh, backend=backend, dynamic=False)

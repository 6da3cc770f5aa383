"""Dropping paths of a network in training.

References:
    .. [Larsson2017] Larsson, Maire, Shakhnarovich: FractalNet, ICLR 2017, arXiv 1605.07648.
    .. [Zoph2018] Zoph et al.: Learning Transferable Architectures, CVPR 2018, arXiv 1707.07012.
"""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType

import torch
from torch import Tensor, nn

from evonas.networks import Branched


class DropPath:
    """Drops, per image, what an edge of a cell or the branch beside a residual puts out ([Zoph2018]_ A.1).

    What is kept is divided by the share kept, so that its mean stays. Identities are never dropped. A context
    in which the network's forward passes in training mode are changed; afterwards the network is as it was.

    Args:
        network: Any network; one without branches is left alone.
        generator: Source of randomness.

    Attributes:
        rate: Share dropped, in [0, 1).
    """

    def __init__(self, network: nn.Module, generator: torch.Generator) -> None:
        self.rate = 0.0
        self._network, self._generator = network, generator
        self._handles: list[torch.utils.hooks.RemovableHandle] = []

    def __enter__(self) -> DropPath:
        self._handles = [branch.register_forward_hook(self._drop) for branch in branches(self._network)]
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for handle in self._handles:
            handle.remove()

    def _drop(self, module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> Tensor | None:
        if not self.rate or not module.training:
            return None
        keep = 1 - self.rate
        device = self._generator.device
        kept = torch.rand(len(output), 1, 1, 1, generator=self._generator, device=device) < keep
        return output * kept.to(output.device, output.dtype).div_(keep)


def branches(network: nn.Module) -> Iterator[nn.Module]:
    """Yield what may be dropped: edges but identities, and the last norm of a branch beside a residual."""
    for module in network.modules():
        if isinstance(module, Branched):
            yield from module.branches()

"""An auxiliary classifier at two thirds of a network's depth, for training alone.

References:
    .. [Szegedy2015] Szegedy et al.: Going Deeper with Convolutions, CVPR 2015, arXiv 1409.4842.
    .. [Liu2019] Liu, Simonyan, Yang: DARTS, ICLR 2019, arXiv 1806.09055.
"""

from __future__ import annotations

from fractions import Fraction

import torch
from torch import Tensor, nn

from evonas.errors import SettingsError
from evonas.files.size import Size, height_width, make_size
from evonas.networks import Network, initialize

DEPTH = Fraction(2, 3)
"""Where in a network the head reads."""


class AuxiliaryHead(nn.Sequential):
    """[Liu2019]_'s head: pooling to 2x2, 1x1 to 128 channels, 2x2 to 768, linear.

    The pooling's windows are 5x5 and overlap as in the original at its sizes, 8x8 (CIFAR) and 7x7 (ImageNet).

    Args:
        channels: Channels read.
        size: Size of the maps read.
        classes: Number of classes.
    """

    def __init__(self, channels: int, size: Size, classes: int) -> None:
        super().__init__(
            nn.ReLU(),
            _pooling(*height_width(size)),
            nn.Conv2d(channels, 128, 1, bias=False),
            nn.BatchNorm2d(128),
            nn.ReLU(),
            nn.Conv2d(128, 768, 2, bias=False),
            nn.BatchNorm2d(768),
            nn.ReLU(),
            nn.Flatten(),
            nn.Linear(768, classes),
        )


def _pooling(height: int, width: int) -> nn.Module:
    """Return the pooling of maps to 2x2."""
    windows = [max(5, (side + 1) // 2) for side in (height, width)]
    if all(side > window for side, window in zip((height, width), windows, strict=True)):
        return nn.AvgPool2d((windows[0], windows[1]), (height - windows[0], width - windows[1]))
    return nn.AdaptiveAvgPool2d(2)


class Tap:
    """Keeps the latest output of the module at two thirds of a network's depth.

    Args:
        network: Network whose family says what stands there; one of a cell space.

    Attributes:
        output: Shape (n, channels, height, width).

    Raises:
        SettingsError: Nothing stands there, as in networks without cells.
    """

    def __init__(self, network: nn.Module) -> None:
        tapped = network.tap(DEPTH) if isinstance(network, Network) else None
        if tapped is None:
            raise SettingsError(
                "Expected a network of cells for an auxiliary head, "
                f"got a {type(network).__name__}: set auxiliary = 0 in the recipe, or use 'mobile'"
            )
        self.output: Tensor | None = None
        self._handle = tapped.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: object, output: Tensor | tuple[Tensor, ...]) -> None:
        self.output = output[-1] if isinstance(output, tuple) else output

    def take(self) -> Tensor:
        """Return the output and forget it, so that its graph is freed."""
        output, self.output = self.output, None
        assert output is not None
        return output

    def remove(self) -> None:
        """Leave the network as it was."""
        self._handle.remove()


def auxiliary_head(network: nn.Module, tap: Tap, generator: torch.Generator) -> AuxiliaryHead:
    """Return a new head that fits a network, on its device.

    Args:
        network: Network that the tap reads, in any mode, which is kept.
        tap: Its tap.
        generator: Source of the head's weights, on the CPU.
    """
    assert isinstance(network, Network)  # the tap has checked
    skeleton, device = network.skeleton, next(network.parameters()).device
    training = network.training
    with torch.no_grad():
        network.eval()
        network(torch.zeros(1, *skeleton.shape, device=device))
        network.train(training)
    output = tap.take()
    with torch.device("meta"):  # torch's own first weights would draw from the global generator
        head = AuxiliaryHead(output.shape[1], make_size(output.shape[2], output.shape[3]), skeleton.classes)
    initialize(head.to_empty(device="cpu"), generator)
    return head.to(device)

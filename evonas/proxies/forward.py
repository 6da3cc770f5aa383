"""One forward pass of an untrained network, and what proxies read off it, each computed at most once."""

from __future__ import annotations

from functools import cached_property

import torch
from torch import Tensor, nn
from torch.func import functional_call
from torch.nn import functional as F

from evonas.errors import EvaluationError
from evonas.proxies.initialize import WEIGHTED, batch_statistics
from evonas.proxies.patterns import NO_ACTIVATION, sign_bits


class Forward:
    """A network, a batch, and the quantities of one forward pass that several proxies share.

    The pass runs with the network's own weights; norms use the batch's statistics; dropout stays out. Nothing
    of the network changes: neither weights, buffers, gradients, modes nor hooks.

    Args:
        network: Stand-alone network: ``network(images)`` gives logits, shape (n, classes).
        images: Normalized images, shape (n, channels, height, width).
        generator: Source of all that is random in a score.
        labels: Class of each image, shape (n,), int64, or None.
        target_parameters: Parameters of the network that is searched and that this one stands for, or None.
    """

    def __init__(
        self,
        network: nn.Module,
        images: Tensor,
        generator: torch.Generator,
        labels: Tensor | None = None,
        target_parameters: int | None = None,
    ) -> None:
        self.network = network
        self.images = images
        self.generator = generator
        self.labels = labels
        self.target_parameters = target_parameters

    def check(self) -> None:
        """Refuse a batch on which no score means anything.

        Raises:
            EvaluationError: Fewer than two images, images that are not finite or all equal, or labels that do
                not fit them.
        """
        images = self.images
        if images.ndim != 4 or not images.is_floating_point():
            raise EvaluationError(
                "expected float images of shape (n, channels, height, width), "
                f"got {images.dtype} of shape {tuple(images.shape)}: normalize them first"
            )
        if len(images) < 2:
            raise EvaluationError(f"expected at least 2 images, got {len(images)}: pass more of them")
        if self._fault:
            raise EvaluationError(self._fault)
        if self.labels is not None and self.labels.shape != images.shape[:1]:
            raise EvaluationError(
                f"expected one label per image, got labels of shape {tuple(self.labels.shape)} "
                f"for {len(images)} images: pass both from the same rows"
            )

    @cached_property
    def _fault(self) -> str:
        if not bool(self.images.isfinite().all()):
            return "expected finite images, got NaN or infinity: check the data and its normalization"
        if bool((self.images == self.images[:1]).all()):
            return "expected images that differ, got copies of one image: pass a batch of real images"
        return ""

    @cached_property
    def _pass(self) -> tuple[Tensor, Tensor, dict[str, Tensor], Tensor | None]:
        """Run the network: images and weights that gradients lead to, logits, and the kernel of the bits."""
        images = self.images.detach().requires_grad_()
        leaves = {name: value.detach() for name, value in self.network.named_parameters()}
        weights = {name: leaves[name].requires_grad_() for name in weight_names(self.network)}
        with torch.enable_grad(), batch_statistics(self.network), sign_bits(self.network) as kernels:
            # A copy, because a network may begin with an activation that writes in place.
            logits = functional_call(self.network, leaves, (images.clone(),))
        return images, check_logits(logits), weights, torch.stack(kernels).sum(0) if kernels else None

    @property
    def logits(self) -> Tensor:
        """Outputs of the network, shape (n, classes), finite, with gradients to images and weights."""
        return self._pass[1]

    @property
    def weights(self) -> dict[str, Tensor]:
        """Weights of convolutions and linear layers by name, without biases, detached from the network."""
        return self._pass[2]

    @property
    def kernel(self) -> Tensor:
        """Number of neurons whose bits agree, for each pair of images, shape (n, n), float64.

        Raises:
            EvaluationError: The network holds no activation module with a 4-D input.
        """
        if self._pass[3] is None:
            raise EvaluationError(NO_ACTIVATION)
        return self._pass[3]

    @cached_property
    def jacobian(self) -> Tensor:
        """Gradient of the sum of all outputs with regard to the images, shape (n, pixels)."""
        images, logits, *_ = self._pass
        (gradient,) = torch.autograd.grad(logits.sum(), images, retain_graph=True, allow_unused=True)
        if gradient is None:
            raise EvaluationError("expected outputs that depend on the images, got none that do")
        return gradient.flatten(1)

    @cached_property
    def gradients(self) -> dict[str, Tensor]:
        """Gradient of the mean cross-entropy with regard to each weight that reaches the outputs, by name.

        Raises:
            EvaluationError: Labels are missing or do not fit the outputs.
        """
        if self.labels is None:
            raise EvaluationError("expected labels of the images, got none: pass labels")
        _, logits, weights, _ = self._pass
        if logits.ndim != 2 or int(self.labels.max()) >= logits.shape[1]:
            raise EvaluationError(
                f"expected one output per class, got outputs of shape {tuple(logits.shape)} for labels up to "
                f"{int(self.labels.max())}: build the network with a head for the data's classes"
            )
        loss = F.cross_entropy(logits, self.labels.to(logits.device))
        values = torch.autograd.grad(loss, list(weights.values()), retain_graph=True, allow_unused=True)
        return {name: value for name, value in zip(weights, values, strict=True) if value is not None}


def weight_names(network: nn.Module) -> list[str]:
    """Return the names of the weights of convolutions and linear layers, without biases."""
    weights = {id(module.weight) for module in network.modules() if isinstance(module, WEIGHTED)}
    return [name for name, parameter in network.named_parameters() if id(parameter) in weights]


def check_logits(logits: Tensor) -> Tensor:
    """Return the outputs of a network if all are finite.

    Raises:
        EvaluationError: The network gave something else than a tensor, or NaN or infinity.
    """
    if not isinstance(logits, Tensor):
        raise EvaluationError(f"expected a network that returns a tensor, got {type(logits).__name__}: unpack it")
    if not bool(logits.isfinite().all()):
        raise EvaluationError(
            "expected finite outputs, got NaN or infinity: the untrained network overflows, as one without "
            "normalization may"
        )
    return logits

"""Classifier of a network fitted by regression on features of images, all else as it is."""

from __future__ import annotations

from collections.abc import Callable
from typing import cast

import torch
from torch import Tensor, nn

from evonas.data import Dataset
from evonas.errors import SettingsError
from evonas.networks import Network
from evonas.spaces import Path
from evonas.tasks import Task

__all__ = ["features_of", "fit_classifier", "fit_layer", "last_layer"]

PENALTIES = 10.0, 100.0, 1000.0, 10_000.0
"""How much half the squared norm of a classifier's weights counts against the sum of losses, features standardized."""
HELD_OUT = 0.2
"""Share of the images that the penalty is chosen on."""


def last_layer(network: Network) -> nn.Linear:
    """The layer that gives a network's outputs.

    Raises:
        SettingsError: The network has no classifier.
    """
    layers = [module for module in network.modules() if isinstance(module, nn.Linear)]
    if not layers:
        raise SettingsError("Expected a network with a classifier, got one without: use a skeleton with a head")
    return layers[-1]


@torch.no_grad()
def features_of(network: Network, images: Tensor, data: Dataset, path: Path | None, batch_size: int = 100) -> Tensor:
    """What the last layer reads, of each image, by the statistics of norms as they are.

    Args:
        network: The network; its mode is left as it was.
        images: uint8, shape (n, c, h, w).
        data: Normalizes them.
        path: What runs; None for a stand-alone network.
        batch_size: Images per pass.

    Returns:
        float32, shape (n, features), on the network's device.
    """
    found: list[Tensor] = []
    handle = last_layer(network).register_forward_pre_hook(lambda _, inputs: found.append(inputs[0].detach()))
    training = network.training
    network.eval()
    try:
        for batch in torch.split(images, batch_size):
            network(data.normalize(batch).contiguous(memory_format=torch.channels_last), path)
    finally:
        handle.remove()
        network.train(training)
    return torch.cat(found)


def fit_classifier(network: Network, data: Dataset, path: Path | None, task: Task) -> float:
    """Fit the last layer on features of the train part, all else as it is; return the mean loss there.

    Of classes that is multinomial logistic regression, of continuous targets ridge regression; see `fit_layer`.

    Args:
        network: The network; its last layer is overwritten.
        data: Data set on its device.
        path: Path whose features are read; None for a stand-alone network.
        task: Loss.
    """
    features = features_of(network, data.train.images, data, path).double()
    return fit_layer(last_layer(network), features, data.train.labels, task)


def fit_layer(layer: nn.Linear, features: Tensor, labels: Tensor, task: Task) -> float:
    """Fit a linear layer by a task's loss on given features, from zero; return the mean loss.

    The loss is minimized by L-BFGS on standardized features, with a penalty on the weights' squares: the one of
    `PENALTIES` whose fit on the first four fifths of the images does best on the last fifth.

    Args:
        layer: What is overwritten.
        features: float64, shape (n, features).
        labels: Targets, n of them.
        task: Loss.
    """
    mean, deviation = features.mean(0), features.std(0).clamp_min(1e-6)
    standard = (features - mean) / deviation
    cut = len(features) - max(1, round(HELD_OUT * len(features)))

    def held_out(penalty: float) -> float:
        weight, bias = _minimized(standard[:cut], labels[:cut], layer.out_features, task, penalty)
        return float(task.loss(standard[cut:] @ weight.T + bias, labels[cut:]))

    penalty = min(PENALTIES, key=held_out) if cut > 0 else PENALTIES[-1]
    weight, bias = _minimized(standard, labels, layer.out_features, task, penalty)
    with torch.no_grad():
        layer.weight.copy_(weight / deviation)
        if layer.bias is not None:
            layer.bias.copy_(bias - (weight / deviation) @ mean)
    return float(task.loss(standard @ weight.T + bias, labels))


def _minimized(features: Tensor, labels: Tensor, outputs: int, task: Task, penalty: float) -> tuple[Tensor, Tensor]:
    """Weight and bias that minimize a task's mean loss and a penalty, found from zero."""
    weight = torch.zeros(outputs, features.shape[1], dtype=features.dtype, device=features.device, requires_grad=True)
    bias = torch.zeros(outputs, dtype=features.dtype, device=features.device, requires_grad=True)
    optimizer: torch.optim.Optimizer = torch.optim.LBFGS(
        [weight, bias], max_iter=200, history_size=10, line_search_fn="strong_wolfe"
    )

    def closure() -> Tensor:
        optimizer.zero_grad()
        loss = task.loss(features @ weight.T + bias, labels) + 0.5 * penalty * weight.square().sum() / len(features)
        torch.autograd.backward(loss)
        return loss

    optimizer.step(cast(Callable[[], float], closure))
    return weight.detach(), bias.detach()

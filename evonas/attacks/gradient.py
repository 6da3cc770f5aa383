"""FGSM and PGD: steps up the gradient of the loss, in batches, an image left alone as soon as it is misclassified.

References:
    .. [Goodfellow2015] Goodfellow, Shlens, Szegedy: Explaining and Harnessing Adversarial Examples, arXiv 1412.6572.
    .. [Madry2018] Madry et al.: Towards Deep Learning Models Resistant to Adversarial Attacks, arXiv 1706.06083.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from evonas.attacks.attempt import Attempt
from evonas.attacks.settings import AttackSettings
from evonas.errors import EvaluationError

__all__ = ["ascend", "attempt_gradients", "random_start"]

BATCH = 256
"""Images attacked at once."""
STRIDE = 2.5
"""Sum of all steps in epsilons, so that any point of the ball is reached from any other ([Madry2018]_)."""


def attempt_gradients(attack: AttackSettings, model: nn.Module, images: Tensor, labels: Tensor, seed: int) -> Attempt:
    """Return what FGSM or PGD does to images; see `Attack.attempt`."""
    generator = torch.Generator().manual_seed(seed)
    parts = zip(torch.split(images, BATCH), torch.split(labels, BATCH), strict=True)
    found = [_attempt(attack, model, *part, generator) for part in parts]
    return Attempt(*(torch.cat(column) for column in zip(*found, strict=True)))


def _attempt(
    attack: AttackSettings, model: nn.Module, images: Tensor, labels: Tensor, generator: torch.Generator
) -> Attempt:
    alive, last = _right(model, images, labels), images.clone()
    for _ in range(attack.restarts):
        start = random_start(images, attack, generator) if attack.kind == "pgd" else images
        rows = torch.nonzero(alive)[:, 0]
        moved, clean, own = start[rows], images[rows], labels[rows]
        for _ in range(attack.steps):
            if not len(rows):
                return Attempt(alive, last)
            gradient, right = _gradient(model, moved, own)
            alive[rows], last[rows] = right, moved
            rows, moved, clean, own, gradient = (part[right] for part in (rows, moved, clean, own, gradient))
            moved = ascend(moved, clean, gradient, attack)
        if len(rows):
            alive[rows], last[rows] = _right(model, moved, own), moved
    return Attempt(alive, last)


@torch.no_grad()
def _right(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    return _finite(model(images)).argmax(-1) == labels


def _gradient(model: nn.Module, images: Tensor, labels: Tensor) -> tuple[Tensor, Tensor]:
    """Return the direction of each image's gradient of the cross-entropy, and which are classified as labeled.

    Cross-entropy is ``log(1 + exp(m))`` with m the other logits' logarithm of summed exponentials less the true one.
    The gradient of m is a positive multiple of its own, and does not vanish where a network is sure: a gradient that
    is zero by rounding would pass for robustness.
    """
    asked = images.detach().requires_grad_()
    with torch.enable_grad():
        logits = _finite(model(asked))
        own = labels.unsqueeze(1)
        others = logits.scatter(1, own, -torch.inf).logsumexp(1)
        margin = others - logits.gather(1, own)[:, 0]
    (gradient,) = torch.autograd.grad(margin.sum(), asked)
    return gradient, logits.detach().argmax(-1) == labels


def _finite(logits: Tensor) -> Tensor:
    if not bool(torch.isfinite(logits).all()):
        raise EvaluationError("Expected finite outputs of the network under attack, got others")
    return logits


def ascend(moved: Tensor, clean: Tensor, gradient: Tensor, attack: AttackSettings) -> Tensor:
    """Return images one step further up the gradient, inside the ball about the clean ones and inside [0, 1].

    Args:
        moved: Images as they stand, shape (n, c, h, w).
        clean: Images that the ball is about, likewise.
        gradient: Of the loss, likewise.
        attack: Norm, epsilon and number of steps; the step of a single one is epsilon.
    """
    size = attack.epsilon if attack.steps == 1 else STRIDE * attack.epsilon / attack.steps
    if attack.norm == "linf":
        away = (moved + size * gradient.sign() - clean).clamp(-attack.epsilon, attack.epsilon)
    else:
        away = _within(moved + size * _unit(gradient) - clean, attack.epsilon)
    return (clean + away).clamp(0, 1)


def random_start(images: Tensor, attack: AttackSettings, generator: torch.Generator) -> Tensor:
    """Return images moved to a random point of the ball, inside [0, 1].

    Args:
        images: Shape (n, c, h, w).
        attack: Norm and epsilon.
        generator: Source of randomness, on the CPU: so a seed is one start on every device.
    """
    noise = torch.rand(images.shape, generator=generator).to(images) * 2 - 1
    if attack.norm == "linf":
        return (images + attack.epsilon * noise).clamp(0, 1)
    share = torch.rand((len(images), 1, 1, 1), generator=generator).to(images)
    return (images + attack.epsilon * share * _unit(noise)).clamp(0, 1)


def _unit(values: Tensor) -> Tensor:
    """Return values of each image over their Euclidean norm; zeros stay zeros."""
    largest = values.abs().amax((1, 2, 3), keepdim=True)
    scaled = values / torch.where(largest > 0, largest, 1.0)  # first to 1, so that small gradients are not lost
    norm = scaled.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    return scaled / torch.where(norm > 0, norm, 1.0)


def _within(away: Tensor, epsilon: float) -> Tensor:
    """Return changes scaled into the Euclidean ball."""
    norm = away.flatten(1).norm(dim=1).view(-1, 1, 1, 1)
    scaled: Tensor = away * (epsilon / norm.clamp(min=1e-12)).clamp(max=1)
    return scaled

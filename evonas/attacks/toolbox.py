"""Attacks of the adversarial-robustness-toolbox, the extra ``robust``: for the front, where time allows them.

References:
    .. [Nicolae2018] Nicolae et al.: Adversarial Robustness Toolbox v1.0.0, arXiv 1807.01069.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from evonas.attacks.attempt import Attempt
from evonas.attacks.gradient import STRIDE
from evonas.attacks.settings import AttackSettings
from evonas.errors import EvaluationError, require

__all__ = ["attempt_toolbox"]

BATCH = 128
"""Images attacked at once."""
RATIO = "difference_logits_ratio"
"""Loss of one of AutoAttack's two APGD: the margin over the gap of the largest to the third largest logit."""
RATIO_CLASSES = 3
"""Classes that it needs; of fewer AutoAttack is the other attacks."""


def attempt_toolbox(attack: AttackSettings, model: nn.Module, images: Tensor, labels: Tensor, seed: int) -> Attempt:
    """Return what an attack of the toolbox does to images; see `Attack.attempt`.

    PGD, which is the package's own, can be asked of the toolbox here, to compare the two.

    Args:
        attack: Any kind but FGSM.
        model: As `Attack.attempt` has it; of one without parameters, such as an ONNX file's, only outputs are asked
            for where the attack needs no gradients.
        images, labels, seed: As there.
    """
    require("art", "robust")
    x, y = images.cpu().numpy().astype(np.float32), labels.cpu().numpy()
    estimator = _estimator(model, images)
    alive: np.ndarray = _answers(estimator, x) == y
    last = x.copy()
    rows = np.flatnonzero(alive)
    if attack.epsilon and len(rows):
        with _numpy_seed(seed), torch.random.fork_rng(devices=[]):
            torch.manual_seed(seed)
            moved = _make(attack, estimator).generate(x=x[rows], y=y[rows])
        # The toolbox rounds: a change that exceeds epsilon by more than a float's error would be another attack.
        away = (moved - x[rows]).reshape(len(rows), -1)
        size = np.abs(away).max(1) if attack.norm == "linf" else np.linalg.norm(away, axis=1)
        if float(size.max()) > attack.epsilon * (1 + 1e-3) + 1e-6:
            raise EvaluationError(f"{attack.text}: the toolbox changed an image by {size.max():g}")
        alive[rows], last[rows] = _answers(estimator, moved) == y[rows], moved
    return Attempt(torch.from_numpy(alive).to(labels.device), torch.from_numpy(last).to(images))


def _estimator(model: nn.Module, images: Tensor) -> Any:
    """Return the model as the toolbox knows one."""
    from art.estimators.classification import PyTorchClassifier

    with torch.no_grad():
        classes = model(images[:1]).shape[1]
    device = "gpu" if images.is_cuda else "cpu"
    return PyTorchClassifier(
        model,
        loss=nn.CrossEntropyLoss(),
        input_shape=tuple(images.shape[1:]),
        nb_classes=classes,
        clip_values=(0.0, 1.0),
        device_type=device,
    )


def _answers(estimator: Any, images: np.ndarray) -> np.ndarray:
    logits = estimator.predict(images, batch_size=BATCH)
    if not np.isfinite(logits).all():
        raise EvaluationError("Expected finite outputs of the network under attack, got others")
    answers: np.ndarray = logits.argmax(1)
    return answers


def _make(attack: AttackSettings, estimator: Any) -> Any:
    """Return the toolbox's attack."""
    from art.attacks import evasion

    own: dict[str, Any] = {"norm": np.inf if attack.norm == "linf" else 2, "eps": attack.epsilon, "batch_size": BATCH}
    step = STRIDE * attack.epsilon / attack.steps
    if attack.kind == "pgd":
        starts = {"num_random_init": attack.restarts, "max_iter": attack.steps, "eps_step": step}
        return evasion.ProjectedGradientDescent(estimator, **own, **starts, verbose=False)
    if attack.kind == "apgd":
        starts = {"nb_random_init": attack.restarts, "max_iter": attack.steps, "eps_step": 2 * attack.epsilon}
        return evasion.AutoProjectedGradientDescent(
            estimator, **own, **starts, loss_type="cross_entropy", verbose=False
        )
    if attack.kind == "square":
        starts = {"nb_restarts": attack.restarts, "max_iter": attack.steps}
        return evasion.SquareAttack(estimator, **own, **starts, verbose=False)
    made = evasion.AutoAttack(estimator, **own, eps_step=2 * attack.epsilon, estimator_orig=estimator)
    if estimator.nb_classes < RATIO_CLASSES:
        made.attacks = [one for one in made.attacks if getattr(one, "loss_type", None) != RATIO]
    for one in made.attacks:
        one.set_params(verbose=False)
    return made


@contextmanager
def _numpy_seed(seed: int) -> Iterator[None]:
    """Seed numpy's global generator, which the toolbox draws from, and put it back."""
    state = np.random.get_state()  # noqa: NPY002  # the toolbox knows no other
    np.random.seed(seed % 2**32)  # noqa: NPY002
    try:
        yield
    finally:
        np.random.set_state(state)  # noqa: NPY002

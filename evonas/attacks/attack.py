"""Attack: which images a classifier still gets right, whatever small changes are tried."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from evonas.attacks.settings import ATTACKS, AttackSettings
from evonas.errors import SettingsError

if TYPE_CHECKING:
    from torch import Tensor, nn

    from evonas.attacks.attempt import Attempt

__all__ = ["Attack", "read_attack"]

EPSILON = "4/255"
"""Largest change of a pixel unless asked otherwise, of values in [0, 1]."""


@dataclass(frozen=True)
class Attack(AttackSettings):
    """An attack by its settings; torch is imported where it is carried out alone."""

    def attempt(self, model: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Attempt:
        """Return which images withstand all that the attack tries, and what they became.

        Those that are wrong without an attack count as turned: so no result is above clean accuracy.

        Args:
            model: Takes images in [0, 1] and gives logits; in evaluation mode.
            images: In [0, 1], shape (n, c, h, w).
            labels: Shape (n,).
            seed: Of random starts, which differ from image to image but not from model to model.

        Raises:
            SettingsError: The model is in training mode.
            EvaluationError: Outputs are not finite.
            MissingExtraError: It is the toolbox's, which is not installed.
        """
        if model.training:
            raise SettingsError("Expected a model in evaluation mode to attack, got one in training mode: call eval()")
        if ATTACKS[self.kind].own:
            from evonas.attacks.gradient import attempt_gradients

            return attempt_gradients(self, model, images, labels, seed)
        from evonas.attacks.toolbox import attempt_toolbox

        return attempt_toolbox(self, model, images, labels, seed)

    def survivors(self, model: nn.Module, images: Tensor, labels: Tensor, *, seed: int = 0) -> Tensor:
        """Return which images withstand it, booleans of shape (n,); arguments and errors as `attempt` has them."""
        return self.attempt(model, images, labels, seed=seed).survivors


FORM = re.compile(r"(?:(linf|l2):)?([0-9.]+(?:e-?[0-9]+)?)(?:/([0-9]+))?(?:x([0-9]{1,6}))?(?:r([0-9]{1,4}))?")


def read_attack(text: str) -> Attack:
    """Return the attack that ``KIND`` or ``KIND@[NORM:]EPSILON[xSTEPS][rSTARTS]`` stands for.

    Such as ``fgsm@8/255``, ``pgd@4/255x10``, ``pgd@4/255x20r5`` or ``pgd@l2:0.5x10``; the norm is L-infinity, epsilon
    is 4/255, steps are those of the kind and one start unless given.

    Raises:
        SettingsError: No such kind, an epsilon out of [0, 1], or another form.
    """
    kind, at, arguments = text.partition("@")
    given = ATTACKS.get(kind)
    if given is None:
        return Attack(kind, 0.0)  # which says what kinds there are
    match = FORM.fullmatch(arguments if at else EPSILON)
    if match is None:
        raise SettingsError(
            f"Expected an attack KIND@EPSILONxSTEPS, such as pgd@4/255x10, fgsm@8/255 or pgd@l2:0.5x10, got '{text}'"
        )
    norm, above, below, steps, restarts = match.groups()
    if steps and given.steps is None:
        raise SettingsError(f"The attack '{kind}' takes no number of steps, got '{text}': leave out x{steps}")
    if restarts and not given.starts:
        raise SettingsError(f"The attack '{kind}' takes no number of starts, got '{text}': leave out r{restarts}")
    try:
        epsilon = float(above) / float(below or 1)
    except (ValueError, ZeroDivisionError):
        raise SettingsError(f"Expected an epsilon such as 4/255 or 0.03, got '{text}'") from None
    return Attack(kind, epsilon, "l2" if norm == "l2" else "linf", int(steps or given.steps or 1), int(restarts or 1))

"""Text of the attack that training images suffer; torch is not imported."""

from __future__ import annotations

from evonas.attacks.attack import Attack, read_attack
from evonas.errors import SettingsError

__all__ = ["read_adversary"]


def read_adversary(text: str) -> Attack:
    """Return the attack that training images suffer, such as ``4/255x3``: PGD of 3 steps.

    Raises:
        SettingsError: Another form, an epsilon that is none, or several starts.
    """
    attack = read_attack(f"pgd@{text}")
    if attack.restarts != 1 or not attack.epsilon:
        raise SettingsError(f"Expected an epsilon above 0 and steps, such as 4/255x3, to train against, got '{text}'")
    return attack

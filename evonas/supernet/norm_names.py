"""Names of what becomes of norms' weights and biases in a supernet; settings read them, so nothing heavy is loaded."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from evonas.errors import SettingsError, suggest

__all__ = ["NORMS", "PROTECTING_RULES", "check_norms"]

NORMS: Mapping[str, str] = MappingProxyType(
    {
        "affine": "weights and biases are learned, by all paths that a norm is on",
        "plain": "norms of searched operations keep weight 1 and bias 0, as the one-shot literature has it",
        "per-operation": "options that share a block have norms' weights and biases of their own",
        "protected": "the rule protects norms' weights and biases as it does shared weights",
    }
)
"""Name -> what becomes of norms' weights and biases. Their statistics are estimated for each path in any case."""
PROTECTING_RULES = ("disturbance-immune",)
"""Rules that can protect norms."""


def check_norms(norms: str, rule: str | None = None) -> None:
    """Refuse a name that is none, and protection by a rule that protects nothing.

    Args:
        norms: Key of `NORMS`.
        rule: Name of the update rule; None: not known yet.

    Raises:
        SettingsError: It is none, or the rule cannot do it.
    """
    if norms not in NORMS:
        raise SettingsError(f"Expected norms {', '.join(NORMS)}, got '{norms}'.{suggest(norms, NORMS)}")
    if norms == "protected" and rule is not None and rule not in PROTECTING_RULES:
        raise SettingsError(
            f"Norms can be protected by the rule {' or '.join(PROTECTING_RULES)} alone, got '{rule}': "
            "use --norms affine, plain or per-operation with it"
        )

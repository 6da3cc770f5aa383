"""Update rules by name."""

from __future__ import annotations

from evonas.errors import SettingsError, suggest
from evonas.supernet.rules.contract import RuleFactory
from evonas.supernet.rules.disturbance import DisturbanceImmune
from evonas.supernet.rules.fair import Fair
from evonas.supernet.rules.gradient_space import GradientSpace
from evonas.supernet.rules.nsas import NSAS
from evonas.supernet.rules.sandwich import Sandwich
from evonas.supernet.rules.uniform import Uniform

RULES: dict[str, RuleFactory] = {
    "disturbance-immune": DisturbanceImmune,
    "uniform": Uniform,
    "fair": Fair,
    "nsas": NSAS,
    "gradient-space": GradientSpace,
    "sandwich": Sandwich,
}
"""Name -> factory; a further rule is added by its name."""


def find_rule(name: str) -> RuleFactory:
    """Return the factory of a rule.

    Raises:
        SettingsError: No rule has this name.
    """
    try:
        return RULES[name]
    except KeyError:
        known = ", ".join(RULES)
        raise SettingsError(
            f"Expected a rule of weight sharing among {known}, got '{name}'.{suggest(name, RULES)}"
        ) from None

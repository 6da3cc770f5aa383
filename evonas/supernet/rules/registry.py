"""Registry of update rules: names, and the factory behind each, imported when it is asked for."""

from __future__ import annotations

import importlib
from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from evonas.errors import SettingsError, lacking, suggest

if TYPE_CHECKING:
    from evonas.supernet.rules.contract import RuleContext, RuleFactory, UpdateRule

__all__ = ["DESCRIPTIONS", "RULES", "check_rule", "find_rule", "make_rule"]

RULES: Mapping[str, str] = MappingProxyType(
    {
        "disturbance-immune": "evonas.supernet.rules.disturbance:DisturbanceImmune",
        "uniform": "evonas.supernet.rules.uniform:Uniform",
        "fair": "evonas.supernet.rules.fair:Fair",
        "nsas": "evonas.supernet.rules.nsas:NSAS",
        "gradient-space": "evonas.supernet.rules.gradient_space:GradientSpace",
        "sandwich": "evonas.supernet.rules.sandwich:Sandwich",
    }
)
"""Name -> module and class."""
DESCRIPTIONS: Mapping[str, str] = MappingProxyType(
    {
        "disturbance-immune": "updates are projected off the inputs that earlier paths have read",
        "uniform": "one sampled path per update (Guo et al., 2020)",
        "fair": "every option once per update (Chu et al., 2021)",
        "nsas": "the new path and an archive of diverse ones (Zhang et al., 2020)",
        "gradient-space": "updates are projected off earlier paths' gradients",
        "sandwich": "largest, smallest and sampled paths, the largest as teacher (Yu et al., 2020)",
    }
)
"""Name -> what it does, in half a sentence."""


def check_rule(name: str) -> None:
    """Refuse a name that is no rule's.

    Raises:
        SettingsError: No rule has this name.
    """
    if name not in RULES:
        raise SettingsError(
            f"Expected a rule of weight sharing among {', '.join(RULES)}, got '{name}'.{suggest(name, RULES)}"
        )


def find_rule(name: str) -> RuleFactory:
    """Return the factory of a rule.

    Raises:
        SettingsError: No rule has this name.
    """
    check_rule(name)
    module, _, attribute = RULES[name].partition(":")
    factory: RuleFactory = getattr(importlib.import_module(module), attribute)
    return factory


def make_rule(rule: str | RuleFactory, context: RuleContext) -> UpdateRule:
    """Make the rule that trains a supernet.

    Args:
        rule: A name, or a factory.
        context: What it trains.

    Raises:
        SettingsError: No rule has this name, or what the factory made is no rule.
    """
    from evonas.supernet.rules.contract import UpdateRule

    made = (find_rule(rule) if isinstance(rule, str) else rule)(context)
    missing = lacking(made, UpdateRule)
    if missing:
        raise SettingsError(
            f"Expected an update rule, got one ({type(made).__name__}) without {', '.join(missing)}: inherit "
            "evonas.supernet.UpdateRule, which has defaults of all but plan"
        )
    return made

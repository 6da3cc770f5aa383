"""Registry of update rules: names, and the factory behind each, imported when it is asked for."""

from __future__ import annotations

import importlib
import inspect
import re
import tomllib
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

from evonas.errors import SettingsError, lacking, suggest
from evonas.files.options import Value, read_options

if TYPE_CHECKING:
    from evonas.supernet.rules.contract import RuleContext, RuleFactory, UpdateRule

__all__ = [
    "DESCRIPTIONS", "RULES", "check_rule", "find_rule", "make_rule", "named_settings", "read_rule", "split_rules",
    "write_rule",
]  # fmt: skip

_SETTINGS = Path(__file__).with_name("settings")
_WRITTEN = re.compile(r"(?P<name>[^:()]+)(?:\((?P<inside>.*)\)|:(?P<behind>.*))?")

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


def named_settings() -> dict[str, Path]:
    """Return the TOML files of settings that have a name, such as ``strict``."""
    return {path.stem: path for path in sorted(_SETTINGS.glob("*.toml"))}


def read_rule(text: str) -> tuple[str, dict[str, Value]]:
    """Return the rule and the options that a text stands for.

    Args:
        text: A rule's name, alone or with options, ``NAME(key=value, …)`` or ``NAME:key=value,…``; the name of settings
            (see `named_settings`); or a TOML file with ``rule`` and, under ``[options]``, its options.

    Raises:
        SettingsError: No rule and no settings have this name, or the options cannot be read.
    """
    files = named_settings()
    if text in files or text.endswith(".toml"):
        return _from_file(files.get(text, Path(text)))
    match = _WRITTEN.fullmatch(text.strip())
    name, inside = (match["name"], match["inside"] or match["behind"]) if match else (text, None)
    if name not in RULES:
        known = [*RULES, *files]
        raise SettingsError(
            f"Expected a rule of weight sharing among {', '.join(known)}, got '{text}'.{suggest(name, known)}"
        )
    return name, read_options(inside, text) if inside else {}


def write_rule(text: str) -> str:
    """Return a rule's text without its file: ``NAME(key=value, …)`` where it is a TOML file, else as it is.

    Args:
        text: See `read_rule`.

    Raises:
        SettingsError: The file cannot be read, or holds what no option can be written as, such as a text with a comma.
    """
    if not text.endswith(".toml"):
        return text
    name, options = read_rule(text)
    words = {True: "true", False: "false", None: "none"}
    parts = [
        f"{key}={words[value] if value is None or isinstance(value, bool) else value}" for key, value in options.items()
    ]
    written = f"{name}({', '.join(parts)})" if parts else name
    if read_rule(written) != (name, options):
        raise SettingsError(
            f"Expected options in '{text}' that are numbers, true, false or plain words, got {', '.join(parts)}"
        )
    return written


def _from_file(path: Path) -> tuple[str, dict[str, Value]]:
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        cause = error.strerror if isinstance(error, OSError) else error
        raise SettingsError(f"Cannot read settings of a rule from '{path}': {cause}") from None
    name, options = content.get("rule"), content.get("options", {})
    if name not in RULES or not isinstance(options, dict) or set(content) - {"rule", "options", "source"}:
        raise SettingsError(
            f"Expected rule = one of {', '.join(RULES)} and a table [options] in '{path}', got {', '.join(content)}"
        )
    return str(name), {key: None if value == "none" else value for key, value in options.items()}


def split_rules(text: str) -> list[str]:
    """Return the rules of a list joined by commas, options kept with their rule.

    ``uniform,disturbance-immune(alpha=1,rank=8)`` are two, and so are ``uniform,disturbance-immune:alpha=1,rank=8``.
    """
    rules: list[str] = []
    for part in re.split(r",(?![^(]*\))", text):
        if rules and "=" in part and not {":", "("} & set(part):
            rules[-1] += f",{part.strip()}"
        else:
            rules.append(part.strip())
    return rules


def check_rule(text: str) -> None:
    """Refuse what names no rule; options are checked against the rule's own by `find_rule`.

    Raises:
        SettingsError: No rule has this name, or its options cannot be read.
    """
    read_rule(text)


def find_rule(text: str) -> RuleFactory:
    """Return the factory of a rule, with options where some are given.

    Args:
        text: See `read_rule`.

    Raises:
        SettingsError: No rule has this name, or it has no such option.
    """
    name, given = read_rule(text)
    module, _, attribute = RULES[name].partition(":")
    factory: RuleFactory = getattr(importlib.import_module(module), attribute)
    known = list(inspect.signature(factory).parameters)[1:]
    for key in given:
        if key not in known:
            raise SettingsError(
                f"Expected options of '{name}' among {', '.join(known) or 'none'}, got '{key}'.{suggest(key, known)}"
            )
    return partial(factory, **given) if given else factory


def make_rule(rule: str | RuleFactory, context: RuleContext) -> UpdateRule:
    """Make the rule that trains a supernet.

    Args:
        rule: A text, as `read_rule` takes it, or a factory.
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

"""Registry of named configurations: one TOML file each, with its source and what differs from what was published."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.errors import SettingsError, suggest
from evonas.files.toml import read_toml

__all__ = ["NamedConfig", "describe_configs", "load_config", "named_configs"]

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class NamedConfig:
    """A published method as settings of a search.

    Attributes:
        name: What ``--config`` calls it.
        source: The method's paper.
        differs: What is not as published, in one line.
        settings: By the names of the command line's options, unchecked.
    """

    name: str
    source: str
    differs: str
    settings: Mapping[str, Any]


def named_configs() -> dict[str, Path]:
    """Return the files of the configurations that ship, by name."""
    return {path.stem: path for path in sorted(_FOLDER.glob("*.toml"))}


def load_config(name: str) -> NamedConfig:
    """Return a configuration by name.

    Raises:
        SettingsError: No configuration has this name, or its file is not one.
    """
    files = named_configs()
    if name not in files:
        raise SettingsError(
            f"Expected a configuration of {', '.join(files)}, or a TOML file, got '{name}'.{suggest(name, files)}"
        )
    content = read_toml(files[name], "the configuration")
    if set(content) != {"source", "differs", "settings"}:
        raise SettingsError(f"Expected source, differs and [settings] in {files[name]}, got {', '.join(content)}")
    return NamedConfig(name, str(content["source"]), str(content["differs"]), dict(content["settings"]))


def describe_configs() -> tuple[tuple[str, str], ...]:
    """Return each configuration's name, and its source and what differs in a line."""
    loaded = [load_config(name) for name in named_configs()]
    return tuple((config.name, f"{config.source}; differs: {config.differs}") for config in loaded)

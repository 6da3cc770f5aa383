"""Registry of published weights: the entries that ship, and those of a user's own TOML file."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import ValidationError

from evonas.errors import SettingsError, suggest
from evonas.files.toml import read_toml
from evonas.files.wording import word_error
from evonas.training.weights.entry import WeightsEntry

SUFFIXES = (".safetensors", ".pth", ".pt", ".bin", ".ckpt")
"""What files of weights are called; of a file without one of these, an entry names what it holds."""
FOLDER = Path(__file__).parent / "entries"


def entry_names() -> tuple[str, ...]:
    """Names of the entries that ship, in alphabetical order."""
    return tuple(sorted(path.stem for path in FOLDER.glob("*.toml")))


def split_digest(text: str) -> tuple[str, str]:
    """Return a name or path, and the digest behind it, ``""`` where there is none; a path may hold an ``@`` itself."""
    match = re.fullmatch(r"(.+)@([0-9a-f]{16})", text)
    return (match[1], match[2]) if match else (text, "")


def load_entry(name: str | Path) -> WeightsEntry:
    """Entry of that name, or of a TOML file.

    Raises:
        SettingsError: No such entry, not TOML, or a key or value that makes no sense, named.
    """
    names = entry_names()
    if str(name) not in names and not str(name).endswith(".toml"):
        raise SettingsError(
            f"Unknown weights '{name}': expected auto, none, {', '.join(names)}, or the path of a checkpoint or of a "
            f".toml file that describes one.{suggest(str(name), names)}"
        )
    path = FOLDER / f"{name}.toml" if str(name) in names else Path(name)
    table = read_toml(path, "the weights' entry")
    try:
        return WeightsEntry.model_validate({"name": path.stem, **table})
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        key = ".".join(str(part) for part in first["loc"]) or "the file"
        if first["type"] == "extra_forbidden":
            raise SettingsError(f"{path}: {key}: no such key") from None
        raise SettingsError(f"{path}: {key}: {word_error(first)}") from None

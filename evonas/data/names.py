"""Names of data: which source a name means, found without reading it."""

from __future__ import annotations

import re
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path

from evonas.errors import DataError, suggest

__all__ = ["DIGITS", "GROUP", "HUB", "check_data", "hub_name", "plugin_names", "plugins", "unknown_data"]

DIGITS = "digits"
"""Scikit-learn's digits, which come with the package."""
GROUP = "evonas.data"
"""Entry point group of data sets that other packages bring."""
FILES = (".npz", ".parquet")
"""Endings, in small letters, of files that hold data."""
HUB = "hub:"
"""What a name of the Hugging Face hub may begin with."""
_OWNED = re.compile(r"[A-Za-z0-9][\w.-]*/[A-Za-z0-9][\w.-]*")


def plugin_names() -> tuple[str, ...]:
    """Return the names of the installed data sets, sorted."""
    return tuple(sorted(plugins()))


def plugins() -> dict[str, EntryPoint]:
    """Return the entry points of installed data sets by name."""
    return {point.name: point for point in entry_points(group=GROUP)}


def hub_name(source: str) -> str | None:
    """Return the hub's name of `hub:NAME` or `owner/name`; None where `source` has neither form.

    An `owner/name` whose owner is a local folder is taken for a mistyped path, and not searched for on the hub.
    """
    name = source.removeprefix(HUB)
    owned = _OWNED.fullmatch(source) and not Path(source).parent.is_dir() and Path(source).suffix.lower() not in FILES
    return name if name != source or owned else None


def check_data(source: str) -> None:
    """Refuse a name that is no data set's, no file's and no folder's; nothing is read.

    Raises:
        DataError: Nothing of that name is known or there.
    """
    path = Path(source)
    there = path.is_dir() or (path.suffix.lower() in FILES and path.is_file())
    if source != DIGITS and source not in plugin_names() and not there and hub_name(source) is None:
        raise unknown_data(source)


def unknown_data(source: str) -> DataError:
    """Return the error of a name that no reader knows, with the nearest known one."""
    known = (DIGITS, *plugin_names())
    hint = suggest(Path(source).name, (*known, *_neighbors(Path(source))))
    names = ", ".join(f"'{other}'" for other in known)
    return DataError(
        f"Unknown data '{source}': expected {names}, an .npz or .parquet file, a folder of such parts or of images, "
        f"or hub:NAME.{hint}"
    )


def _neighbors(path: Path) -> list[str]:
    """Return the names beside `path` that a mistyped path may have meant."""
    try:
        return [other.name for other in path.parent.iterdir() if other.is_dir() or other.suffix.lower() in FILES]
    except OSError:
        return []

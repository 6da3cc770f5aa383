"""Reading spaces: by name from the shipped files and entry points, or from a user's TOML file."""

from __future__ import annotations

import tomllib
from functools import lru_cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any, cast

from pydantic import TypeAdapter, ValidationError

from evonas.errors import SpaceError, suggest
from evonas.files.wording import word_error
from evonas.spaces.cell import CellSpace
from evonas.spaces.definition_cell import CellFile
from evonas.spaces.definition_stage import StageFile
from evonas.spaces.space import Space
from evonas.spaces.stage import StageSpace

_FAMILIES: dict[type, Any] = {CellFile: CellSpace, StageFile: StageSpace}
_SCHEMAS: dict[str, TypeAdapter[Any]] = {"cell": TypeAdapter(CellFile), "stage": TypeAdapter(StageFile)}


def shipped() -> dict[str, Path]:
    """Return the spaces that come with the package: name to file."""
    inside = Path(__file__).parent / "shipped"  # where the wheel puts the project's folder spaces/
    folder = inside if inside.is_dir() else Path(__file__).parents[2] / "spaces"
    return {path.stem: path for path in sorted(folder.glob("*.toml"))}


def load_space(name: str | Path) -> Space:
    """Return a space.

    Args:
        name: A shipped space (``"darts"``), an entry point of the group ``evonas.spaces`` (an object that
            returns the path of a TOML file, or a `Space`, when called), or the path of a TOML file.

    Raises:
        SpaceError: No such space, or a malformed file: the message names file, key, what was expected and what
            came.
    """
    files = shipped()
    if str(name) in files:
        return _read(files[str(name)])
    if str(name).endswith(".toml"):
        return _read(Path(name))
    points = {point.name: point for point in entry_points(group="evonas.spaces")}
    if str(name) in points:
        made = points[str(name)].load()()
        return made if isinstance(made, Space) else _read(Path(made))
    known = sorted({*files, *points})
    raise SpaceError(
        f"Unknown space '{name}': expected {', '.join(known)}, or the path of a .toml file.{suggest(str(name), known)}"
    )


def _read(path: Path) -> Space:
    try:
        content = path.read_bytes()
    except (OSError, ValueError) as error:  # ValueError: a path with a null byte
        reason = getattr(error, "strerror", None) or error
        raise SpaceError(f"Cannot read the space {str(path)!r}: {reason}") from None
    return _parse(content, str(path))


def read_space(text: str, name: str) -> Space:
    """Return a space from the text of its TOML file.

    Args:
        text: The file's content.
        name: What to call it in an error.

    Raises:
        SpaceError: A malformed text.
    """
    return _parse(text.encode(), name)


@lru_cache(maxsize=64)
def _parse(content: bytes, name: str) -> Space:
    try:
        table = tomllib.loads(content.decode("utf-8-sig"))
    except (ValueError, RecursionError) as error:  # malformed, not UTF-8, or a number too long to read
        raise SpaceError(f"{name} is not TOML: {error}") from None
    family = table.get("family")
    if not isinstance(family, str) or family not in _SCHEMAS:
        raise SpaceError(f"{name}: family: expected 'cell' or 'stage', got {family!r:.40}")
    try:
        definition: CellFile | StageFile = _SCHEMAS[family].validate_python(table)
    except ValidationError as error:
        raise SpaceError(f"{name}: {_first_error(error)}") from None
    return cast(Space, _FAMILIES[type(definition)](definition))


def _first_error(error: ValidationError) -> str:
    # An unknown key first: often it is the required one, misspelled.
    errors = sorted(error.errors(include_url=False), key=lambda found: found["type"] != "extra_forbidden")
    key = ".".join(str(part) for part in errors[0]["loc"]) or "the file"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    if errors[0]["type"] == "extra_forbidden":
        missing = [str(found["loc"][-1]) for found in errors if found["type"] == "missing"]
        return f"{key}: no such key.{suggest(key.rpartition('.')[2], missing)}{more}"
    return f"{key}: {word_error(errors[0])}{more}"

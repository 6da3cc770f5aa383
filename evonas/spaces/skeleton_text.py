"""Skeletons as texts: a name, and fields that are changed."""

from __future__ import annotations

from dataclasses import asdict

from evonas.errors import SettingsError, suggest
from evonas.files.options import read_options
from evonas.spaces.skeleton import Skeleton
from evonas.spaces.space import Space

__all__ = ["read_skeleton", "skeleton_text"]


def read_skeleton(space: Space, text: str) -> Skeleton:
    """Return the skeleton that a text means.

    Args:
        space: Holds the named ones.
        text: ``NAME`` or ``NAME:FIELD=VALUE,…``, such as ``cifar:cells=25,channels=48``; numbers and words alone.

    Raises:
        SettingsError: No such skeleton or field that the space reads, or a value out of range.
    """
    name, colon, written = text.partition(":")
    changes = read_options(written, text) if colon else {}
    base = space.skeleton(name)
    known = [key for key, value in asdict(base).items() if key not in space.unread and not isinstance(value, tuple)]
    for key, value in changes.items():
        if key not in known:
            raise SettingsError(
                f"No field '{key}' of a skeleton of '{space.name}' that a text sets: expected one of "
                f"{', '.join(known)}.{suggest(key, known)}"
            )
        usual = getattr(base, key)
        if isinstance(usual, str):
            changes[key] = value = "none" if value is None else str(value)
        if usual is not None and type(value) is not type(usual) and not (type(value) is int and type(usual) is float):
            raise SettingsError(f"Expected {key} such as {usual} in the skeleton '{text}', got {value}")
    return base.replace(**changes)


def skeleton_text(space: Space, name: str, skeleton: Skeleton) -> str:
    """Return the text that `read_skeleton` takes for a skeleton that was made of a named one."""
    base, own = asdict(space.skeleton(name)), asdict(skeleton)
    changed = ",".join(f"{key}={_word(value)}" for key, value in own.items() if value != base[key])
    return f"{name}:{changed}" if changed else name


def _word(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)

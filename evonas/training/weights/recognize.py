"""A checkpoint given by its path alone: which entry's network its names are of."""

from __future__ import annotations

from pathlib import Path

import torch

from evonas.errors import TrainingError
from evonas.networks import build
from evonas.spaces import load_space
from evonas.training.weights.entry import WeightsEntry, WeightsSource
from evonas.training.weights.key_map import published_keys
from evonas.training.weights.read import read_state
from evonas.training.weights.registry import entry_names, load_entry

__all__ = ["recognize"]

INSIDE = ("", "state_dict")
"""Keys under which files hold their state dict."""


def recognize(path: Path) -> WeightsEntry:
    """Entry whose names a file's are nearest to, its source the file; its shapes are checked when it is loaded.

    Args:
        path: A checkpoint. Its classifier has as many outputs as the entry's.

    Raises:
        TrainingError: The file cannot be read, or has no name in common with any entry.
    """
    state, inside = _state(path)
    best, score = None, -1
    for name in entry_names():
        entry = load_entry(name)
        if entry.refused:
            continue
        space = load_space(entry.space)
        with torch.device("meta"):
            network = build(
                space,
                space.skeleton(entry.skeleton, classes=entry.classes),
                space.parse(entry.architecture) if entry.architecture else None,
            )
        names = set(published_keys(entry, network).values())
        common = 2 * len(names & state) - len(names ^ state)
        if names & state and (best is None or common > score):
            best, score = entry, common
    if best is None:
        raise TrainingError(
            f"The checkpoint {path} has no name of weights that are known here, such as "
            f"{', '.join(sorted(state)[:5]) or 'none'}: describe it in a .toml file (docs/how-to/weights.md)"
        )
    source = WeightsSource(file=path.name, inside=inside)
    return best.model_copy(update={"source": source, "licence": "not stated", "verified": False})


def _state(path: Path) -> tuple[set[str], str]:
    """Names of a file's state dict, and the key under which it stands."""
    first: TrainingError | None = None
    for inside in INSIDE:
        try:
            return set(read_state(path, inside)), inside
        except TrainingError as error:
            first = first or error
    assert first is not None
    raise first

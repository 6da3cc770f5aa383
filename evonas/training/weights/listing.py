"""Listing of published weights: one line each, without opening a file."""

from __future__ import annotations

from evonas.training.weights.entry import WeightsEntry
from evonas.training.weights.registry import entry_names, load_entry
from evonas.training.weights.source import locate


def describe_weights() -> list[tuple[str, str]]:
    """Name of every entry, and in a line: space, architecture, source, licence, digest, and whether it is here."""
    return [(name, _line(load_entry(name))) for name in entry_names()]


def _line(entry: WeightsEntry) -> str:
    source = entry.source
    where = source.package or source.hub or source.file
    parts = [
        f"{entry.space} {entry.architecture or '(supernet)'}",
        f"from {where}",
        f"licence {entry.licence}",
        f"sha256 {source.digest[:12] or 'not known'}",
    ]
    if entry.refused:
        return "; ".join([*parts[1:3], f"refused: {entry.refused}"])
    if not entry.verified:
        parts.append("not verified on the published file")
    found = locate(entry)
    parts.append("here" if found.path is not None else f"not here: {found.lack}")
    return "; ".join(parts)

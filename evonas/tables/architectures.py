"""Architectures of a table: the columns that hold them, as text that their space parses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evonas.errors import DataError, EvonasError
from evonas.tables.csv_file import to_numbers

if TYPE_CHECKING:
    from evonas.spaces import Space

__all__ = ["ARCHITECTURE_COLUMNS", "ELASTIC_COLUMNS", "candidate_columns", "find_architectures"]

ARCHITECTURE_COLUMNS = ("architecture", "arch", "genotype", "nb201_arch", "arch_str")
"""Names of a column that may hold architectures, whatever their case; the first that parses is taken."""
ELASTIC_COLUMNS = ("ks", "e", "d")
"""Columns that together hold an architecture of once-for-all: kernels, expansions, depths."""


def find_architectures(
    columns: Mapping[str, Sequence[str]], space: Space, *, source: str = "the table"
) -> tuple[tuple[str, ...], list[str]]:
    """Find the columns that hold the architecture.

    Args:
        columns: Columns of text, as `read_csv` returns them.
        space: The space that parses the texts; the first, the middle and the last row decide.
        source: Name for messages.

    Returns:
        Names of the columns, and one text per row for `space.parse`.

    Raises:
        DataError: No column parses; the message says which were tried and why they failed.
    """
    causes = []
    for names in [*candidate_columns(columns), *_others(columns)]:
        texts = _elastic_texts(columns, names) if len(names) > 1 else list(columns[names[0]])
        try:
            for row in {0, len(texts) // 2, len(texts) - 1}:
                space.parse(texts[row])
        except EvonasError as error:
            causes.append((names, error))
            continue
        return names, texts
    named = [(names, error) for names, error in causes if names in candidate_columns(columns)]
    if named:
        said = "; ".join(f"'{', '.join(names)}': {error}" for names, error in named)
        raise DataError(f"No column of {source} holds architectures of {space.name}; {said}")
    raise DataError(
        f"No architecture in {source}: expected one of the columns {', '.join(ARCHITECTURE_COLUMNS)} or "
        f"{', '.join(ELASTIC_COLUMNS)} together, got {', '.join(columns)}."
    )


def candidate_columns(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the sets of columns that may hold architectures by their names, in the order in which they are tried."""
    by_case = {name.lower(): name for name in reversed(list(columns))} | {name: name for name in columns}
    candidates = [*((name,) for name in ARCHITECTURE_COLUMNS), ELASTIC_COLUMNS]
    return [tuple(by_case[name] for name in names) for names in candidates if all(name in by_case for name in names)]


def _others(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the other columns of texts, any of which may hold architectures."""
    named = {name for names in candidate_columns(columns) for name in names}
    return [(name,) for name, cells in columns.items() if name not in named and cells and to_numbers(cells[:1]) is None]


def _elastic_texts(columns: Mapping[str, Sequence[str]], names: Sequence[str]) -> list[str]:
    texts = []
    for cells in zip(*(columns[name] for name in names), strict=True):
        lists = [re.sub(r"[\[\],;]", " ", cell).split() for cell in cells]
        if not all(part.isdecimal() for parts in lists for part in parts):
            texts.append(" / ".join(cells))  # the space refuses it, and names it
            continue
        numbers = ([int(part) for part in parts] for parts in lists)
        texts.append(json.dumps(dict(zip(ELASTIC_COLUMNS, numbers, strict=True))))
    return texts

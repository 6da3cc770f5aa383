"""Architectures of a table: the columns that hold them, as text that their space parses."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from evonas.errors import DataError, EvonasError

if TYPE_CHECKING:
    from evonas.spaces import Space

__all__ = ["ARCHITECTURE_COLUMNS", "ELASTIC_COLUMNS", "candidate_columns", "find_architectures"]

ARCHITECTURE_COLUMNS = ("architecture", "arch", "genotype", "nb201_arch")
"""Names of a column that may hold architectures, the first that parses is taken."""
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
    for names in candidate_columns(columns):
        texts = _elastic_texts(columns) if names == ELASTIC_COLUMNS else list(columns[names[0]])
        try:
            for row in {0, len(texts) // 2, len(texts) - 1}:
                space.parse(texts[row])
        except EvonasError as error:
            causes.append(f"'{', '.join(names)}': {error}")
            continue
        return names, texts
    if causes:
        raise DataError(f"No column of {source} holds architectures of {space.name}; {'; '.join(causes)}")
    raise DataError(
        f"No architecture in {source}: expected one of the columns {', '.join(ARCHITECTURE_COLUMNS)} or "
        f"{', '.join(ELASTIC_COLUMNS)} together, got {', '.join(columns)}."
    )


def candidate_columns(columns: Mapping[str, Sequence[str]]) -> list[tuple[str, ...]]:
    """Return the sets of columns that may hold architectures, in the order in which they are tried."""
    candidates = [*((name,) for name in ARCHITECTURE_COLUMNS), ELASTIC_COLUMNS]
    return [names for names in candidates if all(name in columns for name in names)]


def _elastic_texts(columns: Mapping[str, Sequence[str]]) -> list[str]:
    texts = []
    for cells in zip(*(columns[name] for name in ELASTIC_COLUMNS), strict=True):
        lists = [re.sub(r"[\[\],;]", " ", cell).split() for cell in cells]
        if not all(part.isdecimal() for parts in lists for part in parts):
            texts.append(" / ".join(cells))  # the space refuses it, and names it
            continue
        numbers = ([int(part) for part in parts] for parts in lists)
        texts.append(json.dumps(dict(zip(ELASTIC_COLUMNS, numbers, strict=True))))
    return texts

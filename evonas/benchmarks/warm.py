"""Training-free scores that searches of a table start from: read from a file, or computed for some of its rows."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evonas.errors import SettingsError
from evonas.spaces import Space, as_candidates
from evonas.tables.direction import column_direction
from evonas.tables.load import load_table
from evonas.tables.table import Table

if TYPE_CHECKING:
    from evonas.objectives import Context

__all__ = ["sampled_scores", "stored_scores"]

SCORED = 20_000
"""Rows up to which all are scored, for each search draws a sample of its own; of more, as many drawn ones."""
REPEATS = 1
"""Re-initializations per SWAP-Score: one ranks well enough to start from."""


def stored_scores(file: Path, table: Table, space: Space) -> dict[str, np.ndarray]:
    """Return the scores of a file for the rows of a table, NaN where it has none.

    Columns whose names give their direction are accuracies or costs, and no scores.

    Args:
        file: A CSV with architectures.
        table: Its rows are those of a benchmark.
        space: Of both.

    Raises:
        SettingsError: The file has no scores, or none of these rows.
    """
    scored = load_table([file], space)
    rows = {key: row for row, key in enumerate(scored.keys)}
    matches = np.array([rows.get(key, -1) for key in table.keys])
    names = [name for name in scored.columns if name not in table.columns and not _has_direction(name)]
    found = {name: np.where(matches >= 0, scored[name][matches], np.nan) for name in names}
    found = {name: values for name, values in found.items() if np.isfinite(values).any()}
    if not found:
        raise SettingsError(f"Expected training-free scores of rows of {table.source} in {file}, got none.")
    return found


def sampled_scores(context: Context, table: Table, *, n: int = SCORED, seed: int = 0) -> dict[str, np.ndarray]:
    """Return the SWAP-Scores of some rows of a table, NaN for the others.

    Args:
        context: Space and data.
        table: Its rows are those of a benchmark.
        n: How many rows at most, drawn by seed.
        seed: Of the draw.
    """
    from evonas.objectives.proxy import ProxyEvaluator
    from evonas.proxies import SaturationWarning

    rows = np.random.default_rng(seed).permutation(len(table))[:n]
    forms = [context.space.canonical(table.architectures[row]) for row in rows]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)  # a saturated score still ranks the others
        distinct = list(dict.fromkeys(forms))
        results = ProxyEvaluator(context, "swap", repeats=REPEATS).evaluate(as_candidates(distinct))
    found = {
        form: np.nan if row["swap"].value is None else row["swap"].value
        for form, row in zip(distinct, results, strict=True)
    }
    scores = np.full(len(table), np.nan)
    scores[rows] = [found[form] for form in forms]
    return {"swap": scores}


def _has_direction(name: str) -> bool:
    try:
        column_direction(name)
    except SettingsError:
        return False
    return True

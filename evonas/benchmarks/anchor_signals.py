"""Signals of a table's architectures for the benchmark of the ranker: costs, scores, and what shared weights say."""

from __future__ import annotations

import re
import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from evonas.benchmarks.computed import score_sources
from evonas.benchmarks.warm import stored_scores
from evonas.errors import SettingsError
from evonas.spaces import Architecture, Space, as_candidates
from evonas.tables.table import Table

if TYPE_CHECKING:
    from evonas.objectives import Context

__all__ = ["canonical_costs", "file_scores", "image_scores", "supernet_scores"]

_TRUTH = re.compile(r"val|valid|validation|test|train|training|metric|target|truth|rank|label|epochs?")
"""Words in the name of a column that is measured truth rather than a score."""
SWAP_REPEATS = 4
"""Re-initializations per SWAP-Score, as in a search."""
SHARED = ("loss", "smoothed")
"""Estimates of a supernet that are signals."""


def canonical_costs(space: Space, architectures: Sequence[Architecture]) -> dict[str, np.ndarray]:
    """Return FLOPs and parameters of canonical forms on the literature's skeleton, each of shape ``(n,)``."""
    from evonas.objectives import Context

    sources = score_sources(Context(space, space.literature_skeleton()))
    distinct, rows = _distinct(space, architectures)
    return {name: np.asarray(sources[name](distinct, 0), dtype=np.float64)[rows] for name in ("flops", "params")}


def file_scores(file: Path, table: Table, space: Space) -> dict[str, np.ndarray]:
    """Return the training-free scores of a file for the rows of a table, NaN where it has none.

    Columns named as costs or accuracies, or by words such as ``val``, ``test`` or ``metric``, are no scores.

    Raises:
        SettingsError: The file has no scores of these rows.
    """
    found = stored_scores(file, table, space)
    kept = {
        name: values
        for name, values in found.items()
        if not any(_TRUTH.fullmatch(word) for word in re.split(r"[^a-z]+", name.lower()))
    }
    if not kept:
        raise SettingsError(f"Expected training-free scores in {file}, got columns of truth alone: {', '.join(found)}.")
    return kept


def image_scores(context: Context, architectures: Sequence[Architecture]) -> dict[str, np.ndarray]:
    """Return the scores of canonical forms that `free` joins and that need networks, each of shape ``(n,)``.

    Args:
        context: Space, skeleton and data.
        architectures: As written.
    """
    from evonas.proxies import SaturationWarning

    names = {"swap": f"swap(repeats={SWAP_REPEATS})", "synflow": "synflow"}
    sources = score_sources(context, names.values())
    distinct, rows = _distinct(context.space, architectures)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)  # a saturated score still ranks the others
        found = {name: np.asarray(sources[text](distinct, context.seed), float) for name, text in names.items()}
    return {name: values[rows] for name, values in found.items()}


def supernet_scores(run: Path, space: Space, architectures: Sequence[Architecture]) -> dict[str, np.ndarray]:
    """Return what the shared weights of a run say of architectures, plain and smoothed, by ``supernet:NAME``.

    Args:
        run: A run directory with a trained supernet.
        space: Of the architectures.
        architectures: As written; canonical forms are read.

    Raises:
        SettingsError: The run searched another space.
        RunError: There is no such run, or no trained supernet in it.
    """
    from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
    from evonas.pipeline.context import run_context
    from evonas.runs.run import Run

    with Run.open(run) as opened:
        context = run_context(opened, with_supernet=True)
    if context.space.definition != space.definition:
        raise SettingsError(
            f"Expected a run of the space {space.name}, got {run}, which searched {context.space.name}."
        )
    context = replace(context, space=space)
    distinct, rows = _distinct(space, architectures)
    found = {}
    for name in SHARED:
        results = AccuracyEvaluator(context, estimate=name).evaluate(as_candidates(distinct))
        values = [np.nan if row["acc"].value is None else row["acc"].value for row in results]
        found[f"supernet:{name}"] = np.array(values)[rows]
    return found


def _distinct(space: Space, architectures: Sequence[Architecture]) -> tuple[list[Architecture], np.ndarray]:
    """Return the different canonical forms of architectures, and which of them each is."""
    forms = [space.canonical(architecture) for architecture in architectures]
    numbers = {form: number for number, form in enumerate(dict.fromkeys(forms))}
    return list(numbers), np.array([numbers[form] for form in forms])

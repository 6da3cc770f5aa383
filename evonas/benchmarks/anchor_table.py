"""A table's columns as trainings, and all signals of its rows that can be had: what the ranker is measured on."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.benchmarks.anchor_signals import canonical_costs, file_scores, image_scores, supernet_scores
from evonas.benchmarks.anchors import TOPS, Progress, bench_anchors, check_counts
from evonas.errors import SettingsError
from evonas.pareto.correlation import kendall
from evonas.predictors.ranker import UNKNOWN_SHORTNESS
from evonas.runs.run import Run
from evonas.spaces import load_space
from evonas.tables.fidelity import FidelityColumn, check_order, parse_reading, read_values
from evonas.tables.load import load_table

__all__ = ["TableBench", "bench_table"]


@dataclass(frozen=True)
class TableBench:
    """Benchmark of the ranker on a table.

    Attributes:
        rows: What `bench_anchors` returned.
        note: One line on the rows, and on how the low fidelity itself would rank them, were all of them trained.
    """

    rows: list[dict[str, Any]]
    note: str


def bench_table(
    space: str,
    tables: Sequence[Path],
    low: str,
    high: str,
    *,
    counts: Sequence[int],
    seeds: int = 20,
    proxy_scores: Path | None = None,
    supernet: Path | None = None,
    data: str | None = None,
    limit: int | None = None,
    seed: int = 0,
    progress: Progress = lambda what, number: None,
) -> TableBench:
    """Measure signals and the ranker on a table.

    Args:
        space: Name or file of the table's space.
        tables: Files, joined.
        low: FidelityColumn that anchors are known by, ``COLUMN[:EPOCHS]``.
        high: FidelityColumn that is the truth.
        counts: Numbers of anchors.
        seeds: How many choices of anchors.
        proxy_scores: File of scores that are signals; rows that it does not hold are left out.
        supernet: Run whose shared weights are a signal.
        data: Data for SWAP and SynFlow; None: they are no signals, unless the file of scores has them.
        limit: Rows to measure on, drawn by seed; None: all.
        seed: Of that draw.
        progress: Called with each choice of anchors before its work.

    Raises:
        SettingsError: Fidelities out of order, a column that is not there, or more anchors than rows.
        DataError: A file that cannot be read.
    """
    opened = load_space(space)
    readings = parse_reading(low), parse_reading(high)
    check_order(*readings)
    table = load_table(tables, opened)
    values = [read_values(table, reading) for reading in readings]
    kept = np.isfinite(values[0]) & np.isfinite(values[1])
    if not kept.any():
        raise SettingsError(
            f"Expected rows of {table.source} that hold both {readings[0]} and {readings[1]}, got none."
        )
    stored = {} if proxy_scores is None else file_scores(proxy_scores, table, opened)
    if stored:
        kept &= np.any([np.isfinite(column) for column in stored.values()], axis=0)
    rows = np.flatnonzero(kept)
    if limit is not None and limit < len(rows):
        rows = np.sort(np.random.default_rng(seed).choice(rows, limit, replace=False))
    chosen = table.select(rows)
    # Before scores are computed, which takes long.
    check_counts(counts, len({str(opened.canonical(architecture)) for architecture in chosen.architectures}))
    if supernet is not None:
        Run.open(supernet).close()
    scores = canonical_costs(opened, chosen.architectures) | {name: column[rows] for name, column in stored.items()}
    if data is not None:
        from evonas.data import load_data
        from evonas.objectives import Context

        images = load_data(data)
        computed = image_scores(Context(opened, opened.literature_skeleton(), data=images), chosen.architectures)
        scores = computed | scores  # of a score that the file has, the file's
    shared = {} if supernet is None else supernet_scores(supernet, opened, chosen.architectures)
    cheap, truth = (column[rows] for column in values)
    found = bench_anchors(
        opened, chosen.architectures, cheap, truth, counts=counts, scores=scores, shared=shared,
        shortness=_shortness(*readings),
        seeds=seeds, progress=progress,
    )  # fmt: skip
    taus = ", ".join(f"{kendall(cheap, truth, top=top):.3f}" for top in TOPS.values())
    note = f"{len(rows):,} rows; were all of them trained, {readings[0]} would rank {readings[1]} at {taus}."
    return TableBench(found, note)


def _shortness(low: FidelityColumn, high: FidelityColumn) -> float:
    """Return the logarithm of how many times longer the high fidelity trains; of other columns without epochs 1."""
    if low.epochs is not None and high.epochs is not None:
        return math.log(high.epochs / low.epochs)
    return 0.0 if low.columns == high.columns else UNKNOWN_SHORTNESS

"""Columns of a table against each other: how alike they rank, and which choices drive each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.benchmarks.draw import figure_bytes, new_figure
from evonas.errors import SettingsError
from evonas.pareto.correlation import kendall
from evonas.predictors.importance import choice_importances
from evonas.spaces import Candidate, Space
from evonas.spaces.named_genes import named_genes
from evonas.tables.table import INDEX, Table

__all__ = ["bench_columns", "draw_columns"]

TOP = 0.1
"""Share of the best by a column among which agreement is read once more."""
FITTED = 4000
"""Rows that effects of choices are fitted to, an even part of more."""


def bench_columns(
    space: Space[Any], table: Table, columns: Sequence[str] = (), *, top: float = TOP, seed: int = 0
) -> dict[str, Any]:
    """Return how alike columns of a table rank networks, and the importance of each choice for each column.

    Each network counts once: of rows that are the same network, the first.

    Args:
        space: The table's space.
        table: Columns; more is better, or less in all of them.
        columns: Which; empty: all but ``index``.
        top: Share of the best by a column, among which the others are compared with it once more.
        seed: Of the rows that effects are fitted to.

    Returns:
        ``networks``; ``columns``: for each the median, the share of networks at the commonest value (ties, of which a
        ranking says nothing), and how much of the spread the effects of choices predict; ``agreement``: for each pair
        Kendall's tau-b over all, and among the best by the first and by the second; ``importance``: for each column
        and choice its share, best and worst option.

    Raises:
        SettingsError: No such column, or one column alone.
    """
    names = list(columns or (name for name in table.columns if name != INDEX))
    if len(names) < 2:
        raise SettingsError(f"Expected two columns or more to compare, got {len(names)}: name them with --columns")
    values = {name: table[name] for name in names}
    forms = [str(space.canonical(one)) for one in table.architectures]
    known = np.all([np.isfinite(column) for column in values.values()], axis=0)
    first = {form: row for row, form in reversed(list(enumerate(forms))) if known[row]}
    rows = np.array(sorted(first.values()))
    values = {name: column[rows] for name, column in values.items()}
    few = np.sort(np.random.default_rng(seed).permutation(len(rows))[:FITTED])
    genes = named_genes(space, [Candidate(table.architectures[rows[i]]) for i in few])
    described, importance = [], []
    for name, column in values.items():
        found, predicted = choice_importances(*genes, column[few])
        ties = np.unique(column, return_counts=True)[1].max() / len(column)
        described.append(
            {"column": name, "median": float(np.median(column)), "ties": float(ties), "predicted": predicted}
        )
        importance += [
            {
                "column": name, "choice": one.choice, "share": one.share,
                "best": one.best[0], "best_effect": one.best[1], "worst": one.worst[0], "worst_effect": one.worst[1],
            }
            for one in found
        ]  # fmt: skip
    agreement = [
        {"a": a, "b": b, "tau": kendall(values[a], values[b])}
        | {key: kendall(values[other], values[by], top=top) for key, by, other in (("top_a", a, b), ("top_b", b, a))}
        for i, a in enumerate(names)
        for b in names[i + 1 :]
    ]
    return {
        "networks": len(rows),
        "top": top,
        "columns": described,
        "agreement": agreement,
        "importance": importance,
    }


def draw_columns(results: Mapping[str, Any]) -> bytes:
    """Draw the matrix of rank correlations of columns as a PNG.

    Args:
        results: What `bench_columns` returned.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    names = [one["column"] for one in results["columns"]]
    matrix = np.eye(len(names))
    for pair in results["agreement"]:
        i, j = names.index(pair["a"]), names.index(pair["b"])
        matrix[i, j] = matrix[j, i] = pair["tau"]
    figure, axes = new_figure()
    image = axes.imshow(matrix, vmin=-1, vmax=1, cmap="RdBu_r")
    axes.set_xticks(range(len(names)), names, rotation=60, ha="right", fontsize="xx-small")
    axes.set_yticks(range(len(names)), names, fontsize="xx-small")
    for (i, j), tau in np.ndenumerate(matrix):
        axes.text(j, i, f"{tau:.2f}", ha="center", va="center", fontsize=5)
    figure.colorbar(image, label=f"Kendall's tau, {results['networks']:,} networks")
    return figure_bytes(figure)

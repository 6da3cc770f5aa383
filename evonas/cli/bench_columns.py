"""``evonas bench columns``: columns of a table against each other."""

from __future__ import annotations

from typing import Annotated

import typer

from evonas.cli.bench import Out, Space, Tables, _cell, _show, _write, bench


@bench.command("columns")
def bench_columns(
    space: Space,
    table: Tables,
    columns: Annotated[str | None, typer.Option(help="Which, joined by commas. [default: all]")] = None,
    top: Annotated[str, typer.Option(help="Share of the best by a column to compare the others among.")] = "10%",
    seed: Annotated[int, typer.Option(min=0, help="Of the rows that effects of choices are fitted to.")] = 0,
    out: Out = None,
) -> None:
    """How alike a table's columns rank networks, such as accuracies under attacks, and which choices drive each."""
    from evonas.benchmarks.columns import bench_columns, draw_columns
    from evonas.files.share import parse_share
    from evonas.pareto.objective import split_names
    from evonas.spaces import load_space
    from evonas.tables.load import load_table

    opened = load_space(space)
    names = [] if columns is None else split_names([columns], "column")
    results = bench_columns(opened, load_table(table, opened), names, top=parse_share(top), seed=seed)
    for part in ("columns", "agreement", "importance"):
        rows = results[part]
        if rows:
            _show(list(rows[0]), [[_cell(value) for value in row.values()] for row in rows])
    typer.echo(
        f"{results['networks']:,} networks, each once; top_a and top_b: among the best {results['top']:.0%} by a and "
        "by b; ties: share at the commonest value, of which a ranking says nothing"
    )
    _write(out, results, results["agreement"], lambda: draw_columns(results))

"""``evonas bench predictors``: predictors judged on spaces that they were not trained on."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import Out, _cell, _numbers, _progress, _show, _write, bench

FORM = "FILE:SPACE:COLUMN"


@bench.command("predictors")
def bench_predictors(
    test: Annotated[
        list[str],
        typer.Option(
            metavar=FORM,
            help="A table to be judged on; repeat. FILE:onnx:COLUMN: its column file names ONNX files beside it.",
        ),
    ],
    train: Annotated[
        list[str] | None,
        typer.Option(metavar=FORM, help="A table to learn from; repeat. Left out where its space is judged."),
    ] = None,
    learners: Annotated[
        str,
        typer.Option(
            help="What learns from --train: traits, graph (k-GNN), graph-contrastive, graph-fuzzy, wl and wl-trees "
            "(labels of graphs), ngrams and ngrams-trees (of texts), text (transformer)."
        ),
    ] = "traits",
    labels: Annotated[str, typer.Option(help="How many rows of the test table are given away.")] = "0,20,50,200",
    seeds: Annotated[int, typer.Option(min=1, help="Draws of these rows.")] = 10,
    limit: Annotated[
        int | None, typer.Option(min=20, help="Use that many rows of each table, drawn once. [default: all]")
    ] = None,
    data: Annotated[
        str | None, typer.Option(help="Images for SWAP and SynFlow. [default: none, both left out]")
    ] = None,
    predictor: Annotated[
        str, typer.Option(metavar="FILE|shipped|none", help="A predictor that was trained before.")
    ] = "shipped",
    out: Out = None,
) -> None:
    """Rank correlation with truth in spaces not trained on, without labels and with few, beside FLOPs and others."""
    from evonas.benchmarks.onnx_table import read_table
    from evonas.data.names import check_data
    from evonas.pareto.objective import split_names

    numbers = _numbers(labels)
    names = split_names([learners], "learner")
    if data is not None:
        check_data(data)  # names and files before anything heavy is imported
    tests = [read_table(text, limit=limit) for text in test]
    trains = [read_table(text, limit=limit) for text in train or ()]
    from evonas.benchmarks.predictors import bench_predictors as judge
    from evonas.benchmarks.predictors import summarize_predictors
    from evonas.predictors.general import open_predictor

    shipped = open_predictor(predictor)
    if data is not None:
        from evonas.benchmarks.anchor_signals import image_scores
        from evonas.data import load_data
        from evonas.objectives import Context

        images = load_data(data)
        for table in (table for table in tests if table.has_space):
            context = Context(table.space, table.space.literature_skeleton(), data=images)
            table.image_scores |= image_scores(context, table.forms)
    rows = judge(trains, tests, labels=numbers, seeds=seeds, shipped=shipped, learners=names, progress=_progress)
    keys = ["test", "predictor", "labels", "seeds", "spearman", "sd", "kendall", "kendall_top30"]
    summary = [row | {"test": _short(row["test"])} for row in summarize_predictors(rows)]
    _show(keys, [[_cell(row[key]) for key in keys] for row in summary])
    _write(out, rows, rows, None)


def _short(text: str) -> str:
    """Return ``FILE:SPACE:COLUMN`` without folders."""
    from evonas.benchmarks.judged_table import split_table_name

    name = split_table_name(text)
    return ":".join([Path(name.file).name, Path(name.space).name, name.column, *(["min"] if name.sign < 0 else [])])

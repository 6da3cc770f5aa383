"""``evonas bench search``, ``problems`` and ``operators``: searches measured where the front is known."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import Out, _cell, _exact_images, _means, _numbers, _progress, _show, _write, bench


@bench.command("search")
def bench_search(
    space: Annotated[str | None, typer.Option(help="A space's name or TOML file. [default: the problem's]")] = None,
    table: Annotated[
        list[Path] | None,
        typer.Option(help="A CSV of measured truth; repeat to join several. [default: the problem's]"),
    ] = None,
    objectives: Annotated[
        str | None,
        typer.Option(help="Columns or computed objectives, such as c10_test_200:max,flops. [default: the problem's]"),
    ] = None,
    problem: Annotated[
        str | None, typer.Option(help="A named problem or its TOML file: see  evonas bench problems")
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(help="Column of your table for an objective of the problem, such as err=top1:max; repeat."),
    ] = None,
    algorithms: Annotated[str, typer.Option(help="Searches to compare.")] = "random,nsga2",
    evaluations: Annotated[str, typer.Option(help="Budgets.")] = "50,100,200,500",
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each search.")] = 30,
    proxy_scores: Annotated[
        Path | None,
        typer.Option(help="A CSV of training-free scores for surrogate+warm. [default: SWAP is computed]"),
    ] = None,
    reference: Annotated[Path | None, typer.Option(help="Write the true front as FILE.csv.")] = None,
    out: Out = None,
) -> None:
    """Compare searches on a table whose true front is known, by hypervolume."""
    from evonas.benchmarks.named_problem import chosen_problem
    from evonas.pareto.objective import split_names
    from evonas.spaces import load_space
    from evonas.tables.load import load_table

    chosen = chosen_problem(problem, space=space, objectives=objectives, tables=table or (), columns=column or ())
    opened = load_space(chosen.space)
    truth = load_table(chosen.tables, opened)  # names and files before anything heavy is imported
    from evonas import benchmarks
    from evonas.benchmarks.warm import sampled_scores, stored_scores
    from evonas.data import load_data
    from evonas.objectives import Context

    context = Context(opened, opened.literature_skeleton())
    scores = None
    if proxy_scores is not None:
        scores = stored_scores(proxy_scores, truth, opened)
    elif "surrogate+warm" in split_names([algorithms], "algorithm"):
        typer.echo(f"scoring rows of {len(truth):,} by SWAP, which takes minutes", err=True)
        data = load_data(_exact_images())
        scores = sampled_scores(Context(opened, context.skeleton, data=data), truth)
    results = benchmarks.bench_search(
        opened,
        truth,
        list(chosen.objectives.values()),
        algorithms=split_names([algorithms], "algorithm"),
        evaluations=_numbers(evaluations),
        seeds=seeds,
        computed=benchmarks.computed_objectives(context),
        scores=scores,
        progress=_progress,
    )
    rows = benchmarks.table_rows(results)
    _show(
        ["algorithm", "evaluations", "percent of the true hypervolume", "sd"],
        [[a, str(e), f"{mean:.3f}", f"{sd:.3f}"] for a, e, mean, sd in _means(rows)],
    )
    typer.echo(f"The true front has {results['true_front']:,} of {results['members']:,} members.")
    if reference is not None:
        benchmarks.write_rows(reference, results["reference_front"])
        typer.echo(f"Wrote {reference}")
    _write(out, results, rows, lambda: benchmarks.draw_anytime(results))


@bench.command("problems")
def bench_problems() -> None:
    """List the named problems of bench search: objectives, space, tables, source and what differs."""
    from evonas.benchmarks.named_problem import describe_problems

    for row in describe_problems():
        typer.echo(
            f"{row['problem']}: {row['objectives']}; space {row['space']}, tables {row['tables']}; {row['source']}; "
            f"differs: {row['differs']}"
        )


@bench.command("operators")
def bench_operators(
    problems: Annotated[
        str, typer.Option(help="zdt1 and others, on grids, and spaces of stages: few flops for many params.")
    ] = "zdt1,zdt2,zdt3,zdt4,zdt6,dtlz1,dtlz2,dtlz3,dtlz7,mobilenet_v3",
    options: Annotated[str, typer.Option(help="Points of each variable of a grid, odd numbers.")] = "5,11",
    choices: Annotated[int, typer.Option(min=3, help="Variables of a grid.")] = 15,
    skeleton: Annotated[str, typer.Option(help="Skeleton that a space's costs are counted on.")] = "imagenet",
    evaluations: Annotated[int, typer.Option(min=40, help="Of each search.")] = 1500,
    seeds: Annotated[int, typer.Option(min=1, help="Runs of each search.")] = 30,
    out: Out = None,
) -> None:
    """Compare operators that know which choices are ordered with those that do not, on problems of known fronts."""
    from evonas.benchmarks.additive import cost_problem
    from evonas.benchmarks.operators import bench_operators as compare
    from evonas.benchmarks.operators import compare_operators
    from evonas.evolution.integer_problems import GRID_PROBLEMS, grid_problem
    from evonas.pareto.objective import split_names
    from evonas.spaces import load_space

    names, grids = split_names([problems], "problem"), _numbers(options)
    made = [grid_problem(name, grid, choices) for name in names if name in GRID_PROBLEMS for grid in grids]
    made += [cost_problem(load_space(name), skeleton) for name in names if name not in GRID_PROBLEMS]
    rows = compare(made, evaluations=evaluations, seeds=seeds, progress=_progress)
    compared = compare_operators(rows)
    _show(list(compared[0]), [[_cell(value) for value in row.values()] for row in compared])
    _write(out, {"compared": compared, "searches": rows}, rows, None)

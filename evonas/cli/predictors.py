"""``evonas predictors``: what trainings of other spaces teach, as a file."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.bench import _cell, _show
from evonas.cli.bench_predictors import FORM
from evonas.cli.options import Application

predictors = Application(no_args_is_help=True, help="Predictors learned from trainings in other spaces.")


def _safetensors(out: Path) -> Path:
    from evonas.errors import SettingsError

    if out.suffix.lower() != ".safetensors" or out.is_dir():
        raise SettingsError(f"Expected --out to name a file that ends in .safetensors, got '{out}'")
    return out


@predictors.command("train")
def train_predictor(
    tables: Annotated[
        list[str], typer.Option(metavar=FORM, help="Trained architectures of one space; repeat, two spaces or more.")
    ],
    out: Annotated[Path, typer.Option(callback=_safetensors, help="The file to write.")],
    source: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TABLE=SOURCE (LICENCE)", help="Where a table is from, for the card: 'mine=our laboratory (CC0)'."
        ),
    ] = None,
) -> None:
    """Learn a predictor of architectures of any space, for `search --predictor`, judged on each space left out."""
    from evonas.benchmarks.onnx_table import read_table
    from evonas.benchmarks.train_predictor import train_predictor as train
    from evonas.errors import SettingsError
    from evonas.predictors.general import write_predictor

    sources = {}
    for text in source or ():
        name, _, said = text.partition("=")
        if not name or not said or name in sources:
            raise SettingsError(
                f"Expected --source TABLE=SOURCE (LICENCE) once for each table, such as 'mine=our laboratory (CC0)', "
                f"got '{text}'"
            )
        sources[name] = said
    found = train([read_table(text) for text in tables], sources=sources)
    write_predictor(out, found)
    _card(out)


@predictors.command("show")
def show_predictor(
    file: Annotated[Path | None, typer.Argument(help="A predictor's file. [default: the shipped one]")] = None,
) -> None:
    """What a predictor was learned from, under which licences, and how well it ranks spaces that it has not seen."""
    _card(file)


def _card(file: Path | None) -> None:
    from evonas.predictors.general import read_predictor, shipped_predictor

    found = shipped_predictor() if file is None else read_predictor(file)
    keys = ["table", "space", "column", "rows", "source", "licence"]
    _show(keys, [[_cell(getattr(table, key)) for key in keys] for table in found.tables])
    figures = ["spearman", "flops", "n"]
    rows = [[space, *(_cell(row[key]) for key in figures)] for space, row in found.judged.items()]
    _show(["space left out", "spearman", "spearman of flops", "n"], rows)
    typer.echo("weights: " + ", ".join(f"{name} {weight:.3f}" for name, weight in found.whole.weights.items()))

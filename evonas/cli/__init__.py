"""The command line: parse, call one function, print. Heavy imports stand inside the commands."""

from __future__ import annotations

import io
import os
import sys
from collections.abc import Sequence

import typer

from evonas.cli import (  # importing them registers their commands
    bench_calibration,  # noqa: F401
    bench_columns,  # noqa: F401
    bench_deadlines,  # noqa: F401
    bench_distillation,  # noqa: F401
    bench_estimator,  # noqa: F401
    bench_predictors,  # noqa: F401
    bench_protocol,  # noqa: F401
    bench_pruning,  # noqa: F401
    bench_search,  # noqa: F401
    bench_supernet,  # noqa: F401
)
from evonas.cli.bench import bench
from evonas.cli.data import data
from evonas.cli.deploy import deploy
from evonas.cli.describe import describe
from evonas.cli.ensemble import ensemble
from evonas.cli.export import export
from evonas.cli.front import front
from evonas.cli.imports import imports
from evonas.cli.latency import latency
from evonas.cli.list import list_names
from evonas.cli.options import Application
from evonas.cli.predict import predict
from evonas.cli.predictors import predictors
from evonas.cli.repeat import repeat
from evonas.cli.report import report
from evonas.cli.score import score
from evonas.cli.search import resume, search
from evonas.cli.stopping import INTERRUPTED, exit_code, signals_stop
from evonas.cli.train import train
from evonas.cli.verify import verify

app = Application(
    name="evonas",
    help="Evolutionary multi-objective neural architecture search: from data to a verified ONNX model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)
for command in (
    search, data, resume, repeat, front, train, deploy, ensemble, predict, verify, export, report, describe, score,
):  # fmt: skip
    app.command()(command)
app.command("list")(list_names)
app.add_typer(latency, name="latency")
app.add_typer(bench, name="bench")
app.add_typer(imports, name="import")
app.add_typer(predictors, name="predictors")


def _version(wanted: bool) -> None:
    if wanted:
        from evonas.version import __version__

        typer.echo(__version__)
        raise typer.Exit


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
    version: bool = typer.Option(False, "--version", callback=_version, is_eager=True, help="Show the version."),
) -> None:
    if debug:
        os.environ["EVONAS_DEBUG"] = "1"


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line; an error that a user can cause ends in one line and exit code 2.

    Args:
        arguments: What stands after ``evonas``; those of this process where nothing is given.

    Raises:
        SystemExit: At the end, with the exit code.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper) and stream.errors == "strict":
            stream.reconfigure(errors="replace")  # arrows and lines of boxes are in few encodings
    with signals_stop():
        try:
            code: int | None = _run(arguments)
            if code == INTERRUPTED:  # some versions of typer return it, whichever signal it was
                code = exit_code(KeyboardInterrupt())
        except BaseException as error:
            code = exit_code(error)
            if code is None:
                raise
    sys.exit(code)


def _run(arguments: Sequence[str] | None) -> int:
    """Run the command line and return its exit code."""
    from evonas.errors import EvonasError

    try:
        code = app(arguments, prog_name="evonas", standalone_mode=False)
    except EvonasError as error:
        if os.environ.get("EVONAS_DEBUG") or exit_code(error) is not None:  # what a signal was turned into is no error
            raise
        typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
        return 2
    except typer.Abort as error:
        raise KeyboardInterrupt from error
    except Exception as error:
        context = getattr(error, "ctx", None)  # a wrong option: typer's versions carry classes of their own for that
        if not hasattr(error, "format_message"):
            raise
        if type(error).__name__ == "NoArgsIsHelpError":
            typer.echo(context.get_help() if context else "", err=True)
        else:
            see = f"; see  {context.command_path} --help" if context else ""
            typer.echo(f"Error: {' '.join(error.format_message().split()).rstrip('.')}{see}", err=True)
        return 2
    return code if isinstance(code, int) else 0

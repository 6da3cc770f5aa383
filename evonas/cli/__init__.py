"""The command line: parse, call one function, print. Heavy imports stand inside the commands."""

from __future__ import annotations

import importlib
import os
import sys

import typer

app = typer.Typer(
    name="evonas",
    help="Evolutionary multi-objective neural architecture search: from data to a verified ONNX model.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    add_completion=False,
)


@app.callback()
def _options(
    debug: bool = typer.Option(False, "--debug", help="Show the traceback of an error."),
) -> None:
    if debug:
        os.environ["EVONAS_DEBUG"] = "1"


def _register() -> None:
    for module, names in (
        ("search", ("search", "resume")),
        ("front", ("front",)),
        ("train", ("train",)),
        ("deploy", ("deploy",)),
        ("report", ("report",)),
        ("describe", ("describe",)),
    ):
        try:
            commands = importlib.import_module(f"evonas.cli.{module}")
        except ModuleNotFoundError:
            continue
        for name in names:
            app.command(name)(getattr(commands, name))


_register()


def main() -> None:
    """Run the command line; an error that a user can cause ends in one line and exit code 2."""
    from evonas.errors import EvonasError

    try:
        app()
    except EvonasError as error:
        if os.environ.get("EVONAS_DEBUG"):
            raise
        typer.echo(f"Error: {' '.join(str(error).split())}", err=True)
        sys.exit(2)

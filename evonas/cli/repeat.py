"""``evonas repeat``: the same search with several seeds, and how they compare."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from evonas.cli.search import Mlflow, Quiet, Tensorboard, listeners_of
from evonas.cli.seeds import search_seeds


def repeat(
    run: Annotated[Path, typer.Argument(help="A run that ended, or a folder of several seeds to go on with.")],
    seeds: Annotated[
        int | None,
        typer.Option(help="Seeds in all, counted up from the run's own. \\[default: 5; a folder keeps its number]"),
    ] = None,
    out: Annotated[Path | None, typer.Option(help="Folder to make. \\[default: RUN-seeds, beside the run]")] = None,
    tensorboard: Tensorboard = False,
    mlflow: Mlflow = None,
    quiet: Quiet = False,
) -> None:
    """Repeat a search with other seeds, and say how much the fronts differ; a folder that was stopped goes on."""
    from evonas.errors import SettingsError
    from evonas.runs.run import Run
    from evonas.runs.seed_folder import SEEDS_FILE

    if (run / SEEDS_FILE).exists():
        if out is not None:
            raise SettingsError(f"{run} holds several seeds already and goes on where it is: leave out --out")
        from evonas.pipeline.seeds import SeedFolder

        folder = SeedFolder.open(run).extended(seeds)
    else:
        with Run.open(run) as opened:
            from evonas.pipeline.seeds import SeedFolder

            folder = SeedFolder.beside(opened, seeds, out)
    search_seeds(folder, lambda progress: listeners_of(tensorboard, mlflow, progress), quiet, None)

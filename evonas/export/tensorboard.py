"""TensorBoard's scalars: of a whole run, or generation by generation while a search runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from evonas.errors import require
from evonas.export.scalars import NewScalars, all_scalars
from evonas.pareto.short_id import short_id
from evonas.report.contents import Contents, gather
from evonas.runs.run import Run
from evonas.spaces import parse_candidate
from evonas.spaces.named_genes import named_genes

FOLDER = "tensorboard"
MEMBERS = 200
"""Members of the front at most that are written as HParams: each is a folder and a run for TensorBoard."""


def export_tensorboard(contents: Contents, path: Path) -> None:
    """Write the scalars and settings of a run to a folder, and each member's choices and figures as HParams."""
    require("tensorboard", "export")
    from torch.utils.tensorboard import SummaryWriter

    with SummaryWriter(str(path)) as writer:
        for name, value, step in all_scalars(contents):
            writer.add_scalar(name, value, step)
        writer.add_text("settings", "\n".join(f"    {k} = {v}" for k, v in contents.settings.items()))
    space = contents.space
    if space is None:  # gone: its choices cannot be named
        return
    members = list(contents.front)[:MEMBERS]
    if not members:
        return
    genes = named_genes(space, [parse_candidate(member.architecture, space) for member in members])
    for member, genome in zip(members, genes.genomes, strict=True):
        named = zip(genes.choices, genes.options, genome, strict=True)
        name = f"members/{short_id(member.architecture)}"
        with SummaryWriter(str(path / name)) as writer:
            choices = {choice: options[gene] for choice, options, gene in named}
            writer.add_hparams(
                choices, {f"member/{k}": v for k, v in {**member.values, **member.known}.items()}, run_name="."
            )


class TensorBoardLog:
    """Writes scalars to the run's folder ``tensorboard/`` after every generation; called with the run.

    Raises:
        MissingExtraError: The package is not installed.
    """

    def __init__(self) -> None:
        require("tensorboard", "export")
        self._writer: Any = None
        self._scalars = NewScalars()

    def __call__(self, run: Run) -> None:
        """Write what the last generation added."""
        from torch.utils.tensorboard import SummaryWriter

        if self._writer is None:
            folder = run.path / FOLDER
            for old in folder.glob("events.*"):  # a search that is resumed writes all of it again
                old.unlink()
            self._writer = SummaryWriter(str(folder))
        for name, value, step in self._scalars.take(gather(run, ended=False)):
            self._writer.add_scalar(name, value, step)
        self._writer.flush()

    def close(self, run: Run | None) -> None:
        """Close the file."""
        if self._writer is not None:
            self._writer.close()

"""Deployment of all members of a front, each into a folder of its own, with one table."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.deployment.deploy import deploy
from evonas.deployment.deployment import Deployment
from evonas.deployment.folder import refuse_content
from evonas.errors import ExportError, RunError
from evonas.files.progress import Progress
from evonas.runs.front_file import read_front
from evonas.runs.run import Run


@dataclass(frozen=True)
class FrontDeployment:
    """Outcome of deploying the members of a front.

    Attributes:
        deployed: By number on the front.
        refused: Cause by number on the front, where nothing was written.
    """

    deployed: dict[int, Deployment]
    refused: dict[int, str]


def deploy_front(
    run: str | Path, out: str | Path | None = None, *, progress: Progress | None = None, **options: Any
) -> FrontDeployment:
    """Deploy every member of a run's front; one that is refused does not keep the others from it.

    Args:
        run: A run that ended, by path.
        out: Folder of the members' folders, each named by its number; nothing, or an empty one, may be there. Default:
            each where `deploy` puts it.
        progress: Shows how far it is.
        **options: Those of `deploy`.

    Raises:
        ExportError: Something is at `out`, or every member is refused, with the first cause.
        EvonasError: No front, or settings that are refused for every member alike.
    """
    if out is not None:
        refuse_content(Path(out))
    with Run.open(run) as opened:
        members = len(read_front(opened))
        deployed: dict[int, Deployment] = {}
        refused: dict[int, str] = {}
        for index in range(members):
            folder = None if out is None else Path(out) / f"{index:0{len(str(members - 1))}d}"
            try:
                deployed[index] = deploy(opened, f"index:{index}", folder, progress=progress, **options)
            except (ExportError, RunError) as error:
                refused[index] = str(error)
    if not deployed:
        raise ExportError(f"No member of the front could be deployed; the first: {refused[0]}")
    return FrontDeployment(deployed, refused)


def front_deployment_summary(front: FrontDeployment) -> list[str]:
    """Return one table of all members, then where they stand and why others were refused, as lines for people."""
    first = next(iter(front.deployed.values()))
    heads = ("index", "precision", "bytes", "ms", f"test {first.measure}", "cost", "MB", "folder")
    rows = [
        (
            str(index),
            one.precision,
            f"{one.figures.size:,}",
            f"{one.figures.latency.median_ms:.3g}",
            one.in_words(one.figures.accuracy),
            "" if one.drop is None else f"{one.drop:+.2f}",
            f"{one.figures.own_memory / 1e6:.1f}" if one.figures.peak_memory else "",
            one.folder.name,
        )
        for index, one in front.deployed.items()
    ]
    cost = "points of accuracy" if first.classifies else f"per cent of {first.measure}"
    notes = [
        f"ms: median of single images on {first.measured_on}; each member was measured when it was deployed.",
        f"cost: {cost} that fewer bits cost on the test part. MB: peak memory of a process beyond its libraries'.",
        f"Folders stand in {first.folder.parent}; check one again, here or elsewhere:  "
        f"evonas verify {shlex.quote(str(first.folder))}",
    ]
    return [*_aligned([heads, *rows]), *notes, *(f"{i} was refused: {cause}" for i, cause in front.refused.items())]


def _aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Return rows as lines with columns of one width, the second and the last to the left."""
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    left = {1, len(widths) - 1}
    return [
        "  ".join(
            cell.ljust(w) if i in left else cell.rjust(w) for i, (cell, w) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in rows
    ]

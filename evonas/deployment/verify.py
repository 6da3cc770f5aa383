"""Verification of members of a run: measured again, and compared with what was noted."""

from __future__ import annotations

import os
import shlex
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path

from evonas.deployment.member import has_supernet
from evonas.deployment.model import to_json
from evonas.deployment.remeasurement import Remeasurement
from evonas.deployment.verification import Verification
from evonas.errors import RunError
from evonas.files.progress import Progress, Silent
from evonas.objectives import Context
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import choose
from evonas.runtime.threads import torch_threads
from evonas.tables.load import load_table

VERIFIED = "verify.json"


def verify(
    run: Run | str | Path,
    select: str = "front",
    *,
    trained: bool = False,
    table: Sequence[str] = (),
    data: str | None = None,
    progress: Progress | None = None,
) -> Verification:
    """Measure members of a run again: all that can be measured here; what cannot is named with the cause.

    FLOPs are counted by fvcore on the whole network, where the search summed a table of blocks. Latency is that
    of the whole network, measured twice now; its noise is the larger of three median absolute deviations and of
    what the two measurements differ by. An accuracy's noise is its binomial standard error; other objectives are
    computed again as the search computed them. What was measured is written to the run's ``verify.json``.

    Args:
        run: A run that ended, by path, or open for writing.
        select: As `choose` takes it, or ``front``: every member.
        trained: Read the test accuracy of trained weights again as well; every such access is logged in the run.
        table: Where the run's table is now; empty: where it was.
        data: Where the run's data are now, which must be the same; None: where they were.
        progress: Shows how far it is.

    Raises:
        EvonasError: No such member, no front, nothing trained where that was asked for, or a run that another
            process writes to.
    """
    if not isinstance(run, Run):
        with Run.open(run, write=os.access(run, os.W_OK)) as opened:
            return verify(opened, select, trained=trained, table=table, data=data, progress=progress)
    run.relocate(data, table)
    front = read_front(run)
    context = run_context(run, with_supernet=has_supernet(run))
    selections = [f"index:{i}" for i in range(len(front))] if select == "front" else [select]
    choices = [choose(front, context.space, selection) for selection in selections]
    members = Remeasurement(run, context, choices, [m.architecture for m in front], _columns(run, context))
    verification = Verification()
    with (progress or Silent()).task("Measuring again", len(choices)) as task, torch_threads(context.threads):
        for number, choice in enumerate(choices):
            verification += members.without_test_part(number, choice)
            if trained:
                verification += members.on_test_part(choice)
            task.advance(1)
    if trained and not any(number.name.endswith("_trained") for number in verification):
        path, member = shlex.quote(str(run.path)), shlex.quote(select)
        raise RunError(
            f"Nothing of {select:.60} was trained: run  evonas train {path} --select {member}  first, or verify "
            "without --trained"
        )
    verification.skipped = members.skipped({number.name for number in verification})
    content = {
        "when": time.strftime("%Y-%m-%dT%H:%M:%S%z"),
        "select": select,
        "numbers": [{**asdict(number), "moved": number.moved} for number in verification],
        "skipped": verification.skipped,
    }
    if run.writable:
        run.write(VERIFIED, to_json(content))
    else:
        (progress or Silent()).say(f"{run.path} can only be read: no {VERIFIED} is written")
    return verification


def _columns(run: Run, context: Context) -> set[str]:
    """Return the objectives that are measured truth of a table, which nothing here can measure."""
    tables = run.settings.get("table")
    return set(load_table(list(tables), context.space).columns) if tables else set()

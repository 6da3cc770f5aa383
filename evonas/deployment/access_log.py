"""Log of accesses to the test part: a number read twice by choice is no test any more."""

from __future__ import annotations

import errno
import json
import os
import time
from pathlib import Path
from typing import Any

from evonas.errors import RunError
from evonas.files.progress import Progress, Silent
from evonas.runs.run import Run

ACCESS_LOG = "test_access.jsonl"
"""A file of its own, only ever appended to: a deployment may run while another process holds the run's lock."""


def log_access(run: Run, command: str, member: str, progress: Progress | None = None) -> None:
    """Note in a run that a command reads the test part.

    Args:
        run: The run, open for reading or writing.
        command: Such as ``deploy``.
        member: Canonical text of the architecture whose accuracy is read.
        progress: Says so where the run is on a file system that can only be read, and so holds no note of this access.

    Raises:
        RunError: The log cannot be written.
    """
    line = json.dumps({"when": time.strftime("%Y-%m-%dT%H:%M:%S%z"), "command": command, "member": member}) + "\n"
    try:
        log = os.open(run.path / ACCESS_LOG, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o666)
        try:
            os.write(log, line.encode())  # one call: lines of two processes do not mix
        finally:
            os.close(log)
    except OSError as error:
        if error.errno == errno.EROFS:
            (progress or Silent()).say(f"{run.path} can only be read: this access to the test part is not logged there")
            return
        raise RunError(
            f"Cannot log an access to the test part in {run.path / ACCESS_LOG}: {error.strerror or error}; "
            "check that the run is yours and its disk has space"
        ) from error


def read_accesses(run: Run | str | Path) -> list[dict[str, Any]]:
    """Return the accesses to a run's test part, the first first: ``when``, ``command`` and ``member`` of each.

    Raises:
        RunError: The log is damaged.
    """
    path = (run.path if isinstance(run, Run) else Path(run)) / ACCESS_LOG
    if not path.exists():
        return []
    try:
        return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    except (OSError, ValueError) as error:
        raise RunError(f"The log {path} cannot be read ({error}): restore it from a copy") from None

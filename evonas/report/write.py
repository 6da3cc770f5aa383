"""Writing the report of a run."""

from __future__ import annotations

from pathlib import Path

from evonas.files.whole import write_whole
from evonas.report.contents import gather
from evonas.report.page import make_page
from evonas.runs.run import Run


def write_report(run: Run, out: str | Path | None = None, *, ended: bool | None = None) -> Path:
    """Write the report of a run; during a search again and again, as after every generation.

    Args:
        run: The run, open for reading or writing.
        out: The file; None: ``report.html`` in the run directory.
        ended: Whether the search came to its end: else the page loads itself again every few seconds, and shows
            the front of what is known. None: whether the run has a ``front.json``.

    Returns:
        The file.

    Raises:
        MissingExtraError: plotly is not installed.
        RunError: The file cannot be written; the one before is still there.
    """
    path = run.path / "report.html" if out is None else Path(out)
    write_whole(path, make_page(gather(run, ended=ended)))
    return path

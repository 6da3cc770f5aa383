"""Section of the report's page on each class, of members that were trained to the end."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from evonas.report.markup import numbers, table, text
from evonas.tasks import ClassReport

__all__ = ["class_section", "read_class_reports"]

MOST_TRAININGS = 12
"""Trainings that a page shows, the latest."""
RECORD = "training.json"


def read_class_reports(models: Path) -> dict[str, ClassReport]:
    """Return the reports of classes that a run's trainings left, the latest last, by their folders' names.

    A record that is damaged or holds none is left out: commands on that training name it.

    Args:
        models: The run's folder ``models/``.
    """
    found: list[tuple[str, str, ClassReport]] = []
    for file in models.glob(f"*/{RECORD}"):
        try:
            record = json.loads(file.read_text(encoding="utf-8"))
            found.append((str(record["finished"]), file.parent.name, ClassReport.from_content(record["classes"])))
        except (OSError, ValueError, KeyError, TypeError, IndexError):
            continue
    return {name: report for _, name, report in sorted(found, key=lambda one: one[:2])[-MOST_TRAININGS:]}


def class_section(reports: Mapping[str, ClassReport]) -> str:
    """Return the section; nothing where no classifier was trained to the end.

    Args:
        reports: By the trainings' names.
    """
    if not reports:
        return ""
    parts = "".join(_training(name, report) for name, report in reversed(list(reports.items())))
    return (
        "<section class='card' aria-labelledby='classes'><h2 id='classes'>Class by class</h2>"
        "<p class='small soft'>Members trained to the end, on the test images; beside each measure what an answer that "
        f"is always the largest class would get.</p><div class='pair'>{parts}</div></section>"
    )


def _training(name: str, report: ClassReport) -> str:
    """Return the tables of one training."""
    rows = report.class_rows()
    note = _sentences(report, len(rows))
    matrix: Sequence[tuple[str, ...]] = report.confusion_rows()
    confusion = table("rows: true class, columns: answer", ("", *report.classes), matrix) if matrix else ""
    return (
        f"<div><h3>{text(name)}</h3>"
        f"{table('', ('measure', 'network', f'always {report.constant}'), report.measure_rows())}"
        f"{table('', ('class', 'recall', 'precision', 'images'), rows)}"
        f"<p class='small soft'>{text(note)}</p>{numbers(confusion)}</div>"
    )


def _sentences(report: ClassReport, shown: int) -> str:
    parts = []
    if len(report.classes) > shown:
        parts.append(f"The {shown} classes of least recall of {len(report.classes)}.")
    if report.never:
        parts.append(f"Never answered: {', '.join(report.never[:10])}.")
    if confused := report.confused():
        parts.append(f"Taken for one another most often: {', '.join(confused)}.")
    return " ".join(parts)

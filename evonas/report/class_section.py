"""Section of the report's page on each class, of members that were trained to the end."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from evonas.report.markup import table, text
from evonas.runs.training_record import RECORD
from evonas.tasks import ClassReport

__all__ = ["class_section", "read_class_reports"]

MOST_TRAININGS = 12
"""Trainings that a page shows, the latest."""
SHARES = ("accuracy", "balanced_accuracy")
"""Measures that are shares of images, in percent; the others are scores of their own."""


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
    recall, precision, support = report.recall, report.precision, report.support
    listed = [report.classes.index(row[0]) for row in report.class_rows()]
    rows = [
        (report.classes[k], f"{100 * recall[k]:.1f}", f"{100 * precision[k]:.1f}", f"{support[k]:,}") for k in listed
    ]
    measures = [
        (_titled(key), _measure(key, value), _measure(key, report.constant_measures[key]))
        for key, value in report.measures.items()
    ]
    return (
        f"<div><h3>{text(name)}</h3>"
        f"{table('', ('measure', 'network', f'always {report.constant}'), measures)}"
        f"{table('', ('class', 'recall (%)', 'precision (%)', 'images'), rows)}"
        f"<p class='small soft'>Recall: of a class's images those found; precision: of the answers that name it those "
        f"that are right. {text(_sentences(report, len(rows)))}</p>{_confusion(report)}</div>"
    )


def _titled(measure: str) -> str:
    return f"{measure.replace('_', ' ')} (%)" if measure in SHARES else measure.replace("_", " ")


def _measure(name: str, value: float) -> str:
    return f"{100 * value:.1f}" if name in SHARES else f"{value:.3f}"


def _confusion(report: ClassReport) -> str:
    """Return the confusion matrix, darker where more of a class's images are; nothing of very many classes."""
    rows = report.confusion_rows()
    if not rows:
        return ""
    share = report.confusion / np.maximum(report.support, 1)[:, None]
    head = "".join(f"<th scope='col'>{text(name)}</th>" for name in report.classes)
    body = "".join(
        f"<tr><th scope='row' class='text'>{text(cells[0])}</th>"
        + "".join(
            f"<td class='{'right' if i == j else 'wrong'}' style='--part:{100 * share[i, j]:.0f}%'>{text(cell)}</td>"
            for j, cell in enumerate(cells[1:])
        )
        + "</tr>"
        for i, cells in enumerate(rows)
    )
    return (
        "<h4>Confusion matrix</h4><div class='scroll' tabindex='0' role='region' aria-label='Confusion matrix'>"
        "<table class='confusion'><caption>rows: true class, columns: answer, in images; darker: a larger part of the "
        f"class</caption><thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></div>"
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

"""Section of the report's page on trained and deployed members: figures beside the estimate, and training curves."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from evonas.pareto.front import Member
from evonas.pareto.short_id import short_id
from evonas.report.amounts import headline, is_accuracy, known_heading, shown
from evonas.report.contents import Contents, json_of
from evonas.report.markup import numbers, table, text
from evonas.report.origins import number, trainable
from evonas.runs.training_record import RECORD

__all__ = ["TrainingFigures", "read_trainings", "training_curves", "trainings_section"]

MOST_TRAININGS = 12
"""Trainings that a page shows, the latest."""
CARD = "card.json"
CURVES = {"loss": "loss in training", "metric": "{measure} in training", "held_out": "{measure} on held-out images"}
"""Figures of an epoch that are drawn, and what they are called; `measure` is what the task is measured by."""


@dataclass(frozen=True)
class TrainingFigures:
    """A member trained to the end, or what was deployed of one.

    Attributes:
        folder: Its name in ``models/``.
        record: Content of its ``training.json``; empty of what was deployed without.
        card: Content of its ``card.json``; empty where it was not deployed.
    """

    folder: str
    record: Mapping[str, Any]
    card: Mapping[str, Any]

    @property
    def architecture(self) -> str:
        """Canonical text."""
        return str(self.record.get("architecture") or self.card.get("architecture", {}).get("text", ""))

    @property
    def measured_by(self) -> tuple[str, str]:
        """Name of what its task is measured by, and what that is called among objectives: of plain accuracy ``acc``."""
        outcome = self.record.get("accuracy")
        outcome = outcome if isinstance(outcome, Mapping) else {}
        return str(outcome.get("measure", "accuracy")), str(outcome.get("objective", "acc"))

    def figure(self, start: str, end: str = "") -> float | None:
        """Return the first figure of the card whose name begins and ends so; None where it has none."""
        for one in self.card.get("figures", ()):
            name = str(one.get("name", "")) if isinstance(one, Mapping) else ""
            if name.startswith(start) and name.endswith(end):
                return _finite(one.get("value"))
        return None


def read_trainings(contents: Contents) -> list[TrainingFigures]:
    """Return what was trained and deployed in a run, the latest first; damaged records are left out."""
    folders = [path for path in (contents.path / "models").glob("*") if path.is_dir()]
    found = [
        (
            max(file.stat().st_mtime for file in files),
            TrainingFigures(path.name, json_of(path / RECORD), json_of(path / CARD)),
        )
        for path in folders
        if (files := [path / name for name in (RECORD, CARD) if (path / name).is_file()])
    ]
    kept = [one for _, one in sorted(found, key=lambda pair: -pair[0]) if one.record or one.card]
    return kept[:MOST_TRAININGS]


def training_curves(trainings: Sequence[TrainingFigures]) -> list[dict[str, Any]]:
    """Return the curves of trainings: ``name``, ``objective`` (what the measure is called among objectives), ``scale``
    and ``axis`` by which the measure is drawn, and of each figure in `CURVES` that is known the values by epoch.
    """
    curves = []
    for one in trainings:
        history = [epoch for epoch in one.record.get("history", ()) if isinstance(epoch, Mapping)]
        measure, objective = one.measured_by
        percent = is_accuracy(f"{objective}_trained")
        lines = {
            key: {"words": words.format(measure=measure), "values": [_finite(epoch.get(key)) for epoch in history]}
            for key, words in CURVES.items()
            if any(_finite(epoch.get(key)) is not None for epoch in history)
        }
        if lines:
            curves.append(
                {
                    "name": one.folder,
                    "objective": objective,
                    "scale": 100 if percent else 1,
                    "axis": f"{measure} (%)" if percent else measure,
                    "epochs": [e.get("epoch", i + 1) for i, e in enumerate(history)],
                    **lines,
                }
            )
    return curves


def trainings_section(contents: Contents, trainings: Sequence[TrainingFigures]) -> str:
    """Return the section; nothing where no member was trained or deployed.

    Args:
        contents: The run.
        trainings: As `read_trainings` gives them.
    """
    if not trainings:
        return ""
    members = {member.architecture: (i, member) for i, member in enumerate(contents.front)}
    first = contents.objectives[0]
    own = f"{trainable([o.name for o in contents.objectives], contents.settings) or 'acc'}_trained"
    headings = (
        "training", "member", f"{first.name}, estimated", f"{known_heading(own)}, on test images", "likewise, deployed",
        "milliseconds, measured", "model, MB",
    )  # fmt: skip
    rows = [_cells(one, members.get(one.architecture), contents) for one in trainings]
    charts = "".join(
        f"<div><h3>{text(curve['name'])}</h3><div id='training{i}' class='chart low' role='img' "
        f"aria-label='Figures by epoch.'></div>{_curve_table(curve)}</div>"
        for i, curve in enumerate(training_curves(trainings))
    )
    return (
        "<section class='card' aria-labelledby='trained'><h2 id='trained'>Trained and deployed</h2>"
        "<p class='small soft'>Test images are read once, after training; the estimate was made before. A dash: not "
        f"done, or not known.</p>{table('', headings, rows)}<div class='pair'>{charts}</div></section>"
    )


def _cells(one: TrainingFigures, on_front: tuple[int, Member] | None, contents: Contents) -> tuple[str, ...]:
    """Return a row of the section's table."""
    outcome = one.record.get("accuracy")
    value = outcome.get("value") if isinstance(outcome, Mapping) else None
    name = one.measured_by[1]
    size = one.figure("size")
    member = (
        f"id {short_id(one.architecture)}" if on_front is None else f"{on_front[0]}, id {short_id(one.architecture)}"
    )
    return (
        one.folder,
        member,
        "–" if on_front is None else headline(on_front[1], contents.objectives[0], with_unit=True),
        shown(_finite(value), f"{name}_trained"),
        shown(one.figure("test ", " of model.onnx"), f"{name}_onnx"),
        number(one.figure("latency, median")),
        "–" if size is None else number(size / 1e6),
    )


def _curve_table(curve: Mapping[str, Any]) -> str:
    held = [key for key in CURVES if key in curve]
    rows = [
        (
            str(epoch),
            *(shown(curve[key]["values"][i], "" if key == "loss" else f"{curve['objective']}_trained") for key in held),
        )
        for i, epoch in enumerate(curve["epochs"])
    ]
    return numbers(table("by epoch", ("epoch", *(curve[key]["words"] for key in held)), rows))


def _finite(value: Any) -> float | None:
    return float(value) if isinstance(value, int | float) and math.isfinite(value) else None

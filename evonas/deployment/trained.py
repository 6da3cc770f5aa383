"""Trained members: what was trained in a run, how well, and how well the search had guessed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np

from evonas.errors import RunError
from evonas.pareto.correlation import kendall
from evonas.pareto.front import Front
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection
from evonas.runs.training_record import RECORD, read_record
from evonas.tasks import ClassReport
from evonas.training.held_out import overfitting

_EQUAL = ("architecture", "recipe", "weights", "teacher", "data")
"""What trainings share that differ in their seed alone."""


@dataclass(frozen=True)
class Trained:
    """A trained member.

    Attributes:
        folder: Its folder in ``models/``; `load_model` rebuilds the network.
        architecture: Canonical text.
        accuracy: On the test part, read once after training, in [0, 1]; of another task its primary measure.
        test_images: Size of that part.
        estimates: What was known before: ``acc`` and ``acc_report`` of the supernet, where it is on the front, and the
            measures of classes that the search optimized.
        record: All of ``training.json``: recipe, seed, first weights, data, history, versions.
        stored: It had been trained before and was only read.
        scored: The search ranked by a score that is no accuracy.
    """

    folder: Path
    architecture: str
    accuracy: float
    test_images: int
    estimates: dict[str, float] = field(default_factory=dict)
    record: dict[str, Any] = field(default_factory=dict)
    stored: bool = False
    scored: bool = False

    @property
    def key(self) -> str:
        """What stands for the architecture in names of folders."""
        return self.folder.name.partition("-")[0]

    @property
    def objective(self) -> str:
        """Name of the objective that was trained for: ``acc``, or the primary measure of another task."""
        return str(self.record.get("accuracy", {}).get("objective", "acc"))

    @property
    def classes(self) -> ClassReport | None:
        """Report of each class on the test part; None of another task, or of a training before there were such."""
        return read_classes(self.record.get("classes"), str(self.folder))

    @property
    def how(self) -> str:
        """How it was trained, in words."""
        record = self.record
        text = f"recipe {record['recipe']['name']}, {record['weights']} weights, seed {record['seed']}"
        return text + (", taught by the largest path" if record["teacher"] else "")


def read_classes(content: Any, where: str) -> ClassReport | None:
    """Return the report of classes that a file holds; None where it holds none.

    Raises:
        RunError: It is damaged.
    """
    if content is None:
        return None
    try:
        return ClassReport.from_content(content)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        raise RunError(f"The report of classes in {where} cannot be read ({error}): train or deploy again") from None


def trained_models(run: Run, choice: Selection) -> list[Trained]:
    """Return what was trained of an architecture, the latest first; unfinished trainings are not among it.

    Raises:
        RunError: A ``training.json`` is damaged.
    """
    found = []
    for file in (run.path / "models").glob(f"{choice.key}-*/{RECORD}"):
        record = read_record(file)
        if record["architecture"] == choice.text:
            found.append(as_trained(file.parent, record, choice, stored=True))
    return sorted(found, key=lambda t: (t.record["finished"], t.folder.name), reverse=True)


def estimate_agreement(trained: Sequence[Trained]) -> float | None:
    """Return Kendall's τ of estimated against trained accuracy; None for fewer than three architectures or where
    one side ties throughout.

    The estimate is ``acc_report``, on images that the search did not select on, where all have it; else ``acc``.
    """
    by_text: dict[str, list[Trained]] = {}
    for one in trained:
        by_text.setdefault(one.architecture, []).append(one)
    own = trained[0].objective if trained else "acc"
    name = next((n for n in (f"{own}_report", own) if all(n in t.estimates for t in trained)), None)
    if name is None or len(by_text) < 3:
        return None
    estimates = [some[0].estimates[name] for some in by_text.values()]
    accuracies = [float(np.mean([t.accuracy for t in some])) for some in by_text.values()]
    if len(set(estimates)) == 1 or len(set(accuracies)) == 1:
        return None
    return kendall(estimates, accuracies)


def note_accuracy(run: Run, trained: Trained) -> None:
    """Note the mean test accuracy over seeds of equal trainings in store and front; doing it again is harmless."""
    record = trained.record
    equal = []
    for file in sorted((run.path / "models").glob(f"{trained.key}-*/{RECORD}")):
        other = read_record(file)
        if all(other[key] == record[key] for key in _EQUAL):
            equal.append(other)
    values = [other["accuracy"]["value"] for other in equal]
    detail = {
        "by": f"test part, {trained.test_images} images",
        "recipe": record["recipe"]["name"],
        "weights": record["weights"],
        "teacher": record["teacher"],
        "seeds": {str(other["seed"]): other["accuracy"]["value"] for other in equal},
    }
    front = read_front(run)
    noted_means = {f"{trained.objective}_trained": float(np.mean(values))}
    for objective in front.objectives:  # measures that the search optimized beside or instead of accuracy
        reports = [read_classes(other.get("classes"), str(trained.folder)) for other in equal]
        found = [None if report is None else report.value(objective.name) for report in reports]
        if all(value is not None for value in found):
            noted_means.setdefault(f"{objective.name}_trained", float(np.mean(np.array(found, dtype=np.float64))))
    for name, mean in noted_means.items():
        run.store.note(trained.architecture, name, mean, detail)
    if not any(member.architecture == trained.architecture for member in front):
        return
    members = tuple(
        replace(m, known={**m.known, **noted_means}) if m.architecture == trained.architecture else m for m in front
    )
    noted = Front(front.objectives, members, front.reference, front.hypervolume)
    run.write("front.csv", noted.to_csv())
    run.write("front.json", noted.to_json())


def _shown(value: float, objective: str, score: bool = False) -> str:
    """Return an accuracy in percent; a score and another task's measure as they are."""
    return f"{100 * value:.2f} %" if objective == "acc" and not score else f"{value:.4f}"


def training_summary(trained: Sequence[Trained]) -> list[str]:
    """Return what was trained, estimated beside trained accuracy, and what to type next, as lines for people."""
    own = trained[0].objective
    lines = [f"{'':8}  {own:>7}  {own + '_report':>10}  {'trained':>7}"]
    for one in trained:
        names, scored = (own, f"{own}_report"), (one.scored, False)
        known = [
            _shown(one.estimates[name], own, score) if name in one.estimates else ""
            for name, score in zip(names, scored, strict=True)
        ]
        lines.append(
            f"{one.key}  {known[0]:>7}  {known[1]:>10}  {_shown(one.accuracy, own):>7}  {one.how}"
            + (" (trained before)" if one.stored else "")
        )
    images, measure = trained[0].test_images, "accuracy" if own == "acc" else own
    ranked = f"{own} is what the search ranked by, " if any(own in one.estimates for one in trained) else ""
    lines.append(
        f"trained is {measure} on the {images:,} test images; {ranked}{own}_report the "
        f"supernet's {measure} on the part of the validation images that the search did not select on."
    )
    lines += [line for one in trained for line in _measured(one)]
    lines += [line for one in trained for line in _held_out(one)]
    lines += _over_seeds(trained)
    tau = estimate_agreement(trained)
    if tau is not None:
        lines.append(f"Kendall's tau of estimated against trained {measure}: {tau:.2f}.")
    return [
        *lines,
        *(class_lines(trained[0].classes) if len(trained) == 1 and trained[0].classes is not None else ()),
        f"Weights: {trained[0].folder}" + (f" and {len(trained) - 1} more beside it" if len(trained) > 1 else ""),
    ]


def _held_out(trained: Trained) -> list[str]:
    """Return what held-out images said of a training: the epoch that is kept, and whether it overfits."""
    record = trained.record
    history, best = record.get("history", ()), record.get("best_epoch")
    if not best:
        return []
    value = _shown(history[best - 1]["held_out"], trained.objective)
    line = (
        f"{trained.key}  seed {record['seed']}: weights of epoch {best} of {len(history)} are kept, the best on "
        f"{record['held_out']:,} held-out images ({value})"
    )
    said = overfitting(history, record["held_out"]) if trained.objective == "acc" else None
    return [f"{line}.", *([] if said is None else [f"{said}."])]


def _over_seeds(trained: Sequence[Trained]) -> list[str]:
    """Return mean and standard deviation of members that were trained with several seeds."""
    by_text: dict[str, list[Trained]] = {}
    for one in trained:
        by_text.setdefault(one.architecture, []).append(one)
    lines = []
    for some in by_text.values():
        if len(some) > 1:
            values, own = [one.accuracy for one in some], some[0].objective
            mean, spread = _shown(float(np.mean(values)), own), _shown(float(np.std(values, ddof=1)), own)
            lines.append(f"{some[0].key}  {len(some)} seeds: mean {mean}, standard deviation {spread}.")
    return lines


def _measured(trained: Trained) -> list[str]:
    """Return what the search estimated of measures of classes that it optimized, and what they are after training."""
    report = trained.classes
    if report is None:
        return []
    return [
        f"{trained.key}  {name}: {estimate:.4f} as the search estimated it, {value:.4f} on the test images"
        for name, estimate in trained.estimates.items()
        if (value := report.value(name)) is not None
    ]


def class_lines(report: ClassReport) -> list[str]:
    """Return what is to be known of each class on the test part, beside a constant answer, as lines for people."""
    measures = [("", "got", f"always '{report.constant}'"), *report.measure_rows()]
    lines = [f"{name:18} {got:>7}  {constant:>7}" for name, got, constant in measures]
    wide = max(len("class"), *(min(24, len(name)) for name, *_ in report.class_rows()))
    for name, *figures in (("class", "recall", "precision", "images"), *report.class_rows()):
        lines.append(f"{name[:wide]:{wide}}  {figures[0]:>6}  {figures[1]:>9}  {figures[2]:>7}")
    if report.never:
        lines.append(f"Never answered: {', '.join(report.never[:10])}.")
    if confused := report.confused():
        lines.append(f"Taken for one another most often: {', '.join(confused)}.")
    return lines


def as_trained(folder: Path, record: dict[str, Any], choice: Selection, *, stored: bool = False) -> Trained:
    """Return a record with what the search had estimated of the member."""
    known = {} if choice.member is None else {**choice.member.known, **choice.member.values}
    own = record["accuracy"].get("objective", "acc")
    report = read_classes(record.get("classes"), str(folder))
    values = {} if choice.member is None or report is None else choice.member.values
    measured = [name for name in values if report is not None and report.value(name) is not None]
    return Trained(
        folder,
        record["architecture"],
        record["accuracy"]["value"],
        record["accuracy"]["images"],
        {name: known[name] for name in (own, f"{own}_report", *measured) if name in known},
        record,
        stored,
        own == "acc" and "acc_top1" in known and "acc_low" not in known,
    )

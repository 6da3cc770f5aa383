"""Estimators of accuracy: ``KIND`` or ``KIND:OPTION``, such as ``supernet:loss`` or ``train:5``."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from evonas.errors import SettingsError, suggest

if TYPE_CHECKING:
    from evonas.tasks import Task

SUPERNET = {
    "accuracy": "the share of validation images that shared weights get right",
    "loss": "the geometric mean of the true class's probability under shared weights",
    "probability": "the mean probability of the true class under shared weights",
    "smoothed": "the geometric mean of the true class's probability, by what each choice adds to it over many paths",
    "prior": "what shared weights give, smoothed over many paths, joined with FLOPs and SWAP",
}
"""What can be read off a supernet's outputs, and what `acc` then is."""
READ = {"accuracy": (), "loss": ("loss",), "probability": ("probability",), "smoothed": ("loss",), "prior": ("loss",)}
"""Measures of a task that each of these reads beside the primary one."""
DEFAULT = "prior"
"""What is read where only ``supernet`` is asked for: it ranked best on tables of true accuracies."""


def _supernet(option: str) -> str:
    name = option or DEFAULT
    if name not in SUPERNET:
        raise SettingsError(
            f"Expected an estimator 'supernet:NAME' with NAME among {', '.join(SUPERNET)}, got "
            f"'{name}'.{suggest(name, SUPERNET)}"
        )
    return name


def read_training(option: str) -> tuple[int, bool]:
    """Return the epochs of a short training, and whether it inherits the supernet's weights.

    Args:
        option: ``EPOCHS`` or ``EPOCHS+inherit``.

    Raises:
        SettingsError: Neither.
    """
    match = re.fullmatch(r"(\d{1,6})(\+inherit)?", option)
    if match is None or not int(match[1]):
        raise SettingsError(
            f"Expected an estimator 'train:EPOCHS' or 'train:EPOCHS+inherit', such as train:5, got 'train:{option}'"
        )
    return int(match[1]), match[2] is not None


def _training(option: str) -> str:
    epochs, inherit = read_training(option)
    return f"{epochs}{'+inherit' if inherit else ''}"


KINDS: Mapping[str, Callable[[str], str]] = {"supernet": _supernet, "train": _training}
"""Kind -> what checks its option and fills in the default."""


def describe_estimator(text: str, anchors: int = 0) -> str:
    """Return what `acc` is by an estimator of accuracy, in half a sentence.

    Args:
        text: The estimator.
        anchors: Candidates that were trained to teach a ranker, whose prediction it is then.
    """
    if anchors:
        return f"what a ranker predicts that {anchors} candidates, trained alone for a few epochs, have taught"
    kind, option = read_estimator(text)
    if kind == "supernet":
        return SUPERNET[option]
    epochs, inherit = read_training(option)
    return f"what {epochs} epochs of training give, from {'inherited' if inherit else 'fresh'} weights"


def anchors_that_taught(settings: Mapping[str, Any], manifest: Mapping[str, Any]) -> int:
    """Number of a run's anchors that taught its ranker; those asked for where none is written down yet.

    Args:
        settings: Those of the run.
        manifest: That of the run: a deadline may leave fewer anchors, and some may fail.
    """
    written = manifest.get("anchors")
    if not settings.get("anchors") or not written:
        return int(settings.get("anchors", 0))
    return int(written["number"] - written["failed"])


def describe_measure(text: str, estimator: str) -> str:
    """Return what a measure of another task is by an estimator, in half a sentence.

    Args:
        text: What the measure is.
        estimator: As `read_estimator` takes it.
    """
    kind, option = read_estimator(estimator)
    if kind == "supernet":
        return f"{text}, with shared weights"
    epochs, inherit = read_training(option)
    return f"{text}, after {epochs} epochs of training from {'inherited' if inherit else 'fresh'} weights"


def check_measures(task: Task, estimator: str, anchors: int = 0) -> None:
    """Refuse an estimator of accuracy that reads what a task does not measure.

    Args:
        task: One whose objective is ``acc``.
        estimator: As `read_estimator` takes it.
        anchors: Candidates that are trained to teach a ranker: it reads the loss.

    Raises:
        SettingsError: The task's measures lack one.
    """
    kind, option = read_estimator(estimator)
    reads = READ["loss" if anchors else option] if kind == "supernet" else ()
    if lacking := sorted({*reads} - {measure.name for measure in task.measures}):
        raise SettingsError(
            f"The estimator '{estimator}' reads {', '.join(lacking)}, which the task '{task.name}' does not measure: "
            "use --estimator supernet:accuracy --anchors 0, or train:EPOCHS, or add it to the task's measures"
        )


def read_estimator(text: str) -> tuple[str, str]:
    """Return kind and option of an estimator of accuracy.

    Args:
        text: ``KIND`` or ``KIND:OPTION``.

    Raises:
        SettingsError: An unknown kind, or an option that it does not know.
    """
    kind, _, option = text.strip().partition(":")
    if kind not in KINDS:
        raise SettingsError(f"Expected an estimator among {', '.join(KINDS)}, got '{text}'.{suggest(kind, KINDS)}")
    return kind, KINDS[kind](option.strip())

"""Report of a classifier class by class: recall, precision, support, who is taken for whom, and a constant answer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.tasks.class_scores import class_scores
from evonas.tasks.measure import BY_CLASS, recall_name

__all__ = ["ClassReport", "report_classes"]

MOST_CLASSES = 20
"""Classes that tables show: beyond them those with the least recall."""
MOST_IN_MATRIX = 12
"""Classes up to which the whole confusion matrix is shown."""


@dataclass(frozen=True)
class ClassReport:
    """Answers of a classifier on some images, class by class.

    Attributes:
        classes: Names of the K classes.
        confusion: Images by true class (rows) and answer (columns), int64, shape (K, K).
        measures: Accuracy, balanced accuracy, macro F1, Cohen's kappa and AUROC by name.
        constant: Class that most images are of: what a constant answer would be.
        constant_measures: What that answer would get, by the same names.
    """

    classes: tuple[str, ...]
    confusion: np.ndarray
    measures: Mapping[str, float]
    constant: str
    constant_measures: Mapping[str, float]

    @property
    def support(self) -> np.ndarray:
        """Images of each class, shape (K,)."""
        found: np.ndarray = self.confusion.sum(axis=1)
        return found

    @property
    def recall(self) -> np.ndarray:
        """Share of each class's images that are found, 0 of none, shape (K,)."""
        found: np.ndarray = np.diag(self.confusion) / np.maximum(self.support, 1)
        return found

    @property
    def precision(self) -> np.ndarray:
        """Share of right answers among those that name a class, 0 where none does, shape (K,)."""
        found: np.ndarray = np.diag(self.confusion) / np.maximum(self.confusion.sum(axis=0), 1)
        return found

    @property
    def never(self) -> list[str]:
        """Classes with images that no answer names."""
        return [
            name
            for name, answers, images in zip(self.classes, self.confusion.sum(axis=0), self.support, strict=True)
            if images and not answers
        ]

    def value(self, measure: str) -> float | None:
        """Return a measure by its name, the recall of a class among them; None: it is no measure of classes."""
        recalls = {recall_name(name): float(value) for name, value in zip(self.classes, self.recall, strict=True)}
        return recalls.get(measure, self.measures.get(measure))

    def to_content(self) -> dict[str, Any]:
        """Return it as plain data for JSON; of the confusion matrix the entries above 0: truth, answer, images."""
        rows, columns = np.nonzero(self.confusion)
        held = self.confusion[rows, columns]
        entries = [list(map(int, one)) for one in zip(rows, columns, held, strict=True)]
        return {
            "names": list(self.classes),
            "confusion": entries,
            "measures": dict(self.measures),
            "constant": {"class": self.constant, "measures": dict(self.constant_measures)},
        }

    @classmethod
    def from_content(cls, content: Mapping[str, Any]) -> ClassReport:
        """Return what `to_content` gave.

        Raises:
            KeyError, TypeError, ValueError, IndexError: It gave something else.
        """
        names = tuple(content["names"])
        confusion = np.zeros((len(names), len(names)), dtype=np.int64)
        for truth, answer, images in content["confusion"]:
            confusion[truth, answer] = images
        constant = content["constant"]
        return cls(names, confusion, content["measures"], constant["class"], constant["measures"])

    def class_rows(self) -> list[tuple[str, str, str, str]]:
        """Return name, recall, precision and number of images of each class as texts; of many those found least."""
        shown = sorted(np.argsort(self.recall, kind="stable")[:MOST_CLASSES].tolist())
        recall, precision, support = self.recall, self.precision, self.support
        return [(self.classes[k], f"{recall[k]:.4f}", f"{precision[k]:.4f}", f"{support[k]:,}") for k in shown]

    def measure_rows(self) -> list[tuple[str, str, str]]:
        """Return name of each measure, what the classifier got and what a constant answer would, as texts."""
        return [(name, f"{value:.4f}", f"{self.constant_measures[name]:.4f}") for name, value in self.measures.items()]

    def confusion_rows(self) -> list[tuple[str, ...]]:
        """Return the confusion matrix as texts, a row for each true class; of many classes nothing."""
        if len(self.classes) > MOST_IN_MATRIX:
            return []
        return [(name, *(f"{n:,}" for n in row)) for name, row in zip(self.classes, self.confusion, strict=True)]

    def confused(self, most: int = 5) -> list[str]:
        """Return the pairs of classes that are taken for one another most often, in words."""
        wrong = self.confusion - np.diag(np.diag(self.confusion))
        order = np.argsort(-wrong, axis=None, kind="stable")[:most]
        pairs = [divmod(int(i), len(self.classes)) for i in order]
        return [f"{self.classes[a]} as {self.classes[b]} {wrong[a, b]:,}" for a, b in pairs if wrong[a, b]]


def report_classes(
    targets: np.ndarray, answers: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> ClassReport:
    """Return the report of a classifier's answers.

    Args:
        targets: True classes, integers in 0..K-1, shape (n,), n at least 1.
        answers: Classes answered, likewise.
        probabilities: Of each class, shape (n, K).
        classes: Names of the K classes.
    """
    k = len(classes)
    confusion = np.bincount(targets * k + answers, minlength=k * k).reshape(k, k)
    largest = int(confusion.sum(axis=1).argmax())
    always = np.full_like(targets, largest)
    return ClassReport(
        tuple(classes),
        confusion,
        _measures(targets, answers, probabilities, classes),
        classes[largest],
        _measures(targets, always, np.tile(np.eye(k)[largest], (len(targets), 1)), classes),
    )


def _measures(
    targets: np.ndarray, answers: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    scores = class_scores(targets, answers, probabilities, classes)
    return {"accuracy": float((targets == answers).mean())} | {one.name: scores[one.name] for one in BY_CLASS}

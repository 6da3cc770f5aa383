"""Scores of a classifier in which each class counts: balanced accuracy, F1, kappa, AUROC, recalls, by scikit-learn.

References:
    .. [Brodersen2010] Brodersen et al.: The balanced accuracy and its posterior distribution, ICPR 2010.
    .. [Cohen1960] Cohen: A coefficient of agreement for nominal scales, Educ. Psychol. Meas. 20(1), 1960.
    .. [Fawcett2006] Fawcett: An introduction to ROC analysis, Pattern Recognition Letters 27(8), 2006.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.tasks.measure import recall_name

__all__ = ["area", "class_scores", "recalls_of"]


def class_scores(
    targets: np.ndarray, answers: np.ndarray, probabilities: np.ndarray, classes: Sequence[str]
) -> dict[str, float]:
    """Return balanced accuracy, macro F1, Cohen's kappa, AUROC and, as `recall_name` calls it, each class's recall.

    Balanced accuracy is the mean recall of the classes that have images ([Brodersen2010]_); macro F1 the mean over
    the classes that have images or are answered; kappa ([Cohen1960]_) is 0 where agreement by chance is whole. The
    recall of a class without images is 0.

    Args:
        targets: True classes, integers in 0..K-1, shape (n,).
        answers: Classes answered, likewise.
        probabilities: Of each class, shape (n, K).
        classes: Names of the K classes.
    """
    from sklearn.metrics import cohen_kappa_score, f1_score

    recalls, support = recalls_of(targets, answers, len(classes))
    # One class throughout is agreed on by chance alone: 0 of 0.
    agreed = np.unique(np.concatenate([targets, answers]))
    return {
        "balanced_accuracy": float(recalls[support > 0].mean()),
        "macro_f1": float(f1_score(targets, answers, average="macro", zero_division=0)),
        "cohen_kappa": float(cohen_kappa_score(targets, answers)) if len(agreed) > 1 else 0.0,
        "auroc": area(targets, probabilities),
    } | {recall_name(name): float(value) for name, value in zip(classes, recalls, strict=True)}


def recalls_of(targets: np.ndarray, answers: np.ndarray, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """Return each class's recall, 0 without images, and its number of images; both of shape (classes,)."""
    support = np.bincount(targets, minlength=classes)
    found = np.bincount(targets[targets == answers], minlength=classes)
    return found / np.maximum(support, 1), support


def area(targets: np.ndarray, probabilities: np.ndarray) -> float:
    """Return the area under the ROC curve ([Fawcett2006]_): of two classes that of the second, else the mean over
    classes of each against the rest.

    Classes that have no images, or all of them, have no curve and are left out; where no class has one it is 1/2,
    the area of chance.

    Args:
        targets: Integers in 0..K-1, shape (n,).
        probabilities: Shape (n, K).
    """
    from sklearn.metrics import roc_auc_score

    columns = [1] if probabilities.shape[1] == 2 else range(probabilities.shape[1])
    own = {column: targets == column for column in columns}
    areas = [roc_auc_score(one, probabilities[:, column]) for column, one in own.items() if 0 < one.sum() < len(one)]
    return float(np.mean(areas)) if areas else 0.5

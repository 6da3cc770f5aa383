"""Settings that are left open, and what the others and the counts make of them: never a clock."""

from __future__ import annotations

from evonas.config import Settings
from evonas.data.read_options import ReadOptions
from evonas.files.share import parse_share
from evonas.objectives.accuracy.estimators import read_estimator

__all__ = ["data_options", "uses_predictors"]

BASELINE_ALGORITHMS = "random", "regularized-evolution"
"""Algorithms that are asked for to compare with, and so left as they are."""


def uses_predictors(settings: Settings, *, trainable: bool, published: bool = False) -> bool:
    """Return whether predictors choose what is evaluated: what settings say, else whether evaluations are expensive.

    That are trainings, and readings of paths grown from published weights, few of which are made. The kind of
    estimator decides, so that two runs of one command and seed are one search whatever else the machine does
    meanwhile. Reading other shared weights, a table or a cost takes less time than the predictors that would save it.

    Args:
        settings: Of a search.
        trainable: Whether an estimator reads an objective, accuracy or another measure: it may be a column of a table.
        published: Whether the search starts from published weights.
    """
    if settings.surrogate is not None:
        return settings.surrogate
    if settings.asynchronous or settings.algorithm in BASELINE_ALGORITHMS:
        return False
    return trainable and (published or read_estimator(settings.estimator)[0] == "train")


def data_options(settings: Settings) -> ReadOptions:
    """Return how settings ask for data to be read."""
    return ReadOptions(
        settings.layout,
        settings.image_column,
        settings.label_column,
        max_skipped=parse_share(settings.max_skipped),
        min_images=settings.min_images,
        rare=settings.rare,
        class_weights=settings.class_weights,
        group=settings.group,
        fold=settings.fold,
        task=settings.task,
        lazy=settings.lazy,
        fit=settings.fit,
        flip=settings.flip,
    )

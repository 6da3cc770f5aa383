"""Split of a source into parts: classes, or quantiles of continuous targets, in proportion, and groups kept whole."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.data.groups import divide_groups, halve_groups, hold_out_groups
from evonas.data.source import Images, Source
from evonas.data.split import divide, halve, hold_out, interleave, rows_by_class
from evonas.data.targets import strata

__all__ = ["Strata", "divide_source", "halve_validation", "hold_out_test", "list_strata"]

Strata = tuple[np.ndarray, np.ndarray, tuple[str, ...]]
"""Stratum of each image, int64 of shape (n,); keys that order images, uint64 of shape (n,); names of strata."""


def list_strata(source: Source, labels: np.ndarray, keys: np.ndarray, n: int) -> Strata:
    """Return what a split keeps in proportion, with keys and names: classes, or quantiles of continuous targets."""
    if source.labeled:
        return labels, keys, source.classes
    found, names = strata(labels, keys, n)
    return found, keys, names


def hold_out_test(source: Source, keys: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return rows for training and for the test part of data that bring none; groups are kept whole."""
    labels, keys, classes = list_strata(source, source.train.labels, keys, len(source.train))
    if source.train.groups is None:
        return hold_out(labels, keys, classes)
    return hold_out_groups(labels, source.train.groups, classes)


def divide_source(
    train: Images,
    rows: np.ndarray,
    strata: Strata,
    validation: float,
    seed: int,
) -> Sequence[np.ndarray]:
    """Return which of some rows are train, search and report; groups are kept whole."""
    labels, keys, classes = strata
    if train.groups is None:
        return divide(labels, keys, classes, validation)
    return [_ordered(part, strata) for part in divide_groups(labels, train.groups[rows], classes, validation, seed)]


def halve_validation(given: Images, strata: Strata, seed: int) -> Sequence[np.ndarray]:
    """Return which rows of a given validation part are search and report; groups are kept whole."""
    labels, keys, classes = strata
    if given.groups is None:
        return halve(labels, keys, classes)
    return [_ordered(part, strata) for part in halve_groups(labels, given.groups, classes, seed)]


def _ordered(rows: np.ndarray, strata: Strata) -> np.ndarray:
    """Return rows in an order in which every prefix is nearly stratified."""
    labels, keys, classes = strata
    by_class = [rows[part] for part in rows_by_class(labels[rows], keys[rows], len(classes))]
    return interleave(by_class, keys)

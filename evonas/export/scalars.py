"""Scalars of a search: name, value and step of every number that changes while it runs."""

from __future__ import annotations

import math
from collections.abc import Iterator

import numpy as np

from evonas.pareto.indicators import hypervolume_curve
from evonas.report.contents import Contents
from evonas.report.figures import progress


def all_scalars(contents: Contents) -> Iterator[tuple[str, float, int]]:
    """Yield the scalars of a whole search, or of as much of it as is known."""
    for i, objective in enumerate(contents.objectives):
        for step, value in enumerate(contents.values[:, i], start=1):
            if math.isfinite(value):
                yield f"evaluations/{objective.name}", float(value), step
    curve = progress(contents)
    sides = {"search": curve, **curve.get("others", {})}
    for name, side in sides.items():
        for step, value in zip(side["evaluations"], side["hypervolume"], strict=True):
            yield f"hypervolume/{name.replace(' ', '_')}", float(value), int(step)
    for step, epoch in enumerate(contents.supernet.get("epochs", ()), start=1):
        if math.isfinite(epoch.get("loss", math.nan)):
            yield "supernet/loss", float(epoch["loss"]), step


class NewScalars:
    """Scalars that are new since the last call; a step is a number of evaluations.

    The hypervolume's axes are scaled to the range of the first generation and its reference point is the worst
    there, so that what was logged stays comparable with what follows; the report's own scale moves with the search.
    """

    def __init__(self) -> None:
        self._done, self._epochs = 0, 0

    def take(self, contents: Contents) -> list[tuple[str, float, int]]:
        """Return what is new since the last call."""
        new = range(self._done, len(contents.texts))
        self._done = len(contents.texts)
        return [*self._losses(contents), *self._evaluations(contents, new), *self._volume(contents)] if new else []

    def _losses(self, contents: Contents) -> Iterator[tuple[str, float, int]]:
        epochs = contents.supernet.get("epochs", ())
        for step in range(self._epochs, len(epochs)):
            if math.isfinite(loss := epochs[step].get("loss", math.nan)):
                yield "supernet/loss", float(loss), step + 1
        self._epochs = len(epochs)

    def _evaluations(self, contents: Contents, new: range) -> Iterator[tuple[str, float, int]]:
        for i, objective in enumerate(contents.objectives):
            for step in new:
                value = float(contents.values[step, i])
                if math.isfinite(value):
                    yield f"evaluations/{objective.name}", value, step + 1

    def _volume(self, contents: Contents) -> Iterator[tuple[str, float, int]]:
        yield "front/members", float(len(contents.front)), self._done
        first = contents.minimized[contents.feasible & (contents.generations == 0)]
        if len(first):
            low, high = first.min(axis=0), first.max(axis=0)
            scaled = (contents.minimized - low) / np.where(high > low, high - low, 1.0)
            scaled[~contents.feasible] = np.inf  # adds nothing
            (volume,) = hypervolume_curve(scaled, np.ones(scaled.shape[1]), [self._done])
            yield "front/hypervolume", float(volume), self._done

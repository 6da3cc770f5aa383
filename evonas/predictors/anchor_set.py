"""Anchors as data: what was trained to which levels of a ladder and what it gave; and how levels become one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from evonas.errors import RunError
from evonas.predictors.cokriging import CoKriging

__all__ = ["Anchor", "AnchorSet"]

MIN_FUSED = 3
"""Values at the highest level below which levels are not joined."""


@dataclass(frozen=True)
class Anchor:
    """A candidate that was trained.

    Attributes:
        text: The candidate's.
        values: What it gave at each level reached, from the lowest.
        cause: Why it failed at the next one, or None.
    """

    text: str
    values: tuple[float, ...]
    cause: str | None = None


@dataclass(frozen=True)
class AnchorSet:
    """Anchors of a ladder.

    Attributes:
        levels: Epochs of the ladder's levels.
        anchors: In the order in which they were chosen; those that failed too.
    """

    levels: tuple[int, ...]
    anchors: tuple[Anchor, ...]

    @property
    def known(self) -> tuple[Anchor, ...]:
        """Those that gave anything."""
        return tuple(anchor for anchor in self.anchors if anchor.values)

    @property
    def top(self) -> np.ndarray:
        """Which of `known` reached the last level, shape ``(n,)``."""
        return np.array([len(anchor.values) == len(self.levels) for anchor in self.known], dtype=bool)

    @property
    def fused_level(self) -> int:
        """Epochs of the level that `fused` brings all to: the highest that enough have reached."""
        reached = np.array([len(anchor.values) for anchor in self.known])
        counted = (i for i in range(len(self.levels)) if (reached > i).sum() >= MIN_FUSED)
        return self.levels[max(counted, default=0)]

    def fused(self, columns: np.ndarray) -> tuple[np.ndarray, int]:
        """Return what each of `known` gives at one level, and which: the highest that enough have reached.

        What paused below it is predicted by co-kriging of all levels; what was measured there counts as measured.

        Args:
            columns: What is known of each, shape ``(n, d)``.
        """
        reached = np.array([len(anchor.values) for anchor in self.known])
        last = self.levels.index(self.fused_level)
        rows = [
            (row, level, value)
            for row, anchor in enumerate(self.known)
            for level, value in enumerate(anchor.values[: last + 1])
        ]
        values = np.array([anchor.values[min(last, len(anchor.values) - 1)] for anchor in self.known])
        below = reached <= last
        if below.any():
            rows_of, levels, measured = (np.array(column) for column in zip(*rows, strict=True))
            process = CoKriging().fit(columns[rows_of], levels, measured)
            values[below] = process.predict(columns[below])[0]
        return values, self.levels[last]

    def to_json(self) -> str:
        """Return what `from_json` reads."""
        anchors = [{"candidate": a.text, "values": list(a.values), "cause": a.cause} for a in self.anchors]
        return json.dumps({"levels": list(self.levels), "anchors": anchors}, indent=1) + "\n"

    @classmethod
    def from_json(cls, text: str | bytes) -> AnchorSet:
        """Return anchors from a file's content.

        Raises:
            RunError: It is none.
        """
        try:
            content: Mapping[str, Any] = json.loads(text)
            anchors = [Anchor(a["candidate"], tuple(a["values"]), a["cause"]) for a in content["anchors"]]
            return cls(tuple(content["levels"]), tuple(anchors))
        except (ValueError, KeyError, TypeError) as error:
            raise RunError(f"Expected anchors as evonas writes them, got a file that is not ({error})") from error

"""Signals: what is known of architectures without training any of them, as arrays that the ranker learns from."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.predictors.encoders import TokenCounts, TokenEncoder, Tokens, token_groups
from evonas.spaces import Architecture, Space

__all__ = ["SignalEncoder", "Signals", "StatisticsEncoder", "ranker_tokens"]

COST = "flops"
"""Score that shows which networks are expensive."""


@dataclass(frozen=True)
class Signals:
    """Signals of n architectures.

    Attributes:
        described: Tokens of each, and scores as statistics, in the order that the encoder was given.
        free: The joint score, standardized on a reference sample, shape ``(n,)``, more is better.
        shared: Scores of shared weights, more is better, shape ``(n, k)``; k may be 0, NaN: not read.
        general: What trainings in other spaces say, standardized on a reference sample, more is better, shape
            ``(n,)``; None: nothing is known of them.
    """

    described: TokenCounts
    free: np.ndarray
    shared: np.ndarray
    general: np.ndarray | None = None

    def __len__(self) -> int:
        return len(self.described)

    def __getitem__(self, rows: np.ndarray) -> Signals:
        """Return some rows, in that order."""
        general = None if self.general is None else self.general[rows]
        return Signals(self.described[rows], self.free[rows], self.shared[rows], general)


class SignalEncoder:
    """Encoder of architectures as `Signals`; it numbers tokens, so that all signals of a ranker come from one.

    Args:
        space: Of the architectures.
        scores: Names of the scores that regressors see, costs among them.
    """

    def __init__(self, space: Space, scores: Sequence[str]) -> None:
        self.space, self.scores = space, tuple(scores)
        self._given: dict[str, tuple[Architecture, np.ndarray]] = {}
        self._encoder = TokenEncoder(
            lambda genome: ranker_tokens(space, self._given[_key(genome)][0]),
            lambda genomes: np.stack([self._given[_key(genome)][1] for genome in genomes]),
            _key,
        )

    @property
    def names(self) -> list[tuple[str, str]]:
        """Group and token of every number in use."""
        return self._encoder.names

    def __call__(
        self,
        architectures: Sequence[Architecture],
        scores: Mapping[str, np.ndarray],
        free: np.ndarray,
        shared: np.ndarray | None = None,
        general: np.ndarray | None = None,
    ) -> Signals:
        """Return the signals of architectures.

        Args:
            architectures: Canonical, n of them; one that was described before keeps the scores given then.
            scores: Each of the encoder's scores, shape ``(n,)``; NaN: not known.
            free: Their joint score, shape ``(n,)``.
            shared: Scores of shared weights, shape ``(n, k)``; None: there are none.
            general: What trainings in other spaces say, shape ``(n,)``; None: nothing is known of them.
        """
        genomes = np.stack([self.space.encode(architecture) for architecture in architectures])
        columns = np.stack([np.asarray(scores[name], dtype=np.float64) for name in self.scores], axis=1)
        for genome, architecture, row in zip(genomes, architectures, columns, strict=True):
            self._given.setdefault(_key(genome), (architecture, row))
        given = np.zeros((len(genomes), 0)) if shared is None else np.asarray(shared, dtype=np.float64)
        return Signals(self._encoder.describe(genomes), np.asarray(free, dtype=np.float64), given, general)


@dataclass(frozen=True)
class StatisticsEncoder:
    """Stand-in for an encoder where nothing is known of networks but scores.

    Attributes:
        scores: Names of the scores that regressors see.
    """

    scores: tuple[str, ...]

    @property
    def names(self) -> list[tuple[str, str]]:
        """Group and token of every number in use: none."""
        return []


def ranker_tokens(space: Space, architecture: Architecture) -> Mapping[str, Tokens]:
    """Return the tokens of `token_groups`, those few apart that say how much of what an architecture holds.

    Returns:
        ``genes`` and, of cells and chains of blocks, ``counts``: operations by cell or stage, depth, ways by their
        length, the longest and the mean one; ``ways`` and ``parts``: all others, which are many.
    """
    found = dict(token_groups(space, architecture))
    counts: dict[str, float] = {}
    ways, parts = found.pop("paths", {}), found.pop("parts", {})
    lengths = {token: n for token, n in ways.items() if ":length " in token}
    few = {token: n for token, n in parts.items() if "<" not in token and ">" not in token}
    counts |= {**lengths, **few}
    for cell in {token.partition(":length ")[0] for token in lengths}:
        of = {int(token.rpartition(" ")[2]): n for token, n in lengths.items() if token.startswith(f"{cell}:length ")}
        counts[f"{cell}:longest"] = max(of)
        counts[f"{cell}:mean length"] = sum(length * n for length, n in of.items()) / sum(of.values())
    if counts:
        found["counts"] = counts
        found["ways"] = {token: n for token, n in ways.items() if token not in lengths}
        found["parts"] = {token: n for token, n in parts.items() if token not in few}
    return found


def _key(genome: np.ndarray) -> str:
    return ",".join(map(str, genome.tolist()))

"""Steady-state evolution: one genome out at a time, results in any order, so that no worker waits for another."""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable
from typing import Any

import numpy as np

from evonas.errors import EvaluationError
from evonas.evolution.evolution import VARIATION_ROUNDS, Evolution, _Batch

__all__ = ["SteadyEvolution"]


class SteadyEvolution(Evolution):
    """An `Evolution` that takes in each result as it comes.

    Any number of genomes may be out. What is asked for depends on the calls so far and their order, on nothing
    else: the same order of asking and telling gives the same genomes.

    Args:
        cardinalities, **given: As `Evolution` takes them.
    """

    def __init__(self, cardinalities: np.ndarray, **given: Any) -> None:
        super().__init__(cardinalities, **given)
        self._first: deque[np.ndarray] = deque(self._initial)
        self._out: dict[Hashable, tuple[np.ndarray, tuple[Hashable, ...]]] = {}
        self._asked_for = 0

    def ask(self) -> np.ndarray:
        """Return one genome to evaluate, int16 of shape (1, n_choices), or none where the space holds no more."""
        batch = _Batch(self._seen, self._key)
        self.rejected = 0
        while self._first and not batch.keys:
            batch.add(self._first.popleft()[None], [()])
        if not batch.keys and self._asked_for >= self.size and len(self._algorithm.population):
            self._vary(batch, 1)
        for _ in range(VARIATION_ROUNDS):
            if batch.keys:
                break
            batch.add(self._genomes(self._sample(1, self._rng)), [()])
        self.rejected = batch.rejected
        self.exhausted = not batch.keys
        if self.exhausted:
            return np.zeros((0, self.cardinalities.size), dtype=np.int16)
        (key,), (genome,) = batch.keys, batch.genomes
        self._seen.add(key)
        self._asked_for += 1
        self._out[key] = genome, batch.parents[0]
        self._parents = batch.parents
        return genome[None].astype(np.int16)

    def tell(self, genomes: np.ndarray, values: np.ndarray, violations: np.ndarray | None = None) -> None:
        """Take in what one of the genomes that are out was worth.

        Args:
            genomes: It, shape (1, n_choices).
            values: Minimized floats of shape (1, m).
            violations: Floats of shape (1, c), as `Evolution.tell` takes them.

        Raises:
            EvaluationError: It is not out, or shapes do not fit; nothing is taken in.
        """
        genomes = np.asarray(genomes)
        key = self._key(genomes[0]) if genomes.shape == (1, self.cardinalities.size) else None
        if key not in self._out:
            raise EvaluationError(f"Expected one of the {len(self._out)} genomes that are out, got {genomes.tolist()}.")
        genome, parents = self._out[key]
        self._asked = genome[None]
        try:
            super().tell(genome[None], values, violations)
        finally:
            self._asked = None
        del self._out[key]
        self._keys.append(key)  # numbers follow the order told
        self._parents = [parents]

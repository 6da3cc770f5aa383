"""Evaluation in this process: what is stored answers at once, what is not is computed and stored."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import numpy as np

from evonas.errors import EvaluationError
from evonas.objectives import Evaluator
from evonas.spaces import Architecture
from evonas.store import Evaluation, Store

PATIENCE = 10
"""Failed evaluations in a row that stop a search: then something is wrong with more than one architecture."""


class LocalEngine:
    """Evaluates architectures one after the other.

    Args:
        evaluators: Objective name to the evaluator that computes it.
        store: Where results are kept; each is written the moment it is known.
    """

    def __init__(self, evaluators: Mapping[str, Evaluator], store: Store) -> None:
        self.evaluators = dict(evaluators)
        self.store = store
        self.computed = 0
        self._failures = 0

    def evaluate(
        self,
        architectures: Sequence[Architecture],
        names: Sequence[str],
        done: Callable[[int], None] = lambda n: None,
    ) -> np.ndarray:
        """Return the values of architectures.

        Args:
            architectures: Canonical architectures.
            names: Objectives, in the order of the columns.
            done: Told how many more architectures are known.

        Returns:
            Floats of shape ``(n, len(names))`` in natural directions, NaN where an evaluation failed.

        Raises:
            EvaluationError: Ten in a row failed.
        """
        values = np.full((len(architectures), len(names)), np.nan)
        texts = [str(architecture) for architecture in architectures]
        columns = {name: column for column, name in enumerate(names)}
        said = np.zeros(len(texts), dtype=bool)
        for evaluator in {id(e): e for e in (self.evaluators[name] for name in names)}.values():
            wanted = [o.name for o in evaluator.objectives if o.name in columns]
            known = {name: self.store.lookup(texts, name, evaluator.fingerprint) for name in wanted}
            missing = [i for i, text in enumerate(texts) if any(text not in known[name] for name in wanted)]
            for i, text in enumerate(texts):
                for name in wanted:
                    row = known[name].get(text)
                    if row is not None and row.value is not None:
                        values[i, columns[name]] = row.value
            size = getattr(evaluator, "batch", 1)
            for start in range(0, len(missing), size):
                self._compute(evaluator, missing[start : start + size], architectures, texts, columns, values)
                if size == 1 and not said[missing[start]]:
                    said[missing[start]] = True
                    done(1)
        done(int((~said).sum()))
        return values

    def _compute(
        self,
        evaluator: Evaluator,
        places: list[int],
        architectures: Sequence[Architecture],
        texts: list[str],
        columns: Mapping[str, int],
        values: np.ndarray,
    ) -> None:
        results = evaluator.evaluate([architectures[i] for i in places])
        rows = [
            Evaluation(texts[i], name, evaluator.fingerprint, result.value, result.cause, result.seconds)
            for i, row in zip(places, results)
            for name, result in row.items()
        ]
        self.store.record(rows)
        self.computed += len(places)
        for i, row in zip(places, results):
            causes = [result.cause for result in row.values() if result.cause is not None]
            self._failures = self._failures + 1 if causes else 0
            if self._failures >= PATIENCE:
                raise EvaluationError(
                    f"{PATIENCE} evaluations in a row failed, the last with: {causes[0]}; nothing stored is lost"
                )
            for name, result in row.items():
                if name in columns and result.value is not None:
                    values[i, columns[name]] = result.value

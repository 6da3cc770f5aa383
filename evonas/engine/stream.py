"""A stream of evaluations: candidates go in one by one and come out as they finish."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evonas.engine.job import Job
from evonas.engine.local import LocalEngine, is_expensive
from evonas.errors import RunError
from evonas.objectives import Evaluator
from evonas.spaces import Candidate


class Stream:
    """Evaluates without generations.

    Args:
        engine: What evaluates; where it has no workers, a candidate is computed when it is waited for.
        names: Objectives, in the order of the values.
    """

    def __init__(self, engine: LocalEngine, names: Sequence[str]) -> None:
        self._engine, self._names = engine, list(names)
        self._expensive: list[Evaluator] = []
        if engine.pool is not None:
            unique = {id(e): e for e in (engine.evaluators[name] for name in names)}
            self._expensive = [evaluator for evaluator in unique.values() if is_expensive(evaluator)]
        self._inside: dict[str, Candidate] = {}
        self._missing: dict[str, int] = {}
        self._jobs: list[tuple[str, Evaluator]] = []

    def submit(self, candidate: Candidate) -> None:
        """Take a candidate in; what is stored of it is not computed again."""
        text = str(candidate)
        self._inside[text] = candidate
        self._missing[text] = 0
        for evaluator in self._expensive:
            wanted = [o.name for o in evaluator.objectives if o.name in self._names]
            if all(self._engine.store.lookup([text], name, evaluator.fingerprint) for name in wanted):
                continue
            self._engine.send([Job(len(self._jobs), evaluator.objectives[0].name, text)])
            self._jobs.append((text, evaluator))
            self._missing[text] += 1

    def next(self, text: str | None = None) -> tuple[Candidate, np.ndarray]:
        """Wait for a candidate and return it with its values in natural directions, NaN where one failed.

        Args:
            text: The one to wait for; None: whichever is done first.

        Raises:
            RunError: It is not inside.
            EvaluationError: Ten in a row failed.
        """
        if text is not None and text not in self._inside:
            raise RunError(
                f"Expected {text} to come next, as stored, but it was not asked for: versions or settings have "
                "changed; restore them or start a new run"
            )
        while True:
            done = next((t for t, missing in self._missing.items() if not missing), None) if text is None else text
            if done is not None and not self._missing[done]:
                del self._missing[done]
                candidate = self._inside.pop(done)
                return candidate, self._engine.evaluate([candidate], self._names)[0]
            self._receive()

    def drain(self) -> None:
        """Wait for all that workers are at, so that they are free and nothing is lost."""
        while any(self._missing.values()):
            self._receive()

    def _receive(self) -> None:
        number, row = self._engine.receive()
        text, evaluator = self._jobs[number]
        self._engine.record(evaluator, [text], [row])
        self._missing[text] -= 1

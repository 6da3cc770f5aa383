"""Additive effects of choices on the loss with shared weights, learnt from many paths instead of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress

import numpy as np

from evonas.errors import EvaluationError
from evonas.files.progress import Progress, Silent
from evonas.spaces import Architecture, Space, path_names

REFERENCES = 128
"""Architectures that the effects are learnt from."""
SEED = 20240513
"""Of these; whatever the search's seed is, a value means the same."""


class AdditiveEffects:
    """The loss of paths as a sum of what each choice adds to it, learnt from a fixed sample of the space.

    A path is read with weights that others have moved last, so that its loss errs by more than architectures of
    a kind differ; what a choice adds on average over many paths errs far less. The sum is linear regression on the
    one-hot genome, its penalty found by maximum likelihood (MacKay, Neural Computation 1992). A path's own loss
    counts by how much is not known of its sum yet, as against what single paths err by: `s^2 / (s^2 + n^2)`, s the
    standard deviation of the sum and n that of a reading. The use on shared weights is our own.

    Args:
        space: The space.
        read: Reads a path's score; called on the sample once.
        progress: Shows how many of them are read.

    Attributes:
        sample: What was read: canonical architectures and their scores.

    Raises:
        EvaluationError: No path of the sample can be read.
    """

    def __init__(
        self,
        space: Space,
        read: Callable[[Architecture], Mapping[str, float]],
        progress: Progress | None = None,
    ) -> None:
        # These take a second that other commands need not wait for.
        from sklearn.linear_model import BayesianRidge
        from threadpoolctl import threadpool_limits

        self._space = space
        genomes = space.sample(REFERENCES, np.random.default_rng(SEED), by="choice")
        forms = [space.form(genome) for genome in genomes]
        read_once: dict[str, Mapping[str, float]] = {}
        self.sample: list[tuple[Architecture, Mapping[str, float]]] = []
        # In order, so that each begins where it leaves the one before.
        order = sorted({str(form): form for form in forms}.values(), key=lambda form: path_names(space.path(form)))
        with (progress or Silent()).task("Reading paths", len(order)) as task:
            for form in order:
                with suppress(EvaluationError):
                    read_once[str(form)] = read(form)
                    self.sample.append((form, read_once[str(form)]))
                task.advance(1)
        if not self.sample:
            raise EvaluationError("None of the paths that the effects of choices are learnt from could be read")
        self._ends = np.cumsum(space.cardinalities)
        # As drawn, not as their canonical forms are written: of several genomes of one network none is preferred.
        known = [
            (genome, read_once[str(form)])
            for genome, form in zip(genomes, forms, strict=True)
            if str(form) in read_once
        ]
        rows = np.stack([self._one_hot(genome) for genome, _ in known])
        with threadpool_limits(1, user_api="blas"):  # sums in one order, whatever the number of threads
            self._regression = BayesianRidge().fit(rows, [-score["loss"] for _, score in known])

    def __call__(self, architecture: Architecture, score: Mapping[str, float]) -> float:
        """Return the smoothed mean logarithm of the true class's probability, minus the loss of a path.

        Args:
            architecture: A canonical one.
            score: Its path's.
        """
        row = self._one_hot(self._space.encode(architecture))
        (mean,), (deviation,) = self._regression.predict(row[None], return_std=True)
        reading = 1.0 / self._regression.alpha_
        own = max(0.0, 1.0 - reading / deviation**2)
        return float(mean + own * (-score["loss"] - mean))

    def _one_hot(self, genome: np.ndarray) -> np.ndarray:
        row = np.zeros(self._ends[-1])
        row[np.concatenate([[0], self._ends[:-1]]) + genome] = 1.0
        return row

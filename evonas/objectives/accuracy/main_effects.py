"""Additive effects of choices on the loss with shared weights, learnt from many paths instead of one."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import numpy as np

from evonas.errors import EvaluationError
from evonas.files.progress import Progress, Silent
from evonas.spaces import Architecture, Space, path_names

__all__ = ["AdditiveEffects", "PathScores", "read_scores"]

REFERENCES = 128
"""Architectures that the effects are learnt from."""
FEWEST, CHUNK = 8, 16
"""Paths that are read whatever the time, and paths that are read in order of their beginnings where it may end."""
SEED = 20240513
"""Of these; whatever the search's seed is, a value means the same."""


PathScores = dict[str, Mapping[str, float]]
"""Scores of paths by the texts of their architectures, in the order read."""


def read_scores(
    space: Space,
    read: Callable[[Architecture], Mapping[str, float]],
    progress: Progress | None = None,
    *,
    over: Callable[[], bool] | None = None,
    references: int | None = None,
) -> PathScores:
    """Return the scores of the sample that effects are learnt from, or of those of it that the time allows.

    Args:
        space: The space.
        read: Reads a path's score; one that cannot be read is left out.
        progress: Shows how many of them are read.
        over: Asked before each path but the first `FEWEST`: no other is read once it says yes. None: all are read.
        references: Architectures of the sample; None: `REFERENCES`.
    """
    forms = [space.form(genome) for genome in _sample(space, references)]
    # What is read first is then a sample of all, not of what begins alike.
    chunk = len(forms) if over is None else CHUNK
    order: dict[str, Architecture] = {}
    for start in range(0, len(forms), chunk):
        order |= _by_beginnings(space, forms[start : start + chunk])
    found: PathScores = {}
    with (progress or Silent()).task("Reading paths", len(order)) as task:
        for number, (text, form) in enumerate(order.items()):
            if over is not None and number >= FEWEST and over():
                break
            with suppress(EvaluationError):
                found[text] = read(form)
            task.advance(1)
    return found


def _sample(space: Space, references: int | None) -> np.ndarray:
    return space.sample(REFERENCES if references is None else references, np.random.default_rng(SEED), by="choice")


def _by_beginnings(space: Space, forms: Iterable[Architecture]) -> dict[str, Architecture]:
    """Return different architectures in the order in which each begins where it leaves the one before."""
    once = {str(form): form for form in forms}
    return dict(sorted(once.items(), key=lambda item: path_names(space.path(item[1]))))


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
        known: Scores of the sample, or of a part of it, that were read before; nothing is read then.
        references: Architectures of the sample; None: `REFERENCES`.

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
        known: PathScores | None = None,
        *,
        references: int | None = None,
    ) -> None:
        # These take a second that other commands need not wait for.
        from sklearn.linear_model import BayesianRidge
        from threadpoolctl import threadpool_limits

        self._space = space
        genomes = _sample(space, references)
        forms = [space.form(genome) for genome in genomes]
        read_once = read_scores(space, read, progress, references=references) if known is None else known
        by_text = {str(form): form for form in forms}
        self.sample = [(by_text[text], score) for text, score in read_once.items() if text in by_text]
        if not self.sample:
            raise EvaluationError("None of the paths that the effects of choices are learnt from could be read")
        self._ends = np.cumsum(space.cardinalities)
        # As drawn, not as their canonical forms are written: of several genomes of one network none is preferred.
        pairs = [
            (genome, read_once[str(form)])
            for genome, form in zip(genomes, forms, strict=True)
            if str(form) in read_once
        ]
        rows = np.stack([self._one_hot(genome) for genome, _ in pairs])
        with threadpool_limits(1, user_api="blas"):  # sums in one order, whatever the number of threads
            self._regression = BayesianRidge().fit(rows, [-score["loss"] for _, score in pairs])

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

"""Accuracy as the ranker predicts it: what a few trainings bear out of all that is known of an architecture."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cached_property

import numpy as np

from evonas.objectives.accuracy.accuracy import ACC, TOP1
from evonas.objectives.accuracy.signal_reader import SCORES, SHARED, SignalReader
from evonas.objectives.contract import Context, Evaluator, fingerprint, one_by_one
from evonas.objectives.result import Result
from evonas.pareto.agreement import Agreement, measure_agreement, measure_pairs
from evonas.pareto.objective import Objective
from evonas.predictors.anchor_set import AnchorSet
from evonas.predictors.calibration import MIN_CALIBRATED, LogitCalibration
from evonas.predictors.encoders import TokenColumns
from evonas.predictors.ranker import Ranker, Signals
from evonas.spaces import Architecture, Candidate, parse_candidate
from evonas.training import load_recipe

__all__ = ["HIGH", "LOW", "SCORE", "RankedEvaluator"]

LOW, HIGH = Objective("acc_low", ACC.unit, "max"), Objective("acc_high", ACC.unit, "max")
"""Ends of the 95 % interval of `acc`."""
SCORE = Objective("acc_score", "", "max")
"""What the ranker predicts, before it is calibrated."""
FOLDS = 5
"""Parts of the anchors that are predicted from the others."""
PAIR_FOLDS, PAIR_REPEATS = 3, 8
"""Parts within which pairs of anchors are compared, and how often the anchors are divided into them."""
FULL = "quick"
"""Recipe of the training that counts in the end: the one of ``evonas train`` where none is given."""
FUSED_BY = ("genes", "counts")
"""Groups of tokens that levels are joined by."""


class RankedEvaluator(Evaluator):
    """Accuracy after the ladder's last level, predicted by a ranker that anchors have taught, with an interval.

    The prediction of a trained architecture is the ranker's too, so that all are on one scale. Where fewer than
    `MIN_CALIBRATED` anchors reached the last level, `acc` is the ranker's score, without a unit, and no interval.

    Args:
        context: Data and a trained supernet.
        anchors: What was trained.
        reader: Of signals, where there is one already that was made from the same context.

    Attributes:
        calibrated: Whether `acc` is an accuracy.

    Raises:
        SettingsError: No supernet, or no data.
    """

    def __init__(self, context: Context, anchors: AnchorSet, reader: SignalReader | None = None) -> None:
        self.reader = reader or SignalReader(context)
        self.anchors = anchors
        self._context = context
        assert context.data is not None  # the reader has seen to it
        self._images = len(context.data.search)
        self.calibrated = int(anchors.top.sum()) >= MIN_CALIBRATED
        self.objectives = (ACC, LOW, HIGH, TOP1, SCORE) if self.calibrated else (replace(ACC, unit=""), TOP1, SCORE)
        known = context.options.get("paths")
        self.fingerprint = fingerprint(
            "acc", "ranked", 3, anchors.to_json(), context.supernet_fingerprint, context.data.fingerprint,
            context.seed, context.threads, *([] if known is None else [known]),
            *([{"predictor": self.reader.predictor}] if self.reader.predictor else []),
        )  # fmt: skip

    def prepare(self) -> None:
        """Read the signals of reference sample and anchors, and learn.

        Raises:
            EvaluationError: No path of the sample can be read.
        """
        self.ranker  # noqa: B018

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        """Return each architecture's predicted accuracy, its interval, and the plain accuracy of shared weights."""
        self.prepare()  # so that the first architecture's seconds are its own
        return one_by_one(self.objectives, candidates, self._values)

    def _values(self, architecture: Architecture) -> dict[str, float]:
        plain = self.reader.plain_accuracy(architecture)
        scores, _ = self.ranker.predict(self.reader([architecture]))
        values = {SCORE.name: float(scores[0]), TOP1.name: plain}
        if self.calibration is None:
            return values | {ACC.name: float(scores[0])}
        ends = (ACC.name, LOW.name, HIGH.name)
        return values | {name: float(end[0]) for name, end in zip(ends, self.calibration(scores), strict=True)}

    @cached_property
    def _signals(self) -> Signals:
        forms = [parse_candidate(anchor.text, self._context.space).architecture for anchor in self.anchors.known]
        return self.reader(forms)

    @cached_property
    def shortness(self) -> float:
        """Logarithm of how many times longer a full training is than those that anchors are known by, 0 or more."""
        return max(0.0, math.log(load_recipe(FULL).epochs / self.anchors.fused_level))

    @cached_property
    def _fused(self) -> np.ndarray:
        if not self.anchors.known:
            return np.zeros(0)
        known = self._signals.described
        columns = TokenColumns(self.reader.encoder.names, known, FUSED_BY)(known)
        return self.anchors.fused(columns)[0]

    @cached_property
    def ranker(self) -> Ranker:
        """The ranker, taught by all anchors."""
        return self._taught(np.arange(len(self.anchors.known)))

    def uncertainty(self, architectures: Sequence[Architecture]) -> np.ndarray | None:
        """Return standard deviations of predicted scores, shape ``(n,)``; None where nothing was learned yet."""
        return self.ranker.predict(self.reader(architectures))[1] if self.ranker.learned else None

    @cached_property
    def left_out(self) -> np.ndarray:
        """Scores of the anchors, each predicted by a ranker that had not seen it, shape ``(n,)``."""
        n = len(self.anchors.known)
        fold = np.random.default_rng([self._context.seed, 23]).permutation(n) % FOLDS
        found = np.zeros(n)
        for k in range(min(FOLDS, n)):
            ranker = self._taught(np.flatnonzero(fold != k))
            found[fold == k] = ranker.predict(self._signals[np.flatnonzero(fold == k)])[0]
        return found

    @cached_property
    def calibration(self) -> LogitCalibration | None:
        """What makes scores accuracies, or None where too few anchors reached the last level."""
        if not self.calibrated:
            return None
        top = self.anchors.top
        accuracies = np.array([anchor.values[-1] for anchor in self.anchors.known])[top]
        return LogitCalibration(self.left_out[top], accuracies, self._images)

    def agreements(self) -> dict[str, Agreement]:
        """Return how well each signal orders the anchors: `acc` by predictions without themselves, and all it joins."""
        signals = self._signals
        columns: Mapping[str, np.ndarray] = {
            "free": signals.free,
            **dict(zip(SCORES, signals.described.statistics.T, strict=True)),
            **dict(zip(SHARED, signals.shared.T, strict=True)),
            **({} if signals.general is None else {"general": signals.general}),
        }
        found = {name: measure_agreement(column, self._fused) for name, column in columns.items()}
        return {ACC.name: measure_pairs(self._concordance()), **found}

    def _concordance(self) -> np.ndarray:
        """Return how well pairs of anchors are ordered by rankers that have seen neither, shape ``(n, n)``."""
        n = len(self.anchors.known)
        total, times = np.zeros((n, n)), np.zeros((n, n))
        measured = np.sign(self._fused[:, None] - self._fused[None])
        for repeat in range(PAIR_REPEATS):
            fold = np.random.default_rng([self._context.seed, 24, repeat]).permutation(n) % PAIR_FOLDS
            for k in range(PAIR_FOLDS):
                rows = np.flatnonzero(fold == k)
                if len(rows) < 2:
                    continue
                scores = self._taught(np.flatnonzero(fold != k)).predict(self._signals[rows])[0]
                pairs = np.ix_(rows, rows)
                total[pairs] += np.sign(scores[:, None] - scores[None]) * measured[pairs]
                times[pairs] += 1
        np.fill_diagonal(times, 0)
        return np.where(times > 0, total / np.maximum(times, 1), np.nan)

    def _taught(self, rows: np.ndarray) -> Ranker:
        from threadpoolctl import threadpool_limits

        signals = self._signals[rows]
        cost = np.log(np.maximum(signals.described.statistics[:, SCORES.index("flops")], 1.0))
        reader, values = self.reader, self._fused[rows]
        with threadpool_limits(1, user_api="blas"):  # sums in one order, whatever the number of threads
            return Ranker(
                reader.encoder, reader.reference, signals, values, cost=cost, shortness=self.shortness,
                seed=self._context.seed,
            )  # fmt: skip

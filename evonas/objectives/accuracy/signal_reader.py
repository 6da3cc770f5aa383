"""Signals of a search's candidates: costs, training-free scores, and what shared weights say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

import numpy as np

from evonas.errors import EvaluationError, SettingsError
from evonas.objectives.accuracy.combined import ZeroCostFeatures
from evonas.objectives.accuracy.estimators import check_measures
from evonas.objectives.accuracy.main_effects import AdditiveEffects
from evonas.objectives.contract import Context
from evonas.objectives.cost.trait_reader import TraitReader
from evonas.predictors.general import open_predictor
from evonas.predictors.ranker import JointScore, SignalEncoder, Signals
from evonas.spaces import Architecture
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import KEPT, NORM_IMAGES
from evonas.tasks import make_task

__all__ = ["SCORES", "SHARED", "SignalReader"]

SCORES = ("flops", "swap")
"""Scores that cost no training, in the order of their columns. Synflow is left out: it takes twice SWAP's time."""
SHARED = ("supernet:loss", "supernet:smoothed")
"""What shared weights say, likewise."""


class SignalReader:
    """Reader of signals: every architecture is scored, and its path read, once.

    Args:
        context: Data, and a trained supernet; the option ``paths`` holds scores of the sample that were read before,
            ``predictor`` names what trainings in other spaces have taught (`open_predictor`), by default nothing.

    Attributes:
        encoder: What makes signals of what is read.
        predictor: Digest of that predictor; empty: there is none.

    Raises:
        SettingsError: One of them is missing.
        DataError: The predictor cannot be read.
    """

    def __init__(self, context: Context) -> None:
        if context.supernet is None or context.data is None:
            raise SettingsError("The objective 'acc' needs data and a trained supernet, got neither or one")
        self._space, self._progress = context.space, context.progress
        task = make_task(context.data)
        check_measures(task, "supernet", anchors=1)
        self._primary = task.primary
        self._path = PathEvaluator(
            context.supernet, context.data, context.data.search, norm_images=NORM_IMAGES, memory=KEPT, task=task
        )
        self._zero_cost = ZeroCostFeatures(context)
        self.encoder = SignalEncoder(context.space, SCORES)
        self._scores: dict[str, Mapping[str, float]] = {}
        self._known = context.options.get("paths")
        predictor = open_predictor(context.options.get("predictor", "none"))
        self.predictor = "" if predictor is None else predictor.digest
        self._general = None if predictor is None else predictor.whole
        self._traits = TraitReader(context.space, context.skeleton) if predictor is not None else None

    @cached_property
    def effects(self) -> AdditiveEffects:
        """The smoothed loss, and the reference sample.

        Raises:
            EvaluationError: No path of the sample can be read.
        """
        effects = AdditiveEffects(self._space, self._path, self._progress, self._known)
        self._scores |= {str(form): score for form, score in effects.sample}
        return effects

    @cached_property
    def reference(self) -> Signals:
        """Signals of the reference sample, the measure of ranks."""
        forms = [form for form, _ in self.effects.sample]
        self._zero_cost.prepare(forms, self._progress)
        scores = self._columns(forms)
        self._joint = JointScore(scores)
        return self.encoder(forms, scores, self._joint(scores), self._shared(forms), self._from_others(forms))

    @property
    def forms(self) -> list[Architecture]:
        """The reference sample."""
        return [form for form, _ in self.effects.sample]

    def path_score(self, architecture: Architecture) -> Mapping[str, float]:
        """Return what the supernet says of an architecture's path.

        Raises:
            EvaluationError: It cannot be read.
        """
        key = str(architecture)
        if key not in self._scores:
            self._scores[key] = self._path(architecture)
        return self._scores[key]

    def plain_accuracy(self, architecture: Architecture) -> float:
        """Return what the task measures first of an architecture's path.

        Raises:
            EvaluationError: It cannot be read.
        """
        return self.path_score(architecture)[self._primary]

    def __call__(self, architectures: Sequence[Architecture]) -> Signals:
        """Return the signals of canonical architectures; a path that cannot be read is not known.

        Raises:
            EvaluationError: FLOPs are not known.
        """
        reference = self.reference
        if not architectures:
            return reference[np.zeros(0, dtype=np.int64)]
        scores = self._columns(architectures)
        shared, general = self._shared(architectures), self._from_others(architectures)
        return self.encoder(architectures, scores, self._joint(scores), shared, general)

    @cached_property
    def _sample_from_others(self) -> tuple[np.ndarray, float, float]:
        """Traits of the reference sample; mean and deviation of what trainings in other spaces say of it."""
        assert self._general is not None  # there is a predictor
        assert self._traits is not None
        traits = self._traits(self.forms)
        scores = self._general(traits, traits)
        return traits, float(scores.mean()), float(scores.std()) or 1.0

    def _from_others(self, architectures: Sequence[Architecture]) -> np.ndarray | None:
        """Return what trainings in other spaces say, mean 0 and deviation 1 on the reference sample."""
        if self._general is None or self._traits is None:
            return None
        sample, mean, deviation = self._sample_from_others
        return np.asarray((self._general(self._traits(architectures), sample) - mean) / deviation)

    def _columns(self, architectures: Sequence[Architecture]) -> dict[str, np.ndarray]:
        logs = np.stack([self._zero_cost(architecture) for architecture in architectures])
        return dict(zip(SCORES, np.exp(logs).T, strict=True))

    def _shared(self, architectures: Sequence[Architecture]) -> np.ndarray:
        rows = np.full((len(architectures), len(SHARED)), np.nan)
        for row, architecture in zip(rows, architectures, strict=True):
            try:
                score = self.path_score(architecture)
            except EvaluationError:
                continue
            row[:] = -score["loss"], self.effects(architecture, score)
        return rows

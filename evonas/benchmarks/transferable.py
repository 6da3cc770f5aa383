"""Predictors as they are judged across spaces: learned from tables of some, asked about another."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Protocol

import numpy as np

from evonas.benchmarks.judged_table import JudgedTable
from evonas.benchmarks.transferable_graphs import GRAPH_LEARNERS
from evonas.predictors.encoders import TokenColumns, TokenCounts, TokenEncoder
from evonas.predictors.encoders.traits import TRAITS
from evonas.predictors.general import GeneralPredictor, PredictorFile, TraitTable, fit_general
from evonas.predictors.ranker import Ranker, SignalEncoder, Signals, StatisticsEncoder
from evonas.predictors.ranker.signals import ranker_tokens
from evonas.predictors.regressors import GaussianProcess
from evonas.predictors.scale import ScoreScale

__all__ = ["TRANSFERABLE", "Asked", "Transferable", "baselines", "shipped_of"]

Asked = Callable[[np.ndarray, int], np.ndarray | None]
"""Predictor of one table: scores of all of its rows, given rows whose values it may learn from, and a seed. None: it
says nothing with so few."""


class Transferable(Protocol):
    """Predictor that learns from tables of some spaces."""

    def __call__(self, train: Sequence[JudgedTable]) -> Callable[[JudgedTable], Asked]:
        """Return what it learned: from a table of any space to its predictor."""
        ...


def baselines(table: JudgedTable) -> dict[str, Asked]:
    """Return the predictors that know nothing of other spaces, by name.

    ``flops``; ``swap``, where there are images; ``free``; ``gaussian-process`` on genes; and ``ranker``, which joins
    all of these with regressors as a search does.
    """
    found: dict[str, Asked] = {"flops": lambda labelled, seed: table.flops}
    if "swap" in table.image_scores:
        found["swap"] = lambda labelled, seed: table.image_scores["swap"]
    found["free"] = lambda labelled, seed: table.free
    if table.has_space:
        found["gaussian-process"] = _process_of(table)
    scores = {"flops": table.flops, **{name: table.image_scores[name] for name in table.image_scores if name == "swap"}}
    found["ranker"] = ranker_of(table, table.free, scores)
    return found


def general_of(general: GeneralPredictor) -> Callable[[JudgedTable], Asked]:
    """Return what a general predictor says of a table: its score, and with labels a ranker that begins with it."""

    def asked(table: JudgedTable) -> Asked:
        prior = _standardized(general(table.traits, table.reference))
        return ranker_of(table, prior, dict(zip(TRAITS, table.traits.T, strict=True)))

    return asked


def _traits(train: Sequence[JudgedTable]) -> Callable[[JudgedTable], Asked]:
    """Traits: a general predictor that learns from the tables given."""
    return general_of(fit_general([TraitTable(table.traits, table.values) for table in train]))


def _standardized(scores: np.ndarray) -> np.ndarray:
    spread = float(scores.std())
    standardized: np.ndarray = (scores - scores.mean()) / (spread if spread > 0 else 1.0)
    return standardized


def _of_graphs(name: str) -> Transferable:
    """Return a predictor that reads graphs or texts: its score, and with labels a ranker that begins with it."""

    def learn(train: Sequence[JudgedTable]) -> Callable[[JudgedTable], Asked]:
        learned = GRAPH_LEARNERS[name](train)

        def asked(table: JudgedTable) -> Asked:
            scores = learned(table)
            return ranker_of(table, _standardized(scores), {name: scores, "flops": table.flops})

        return asked

    return learn


TRANSFERABLE: Mapping[str, Transferable] = MappingProxyType(
    {"traits": _traits, **{name: _of_graphs(name) for name in GRAPH_LEARNERS}}
)
"""Predictors that learn from tables of other spaces, by name; the first is quick and judged unless others are named."""


def ranker_of(table: JudgedTable, prior: np.ndarray, scores: Mapping[str, np.ndarray]) -> Asked:
    """Return the ranker of a table.

    Args:
        table: What it orders.
        prior: What is known of all rows before any is labelled, mean 0 and deviation 1.
        scores: What regressors see beside the architectures themselves, by name.
    """
    encoder, signals = _signals(table, prior, scores)
    cost = np.log(np.maximum(table.flops, 1.0))

    def asked(labelled: np.ndarray, seed: int) -> np.ndarray:
        ranker = Ranker(
            encoder, signals, signals[labelled], table.values[labelled], cost[labelled], shortness=0.0, seed=seed
        )
        return ranker.predict(signals)[0]

    return asked


def _signals(
    table: JudgedTable, prior: np.ndarray, scores: Mapping[str, np.ndarray]
) -> tuple[SignalEncoder | StatisticsEncoder, Signals]:
    """Return signals of all rows; of files without a space they are scores alone."""
    if table.has_space:
        encoder = SignalEncoder(table.space, tuple(scores))
        return encoder, encoder(table.forms, scores, prior)
    none, columns = np.zeros(0), np.stack([*scores.values()], axis=1)
    described = TokenCounts(np.zeros(len(table) + 1, dtype=np.int64), none.astype(np.int64), none, columns)
    return StatisticsEncoder(tuple(scores)), Signals(described, prior, np.zeros((len(table), 0)))


def _process_of(table: JudgedTable) -> Asked:
    """Return a Gaussian process on genes."""
    genomes = np.stack([table.space.encode(form) for form in table.forms])
    forms = {genome.tobytes(): form for genome, form in zip(genomes, table.forms, strict=True)}
    encoder = TokenEncoder(
        lambda genome: {"genes": ranker_tokens(table.space, forms[genome.tobytes()])["genes"]},
        lambda some: np.zeros((len(some), 0)),
        lambda genome: genome.tobytes(),
    )
    described = encoder.describe(genomes)

    def asked(labelled: np.ndarray, seed: int) -> np.ndarray | None:
        if len(labelled) < 2:
            return None
        columns = TokenColumns(encoder.names, described[labelled], statistics=False)
        scores = ScoreScale(table.values[labelled]).scores
        process = GaussianProcess()
        process.fit(columns(described[labelled]), scores - scores.mean())
        return process.predict(columns(described))[0]

    return asked


def shipped_of(file: PredictorFile, table: JudgedTable) -> tuple[str, Asked]:
    """Return the name and the predictor of a file that has seen nothing of a table's space."""
    general, name = file.for_space(table.space_name)
    return name, general_of(general)(table)

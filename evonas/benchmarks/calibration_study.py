"""Study of calibration: seven questions, answered on networks that were trained alike.

References:
    .. [Tao2024] Tao et al.: A Benchmark Study on Calibration, ICLR 2024, arXiv 2308.11838.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np

from evonas.benchmarks.calibration_networks import ReadNetwork
from evonas.benchmarks.ranking import RESAMPLES, weighted_kendall
from evonas.pareto.correlation import kendall
from evonas.predictors.importance import choice_importances
from evonas.spaces.named_genes import NamedGenes
from evonas.tasks.calibration import (
    BINS,
    brier_score,
    classwise_error,
    expected_error,
    kde_error,
    kernel_error,
    ks_error,
    log_loss,
    maximum_error,
)
from evonas.tasks.temperature import fit_temperature, softmax

__all__ = ["NUMBERS_OF_BINS", "QUESTIONS", "StudiedData", "calibration_measures", "calibration_study"]

QUESTIONS = {
    "transfer": "Does calibration carry over from one data set to another?",
    "robustness": "Is robustness a measure of calibration?",
    "measures": "Do measures of calibration agree?",
    "temperature": "Does temperature scaling help all networks alike?",
    "accuracy": "Are accurate networks calibrated ones?",
    "bins": "What does the number of bins do?",
    "designs": "Which designs help calibration?",
}
"""Questions of [Tao2024]_ by short name."""
NUMBERS_OF_BINS = (5, 10, 15, 20, 25, 50, 100, 200, 500)
"""Numbers of bins of [Tao2024]_."""


def calibration_measures(probabilities: np.ndarray, labels: np.ndarray) -> dict[str, float]:
    """Return measures of calibration, less is better in all.

    Args:
        probabilities: Shape (n, classes).
        labels: Shape (n,).
    """
    confidence, right = probabilities.max(1), probabilities.argmax(1) == labels
    return {
        "ece": expected_error(confidence, right),
        "ece_mass": expected_error(confidence, right, binning="mass"),
        "classwise": classwise_error(probabilities, labels),
        "classwise_mass": classwise_error(probabilities, labels, binning="mass"),
        "mce": maximum_error(confidence, right),
        "ks": ks_error(confidence, right),
        "kde": kde_error(confidence, right),
        "mmce": kernel_error(confidence, right),
        "nll": log_loss(probabilities, labels),
        "brier": brier_score(probabilities, labels),
    }


@dataclass(frozen=True, eq=False)
class StudiedData:
    """Networks of one data set, and what their answers amount to; arrays are of shape (networks,).

    Attributes:
        name: Of the data.
        networks: Their answers, of the same architectures in the same order for all data.
    """

    name: str
    networks: Sequence[ReadNetwork]

    @cached_property
    def temperatures(self) -> np.ndarray:
        """Temperature of each, fitted on validation images."""
        return np.array([fit_temperature(one.validation, one.validation_labels) for one in self.networks])

    @cached_property
    def probabilities(self) -> tuple[list[np.ndarray], list[np.ndarray]]:
        """On test images before and after temperature scaling."""
        pairs = list(zip(self.networks, self.temperatures, strict=True))
        return [softmax(one.test) for one, _ in pairs], [softmax(one.test / t) for one, t in pairs]

    @cached_property
    def accuracy(self) -> np.ndarray:
        """Test accuracy."""
        return np.array([(one.test.argmax(1) == one.test_labels).mean() for one in self.networks])

    @cached_property
    def measures(self) -> tuple[dict[str, np.ndarray], dict[str, np.ndarray]]:
        """Each of `calibration_measures` before and after temperature scaling."""
        before, after = (
            {name: np.array([row[name] for row in rows]) for name in rows[0]}
            for some in self.probabilities
            for rows in [[calibration_measures(p, one.test_labels) for p, one in zip(some, self.networks, strict=True)]]
        )
        return before, after

    def ece(self, bins: int, after: bool) -> np.ndarray:
        """Return the expected calibration error with a number of bins."""
        return np.array(
            [
                expected_error(p.max(1), p.argmax(1) == one.test_labels, bins)
                for p, one in zip(self.probabilities[after], self.networks, strict=True)
            ]
        )


def calibration_study(
    sets: Sequence[StudiedData], genes: NamedGenes, costs: Mapping[str, np.ndarray]
) -> list[dict[str, Any]]:
    """Return answers, a row each: question, data, what is compared, a figure, and the interval of a correlation.

    A correlation is Kendall's tau-b with its 95 % bootstrap interval over networks; signs are such that 1 means that
    what is better by one is better by the other.

    Args:
        sets: Data sets, each with the same architectures.
        genes: Choices of these.
        costs: Of these by name, less is cheaper, shape (networks,).
    """
    answers = _Answers()
    for first, second in itertools.combinations(sets, 2):
        where = f"{first.name}, {second.name}"
        answers.tau("transfer", where, "accuracy", first.accuracy, second.accuracy)
        for scaled, words in ((False, "ece"), (True, "ece after scaling")):
            answers.tau("transfer", where, words, -first.measures[scaled]["ece"], -second.measures[scaled]["ece"])
    for one in sets:
        before, after = one.measures
        _ask_of_measures(answers, one, before, after)
        _ask_of_temperature(answers, one, before, after)
        _ask_of_bins(answers, one)
        _ask_of_designs(answers, one, before, after, genes, costs)
    order = list(QUESTIONS)
    return sorted(answers.rows, key=lambda row: order.index(row["question"]))


@dataclass
class _Answers:
    """Rows of answers."""

    rows: list[dict[str, Any]] = field(default_factory=list)

    def tau(self, question: str, data: str, what: str, one: np.ndarray, other: np.ndarray) -> None:
        """Add a rank correlation."""
        n, value = len(one), kendall(one, other)
        draws = np.random.default_rng(0).multinomial(n, np.full(n, 1 / n), size=RESAMPLES).astype(float)
        found = weighted_kendall(np.asarray(one, dtype=float), np.asarray(other, dtype=float), draws)
        found = found[np.isfinite(found)]
        low, high = np.quantile(found, (0.025, 0.975)).tolist() if len(found) else (None, None)
        self._add(question, data, what, "tau", value, n, low, high)

    def figure(self, question: str, data: str, what: str, figure: str, value: Any, n: int) -> None:
        """Add a figure without an interval."""
        self._add(question, data, what, figure, float(value), n, None, None)

    def _add(
        self, question: str, data: str, what: str, figure: str, value: float, n: int, low: float | None,
        high: float | None,
    ) -> None:  # fmt: skip
        self.rows.append(
            {
                "question": question, "data": data, "what": what, "figure": figure, "value": value, "low": low,
                "high": high, "n": n,
            }
        )  # fmt: skip


Measured = Mapping[str, np.ndarray]
"""Measures of networks by name."""


def _ask_of_measures(answers: _Answers, one: StudiedData, before: Measured, after: Measured) -> None:
    """Ask what else calibration goes with: robustness, other measures of it, accuracy."""
    for name in one.networks[0].robust:
        robust = np.array([network.robust[name] for network in one.networks])
        answers.tau("robustness", one.name, f"ece and {name}", -before["ece"], robust)
        answers.tau("robustness", one.name, f"ece after scaling and {name}", -after["ece"], robust)
        answers.tau("robustness", one.name, f"accuracy and {name}", one.accuracy, robust)
    for name in before:
        if name != "ece":
            answers.tau("measures", one.name, f"ece and {name}", before["ece"], before[name])
    answers.tau("accuracy", one.name, "all networks", -before["ece"], one.accuracy)
    best = one.accuracy >= np.median(one.accuracy)
    answers.tau("accuracy", one.name, "the more accurate half", -before["ece"][best], one.accuracy[best])
    answers.tau("accuracy", one.name, "all, after scaling", -after["ece"], one.accuracy)


def _ask_of_temperature(answers: _Answers, one: StudiedData, before: Measured, after: Measured) -> None:
    n, question = len(one.networks), "temperature"
    for name in ("ece", "nll"):
        answers.figure(question, one.name, f"median {name} before", "value", np.median(before[name]), n)
        answers.figure(question, one.name, f"median {name} after", "value", np.median(after[name]), n)
        falls = np.mean(after[name] < before[name])
        answers.figure(question, one.name, f"networks whose {name} falls", "share", falls, n)
        answers.tau(question, one.name, f"{name} before and after", before[name], after[name])
    for share, words in ((0.1, "10th"), (0.9, "90th")):
        value = np.quantile(one.temperatures, share)
        answers.figure(question, one.name, f"temperature, {words} percentile", "value", value, n)


def _ask_of_bins(answers: _Answers, one: StudiedData) -> None:
    for bins in NUMBERS_OF_BINS:
        for scaled, words in ((False, "before"), (True, "after")):
            errors = one.ece(bins, scaled)
            median = np.median(errors)
            answers.figure("bins", one.name, f"median ece of {bins} bins {words}", "value", median, len(errors))
            if bins != BINS:
                usual = one.measures[scaled]["ece"]
                answers.tau("bins", one.name, f"{bins} and {BINS} bins {words}", errors, usual)


def _ask_of_designs(
    answers: _Answers, one: StudiedData, before: Measured, after: Measured, genes: NamedGenes, costs: Measured
) -> None:
    n, question = len(one.networks), "designs"
    for name, cost in costs.items():
        answers.tau(question, one.name, f"ece and few {name}", -before["ece"], -cost)
        answers.tau(question, one.name, f"ece after scaling and few {name}", -after["ece"], -cost)
    important, predicted = choice_importances(*genes, before["ece"])
    answers.figure(question, one.name, "spread of ece that choices predict", "share", predicted, n)
    for choice in important[:3]:
        words = f"{choice.choice}: least with {choice.worst[0]}, most with {choice.best[0]}"
        answers.figure(question, one.name, words, "share", choice.share, n)

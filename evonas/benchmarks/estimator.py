"""Quality of accuracy's estimates: by shared weights, and by a predictor that few short trainings correct."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from evonas.errors import SettingsError
from evonas.pareto.correlation import kendall, spearman
from evonas.predictors import TokenEncoder, fit_predictor, token_groups
from evonas.spaces import Architecture, Space, as_candidates

if TYPE_CHECKING:
    from evonas.objectives import Context

__all__ = ["bench_estimator", "out_of_fold", "train_fully"]

FOLDS = 5
Progress = Callable[[str, int], None]


def bench_estimator(
    context: Context,
    architectures: Sequence[Architecture],
    truth: np.ndarray,
    *,
    seed: int = 0,
    progress: Progress = lambda what, number: None,
) -> list[dict[str, Any]]:
    """Return the rank correlation of estimates with true accuracy.

    The predictor learns from short trainings and sees the supernet's estimate, SWAP and costs; each architecture
    is predicted by a fit that it had no part in.

    Args:
        context: Data, a trained supernet, and ``train:EPOCHS`` as the option ``estimator``.
        architectures: Canonical, ten or more, different.
        truth: Their accuracy after a full training, shape ``(n,)``.
        seed: Of the folds.
        progress: Called with what is done and with which architecture.

    Returns:
        One row per estimate: ``estimate``, ``n``, ``spearman``, ``kendall``.

    Raises:
        SettingsError: Fewer than ten architectures.
    """
    from evonas.objectives import make_evaluator
    from evonas.objectives.accuracy.accuracy import AccuracyEvaluator
    from evonas.objectives.accuracy.estimators import DEFAULT, SUPERNET
    from evonas.objectives.accuracy.low_fidelity import TrainingEvaluator

    if len(architectures) < 2 * FOLDS or len(truth) != len(architectures):
        raise SettingsError(
            f"Expected {2 * FOLDS} architectures or more with a truth each, got {len(architectures)} and {len(truth)}."
        )
    training = TrainingEvaluator(context)
    shared = training.shared_weights()
    if shared is None:
        raise SettingsError("Expected a trained supernet, whose estimate is to be corrected, got none.")
    short = []
    for number, form in enumerate(architectures):
        progress("short training", number)
        short += _values(training, "acc", [form])
    known = {
        "flops": _values(make_evaluator("flops", context), "flops", architectures),
        "params": _values(make_evaluator("params", context), "params", architectures),
        "swap": _values(make_evaluator("swap", context), "swap", architectures),
        f"supernet:{DEFAULT}": _values(shared, "acc", architectures),
    }
    others = [name for name in SUPERNET if name != DEFAULT]
    read = {
        f"supernet:{name}": _values(AccuracyEvaluator(context, estimate=name), "acc", architectures) for name in others
    }
    estimates: dict[str, Any] = {**known, **read, "short training": short}
    for name, used in (("predicted from costs and SWAP", 3), ("predicted with the supernet: corrected", 4)):
        columns = np.array(list(known.values())[:used], dtype=np.float64).T
        estimates[name] = out_of_fold(context.space, architectures, columns, np.array(short), seed)
    return [
        {
            "estimate": name,
            "n": len(truth),
            "spearman": spearman(values, truth),
            "kendall": kendall(values, truth),
        }
        for name, values in estimates.items()
    ]


def out_of_fold(
    space: Space, architectures: Sequence[Architecture], statistics: np.ndarray, values: np.ndarray, seed: int
) -> np.ndarray:
    """Return predictions of values, each by a fit on the four fifths that the architecture is not among.

    Args:
        space: Of the architectures.
        architectures: Canonical.
        statistics: What else predictors see, shape ``(n, k)``.
        values: What they learn, NaN where unknown, shape ``(n,)``.
        seed: Of the folds.
    """
    genomes = np.stack([space.encode(form) for form in architectures])
    rows: Mapping[bytes, int] = {genome.tobytes(): row for row, genome in enumerate(genomes)}
    encoder = TokenEncoder(
        lambda genome: token_groups(space, architectures[rows[genome.tobytes()]]),
        lambda some: statistics[[rows[genome.tobytes()] for genome in some]],
        lambda genome: genome.tobytes(),
    )
    described = encoder.describe(genomes)
    folds = np.random.default_rng(seed).permutation(len(genomes)) % FOLDS
    found = np.full(len(genomes), np.nan)
    for fold in range(FOLDS):
        learnt = np.flatnonzero((folds != fold) & np.isfinite(values))
        predictor = fit_predictor(encoder, described[learnt], values[learnt])
        left = np.flatnonzero(folds == fold)
        found[left] = predictor.values(predictor(described[left])[0])
    return found


def train_fully(context: Context, architectures: Sequence[Architecture], recipe: str, progress: Progress) -> np.ndarray:
    """Return test accuracies after a full training of each architecture from fresh weights.

    Args:
        context: Space, skeleton and data.
        architectures: Canonical.
        recipe: Name or file of a recipe.
        progress: Called before each training.
    """
    from evonas.networks import build
    from evonas.training import test_accuracy
    from evonas.training.train import train

    data = context.data
    assert data is not None  # the benchmark has loaded it
    found = []
    for number, form in enumerate(architectures):
        progress("full training", number)
        network = build(context.space, context.skeleton, form, seed=context.seed)
        train(network, data, recipe, seed=context.seed, device=context.device)
        found.append(test_accuracy(network, data))
    return np.array(found)


def _values(evaluator: Any, name: str, architectures: Sequence[Architecture]) -> list[float]:
    values = [row[name].value for row in evaluator.evaluate(as_candidates(architectures))]
    return [float("nan") if value is None else value for value in values]

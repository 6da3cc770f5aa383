"""Ablations run on random architectures that are trained."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evonas.benchmarks.ablate import ablate_columns, ablation_results
from evonas.benchmarks.ablation import RESAMPLES, Accuracies, compare_rankings, refuse_unknown
from evonas.benchmarks.protocol import draw_architectures
from evonas.benchmarks.trained_accuracies import train_ways
from evonas.benchmarks.training_ways import (
    TrainingWay,
    default_factors,
    frame_ways,
    read_factor,
    recipe_ways,
)
from evonas.benchmarks.variance import explain_variance
from evonas.errors import SettingsError
from evonas.files.progress import Progress
from evonas.objectives import Context
from evonas.training import TrainingRecipe

__all__ = ["ablate_trainings"]


def ablate_trainings(
    ablation: str,
    context: Context,
    recipe: TrainingRecipe,
    *,
    folder: Path,
    architectures: int = 16,
    seeds: int = 1,
    steps: Sequence[str] = (),
    vary: Sequence[str] = (),
    resamples: int = RESAMPLES,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Return an ablation of random architectures that are trained in the ways it asks for.

    Args:
        ablation: One of `ABLATIONS`.
        context: Space, skeleton, data, and the seed of what is drawn and the first of the trainings.
        recipe: How they are trained, on the part `train`.
        folder: Keeps trainings, so that what was stopped goes on.
        architectures: How many are drawn, none twice.
        seeds: Trainings in each way; ``tricks`` and ``depth`` take the mean over them.
        steps: Of ``tricks``, after the recipe's own, as `recipe_ways` takes them.
        vary: Of ``macro`` and ``depth``: factors of the frame, as `read_factor` takes them.
        resamples: Bootstrap samples behind each interval.
        progress: Shows how far it is.

    Returns:
        What `ablate_columns` returns, and ``architectures``. ``depth`` with several seeds also compares these at each
        depth: no two depths can be expected to agree better.

    Raises:
        SettingsError: Settings that do not fit the ablation, or fewer than three architectures were trained.
    """
    refuse_unknown(ablation)
    _refuse_unfitting(ablation, architectures, seeds, steps, vary)
    space, seed = context.space, context.seed
    drawn = draw_architectures(space, architectures, np.random.default_rng(seed))
    factors: list[tuple[str, tuple[Any, ...]]] = []
    if ablation == "tricks":
        ways = recipe_ways(space, context.skeleton, recipe, steps, seed)
    elif ablation == "seeds":
        ways = [TrainingWay("training", context.skeleton, recipe, seed)]
    else:
        factors = [read_factor(space, text) for text in vary] or default_factors(space, context.skeleton, ablation)
        ways = frame_ways(space, context.skeleton, recipe, factors, seed)
    repeated = [replace(way, seed=seed + i) for i in range(seeds) for way in ways]
    values = train_ways(context, drawn, repeated, folder, progress)
    values = values.reshape(len(drawn), seeds, len(ways)).swapaxes(1, 2)
    texts, names = [str(one) for one in drawn], [way.name for way in ways]
    kinds = [(name, f"seed {seed + i}") for name in names for i in range(seeds)]
    if ablation == "seeds":
        return ablate_columns(ablation, _complete([own for _, own in kinds], values, texts), resamples=resamples)
    if ablation == "macro":
        return _explained(values, factors, [", ".join(kind) for kind in kinds], texts, resamples)
    results = ablate_columns(ablation, _complete(names, values.mean(axis=2), texts), resamples=resamples)
    if ablation == "depth" and seeds > 1:
        for index, name in enumerate(names):
            own = _complete([f"{name}, {kind}" for _, kind in kinds[:seeds]], values[:, index], texts)
            results["rows"] += compare_rankings(own, resamples=resamples)
    return results


def _refuse_unfitting(ablation: str, architectures: int, seeds: int, steps: Sequence[str], vary: Sequence[str]) -> None:
    if architectures < 3:
        raise SettingsError(f"Expected three architectures or more to compare, got {architectures}")
    if ablation == "seeds" and seeds < 2:
        raise SettingsError(f"Expected two seeds or more to compare, got {seeds}")
    if steps and ablation != "tricks":
        raise SettingsError(f"Expected steps of the ablation 'tricks' alone, got them for '{ablation}'")
    if vary and ablation not in ("macro", "depth"):
        raise SettingsError(f"Expected levels of the frame for 'macro' or 'depth' alone, got them for '{ablation}'")


def _complete(names: Sequence[str], values: np.ndarray, texts: Sequence[str]) -> Accuracies:
    return Accuracies.complete(names, values.reshape(len(texts), -1), texts)


def _explained(
    values: np.ndarray, factors: Sequence[tuple[str, tuple[Any, ...]]], names: Sequence[str], texts: Sequence[str],
    resamples: int,
) -> dict[str, Any]:  # fmt: skip
    found = _complete(names, values, texts)
    shape = [len(levels) for _, levels in factors]
    design = found.values.reshape(len(found), *shape, values.shape[-1])
    return ablation_results(
        "macro", found, explain_variance(design, [name for name, _ in factors], resamples=resamples)
    )

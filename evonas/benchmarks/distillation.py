"""Benchmark of distillation: how well short trainings rank, with a teacher and without, on the same architectures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from evonas.engine import LocalEngine
from evonas.errors import SettingsError
from evonas.files.progress import Progress, Silent
from evonas.networks import build
from evonas.objectives import Context
from evonas.objectives.accuracy.anchor import AnchorEvaluator, anchor_name
from evonas.pareto.correlation import kendall
from evonas.runs.store import Store
from evonas.spaces import as_candidates
from evonas.training import load_recipe
from evonas.training.evaluate import evaluate
from evonas.training.train import train

__all__ = ["bench_distillation"]

BOOTSTRAPS = 2000
"""Resamplings of the networks behind each interval."""


def bench_distillation(
    context: Context,
    distillations: Sequence[str],
    *,
    epochs: Sequence[int],
    high: int,
    networks: int,
    folder: Path,
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train random architectures shortly in several ways, and long, and correlate.

    The short ones are read on the part `search`, as anchors are; the long one, by the recipe ``quick`` from another
    seed, on `report` and the test part together, so that no image is both chosen by and measured on.

    Args:
        context: Space, skeleton, data and seed.
        distillations: What `read_distillation` takes; the first is what others are compared with.
        epochs: The ladder, ascending.
        high: Epochs of the long training.
        networks: How many architectures.
        folder: Where results and checkpoints are kept: what is killed goes on.
        progress: Shows how far it is.

    Returns:
        ``rows``: tau of every distillation and level, with a 95 % interval over networks and the paired difference
        to the first; ``networks``: every architecture with all its accuracies.

    Raises:
        SettingsError: Fewer than three networks, or no data.
    """
    if networks < 3 or context.data is None:
        raise SettingsError(f"Expected data, and three networks or more to correlate, got {networks} networks")
    progress = progress or Silent()
    genomes = context.space.sample(4 * networks, np.random.default_rng(context.seed), by="choice")
    forms = list({str(form): form for genome in genomes if (form := context.space.form(genome))}.values())[:networks]
    found: list[dict[str, Any]] = [{"architecture": str(form)} for form in forms]
    folder.mkdir(parents=True, exist_ok=True)
    results, done = folder / "evaluations.sqlite", len(forms) * len(distillations) * len(epochs)
    with Store(results, create=not results.exists()) as store, progress.task("Training shortly", done) as task:
        for name in distillations:
            options = {"ladder": list(epochs), "distillation": name, "anchor_folder": str(folder)}
            for level in epochs:
                evaluator = AnchorEvaluator(replace(context, options=options), level)
                engine = LocalEngine({anchor_name(level): evaluator}, store)
                values = engine.evaluate(as_candidates(forms), [anchor_name(level)], task.advance)
                for row, value in zip(found, values[:, 0].tolist(), strict=True):
                    row[f"{name}@{level}"] = value
    data = context.data.to(context.device)
    with progress.task("Training long", len(forms)) as task:
        for number, (row, form) in enumerate(zip(found, forms, strict=True)):
            seed = 10_000 + number
            network = build(context.space, context.skeleton, form, seed=seed)
            recipe = load_recipe("quick", epochs=high, warm_up=min(2, high - 1), all_data=False)
            checkpoint = folder / f"long-{number}.safetensors"
            train(network, data, recipe, seed=seed, device=context.device, checkpoint=checkpoint)
            parts = [(evaluate(network, part, data)[0], len(part)) for part in (data.report, data.test)]
            row["high"] = sum(value * n for value, n in parts) / sum(n for _, n in parts)
            task.advance(1)
    return {
        "space": context.space.name,
        "data": {"name": data.name, "train": len(data.train), "search": len(data.search),
                 "high": len(data.report) + len(data.test), "resolution": data.resolution},
        "seed": context.seed, "high_epochs": high, "rows": _rows(found, distillations, epochs), "networks": found,
    }  # fmt: skip


def _rows(found: Sequence[dict[str, Any]], distillations: Sequence[str], epochs: Sequence[int]) -> list[dict[str, Any]]:
    def column(name: str) -> np.ndarray:
        return np.array([row[name] for row in found], dtype=float)

    rng, rows, truth = np.random.default_rng(0), [], column("high")
    draws = rng.integers(len(found), size=(BOOTSTRAPS, len(found)))
    for level in epochs:
        taus = {name: _resampled(column(f"{name}@{level}"), truth, draws) for name in distillations}
        for name in distillations:
            values = column(f"{name}@{level}")
            low, top = np.nanquantile(taus[name], [0.025, 0.975])
            beyond = np.nanquantile(taus[name] - taus[distillations[0]], [0.025, 0.975])
            rows.append(
                {
                    "distillation": name, "epochs": level, "n": int(np.isfinite(values).sum()),
                    "tau": kendall(values, truth), "tau_low": float(low), "tau_high": float(top),
                    "difference_low": float(beyond[0]), "difference_high": float(beyond[1]),
                    "accuracy": float(np.nanmean(values)),
                }
            )  # fmt: skip
    return rows


def _resampled(values: np.ndarray, truth: np.ndarray, draws: np.ndarray) -> np.ndarray:
    return np.array([kendall(values[rows], truth[rows]) for rows in draws])

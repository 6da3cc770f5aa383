"""Comparison of a run with random sampling: relative improvement over architectures trained alike."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.benchmarks import bench_protocol
from evonas.errors import EvonasError, RunError
from evonas.networks import build
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.spaces import Architecture
from evonas.training import load_recipe
from evonas.training.train import train


def compare_front(
    path: Path,
    *,
    recipe: str,
    members: int,
    seeds: int,
    progress: Callable[[str, int], None],
    epochs: int | None = None,
) -> dict[str, Any]:
    """Train members of a front and as many random architectures from fresh weights, and compare them.

    All are trained on the part `train` and measured on the part `report`, which the search did not select on.

    Args:
        path: The run.
        recipe: Name or file of a recipe.
        members: How many members, spread along the front.
        seeds: Trainings of each architecture.
        progress: Called before every training.
        epochs: Of each; the recipe's own where None.

    Returns:
        What `bench_protocol` returns.
    """
    with Run.open(path) as run:
        front, context = read_front(run), run_context(run)
    indices = np.unique(np.linspace(0, len(front) - 1, members).round().astype(int))
    found = [context.space.canonical(context.space.parse(front[int(index)].architecture)) for index in indices]
    how = load_recipe(recipe, all_data=False, **({} if epochs is None else {"epochs": epochs}))
    images = context.data
    if images is None:
        raise RunError(f"{run.path} searched a table: without images there is nothing to train on")

    def train_all(architectures: Sequence[Architecture], seed: int) -> list[float]:
        accuracies = []
        for number, architecture in enumerate(architectures):
            progress(f"training {number + 1} of {len(architectures)}", seed)
            network = build(context.space, context.skeleton, architecture, seed=seed)
            try:
                data = images.at(network.skeleton.resolution)
                result = train(network, data, how, seed=seed, device=context.device)
                accuracies.append(float("nan") if result.accuracy is None else result.accuracy)
            except EvonasError:
                accuracies.append(float("nan"))
        return accuracies

    return bench_protocol(context.space, found, train_all, seeds=seeds)

"""Accuracies of architectures that are trained in several ways, kept so that what was stopped goes on."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from evonas.benchmarks.training_ways import TrainingWay
from evonas.errors import EvonasError, SettingsError
from evonas.files.progress import Progress, Silent
from evonas.networks import build
from evonas.objectives import Context
from evonas.objectives.contract import fingerprint
from evonas.runs.store import Evaluation, Store
from evonas.spaces import Architecture
from evonas.training.evaluate import evaluate
from evonas.training.train import train

__all__ = ["train_ways"]

NAME = "accuracy"
"""What results are stored as."""


def train_ways(
    context: Context,
    architectures: Sequence[Architecture],
    ways: Sequence[TrainingWay],
    folder: Path,
    progress: Progress | None = None,
) -> np.ndarray:
    """Train every architecture in every way on the part `train`, from fresh weights.

    Accuracy (for other tasks, their primary measure) is read on the parts `report` and `test` together: nothing is
    selected here, and more images make seeds differ less by chance.

    Args:
        context: Space, data, device and threads.
        architectures: As they are to be built.
        ways: All are trained in the first before any is in the second.
        folder: Keeps every result and the checkpoint of the training that runs; made where it is missing. Trainings
            that it holds are not done again, whatever they were done for.
        progress: Shows how far it is.

    Returns:
        Shape ``(architectures, ways)``; NaN where a training failed, whose cause the folder keeps.

    Raises:
        SettingsError: No data.
        RunError: The folder cannot be written.
    """
    if context.data is None:
        raise SettingsError("Expected data to train on, got none")
    folder.mkdir(parents=True, exist_ok=True)
    values = np.full((len(architectures), len(ways)), np.nan)
    file = folder / "trainings.sqlite"
    texts = [str(one) for one in architectures]
    with (
        Store(file, create=not file.exists()) as store,
        (progress or Silent()).task("Training", values.size) as task,
    ):
        store.forget_failures()  # a full disk may be mended; what diverged does so again
        for column, way in enumerate(ways):
            key = _fingerprint(context, way)
            stored = store.lookup(texts, NAME, key)
            for row, (text, architecture) in enumerate(zip(texts, architectures, strict=True)):
                if text not in stored:
                    kept = folder / f"{hashlib.sha256(f'{key} {text}'.encode()).hexdigest()[:16]}.safetensors"
                    stored[text] = _evaluation(context, architecture, way, key, kept)
                    store.record([stored[text]])
                    kept.unlink(missing_ok=True)
                if (cause := stored[text].cause) is not None:
                    (progress or Silent()).say(f"{text}, {way.name}: {cause}")
                value = stored[text].value
                values[row, column] = np.nan if value is None else value
                task.advance(1, note=way.name)
    return values


def _evaluation(
    context: Context, architecture: Architecture, way: TrainingWay, key: str, checkpoint: Path
) -> Evaluation:
    began, text = time.perf_counter(), str(architecture)
    try:
        value = _trained(context, architecture, way, checkpoint)
    except EvonasError as error:
        return Evaluation(text, NAME, key, None, str(error)[:300], time.perf_counter() - began)
    return Evaluation(text, NAME, key, value, None, time.perf_counter() - began)


def _trained(context: Context, architecture: Architecture, way: TrainingWay, checkpoint: Path) -> float:
    assert context.data is not None
    data = context.data.at(way.skeleton.resolution)
    network = build(context.space, way.skeleton, architecture, seed=way.seed)
    train(network, data, way.recipe, seed=way.seed, device=context.device, checkpoint=checkpoint)
    here = data.to(context.device)
    parts = [(evaluate(network, part, here)[0], len(part)) for part in (here.report, here.test)]
    return sum(value * n for value, n in parts) / sum(n for _, n in parts)


def _fingerprint(context: Context, way: TrainingWay) -> str:
    """Identity of a way: everything but the architecture that decides an accuracy."""
    assert context.data is not None
    return fingerprint(
        "protocol", 1, way.skeleton, way.recipe.model_dump(mode="json", exclude={"name", "source"}), way.seed,
        context.data.fingerprint, context.space.content, context.threads,
    )  # fmt: skip

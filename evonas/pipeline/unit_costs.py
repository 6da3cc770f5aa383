"""Unit costs of a search: seconds of one score, update, path and epoch, found by short trials before it begins."""

from __future__ import annotations

import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from evonas.data import Dataset
from evonas.errors import EvonasError
from evonas.networks import build
from evonas.objectives.accuracy.anchor import RECIPE
from evonas.objectives.accuracy.estimators import read_estimator, read_training
from evonas.objectives.cost.assemble import export_block
from evonas.objectives.cost.graph_builder import GraphBuilder, all_blocks
from evonas.objectives.latency.latency import kept_path
from evonas.objectives.proxy import ProxyEvaluator
from evonas.objectives.robust.evaluator import ROBUST_IMAGES
from evonas.objectives.robust.names import is_robust, read_robust
from evonas.pipeline.problem import SearchProblem
from evonas.proxies import SaturationWarning
from evonas.runtime.threads import torch_threads
from evonas.spaces import Candidate
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.supernet.throughput import time_checkpoint, time_update
from evonas.tasks import make_task
from evonas.training import load_recipe
from evonas.training.throughput import seconds_per_epoch

__all__ = ["SWAP_REPEATS", "UnitCosts", "measure_units"]

SWAP_REPEATS = 4
"""Re-initializations per SWAP-Score in a warm start: within 0.01 of 8 in rank correlation."""
TRIAL_SEED = 29
"""Of the candidate that trials evaluate, beside the search's seed."""
LOGGED = 2.0
"""Times what a trial's checkpoint takes that those of a training do: their log grows with its epochs."""
TRIAL_BLOCKS = 4
"""Blocks that a trial exports, after one."""
TRIAL_UPDATES, MORE_UPDATES = 2, 12
"""Updates of shared weights that a trial times, after one that warms up; and with a deadline as many as its time takes,
for paths differ in what they cost."""


@dataclass(frozen=True)
class UnitCosts:
    """Seconds of one unit of each step's work; 0 where a search has no such step.

    Attributes:
        score: SWAP-Score of an architecture.
        update: Update of the supernet, with its part of the checkpoint that is written after each epoch.
        path: Path that is read.
        epoch: Epoch of an anchor's training.
        evaluation: Evaluation of a candidate.
        block: Block that is exported for a latency table.
        blocks: Number of such blocks; 0 where a table is there already.
    """

    score: float = 0.0
    update: float = 0.0
    path: float = 0.0
    epoch: float = 0.0
    evaluation: float = 0.0
    block: float = 0.0
    blocks: int = 0


def measure_units(problem: SearchProblem, seconds: float | None = None) -> UnitCosts:
    """Return unit costs of a search, by trials on networks that nothing else uses; no random state changes.

    A score or path that cannot be read counts as free: the step itself then says what is wrong.

    Args:
        problem: What is searched.
        seconds: What the trial of updates may take; None: as long as `TRIAL_UPDATES` of them take.
    """
    settings, data = problem.settings, problem.data
    if data is None:
        return UnitCosts()
    rng = np.random.default_rng([settings.seed, TRIAL_SEED])
    form = problem.space.form(problem.space.sample(1, rng)[0])
    kind, option = read_estimator(settings.estimator)
    learned, trained = bool(problem.learned), bool(problem.learned) and kind == "train"
    with torch_threads(settings.threads):
        score = _seconds(lambda: _score(problem, Candidate(form))) if settings.warm_start else 0.0
        update = path = epoch = 0.0
        if learned and not settings.supernet and problem.start is None:
            network = problem.new_supernet().to(problem.device)
            update = time_update(
                network, data, settings.sharing, batch_size=settings.batch_size,
                updates=TRIAL_UPDATES if seconds is None else MORE_UPDATES, seconds=seconds, augment=data.augment,
                task=make_task(data), norms=settings.norms,
            )  # fmt: skip
            update += LOGGED * time_checkpoint(network) / max(1, len(data.train) // settings.batch_size)
        if learned:
            reader = PathEvaluator(
                problem.new_supernet().to(problem.device), data, data.search, norm_images=NORM_IMAGES,
                task=make_task(data),
            )  # fmt: skip
            path = _seconds(lambda: reader(form))
        if settings.anchors or trained:
            network = build(problem.space, problem.skeleton, form)
            epoch = seconds_per_epoch(network, data, load_recipe(RECIPE), device=problem.device)
    evaluation = read_training(option)[0] * epoch if trained else path
    evaluation += (
        sum(_robust_paths(name, data, settings.corruptions) for name in problem.learned if is_robust(name)) * path
    )
    return UnitCosts(score, update, path, epoch, evaluation, *_blocks(problem))


def _blocks(problem: SearchProblem) -> tuple[float, int]:
    """Return seconds of exporting one block and how many there are; none where this device's table is known."""
    settings = problem.settings
    if "latency" not in problem.evaluated or settings.latency_table:
        return 0.0, 0
    if kept_path(problem.space, problem.skeleton, settings.resolutions, settings.threads).exists():
        return 0.0, 0
    blocks = list(all_blocks(GraphBuilder(problem.space, problem.skeleton), settings.resolutions).values())
    chosen = [blocks[i] for i in np.unique(np.linspace(0, len(blocks) - 1, TRIAL_BLOCKS + 1).round().astype(int))]
    export_block(chosen[0])  # imports the exporter
    began = time.perf_counter()
    for block in chosen[1:]:
        export_block(block)
    return (time.perf_counter() - began) / max(1, len(chosen) - 1), len(blocks)


def _robust_paths(name: str, data: Dataset, corruptions: Sequence[str]) -> float:
    """Return how many readings of a path a robust objective costs at most.

    Counted, not tried: fresh weights fall at the first step of an attack, trained ones may bear all.
    """
    norms, read = min(NORM_IMAGES, len(data.train)), max(1, len(data.search))
    return (norms + read_robust(name, corruptions).passes * min(read, ROBUST_IMAGES)) / (norms + read)


def _score(problem: SearchProblem, candidate: Candidate) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", SaturationWarning)  # said when all are scored
        ProxyEvaluator(problem.context(), "swap", repeats=SWAP_REPEATS).evaluate([candidate])


def _seconds(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    try:
        work()
    except EvonasError:
        return 0.0
    return time.perf_counter() - began

"""Overhead of evonas beside the work that cannot be spared: ratios measured side by side, in one run."""

from __future__ import annotations

import os
import platform
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from evonas.benchmarks.overhead_supernet import supernet_overhead
from evonas.benchmarks.overhead_swap import swap_overhead
from evonas.data import Dataset
from evonas.data.resize import resize
from evonas.engine import LocalEngine
from evonas.evolution import Evolution
from evonas.files.processor import processor
from evonas.objectives import Context, Evaluator, Result, make_evaluator
from evonas.pareto.dominance import minimized
from evonas.runs.store import Store
from evonas.runtime.threads import torch_threads
from evonas.spaces import Candidate, Space, as_candidates, load_space

SIDE = 32
"""Pixels of the images: those of the configurations that the literature states its costs for."""


@dataclass(frozen=True)
class Amount:
    """Amount that is measured.

    Attributes:
        genotypes: Architectures that SWAP scores.
        rounds: Scores of each.
        repeats: Re-initializations of a score.
        channels, cells, batch: Of the supernet and its training.
        steps: Paired updates.
        paths: Paths whose accuracy is read.
        images: Images that it is read on.
        generations: Of the search.
    """

    genotypes: int = 3
    rounds: int = 1
    repeats: int = 32
    channels: int = 16
    cells: int = 8
    batch: int = 64
    steps: int = 12
    paths: int = 2
    images: int = 2000
    generations: int = 25


QUICK = Amount(
    genotypes=2, rounds=1, repeats=4, channels=4, cells=3, batch=8, steps=4, paths=2, images=40, generations=3
)
"""Enough to see that everything runs; its ratios mean little."""


def bench_overhead(
    data: Dataset,
    *,
    quick: bool = False,
    seed: int = 0,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Measure the overhead of SWAP-Score, of the supernet and of the search, on one thread.

    Ratios are medians of pairs that took turns, in processor seconds; quartiles stand beside them.

    Args:
        data: Images, brought to 32 pixels and three channels where they have others; what they show changes
            no cost.
        quick: Measure little, on small networks, to see that it runs.
        seed: Of architectures, weights and batches.
        progress: Called with what is measured next.

    Returns:
        ``swap``: ``speedup_over_naive`` (the counts are asserted equal), ``over_forward``, ``peak_bytes``,
        ``naive_peak_bytes``; ``supernet``: ``disturbance_immune_over_uniform``, ``uniform_over_standalone``,
        ``accuracy_over_standalone``, ``peak_bytes_over_uniform``, ``trace_over_d``; ``search``:
        ``outside_evaluations_us_per_candidate``; ``machine`` and ``settings``.

    Raises:
        EvaluationError: The packed count of patterns differs from the naive one.
    """
    amount = QUICK if quick else Amount()
    say = progress or (lambda text: None)
    began = time.perf_counter()
    space = load_space("darts")
    images = resize(data.train.images, SIDE)
    images = images if images.shape[1] == 3 else images[:, :1].expand(-1, 3, -1, -1)
    before = os.getloadavg() if hasattr(os, "getloadavg") else ()
    with torch_threads(1), torch.random.fork_rng(devices=[]):
        say("SWAP-Score beside the naive count and bare forward passes")
        swap = swap_overhead(space, images, amount, seed)
        say("supernet: updates and accuracies beside stand-alone ones")
        supernet = supernet_overhead(space, images, data.train.labels, len(data.classes), amount, seed)
        say("search outside of its evaluations")
        search = search_overhead(space, amount.generations, seed)
    return {
        "swap": swap,
        "supernet": supernet,
        "search": search,
        "machine": {
            "processor": processor(),
            "cores": os.cpu_count(),
            "system": platform.platform(),
            "python": platform.python_version(),
            "torch": str(torch.__version__),
            "load_before": list(before),
            "load_after": list(os.getloadavg()) if hasattr(os, "getloadavg") else [],
        },
        "settings": {
            "quick": quick,
            "seed": seed,
            "threads": 1,
            "clock": "processor seconds of this process",
            "space": space.name,
            "data": data.name,
            **vars(amount),
            "wall_seconds": time.perf_counter() - began,
        },
    }


def search_overhead(space: Space, generations: int, seed: int, *, population: int = 40) -> dict[str, float]:
    """Measure what a search does apart from evaluating: variation, canonical forms, selection and the store.

    Args:
        space: What is searched.
        generations: How long.
        seed: Of the search.
        population: Its size.
    """
    evaluator = make_evaluator("flops", Context(space, space.skeleton("small"), seed=seed))
    clock = _Clock(evaluator)
    names = [objective.name for objective in evaluator.objectives]
    directions = [objective.direction for objective in evaluator.objectives]
    evolution = Evolution(
        space.cardinalities,
        key=space.key,
        objectives=len(names),
        population=population,
        seed=seed,
        sample=lambda n, rng: space.sample(n, rng, by="choice"),
    )
    costs = []
    with (
        tempfile.TemporaryDirectory() as folder,
        Store(Path(folder) / "evaluations.sqlite", create=True) as store,
    ):
        engine = LocalEngine(dict.fromkeys(names, clock), store)
        for generation in range(generations):
            inside, start = clock.seconds, time.process_time()
            genomes = evolution.ask()
            forms = [space.form(genome) for genome in genomes]
            store.enroll(generation, [space.key(genome) for genome in genomes], evolution.parents)  # type: ignore[arg-type]  # keys are texts
            values = engine.evaluate(as_candidates(forms), names)
            evolution.tell(genomes, minimized(values, directions))
            outside = time.process_time() - start - (clock.seconds - inside)
            costs.append(1e6 * outside / len(genomes))
    return {"outside_evaluations_us_per_candidate": float(np.median(costs))}


class _Clock(Evaluator):
    """An evaluator that notes the processor seconds of its evaluations."""

    def __init__(self, evaluator: Evaluator) -> None:
        self._evaluator = evaluator
        self.objectives = evaluator.objectives
        self.fingerprint = evaluator.fingerprint
        self.batch, self.measures = evaluator.batch, evaluator.measures
        self.seconds = 0.0

    def evaluate(self, candidates: Sequence[Candidate]) -> list[dict[str, Result]]:
        start = time.process_time()
        try:
            return self._evaluator.evaluate(candidates)
        finally:
            self.seconds += time.process_time() - start

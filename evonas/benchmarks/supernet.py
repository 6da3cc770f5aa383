"""Rank correlation of shared weights with known truth, by update rule and by what is read off them."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from evonas.benchmarks.computed import score_sources
from evonas.benchmarks.output import write_json
from evonas.benchmarks.proxies import FLOORS
from evonas.benchmarks.ranking import summarize_trials
from evonas.data import Dataset, Part
from evonas.errors import SettingsError
from evonas.networks import build
from evonas.objectives import Context
from evonas.objectives.accuracy.combined import REPEATS, CombinedEstimator, ZeroCostFeatures
from evonas.objectives.accuracy.main_effects import REFERENCES, AdditiveEffects
from evonas.runtime.threads import torch_threads
from evonas.spaces import Architecture, Skeleton, Space, path_names
from evonas.supernet import PathEvaluator, RuleContext, SupernetSettings, make_sampler, train_supernet
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.supernet.forgetting import ForgettingProbe, summarize
from evonas.supernet.norm_modes import separate_norms
from evonas.supernet.norm_names import check_norms
from evonas.supernet.rules.contract import RuleFactory
from evonas.supernet.rules.registry import find_rule, read_rule
from evonas.supernet.sampling import SpaceSampler
from evonas.tables.table import Table
from evonas.tasks import make_task

PROBED = 64
"""Forgetting values of one training, at equal distances."""
PROBE_IMAGES = 2000
"""Images that a forgetting value is read on, of `select`, the same before and after."""
KEPT = 2**28
"""Bytes of activations that paths which begin alike share."""
TRIED = 20
"""Plans that show how many passes an update of a rule takes."""


def bench_supernet(
    space: Space,
    table: Table,
    target: str,
    data: Dataset,
    rules: Sequence[str],
    *,
    passes: Sequence[int] = (1500, 6000),
    seeds: int | Sequence[int] = 5,
    skeleton: Skeleton | None = None,
    sample: int = 300,
    sampling: str = "choice",
    batch_size: int = 64,
    lr: float = 0.05,
    norms: str = "affine",
    out: Path | None = None,
    progress: Callable[[str], None] | None = None,
) -> dict[str, Any]:
    """Train supernets for equal numbers of forward and backward passes, and rank architectures with each.

    Every rule meets the same architectures; trainings of one seed start from the same weights, batches and
    (where they draw alike) paths.

    Args:
        space: The space.
        table: Truth.
        target: Column to be ranked, higher is better.
        data: Images; weights are trained on the part `train` and read on the part `search`.
        rules: Each ``NAME`` or ``NAME:key=value,…`` with options of the rule.
        passes: Budgets.
        seeds: How many (0, 1, …), or which.
        skeleton: Of the supernet; None: small, with the data's resolution, channels and classes.
        sample: Architectures to rank, drawn from the table once for all; all rows where it has fewer.
        sampling: How paths are drawn, one of `SAMPLINGS` that needs no scores.
        batch_size: Images per update.
        lr: Learning rate at the start.
        norms: What becomes of norms' weights and biases, a key of `NORMS`.
        out: JSON file that is written after every training; trainings of the same settings that it holds
            already are not done again.
        progress: Called with a line before each training.

    Returns:
        ``setting``, ``architectures``, ``truth``, ``floors`` (FLOPs, parameters and SWAP), ``trials`` (estimates of
        every kind, what the scores in `prior` count, forgetting values, `trace_over_d`, seconds) and ``rows``, as
        `summarize_trials` gives them.

    Raises:
        SettingsError: An unknown rule or option, a sample below 10, a budget below one pass, data without
            classes, or a file of other settings.
    """
    if sample < 10 or min(passes, default=0) < 1:
        raise SettingsError(f"Expected 10 architectures or more and positive passes, got {sample} and {list(passes)}.")
    task = make_task(data)
    if task.objective != "acc":
        raise SettingsError(f"Rules are compared by accuracy, got data for {task.name}: choose data with classes")
    factories = {text: find_rule(text) for text in rules}
    for text in rules:
        check_norms(norms, read_rule(text)[0])
    make_sampler(sampling, space)
    seeds = range(seeds) if isinstance(seeds, int) else seeds
    skeleton = skeleton or space.skeleton("small")
    skeleton = skeleton.replace(resolution=data.resolution, in_channels=data.in_channels, classes=task.head.outputs)
    known = np.flatnonzero(~np.isnan(table[target]))
    chosen = np.sort(np.random.default_rng(0).choice(known, min(sample, len(known)), replace=False))
    written = [table.architectures[row] for row in chosen]
    results: dict[str, Any] = {
        "setting": {
            "space": space.name,
            "target": target,
            "data": data.fingerprint,
            "images": {"train": len(data.train), "search": len(data.search)},
            "skeleton": str(skeleton),
            "batch size": batch_size,
            "lr": lr,
            "references": REFERENCES,
            **({} if sampling == "choice" else {"sampling": sampling}),
            **({} if norms == "affine" else {"norms": norms}),
        },
        "architectures": [str(one) for one in written],
        "truth": table[target][chosen].tolist(),
        "floors": _floors(space, table, chosen, written, data),
        "trials": [],
    }
    results["trials"] = _earlier(results, out)
    forms = [space.canonical(one) for one in written]
    before = ZeroCostFeatures(Context(space, skeleton, data=data))
    done = {(trial["rule"], trial["passes"], trial["seed"]) for trial in results["trials"]}
    for budget in passes:
        for seed in seeds:
            for text, rule in factories.items():
                if (text, budget, seed) in done:
                    continue
                if progress is not None:
                    progress(f"{text}, {budget} passes, seed {seed}")
                with torch_threads(1):
                    trial = _train(
                        space, skeleton, data, rule, budget, seed, sampling, batch_size, lr, norms, forms, before
                    )
                results["trials"].append({"rule": text, "passes": budget, "seed": seed, **trial})
                results["rows"] = summarize_trials(results)
                if out is not None:
                    write_json(out, results)
    results["rows"] = summarize_trials(results)
    return results


def _train(
    space: Space,
    skeleton: Skeleton,
    data: Dataset,
    rule: RuleFactory,
    passes: int,
    seed: int,
    sampling: str,
    batch_size: int,
    lr: float,
    norms: str,
    forms: Sequence[Architecture],
    before: ZeroCostFeatures,
) -> dict[str, Any]:
    """Train a supernet and read all architectures."""
    network = build(space, skeleton, seed=seed)
    separate_norms(network, norms)
    updates = max(1, round(passes / _passes_per_update(network, rule, seed)))
    per_epoch = max(1, len(data.train) // batch_size)
    epochs = -(-updates // per_epoch)
    part = Part(data.search.images[:PROBE_IMAGES], data.search.labels[:PROBE_IMAGES])
    task = make_task(data)
    few = PathEvaluator(network, data, part, norm_images=320, task=task)
    probed = 0.0

    def right(architecture: Architecture) -> Tensor:
        nonlocal probed
        began = time.perf_counter()
        found = few.each(architecture)["accuracy"]
        probed += time.perf_counter() - began
        return found

    began = time.perf_counter()
    history = train_supernet(
        network,
        data,
        rule,
        SupernetSettings(
            epochs=epochs, updates=updates, batch_size=batch_size, lr=lr, weight_decay=0.0, seed=seed, norms=norms
        ),
        sample=make_sampler(sampling, space),
        augment=data.augment,
        task=task,
        probe=ForgettingProbe(right, per_epoch=max(1, round(PROBED / epochs))),
    )
    trained = time.perf_counter() - began - probed
    began = time.perf_counter()
    evaluator = PathEvaluator(network, data, data.search, norm_images=NORM_IMAGES, memory=KEPT, task=task)
    # In order, so that each begins where it leaves the one before.
    order = sorted(range(len(forms)), key=lambda i: path_names(space.path(forms[i])))
    read = {i: evaluator(forms[i]) for i in order}
    scores = [read[i] for i in range(len(forms))]
    seconds = time.perf_counter() - began
    effects = AdditiveEffects(space, evaluator)
    prior = CombinedEstimator(before, effects, len(data.search.labels))
    pairs = list(zip(forms, scores, strict=True))
    return {
        "updates": updates,
        "passes_done": history.epochs[-1]["passes"],
        "estimates": estimates(scores)
        | {"smoothed": [effects(*pair) for pair in pairs], "prior": [prior(*pair) for pair in pairs]},
        "weights": prior.weights.tolist(),
        "accuracy": float(np.mean([score["accuracy"] for score in scores])),
        "loss": history.epochs[-1]["loss"],
        "forgetting": summarize(history.forgetting),
        "forgetting_values": [[one.step, one.before, one.after, one.noise] for one in history.forgetting],
        "trace_over_d": history.epochs[-1].get("trace_over_d", 1.0),
        "train_seconds": trained,
        "read_seconds": seconds,
    }


def estimates(scores: Sequence[Mapping[str, float]]) -> dict[str, list[float]]:
    """Return all that one pass over the images says of each architecture, higher is better."""
    return {
        "accuracy": [score["accuracy"] for score in scores],
        "loss": [-score["loss"] for score in scores],
        "probability": [score["probability"] for score in scores],
    }


def _passes_per_update(network: Any, rule: RuleFactory, seed: int) -> int:
    """Return the most passes in a plan of a few: rules that keep an archive begin with fewer."""
    context = RuleContext(network, SpaceSampler(network.space), network.space.path, TRIED, seed)
    made, rng = rule(context), np.random.default_rng(seed)
    longest = 1
    for _ in range(TRIED):
        plan = made.plan(rng)
        made.after_step(plan, {})
        longest = max(longest, len(plan))
    return longest


def _floors(
    space: Space, table: Table, rows: np.ndarray, architectures: Sequence[Architecture], data: Dataset
) -> dict[str, list[float]]:
    """Return what is known of each architecture before training.

    FLOPs and parameters are the table's columns, or computed as the literature does; SWAP is what a prior takes.
    """
    swap = f"swap(repeats={REPEATS})"
    sources = score_sources(Context(space, space.literature_skeleton(), data=data), [swap])
    found = {
        name: np.asarray(table[name][rows] if name in table else sources[name](architectures, 0), float)
        for name in FLOORS
    }
    found["swap"] = np.nan_to_num(sources[swap](architectures, 0), nan=1.0)  # no activations: a single pattern
    return {name: values.tolist() for name, values in found.items()}


def _earlier(results: Mapping[str, Any], out: Path | None) -> list[dict[str, Any]]:
    """Return the trainings that a file of the same settings holds."""
    if out is None or not Path(out).exists():
        return []
    held = json.loads(Path(out).read_text())
    for key in ("setting", "architectures"):
        if held.get(key) != results[key]:
            raise SettingsError(f"{out} holds results of another {key}: choose another --out or remove it.")
    trials: list[dict[str, Any]] = held["trials"]
    return trials

"""Members of a search from published weights beside structured pruning of the same network to the same cost."""

from __future__ import annotations

import itertools
import shlex
import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn

from evonas.errors import RunError, SettingsError, require, suggest
from evonas.files.progress import Progress, Silent
from evonas.files.size import Size, parse_size, size_text
from evonas.objectives import Context
from evonas.pareto.front import Member
from evonas.pipeline.context import run_context
from evonas.proxies.flops import module_flops
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.training_record import RECORD, read_record
from evonas.runtime.threads import torch_threads
from evonas.spaces import parse_candidate
from evonas.supernet import PathEvaluator
from evonas.supernet.evaluate import NORM_IMAGES
from evonas.tasks import make_task
from evonas.training import TrainingRecipe, read_test
from evonas.training.train import train

__all__ = ["IMPORTANCES", "bench_pruning"]

IMPORTANCES = ("magnitude", "taylor")
"""Importances of channels that torch-pruning computes: norm of their weights, or first-order change of the loss."""
STEPS = 60
"""Steps in which channels are taken away, importance computed again before each."""
SHARE = 0.9
"""Share of the channels that all steps together would take away, and the most of one layer."""
MULTIPLE = 4
"""Number of channels that is left of each layer is a multiple of this."""
TAYLOR_IMAGES = 128
"""Training images whose loss gives Taylor importance."""


def bench_pruning(
    run: Run,
    *,
    importances: Sequence[str] = IMPORTANCES,
    resolutions: Sequence[int] = (),
    progress: Progress | None = None,
) -> list[dict[str, Any]]:
    """Prune the largest path with torch-pruning to what each trained member costs, and train it as that member was.

    Both begin from the same adapted weights, are trained by the recipe and seed of the member's training on the same
    images and read on the test part once. Statistics of norms, which the recipe `finetune` keeps, no longer fit where
    many channels were pruned: what is pruned is trained with kept ones and with learned ones, both shown.

    Args:
        run: A search from published weights, members of which were trained.
        importances: Of `IMPORTANCES`.
        resolutions: Sides at which the largest is pruned; empty: that of the run.
        progress: Shows how far it is.

    Returns:
        A row per training and network compared: ``member`` (its text), ``way`` ("evonas" or "pruned, IMPORTANCE,
        norms kept|learned"), ``resolution``, ``flops`` (multiply-adds), ``accuracy``, ``epochs``, ``seconds``.

    Raises:
        SettingsError: An importance that is not known.
        RunError: No supernet, or no member was trained; or channels cannot be pruned to a member's cost.
        MissingExtraError: torch-pruning is not installed.
    """
    for name in importances:
        if name not in IMPORTANCES:
            known = " or ".join(IMPORTANCES)
            raise SettingsError(f"Expected the importance {known}, got '{name}'.{suggest(name, IMPORTANCES)}")
    require("torch_pruning", "peers")
    if not (run.path / "supernet.safetensors").is_file():
        raise RunError(f"{run.path} has no shared weights to prune: give a search from published weights")
    front = read_front(run)
    if "flops" not in [objective.name for objective in front.objectives]:
        raise RunError(f"{run.path} did not search for flops, so that there is no cost to prune to")
    records = [read_record(file) for file in sorted((run.path / "models").glob(f"*/{RECORD}"))]
    trained = [(one, record) for one in front for record in records if record["architecture"] == one.architecture]
    if not trained:
        raise RunError(
            f"No member of {run.path} was trained: run  evonas train {shlex.quote(str(run.path))} --select knee"
        )
    context, progress = run_context(run, with_supernet=True), progress or Silent()
    assert context.data is not None
    sides: list[Size] = list(resolutions) or [context.data.resolution]
    rows = []
    with (
        torch_threads(context.threads),
        progress.task("Pruning", len(trained) * len(importances) * len(sides) * 2) as task,
    ):
        for member, record in trained:
            rows.append(_member_row(member, record, context))
            for side in sides:
                for importance, kept in itertools.product(importances, (True, False)):
                    rows.append(_pruned_row(member, record, context, importance, side, kept=kept))
                    task.advance(1, f"{rows[-1]['way']}, {rows[-1]['accuracy']:.3f}")
    return rows


def _member_row(member: Member, record: Mapping[str, Any], context: Context) -> dict[str, Any]:
    assert context.data is not None
    candidate = parse_candidate(member.architecture, context.space)
    return {
        "member": member.architecture,
        "way": "evonas",
        "resolution": size_text(parse_size(candidate.resolution or context.data.resolution)),
        "flops": int(member.values["flops"]),
        "accuracy": record["accuracy"]["value"],
        "epochs": record["recipe"]["epochs"],
        "seconds": None,  # on record, but of the machine as it was then
    }


def _pruned_row(
    member: Member, record: Mapping[str, Any], context: Context, importance: str, side: Size, *, kept: bool
) -> dict[str, Any]:
    """Prune the largest path until it costs no more than a member, fine-tune it and read the test part."""
    assert context.data is not None
    assert context.supernet is not None
    data = context.data.at(side)
    paths = PathEvaluator(context.supernet, context.data, context.data.search, norm_images=NORM_IMAGES)
    network = paths.prepare(context.space.extremes()[1])
    began = time.perf_counter()
    images = data.normalize(data.train.images[:TAYLOR_IMAGES])
    labels, task = data.train.labels[:TAYLOR_IMAGES], make_task(data)
    cost = prune(network, images, member.values["flops"], importance, lambda outputs: task.loss(outputs, labels))
    recipe = TrainingRecipe(**{**record["recipe"], "frozen_norms": kept})
    train(network, data, recipe, seed=record["seed"], device=context.device)
    accuracy, _ = read_test(network, data)
    return {
        "member": member.architecture,
        "way": f"pruned, {importance}, norms {'kept' if kept else 'learned'}",
        "resolution": size_text(side),
        "flops": cost,
        "accuracy": accuracy,
        "epochs": recipe.epochs,
        "seconds": round(time.perf_counter() - began, 1),
    }


def prune(network: nn.Module, images: Tensor, bound: float, importance: str, loss: Callable[[Tensor], Tensor]) -> int:
    """Take channels away, the least important of all layers first, until an image costs no more than a bound.

    Args:
        network: Changed in place; its classifier keeps all outputs.
        images: Normalized, shape (n, channels, height, width).
        bound: Multiply-adds.
        importance: One of `IMPORTANCES`.
        loss: Loss of the network's outputs for the images.

    Returns:
        The multiply-adds that are left.

    Raises:
        RunError: The bound is not reached.
    """
    pruning = require("torch_pruning", "peers")
    network.eval()
    of = pruning.importance
    pruner = pruning.pruner.MetaPruner(
        network,
        images[:1],
        importance=of.GroupMagnitudeImportance(p=2) if importance == "magnitude" else of.GroupTaylorImportance(),
        global_pruning=True,
        pruning_ratio=SHARE,
        max_pruning_ratio=SHARE,
        iterative_steps=STEPS,
        round_to=MULTIPLE,
        ignored_layers=[module for module in network.modules() if isinstance(module, nn.Linear)],
    )
    cost = module_flops(network, images[:1])
    for _ in range(STEPS):
        if cost <= bound:
            break
        if importance == "taylor":
            network.zero_grad()
            torch.autograd.backward(loss(network(images)))
        pruner.step()
        cost = module_flops(network, images[:1])
    network.zero_grad()
    if cost > bound:
        raise RunError(f"Channels could be pruned to {cost:,} multiply-adds, which is over the {bound:,.0f} asked for")
    return cost

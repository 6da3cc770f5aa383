"""Plain transfer, the other way to a model: published weights, frozen or fine-tuned at the same cost."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import torch

from evonas.deployment.access_log import log_access
from evonas.deployment.trained import Trained
from evonas.errors import RunError
from evonas.files.progress import Progress
from evonas.networks import Network, build
from evonas.objectives import Context, make_evaluator
from evonas.pipeline.context import problem_of, run_context
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.transfer import TRAINING_PASSES
from evonas.runs.run import Run
from evonas.runtime.threads import torch_threads
from evonas.spaces import Architecture, as_candidates
from evonas.supernet.classifier import features_of, fit_layer, last_layer
from evonas.tasks import Task, make_task
from evonas.training import TrainingRecipe, load_recipe, test_accuracy
from evonas.training.train import train
from evonas.training.weights.load import load_published

__all__ = ["TransferPoint", "transfer_lines", "transfer_points", "transfer_sentences", "wants_transfer"]

TRANSFER_FILE = "transfer.json"
RECIPE = "finetune"


@dataclass(frozen=True)
class TransferPoint:
    """One thing that a user would do instead.

    Attributes:
        name: ``frozen`` (a classifier on frozen features) or ``fine-tuned``.
        accuracy: On the test part, in [0, 1]; of another task its primary measure.
        flops: Multiply-adds of the network at the run's resolution.
        cost: Multiply-adds spent, in passes over images; see `evonas.pipeline.transfer.search_cost`.
        allowed: Cost of the search and of a member's training, which transfer was given; stored before it began.
        epochs: Epochs of the fine-tuning.
        seconds: Duration.
    """

    name: str
    accuracy: float
    flops: int
    cost: int
    allowed: int
    epochs: int
    seconds: float


def transfer_lines(run: Run | str | Path, trained: Sequence[Trained], data: str | None = None) -> list[str]:
    """Lines on plain transfer beside the members trained; none where the run did not ask for it.

    Args:
        run: The run, open or by path, whose transfer was trained with these members.
        trained: Members of one call of `train_members`.
        data: Where the run's data are now, of one by path; None: where they were.
    """
    if not isinstance(run, Run):
        with Run.open(run) as opened:
            opened.relocate(data)
            return transfer_lines(opened, trained)
    if not wants_transfer(run):
        return []
    context = run_context(run)
    assert context.data is not None  # transfer is trained on images
    stored = json.loads((run.path / TRANSFER_FILE).read_text(encoding="utf-8"))
    points = [TransferPoint(**point) for point in stored["points"]]
    return transfer_sentences(points, trained, trained_flops(context, trained), make_task(context.data))


def trained_flops(context: Context, trained: Sequence[Trained]) -> list[int]:
    """Multiply-adds of trained members."""
    return flops_of(context, [context.space.canonical(context.space.parse(one.architecture)) for one in trained])


def flops_of(context: Context, architectures: Sequence[Architecture]) -> list[int]:
    """Multiply-adds of canonical architectures.

    Raises:
        RunError: Those of one cannot be counted.
    """
    rows = make_evaluator("flops", context).evaluate(as_candidates(architectures))
    for architecture, row in zip(architectures, rows, strict=True):
        if row["flops"].value is None:
            raise RunError(f"Cannot count the FLOPs of {architecture}: {row['flops'].cause}")
    return [int(row["flops"].value or 0) for row in rows]


def wants_transfer(run: Run) -> bool:
    """Return whether a run is to be compared with plain transfer."""
    return "search_cost" in run.manifest.get("transfer", {})


def transfer_points(run: Run, context: Context, trained: Sequence[Trained], progress: Progress) -> list[TransferPoint]:
    """Points of plain transfer, trained once per run and cost.

    Args:
        run: The run, open for writing.
        context: Data and device of the run.
        trained: Members of one command; the most that one of them cost is added to the search's cost.
        progress: Shows how far it is.

    Raises:
        RunError: The run did not start from published weights.
    """
    problem, _ = problem_of(run)
    if problem.start is None or context.data is None:
        raise RunError(f"{run.path} did not start from published weights: there is nothing to transfer from")
    spent = max(
        TRAINING_PASSES * one.record["images"] * one.record["recipe"]["epochs"] * cost
        for one, cost in zip(trained, trained_flops(context, trained), strict=True)
    )
    allowed = int(run.manifest["transfer"]["search_cost"]) + spent
    file = run.path / TRANSFER_FILE
    stored = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    if stored.get("allowed") == allowed and stored.get("points"):
        return [TransferPoint(**point) for point in stored["points"]]
    run.write(TRANSFER_FILE, json.dumps({"allowed": allowed, "points": []}))  # before anything is trained
    points = _train(run, context, problem, allowed, progress)
    run.write(TRANSFER_FILE, json.dumps({"allowed": allowed, "points": [asdict(point) for point in points]}))
    return points


def _train(run: Run, context: Context, problem: SearchProblem, allowed: int, progress: Progress) -> list[TransferPoint]:
    """Fit a classifier on frozen features, then fine-tune the whole at the cost that is left; read the test part once
    after each."""
    data, start = context.data, problem.start
    assert data is not None
    assert start is not None
    published = start.network()
    assert isinstance(published, Network)
    architecture = published.architecture or problem.space.extremes()[1]
    network = build(context.space, context.skeleton, architecture, seed=context.seed)
    source = published if published.architecture is not None else published.extract(architecture)
    load_published(network, source)
    network = network.to(context.device)
    flops = flops_of(context, [context.space.canonical(architecture)])[0]
    with torch_threads(context.threads):
        began = time.perf_counter()
        parts = (data.train, data.search, data.report)  # all, as members are trained on
        features = torch.cat([features_of(network, part.images, data, None) for part in parts]).double()
        fit_layer(last_layer(network), features, torch.cat([part.labels for part in parts]), make_task(data))
        seconds, images = time.perf_counter() - began, len(features)
        log_access(run, "transfer", "frozen")
        frozen = test_accuracy(network, data)
        points = [TransferPoint("frozen", frozen, flops, images * flops, allowed, 0, round(seconds, 1))]
        epoch = TRAINING_PASSES * images * flops
        recipe: TrainingRecipe = load_recipe(RECIPE, epochs=max(1, (allowed - images * flops) // epoch))
        steps = recipe.epochs * max(1, images // recipe.batch_size)
        with progress.task("Fine-tuning the published network at the same cost", steps) as task:
            done = 0

            def show(updates: int, _: int, figures: Any) -> None:
                nonlocal done
                task.advance(updates - done, f"epoch {figures['epoch']}, loss {figures['loss']:.3f}")
                done = updates

            training = train(network, data, recipe, seed=context.seed, device=context.device, progress=show)
        log_access(run, "transfer", "fine-tuned")
        cost = images * flops + recipe.epochs * epoch
        points.append(
            TransferPoint(
                "fine-tuned", test_accuracy(network, data), flops, cost, allowed, recipe.epochs,
                round(seconds + training.seconds, 1),
            )
        )  # fmt: skip
    return points


def transfer_sentences(
    points: Sequence[TransferPoint], trained: Sequence[Trained], flops: Sequence[int], task: Task
) -> list[str]:
    """Lines that say plainly what plain transfer gives, and whether the trained members beat it.

    Args:
        points: As `transfer_points` gives them.
        trained: The trained members.
        flops: Multiply-adds of each.
        task: Whose primary measure was taken, and whether more of it is better.
    """
    sign = 1 if task.direction == "max" else -1
    lines = [
        f"transfer  {point.name:10}  {point.accuracy:7.4f}  {point.flops / 1e6:8.2f} M  "
        f"{point.cost / 1e12:.2f} T multiply-adds of {point.allowed / 1e12:.2f} T allowed, {point.epochs} epochs, "
        f"{point.seconds:.0f} s"
        for point in points
    ]
    best = max(points, key=lambda point: sign * point.accuracy)
    # Of shares of images; how far another measure may be off by chance is not known.
    noise = (best.accuracy * (1 - best.accuracy) / trained[0].test_images) ** 0.5 if task.objective == "acc" else 0.0
    order = sorted(zip(trained, flops, strict=True), key=lambda pair: -sign * pair[0].accuracy)
    beating = [pair for pair in order if sign * (pair[0].accuracy - best.accuracy) > noise]
    level = [pair for pair in order if abs(pair[0].accuracy - best.accuracy) <= noise and pair[1] < best.flops]
    what = f"the published network {best.name} ({best.accuracy:.4f} at {best.flops / 1e6:.2f} M)"
    if beating:
        one, cost = beating[0]
        lines.append(f"The search beat {what}: {one.key} has {one.accuracy:.4f} at {cost / 1e6:.2f} M.")
    elif level:
        one, cost = min(level, key=lambda pair: pair[1])
        lines.append(
            f"The search found a network as good as {what}, within {noise:.4f}, and cheaper: {one.key} has "
            f"{one.accuracy:.4f} at {cost / 1e6:.2f} M."
        )
    else:
        one, cost = order[0]
        lines.append(
            f"The search did not beat {what}: its best trained member {one.key} has {one.accuracy:.4f} at "
            f"{cost / 1e6:.2f} M."
        )
    return lines

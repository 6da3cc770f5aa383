"""A supernet that starts from published weights, adapted to the images of a search."""

from __future__ import annotations

import time
from dataclasses import asdict, replace
from typing import Any

import numpy as np

from evonas.config import make_settings
from evonas.data import Dataset
from evonas.errors import DataError, SettingsError
from evonas.files.progress import Progress
from evonas.networks import Network
from evonas.networks.importance import sort_channels
from evonas.objectives import Context
from evonas.pipeline.budget import CERTAIN, Budget
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run
from evonas.spaces.near_largest import near_largest
from evonas.supernet.adaptation import Adaptation, adapt, plan_adaptation
from evonas.supernet.checkpoint import WEIGHTS, load_weights, weights_fingerprint, write_supernet
from evonas.supernet.classifier import fit_classifier
from evonas.tasks import make_task
from evonas.training.device import finish
from evonas.training.weights.load import load_published

__all__ = ["adapted_supernet", "published_context", "started_supernet"]

CLASSIFIER_EPOCHS = 0.5
"""Cost of fitting the classifier, which reads all images forward, in epochs of the largest path."""
SANDWICH_COST = 2.2
"""Cost of an update of the sandwich rule, in updates of the largest path."""


def started_supernet(problem: SearchProblem) -> tuple[Network, list[str]]:
    """Supernet that holds the published weights, its channels sorted; and names of what keeps fresh weights."""
    if problem.start is None:
        raise SettingsError("Expected a search that starts from published weights, got one that starts from nothing")
    network = problem.new_supernet()
    fresh = load_published(network, problem.start.network())
    sort_channels(network)
    return network, fresh


def adapted_supernet(problem: SearchProblem, run: Run, data: Dataset, progress: Progress, budget: Budget) -> Network:
    """Supernet of a search that starts from published weights: adapted here, or read back from the run.

    Args:
        problem: What is searched.
        run: Where the supernet is stored once it is adapted; what the clock decides is stored before.
        data: The images.
        progress: Shows how far it is.
        budget: Time that may be taken.
    """
    path = run.path / "supernet.safetensors"
    if path.exists():
        network = problem.new_supernet()
        header = load_weights(network, path)
        if "note" in header:  # a kill may have come before it stood in the manifest
            run.update_manifest(supernet=header["note"])
        return network.to(problem.device).eval()
    late = budget.end_of("supernet") if budget.bounded else None
    network, fresh = started_supernet(problem)
    network = network.to(problem.device)
    plan = Adaptation(**run.store.decide("adaptation", lambda: _plan(problem, network, data, bool(fresh), budget)))
    smallest, largest = problem.space.extremes()

    def sample(rng: np.random.Generator) -> Any:
        genomes = near_largest(problem.space, rng.random(1), rng)
        return problem.space.path(problem.space.decode(genomes[0]))

    began = time.perf_counter()
    with progress.task("Adapting the published weights", max(1, plan.epochs * _updates(plan, data))) as task:
        done = 0

        def advance(updates: int, text: str) -> None:
            nonlocal done
            task.advance(updates - done, text)
            done = updates

        history = adapt(
            network,
            data,
            plan,
            make_task(data),
            sample=sample,
            resolutions=problem.settings.resolutions,
            smallest=problem.space.path(smallest),
            largest=problem.space.path(largest),
            seed=problem.settings.seed,
            progress=advance,
            over=late,
        )
    finish(problem.device)
    if history and (cut := int(history[-1].get("cut", 0))):
        progress.say(
            f"{cut:,} of {plan.epochs * _updates(plan, data):,} updates of the adaptation are done in the time"
        )
    note = {
        "published": problem.settings.pretrained,
        "fresh": fresh,
        "classifier": plan.classifier,
        "epochs": [plan.largest, plan.sandwich],
        "seconds": round(time.perf_counter() - began, 1),
        "last": history[-1] if history else {},
    }
    tensors = {WEIGHTS + name: tensor for name, tensor in network.state_dict().items()}
    write_supernet(path, tensors, {"adaptation": history, "note": note})
    run.update_manifest(supernet=note)  # what it describes stands in the file, which so comes first
    return network.eval()


def published_context(run: Run, name: str) -> Context:
    """What training members needs, with a supernet of published weights instead of the run's own.

    Its classifier is fitted on features of the largest path; nothing else is trained, nor stored.

    Args:
        run: The run, of the weights' space and skeleton.
        name: Name of the weights, or the path of their TOML file.

    Raises:
        EvonasError: The weights are not here or do not fit the run.
    """
    problem = SearchProblem(make_settings(**{**run.settings, "pretrained": name}))
    network, fresh = started_supernet(problem)
    network = network.to(problem.device)
    if problem.data is None:
        raise DataError("Published weights are trained on images, and the run has none")
    if fresh:
        largest = problem.space.path(problem.space.extremes()[1])
        fit_classifier(network, problem.data, largest, make_task(problem.data))
    return problem.context(supernet=network.eval(), supernet_fingerprint=weights_fingerprint(network))


def _plan(problem: SearchProblem, network: Network, data: Dataset, fresh: bool, budget: Budget) -> dict[str, Any]:
    """Phases as JSON holds them: by the images, or cut to what the time allows, the last phases first."""
    settings = problem.settings
    plan = plan_adaptation(len(data.train), settings.epochs, own_classes=not fresh)
    if budget.bounded and settings.epochs is None:
        allowed = budget.share("supernet")
        largest = problem.space.path(problem.space.extremes()[1])
        epoch = _seconds_of_update(network, data, plan, largest) * _updates(plan, data)
        allowed = max(0.0, CERTAIN * allowed - CLASSIFIER_EPOCHS * epoch * plan.classifier)
        first = min(plan.largest, int(allowed / epoch))
        second = min(plan.sandwich, int(max(0.0, allowed - first * epoch) / (SANDWICH_COST * epoch)))
        plan = replace(plan, largest=first, sandwich=second)
    return asdict(plan)


def _updates(plan: Adaptation, data: Dataset) -> int:
    """Updates of an epoch."""
    return max(1, len(data.train) // plan.batch_size)


def _seconds_of_update(network: Network, data: Dataset, plan: Adaptation, largest: Any) -> float:
    """Seconds of a forward and a backward pass of the largest path, the second of two; no weight changes."""
    images = data.normalize(data.train.images[: plan.batch_size])
    seconds = 0.0
    for _ in range(2):
        finish(images.device)
        began = time.perf_counter()
        network.eval()(images, largest).sum().backward()
        finish(images.device)
        seconds = time.perf_counter() - began
    network.zero_grad(set_to_none=True)
    return seconds

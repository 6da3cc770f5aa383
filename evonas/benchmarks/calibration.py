"""Benchmark of calibration: random networks, trained alike on several data sets, and the questions asked of them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from evonas.attacks.attack import read_attack
from evonas.benchmarks.calibration_networks import ATTACKED, ReadNetwork, read_networks
from evonas.benchmarks.calibration_study import StudiedData, calibration_study
from evonas.benchmarks.protocol import draw_architectures
from evonas.config import Settings
from evonas.errors import SettingsError
from evonas.files.progress import Progress
from evonas.networks.averaged import Averaged
from evonas.networks.unit_input import UnitInput
from evonas.objectives import Context, make_evaluator
from evonas.pipeline.problem import SearchProblem
from evonas.runtime.threads import torch_threads
from evonas.spaces import Candidate
from evonas.spaces.named_genes import named_genes
from evonas.tasks import make_task
from evonas.tasks.calibration import expected_error, log_loss
from evonas.tasks.temperature import softmax
from evonas.training import TrainingRecipe

__all__ = ["bench_calibration"]

COSTS = ("flops", "params")


def bench_calibration(
    problems: Sequence[Settings],
    recipe: TrainingRecipe,
    folder: Path,
    *,
    architectures: int = 30,
    attacks: Sequence[str] = ("pgd@2/255x5",),
    ensembles: Sequence[int] = (3, 5),
    progress: Progress | None = None,
) -> dict[str, Any]:
    """Train random networks on each data set, and answer the questions of `QUESTIONS`.

    Args:
        problems: Settings that name space, skeleton, data and seed; data differ, the rest does not.
        recipe: How networks are trained, on the part `train`.
        folder: Keeps networks and answers, so that what was stopped goes on.
        architectures: Random ones, none twice; those whose training fails on one data set are left out of all.
        attacks: Attacks that robustness is read under.
        ensembles: Sizes of ensembles, of the first networks.
        progress: Shows how far it is.

    Returns:
        ``rows`` of `calibration_study`; ``ensembles``: accuracy, NLL, ECE and accuracy under the first attack of each
        beside the mean and the best of its members; ``networks``: how many of each data set; ``architectures``: their
        texts.

    Raises:
        SettingsError: Data without classes, or fewer than three networks were trained.
        EvaluationError: The costs of one could not be counted.
    """
    contexts = [SearchProblem(one).context() for one in problems]
    first = contexts[0]
    drawn = draw_architectures(first.space, architectures, np.random.default_rng(first.seed))
    read: list[list[ReadNetwork]] = []
    for context in contexts:
        if context.data is None or make_task(context.data).head.answer != "class":
            raise SettingsError("Expected data of classes to study calibration on")
        with torch_threads(context.threads):
            read.append(read_networks(context, drawn, recipe, folder, attacks, progress))
    kept = set.intersection(*({one.architecture for one in some} for some in read))
    drawn = [one for one in drawn if str(one) in kept]
    if len(drawn) < 3:
        raise SettingsError(f"Expected three networks or more that were trained on all data, got {len(drawn)}")
    sets = [
        StudiedData(context.data.name, [one for one in some if one.architecture in kept])
        for context, some in zip(contexts, read, strict=True)
        if context.data is not None
    ]
    forms = [first.space.canonical(one) for one in drawn]
    candidates = [Candidate(form) for form in forms]
    counted = make_evaluator("flops", first).evaluate(candidates)
    costs = {
        name: np.array([row[name].required(f"{name} of {one}") for one, row in zip(drawn, counted, strict=True)])
        for name in COSTS
    }
    genes = named_genes(first.space, [Candidate(one) for one in drawn])
    rows = calibration_study(sets, genes, costs)
    beside = []
    for context, one in zip(contexts, sets, strict=True):
        with torch_threads(context.threads):
            beside += [_ensemble(context, one, size, attacks[0]) for size in ensembles if 1 < size <= len(drawn)]
    return {"rows": rows, "ensembles": beside, "networks": len(drawn), "architectures": [str(one) for one in drawn]}


def _ensemble(context: Context, studied: StudiedData, size: int, attack: str) -> dict[str, Any]:
    """Return an ensemble of the first networks beside its members, attacked as a whole."""
    data, members = context.data, list(studied.networks[:size])
    assert data is not None
    labels = members[0].test_labels
    mean = np.mean([softmax(one.test) for one in members], axis=0)
    model = UnitInput(Averaged(one.network for one in members), data.mean, data.std).eval()
    images = data.test.images[:ATTACKED].float() / data.scale
    survived = read_attack(attack).survivors(model, images, data.test.labels[:ATTACKED], seed=context.seed)
    before, _ = studied.measures
    robust = np.array([one.robust[attack] for one in members])
    return {
        "data": studied.name,
        "members": size,
        "accuracy": float((mean.argmax(1) == labels).mean()),
        "mean accuracy": float(studied.accuracy[:size].mean()),
        "best accuracy": float(studied.accuracy[:size].max()),
        "nll": log_loss(mean, labels),
        "mean nll": float(before["nll"][:size].mean()),
        "ece": expected_error(mean.max(1), mean.argmax(1) == labels),
        "mean ece": float(before["ece"][:size].mean()),
        attack: float(survived.double().mean()),
        f"mean {attack}": float(robust.mean()),
        f"best {attack}": float(robust.max()),
    }

"""Ensemble of a front's members: chosen on validation images, compared, and deployed as one ONNX model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from evonas.data import Part
from evonas.deployment.deploy_options import DeployOptions
from evonas.deployment.deployment import Deployment
from evonas.deployment.ensemble.candidates import (
    EnsembleCandidate,
    EnsembleWeights,
    choosing_images,
    find_candidates,
    probabilities_on,
    read_budget,
    uses_trained,
)
from evonas.deployment.ensemble.pool import By, MemberPool, forward_selection, subset_selection
from evonas.deployment.ensemble.steps import ATTACK, EnsembleSelection, EnsembleSteps
from evonas.deployment.folder import refuse_content
from evonas.errors import ExportError, RunError
from evonas.files.progress import Progress, Silent
from evonas.pareto.objective import Constraint
from evonas.pipeline.context import run_context
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection, choose
from evonas.runtime.export import OPSET
from evonas.runtime.threads import torch_threads
from evonas.tasks import make_task

__all__ = ["EnsembleDeployment", "make_ensemble", "trainings_of", "within_cost"]


@dataclass(frozen=True)
class EnsembleDeployment:
    """A deployed ensemble.

    Attributes:
        deployment: Its folder, files and figures, as of a single network.
        members: Names, architectures, costs and figures on the images that they were chosen by.
        chosen: Which search found it, ``greedy`` or ``nsga2``, and the value of both on these images.
        words: How it was chosen.
        bounds: On its cost.
        compared: The ensemble, its best member and one network within its cost: cost, and measures on the test part.
    """

    deployment: Deployment
    members: tuple[Mapping[str, Any], ...]
    chosen: Mapping[str, Any]
    words: str
    bounds: tuple[Constraint, ...]
    compared: tuple[Mapping[str, Any], ...]


def make_ensemble(
    run: Run | str | Path,
    budget: str | Sequence[str],
    out: str | Path | None = None,
    *,
    weights: EnsembleWeights = "auto",
    by: By = "nll",
    rival: str | None = None,
    attack: bool = True,
    opset: int = OPSET,
    threads: int = 1,
    data: str | None = None,
    table: Sequence[str] = (),
    progress: Progress | None = None,
) -> EnsembleDeployment:
    """Choose members of a front whose averaged probabilities are best under a cost, and deploy them as one model.

    Chosen by greedy forward selection and by NSGA-II over subsets, on validation images that no member was trained on;
    the better of both is taken, the cheaper of equals.

    Args:
        run: A run that ended.
        budget: Bounds on the cost of all members together, such as ``flops<=20M``; the first is the price of
            comparisons.
        out: Folder to make; it may exist if it is empty. Default: one in the run's ``models/``.
        weights: See `find_candidates`.
        by: What is optimized: negative log-likelihood, or accuracy.
        rival: One network that the ensemble is compared with: a selection as `choose` takes it, trained where members
            are; of several trainings the latest. It can only be a member where it is on the front. None: the best
            single candidate beside the members that costs no more than the ensemble.
        attack: Whether accuracy under PGD is compared, too.
        opset: ONNX operator set.
        threads: Threads that the latency is measured with.
        data: Where the run's data are now; None: where they were.
        table: Where the run's table is now; empty: where it was.
        progress: Shows how far it is.

    Raises:
        SettingsError: A budget that is none.
        RunError: No candidates, too few images to choose by, or none within the budget.
        ExportError: The model differs from torch by more than rounding explains, or something is at `out`.
    """
    bounds = read_budget([budget] if isinstance(budget, str) else budget)
    options = DeployOptions("none", "auto", 0, opset, "cpu", None, 1.0, threads, None, False)
    options.check("outside")
    if out is not None:
        refuse_content(Path(out))
    if not isinstance(run, Run):
        with Run.open(run) as opened:
            return make_ensemble(
                opened, budget, out, weights=weights, by=by, rival=rival, attack=attack, opset=opset, threads=threads,
                data=data, table=table, progress=progress,
            )  # fmt: skip
    run.relocate(data, table)
    progress = progress or Silent()
    context = run_context(run, with_supernet=not uses_trained(run, weights))
    assert context.data is not None
    if make_task(context.data).head.answer != "class":
        raise ExportError("Expected classes, whose probabilities are averaged, got data of another task")
    with torch_threads(context.threads), progress.task("Ensemble", 7) as task:
        asked = None if rival is None else choose(read_front(run), context.space, rival)
        candidates = find_candidates(run, context, weights, bounds, asked)
        trainings = [] if asked is None else trainings_of(candidates, asked)
        # What is on the front may be a member, compared with or not.
        free = [i for i in range(len(candidates)) if i not in trainings or candidates[i].choice.member is not None]
        if not free:
            raise RunError("Expected members beside the network to compare with, got none: train more of the front")
        images = context.data.at(candidates[0].choice.architecture.resolution or context.data.resolution)
        part, which = choosing_images(images, [candidates[i] for i in free])
        task.advance(1, f"reading {len(candidates)} candidates on {which}")
        networks = [one.network(context) for one in candidates]
        read = [probabilities_on(network, part, images) for network in networks]
        pool = _pool(candidates, read, part, bounds, by)
        task.advance(1, "choosing members")
        found, chosen = _chosen(pool.only(free), context.seed)
        members = tuple(free[i] for i in found)
        choice = EnsembleSelection(
            "ensemble",
            candidates[members[0]].choice.architecture,
            None,
            tuple(candidates[i].architecture for i in members),
        )
        steps = EnsembleSteps(
            run, choice, None, context, options, task, progress, candidates, networks, pool, members,
            trainings[0] if trainings else within_cost(pool, members),
            _words(len(free), which, chosen, by, bounds), chosen, ATTACK if attack else None,
        )  # fmt: skip
        deployment = steps.deploy(run.path / "models" / f"ensemble-{choice.key}" if out is None else Path(out))
        return EnsembleDeployment(deployment, steps.member_rows, chosen, steps.words, bounds, steps.compared)


def trainings_of(candidates: Sequence[EnsembleCandidate], asked: Selection) -> list[int]:
    """Return the candidates that are the network to compare with, the latest training first.

    Raises:
        RunError: There are none.
    """
    found = [i for i, one in enumerate(candidates) if one.choice.text == asked.text]
    if not found:
        raise RunError(
            f"Expected a trained network of {asked.selection:.60} to compare with: run  evonas train  on it first"
        )
    return found


def _pool(
    candidates: Sequence[EnsembleCandidate],
    read: Sequence[np.ndarray],
    part: Part,
    bounds: tuple[Constraint, ...],
    by: By,
) -> MemberPool:
    costs = {name: np.array([one.costs[name] for one in candidates]) for name in candidates[0].costs}
    return MemberPool(np.stack(read), part.labels.cpu().numpy(), costs, bounds, by)


def _chosen(pool: MemberPool, seed: int) -> tuple[tuple[int, ...], dict[str, Any]]:
    """Return the better ensemble of two searches, and what both found."""
    greedy = forward_selection(pool)
    found = {"greedy": greedy, "nsga2": subset_selection(pool, [greedy], seed=seed)}
    price = pool.bounds[0].objective
    how = min(found, key=lambda name: (pool.value(found[name]), pool.cost(price, found[name])))
    values = {name: {"members": len(some), "value": pool.value(some)} for name, some in found.items()}
    return found[how], {"by": how, **values}


def within_cost(pool: MemberPool, members: Sequence[int]) -> int | None:
    """Return the best single candidate beside the members that costs no more than they do together; None: none does."""
    price = pool.bounds[0].objective
    most = pool.cost(price, members)
    return next((i for i in pool.ranked() if i not in members and pool.cost(price, [i]) <= most), None)


def _words(candidates: int, which: str, chosen: Mapping[str, Any], by: By, bounds: Sequence[Constraint]) -> str:
    measure = "negative log-likelihood" if by == "nll" else "error"
    found = ", ".join(
        f"{name} {chosen[key]['value']:.4f} with {chosen[key]['members']}"
        for key, name in (("greedy", "forward selection"), ("nsga2", "NSGA-II over subsets"))
    )
    return (
        f"Chosen among {candidates} networks by the {measure} of averaged probabilities on {which}, within "
        f"{' and '.join(map(str, bounds))}: {found}."
    )

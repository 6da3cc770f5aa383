"""Candidates for an ensemble: members of a run's front with weights, their costs, and images to choose by."""

from __future__ import annotations

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import torch

from evonas.data import Dataset, Part
from evonas.deployment.member import has_supernet, inherit
from evonas.deployment.model import load_model
from evonas.deployment.trained import Trained, trained_models
from evonas.deployment.trust.temper import unseen_images
from evonas.errors import RunError, SettingsError
from evonas.networks import Network
from evonas.objectives import Context, make_evaluator
from evonas.pareto.objective import Constraint, parse_constraints
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.runs.selection import Selection, choose
from evonas.spaces import Candidate, load_space
from evonas.training.evaluate import read_outputs

__all__ = [
    "EnsembleCandidate",
    "EnsembleWeights",
    "choosing_images",
    "find_candidates",
    "probabilities_on",
    "read_budget",
    "uses_trained",
]

EnsembleWeights = Literal["auto", "trained", "inherited"]
COUNTED = ("flops", "params")
"""Costs that are counted here where the front does not have them."""
ADDED = (*COUNTED, "size", "size_int8", "latency")
"""Costs that are sums over the members of an ensemble."""
FEWEST_IMAGES = 30
"""Images below which nothing can be chosen by them."""


@dataclass(frozen=True, eq=False)
class EnsembleCandidate:
    """One trained network of a front's member, or the member with the supernet's weights.

    Attributes:
        choice: The member.
        trained: Its training; None: the weights are the supernet's.
        costs: By name.
    """

    choice: Selection
    trained: Trained | None
    costs: Mapping[str, float]

    @property
    def name(self) -> str:
        """Short name: the member's key, and the seed of its training."""
        return self.choice.key + ("" if self.trained is None else f" seed {self.trained.record['seed']}")

    @property
    def architecture(self) -> str:
        """Text of the architecture."""
        return self.choice.text

    def network(self, context: Context) -> Network:
        """Return the network, on the CPU, in evaluation mode."""
        if self.trained is None:
            return inherit(context, self.choice.architecture).cpu().eval()
        network = load_model(self.trained.folder)
        assert isinstance(network, Network)
        return network.eval()


def read_budget(texts: Sequence[str]) -> tuple[Constraint, ...]:
    """Return the bounds on an ensemble.

    Raises:
        SettingsError: None, or one that is malformed, a lower one, or on what is no sum over members.
    """
    bounds = parse_constraints(texts)
    if not bounds:
        raise SettingsError('Expected a bound on the cost of all members together, such as --budget "flops<=20M"')
    for bound in bounds:
        if bound.objective not in ADDED or bound.sign != "<=" or bound.bound <= 0:
            raise SettingsError(
                f"Expected a budget such as flops<=20M, on one of {', '.join(ADDED)}, which are sums over members; "
                f"got '{bound}'"
            )
    return tuple(bounds)


def find_candidates(
    run: Run, context: Context, weights: EnsembleWeights, bounds: Sequence[Constraint], rival: Selection | None = None
) -> list[EnsembleCandidate]:
    """Return what an ensemble can be made of.

    Args:
        run: A run that ended.
        context: Its context, with shared weights where these are asked for.
        weights: ``"trained"``, every training of every member; ``"inherited"``: every member with the supernet's
            weights; ``"auto"``: trained ones where two or more are, else inherited ones.
        bounds: Costs that are read of each.
        rival: What the ensemble is compared with, read likewise; a member of the front is not listed twice.

    Raises:
        RunError: There are none, or a cost that neither the front has nor can be counted.
        EvaluationError: FLOPs or parameters that the front does not have could not be counted.
    """
    space = load_space(run.settings["space"])
    choices = [choose(read_front(run), space, selection) for selection in _members(run)]
    if rival is not None and all(one.text != rival.text for one in choices):
        choices.append(rival)
    sizes = {choice.architecture.resolution for choice in choices}
    if len(sizes) > 1:
        raise RunError(
            f"Expected members that read images of one size, as one model does, got {len(sizes)}: search with "
            "one resolution"
        )
    names = dict.fromkeys(["flops", *(bound.objective for bound in bounds)])
    if not uses_trained(run, weights):
        return [EnsembleCandidate(choice, None, _costs(choice, context, names)) for choice in choices]
    trained = [(choice, one) for choice in choices for one in trained_models(run, choice)]
    if not trained:
        raise RunError(
            f"Nothing of {run.path} was trained: run  evonas train {shlex.quote(str(run.path))} --select front  first"
        )
    return [EnsembleCandidate(choice, one, _costs(choice, context, names)) for choice, one in trained]


def uses_trained(run: Run, weights: EnsembleWeights) -> bool:
    """Return whether an ensemble is of trainings, which need no shared weights.

    Args:
        run: A run that ended.
        weights: See `find_candidates`.
    """
    if weights != "auto" or not has_supernet(run):
        return weights != "inherited"
    front, space = read_front(run), load_space(run.settings["space"])
    return sum(len(trained_models(run, choose(front, space, one))) for one in _members(run)) > 1


def _members(run: Run) -> list[str]:
    return [f"index:{i}" for i in range(len(read_front(run)))]


def _costs(choice: Selection, context: Context, names: Mapping[str, None]) -> dict[str, float]:
    held = {} if choice.member is None else {**choice.member.known, **choice.member.values}
    counted = {}
    if not set(names) <= set(held):
        (row,) = make_evaluator("flops", context).evaluate([Candidate(choice.architecture)])
        counted = {name: row[name].required(f"{name} of {choice.key}") for name in COUNTED}
    costs = {**counted, **{name: float(held[name]) for name in names if name in held}}
    if missing := [name for name in names if name not in costs]:
        raise RunError(
            f"Expected the front to have {', '.join(missing)} of {choice.key}, which --budget bounds: bound one of "
            f"its objectives, or {' or '.join(COUNTED)}"
        )
    return {name: costs[name] for name in names}


def choosing_images(data: Dataset, candidates: Sequence[EnsembleCandidate]) -> tuple[Part, str]:
    """Return validation images that no candidate was trained on, and which these are, in words.

    Of trainings on all training images these are what was held out, which chose their epochs.

    Args:
        data: The run's data.
        candidates: Which are chosen among.

    Raises:
        RunError: There are too few.
    """
    whole = [one.trained for one in candidates if one.trained is not None and one.trained.record["trained_on"] == "all"]
    least = min(whole, key=lambda one: int(one.record.get("held_out", 0)), default=None)
    part = unseen_images(data, least)  # held-out images are the first of one part, so the fewest are among all
    if part is not None and least is None:
        return part, f"{len(part)} validation images, which no member was trained on"
    few = 0 if part is None else len(part)
    if part is None or few < FEWEST_IMAGES:
        raise RunError(
            f"Expected {FEWEST_IMAGES} images or more that no member was trained on to choose by, got {few}: train "
            "members with --hold-out 10%, or by a recipe with all_data = false, or use --weights inherited"
        )
    return part, f"{few} images held out of all trainings, of which each kept its best epoch by them"


def probabilities_on(network: torch.nn.Module, part: Part, data: Dataset) -> np.ndarray:
    """Return a network's probabilities on a part, float64, shape (n, classes)."""
    try:
        outputs = read_outputs(network.to(data.device), part, data).double()
    finally:
        network.cpu()  # where networks are kept
    found: np.ndarray = torch.softmax(outputs, 1).cpu().numpy()
    return found

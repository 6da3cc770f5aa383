"""Problem and context of a run on disk: what its search was about, made again from its settings."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

from evonas.config import make_settings
from evonas.errors import RunError
from evonas.networks import Network
from evonas.objectives import Context
from evonas.objectives.accuracy.anchor import AnchorEvaluator
from evonas.pipeline.problem import SearchProblem
from evonas.predictors.anchor_set import AnchorSet
from evonas.runs.manifest import compare_manifest
from evonas.runs.run import Run
from evonas.spaces import Architecture, Candidate

__all__ = ["ANCHORS_FILE", "ANCHORS_FOLDER", "PATHS_FILE", "anchor_network", "problem_of", "run_context", "with_paths"]

ANCHORS_FILE, ANCHORS_FOLDER = "anchors.json", "anchors"
"""What trainings of anchors gave, and where these are kept, in a run."""
PATHS_FILE = "paths.json"
"""Scores of the sample of paths that a search with a deadline reads before anything rests on them."""


def problem_of(run: Run) -> tuple[SearchProblem, list[str]]:
    """Return what a run searches, and what differs here without forbidding to go on.

    Args:
        run: The run; `Run.relocate` says where its data and table are now, which must be the same.

    Raises:
        EvonasError: The data, the table or the space is gone or has changed.
    """
    problem = SearchProblem(make_settings(**run.settings))
    refuse, warn = compare_manifest(run.manifest, problem.manifest())
    if refuse:
        raise RunError(f"{run.path} cannot be continued with what is here: {'; '.join(refuse)}")
    return problem, warn


def run_context(run: Run, *, with_supernet: bool = False) -> Context:
    """Return what evaluators, training and deployment need to go on with a run's architectures.

    Args:
        run: The run.
        with_supernet: Load the trained shared weights.

    Raises:
        EvonasError: The data or the space is gone or has changed, or there is no trained supernet.
    """
    problem, _ = problem_of(run)
    if not with_supernet:
        return problem.context()
    context = with_paths(problem.trained(run.path / "supernet.safetensors"), run.path / PATHS_FILE)
    file = run.path / ANCHORS_FILE
    anchors = AnchorSet.from_json(file.read_bytes()) if file.is_file() else None
    if anchors is not None and anchors.known:  # accuracy is what they have taught
        return replace(context, options={**context.options, "anchors": anchors})
    return context


def with_paths(context: Context, file: Path) -> Context:
    """Return what evaluators are made from, with the scores of paths that a file holds, if it exists."""
    if not file.is_file():
        return context
    return replace(context, options={**context.options, "paths": json.loads(file.read_bytes())})


def anchor_network(run: Run, architecture: Architecture) -> Network:
    """Return the network that a run trained as an anchor, as it was when its training paused last.

    Raises:
        RunError: The run trained no such anchor.
        EvonasError: The data or the space is gone or has changed.
    """
    file = run.path / ANCHORS_FILE
    known = AnchorSet.from_json(file.read_bytes()).known if file.is_file() else ()
    if str(Candidate(architecture)) not in {anchor.text for anchor in known}:
        raise RunError(
            f"Expected one of the {len(known)} anchors of {run.path} to go on from its weights, got {architecture}, "
            "which is none: use --weights inherited or fresh"
        )
    problem, _ = problem_of(run)
    context = problem.anchor_context(problem.context(), run.path / ANCHORS_FOLDER)
    return AnchorEvaluator(context, problem.ladder.epochs[-1]).network(architecture)

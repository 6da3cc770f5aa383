"""Worker of a search: what another process makes to evaluate there; named by `WorkerSpec.make`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from evonas.config import make_settings
from evonas.objectives import Evaluator
from evonas.pipeline.context import with_paths
from evonas.pipeline.problem import SearchProblem
from evonas.predictors.anchor_set import AnchorSet
from evonas.spaces import Candidate, parse_candidate

__all__ = ["make_worker"]


def make_worker(
    settings: Mapping[str, Any],
    names: Sequence[str],
    supernet: str | None = None,
    anchors: str | None = None,
    anchor_folder: str | None = None,
    paths: str | None = None,
) -> tuple[Callable[[str], Candidate], Mapping[str, Evaluator]]:
    """Make in another process what evaluates there: how texts become candidates, and evaluators by objective.

    Args:
        settings: Those of the search, as `Settings.content` gives them.
        names: Objectives.
        supernet: A checkpoint's file, or None.
        anchors: A file of trained anchors, that accuracy is predicted from, or None.
        paths: A file of scores of paths that accuracy rests on, or None where each worker reads them.
        anchor_folder: Where anchors that are to be trained are kept, or None where none are.

    Raises:
        EvonasError: Data, space or weights are not what the search has, or not there.
    """
    problem = SearchProblem(make_settings(**settings))
    context = problem.context() if supernet is None else problem.trained(supernet)
    if paths is not None:
        context = with_paths(context, Path(paths))
    if anchor_folder is not None:
        context = problem.anchor_context(context, anchor_folder)
    if anchors is not None:
        known = AnchorSet.from_json(Path(anchors).read_bytes())
        context = replace(context, options={**context.options, "anchors": known})
    evaluators = problem.evaluators(context, names)
    for evaluator in evaluators.values():
        evaluator.prepare()  # else the first job would have to do it within its own time
    return lambda text: parse_candidate(text, problem.space), evaluators

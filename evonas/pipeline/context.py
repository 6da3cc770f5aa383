"""Problem and context of a run on disk: what its search was about, made again from its settings."""

from __future__ import annotations

from evonas.config import make_settings
from evonas.errors import RunError
from evonas.objectives import Context
from evonas.pipeline.problem import SearchProblem
from evonas.runs.manifest import compare_manifest
from evonas.runs.run import Run

__all__ = ["problem_of", "run_context"]


def problem_of(run: Run) -> tuple[SearchProblem, list[str]]:
    """Return what a run searches, and what differs here without forbidding to go on.

    Raises:
        EvonasError: The data or the space is gone or has changed.
    """
    # A run that was made before there were anchors has none, whatever the default is now.
    problem = SearchProblem(make_settings(**{"anchors": 0, **run.settings}))
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
    return problem.trained(run.path / "supernet.safetensors") if with_supernet else problem.context()

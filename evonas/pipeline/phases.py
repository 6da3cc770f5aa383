"""Phases of a search as its progress names them, with the shares of the time that they are expected to take."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Any

from evonas.objectives.accuracy.accuracy import PRIOR, SMOOTHED
from evonas.objectives.accuracy.estimators import read_estimator
from evonas.objectives.accuracy.main_effects import REFERENCES
from evonas.pipeline.problem import SearchProblem
from evonas.pipeline.shrunk import MEASURING

__all__ = ["phases_of", "planned_seconds", "reads_sample"]

SEARCHING = 25.0
"""Weight of the search itself; a path that is read takes about as long as one of its evaluations."""
STEPS = {
    "Exporting blocks": "latency table",
    "Scoring architectures by SWAP": "scores",
    "Adapting the published weights": "supernet",
    "Training the supernet": "supernet",
    "Training anchors": "anchors",
    "Reading paths": "paths",
    "Searching": "evolution",
    "Measuring the front": "front",
    "Evaluating random architectures": "baseline",
}
"""Steps of a plan that phases are."""


def phases_of(
    problem: SearchProblem,
    baselines: AbstractSet[str],
    planned: Mapping[str, float] | None = None,
    *,
    bounded: bool = False,
) -> dict[str, float]:
    """Phases of a search in order, by the names that `Progress.task` is given, each with its weight.

    Weights divide the overall share among phases, and the time left follows what phases took: where a plan says what
    steps take, they are its seconds, else rough.

    Args:
        problem: What is searched.
        baselines: What it is compared with.
        planned: Expected seconds of steps, by the names that a plan has; None: there is none.
        bounded: Whether there is a deadline: paths are then read before anchors are trained, else by the first of them.
    """
    settings = problem.settings
    latency = "latency" in problem.evaluated and settings.latency_table is None
    adapted = problem.start is not None and not settings.supernet
    network = "Adapting the published weights" if adapted else "Training the supernet"
    ranked, option = bool(settings.anchors), read_estimator(settings.estimator)[1]
    effects = reads_sample(problem)
    scored = effects and (ranked or option == PRIOR)
    reading = min(SEARCHING, SEARCHING * REFERENCES / (settings.population * settings.generations))
    phases = [
        ("Exporting blocks", 5.0, latency),
        ("Measuring blocks and whole networks", 10.0, latency),
        ("Scoring the sample that 'free' ranks in", 3.0, "free" in problem.evaluated),
        ("Scoring architectures by SWAP", 8.0, settings.warm_start > 0 and problem.data is not None),
        (network, 45.0, bool(problem.learned) and not settings.supernet),
        ("Reading paths", reading, effects and bounded),
        ("Training anchors", 25.0, bool(settings.anchors)),
        ("Reading paths", reading, effects and not bounded),
        ("Scoring the paths read", reading / 4, scored),
        (MEASURING, 4.0, problem.start is not None and settings.warm_start == 0 and bool(problem.learned)),
        ("Searching", SEARCHING, True),
        ("Measuring the front", 5.0, True),
        ("Evaluating random architectures", 25.0, "random" in baselines),
    ]
    weights = {name: weight for name, weight, has in phases if has}
    seconds = {name: value for name in weights if (value := (planned or {}).get(STEPS.get(name, ""), 0.0)) > 0}
    if not seconds:
        return weights
    unit = sum(seconds.values()) / sum(weights[name] for name in seconds)
    found = {name: seconds.get(name, unit * weight) for name, weight in weights.items()}
    if scored and "Reading paths" in seconds:
        found["Scoring the paths read"] = seconds["Reading paths"] / 4
    return found


def planned_seconds(manifest: Mapping[str, Any]) -> dict[str, float]:
    """Return the expected seconds of steps that a run's manifest holds; empty where it holds no plan."""
    steps = (manifest.get("plan") or {}).get("steps", ())
    return {str(step["name"]): float(step["seconds"]) for step in steps}


def reads_sample(problem: SearchProblem) -> bool:
    """Return whether accuracy rests on a sample of paths that is read before the first evaluation."""
    if "acc" not in problem.learned:
        return False
    kind, option = read_estimator(problem.settings.estimator)
    return bool(problem.settings.anchors) or (kind == "supernet" and option in (SMOOTHED, PRIOR))

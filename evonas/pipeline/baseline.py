"""A search beside random sampling at equal cost: hypervolume on one scale, and accuracy member by member."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.engine import LocalEngine
from evonas.files.progress import Progress
from evonas.objectives import Context
from evonas.pareto.dominance import minimized
from evonas.pareto.improvement import FEWEST_PAIRS, relative_improvement
from evonas.pareto.indicators import hypervolume_box, hypervolume_curve
from evonas.pareto.objective import Objective
from evonas.pipeline.final_front import note_report
from evonas.pipeline.problem import SearchProblem
from evonas.runs.front_file import read_front
from evonas.runs.run import Run
from evonas.spaces import Candidate

BASELINE_FILE = "baseline.json"
CURVE_POINTS = 200
"""Points of a hypervolume's curve at most."""
IDLE_BLOCKS = 20
"""Draws of one block that may bring nothing new before the space counts as exhausted."""


def write_baseline(
    problem: SearchProblem,
    run: Run,
    objectives: Sequence[Objective],
    values: np.ndarray,
    engine: LocalEngine,
    context: Context,
    progress: Progress,
) -> None:
    """Spend as many evaluations on random architectures, and write how the search compares with them.

    Args:
        problem: What was searched.
        run: Its run, whose front is written.
        objectives: What was optimized, k of them.
        values: What the search evaluated, natural directions, shape ``(n, len(problem.evaluated))``; NaN: failed.
        engine: Where evaluations run.
        context: What evaluators are made from.
        progress: Shows how far it is.
    """
    k = len(objectives)
    candidates = draw_random(problem, len(values))
    computed = engine.computed
    with progress.task("Evaluating random architectures", len(candidates)) as task:
        random = engine.evaluate(candidates, problem.evaluated, task.advance)
    feasible, random_feasible = (np.all(problem.bounds.violations(v) <= 0, axis=1) for v in (values, random))
    directions = [objective.direction for objective in objectives]
    content: dict[str, Any] = {
        "evaluations": len(candidates),
        **compare_hypervolume(values[:, :k], feasible, random[:, :k], random_feasible, directions),
        "improvement": None,
    }
    if "acc" in problem.names and context.supernet is not None:
        front = read_front(run)
        matches = match_costs(front.values, random[:, :k], random_feasible, objectives)
        for index in {match for match in matches if match is not None}:
            note_report(run, candidates[index], context)
        notes = run.store.notes()
        reports = {text: known["acc_report"].value for text, known in notes.items() if "acc_report" in known}
        texts = [None if i is None else str(candidates[i]) for i in matches]
        pairs = [(member.architecture, text) for member, text in zip(front, texts, strict=True)]
        content["improvement"] = improvement(pairs, reports)
    run.write(BASELINE_FILE, json.dumps(content))
    run.update_manifest(timings={"baseline_evaluations_computed": engine.computed - computed})


def draw_random(problem: SearchProblem, n: int) -> list[Candidate]:
    """Return n different random candidates, fewer where the space holds fewer.

    They are drawn as the first generation of a search without a warm start is: in each block of a population
    those come first that keep to bounds on objectives that cost nothing. A longer list begins with the shorter
    one, so that a prolonged search keeps its baseline.

    Args:
        problem: What is searched.
        n: How many.
    """
    drawn: dict[str, Candidate] = {}
    size, block, idle = problem.settings.population, 0, 0
    while len(drawn) < n and idle < IDLE_BLOCKS:
        _, candidates = problem.bounds.sample(size, np.random.default_rng([problem.settings.seed, 5, block]))
        before = len(drawn)
        for candidate in candidates:
            drawn.setdefault(str(candidate), candidate)
        idle = idle + 1 if len(drawn) == before else 0
        block += 1
    return list(drawn.values())[:n]


def compare_hypervolume(
    found: np.ndarray,
    found_feasible: np.ndarray,
    random: np.ndarray,
    random_feasible: np.ndarray,
    directions: Sequence[str],
) -> dict[str, Any]:
    """Return the hypervolume of search and random sampling against evaluations, on one scale.

    The box that it is a share of (`hypervolume_box`) is that of all feasible evaluations of both.

    Args:
        found: Values of the search in the order evaluated, natural directions, shape ``(n, m)``; NaN: failed.
        found_feasible: Which of them keep to all constraints, shape ``(n,)``.
        random: Values of random architectures likewise.
        random_feasible: Likewise.
        directions: m times "max" or "min".

    Returns:
        ``reference_point`` (natural directions), and for ``search`` and ``random`` each ``evaluations`` and
        ``hypervolume``, lists of equal length.
    """
    sides = {"search": (found, found_feasible), "random": (random, random_feasible)}
    turned = {name: minimized(values, directions) for name, (values, _) in sides.items()}
    usable = {name: np.isfinite(turned[name]).all(axis=1) & sides[name][1] for name in sides}
    both = np.concatenate([turned[name][usable[name]] for name in sides])
    if not len(both):
        return {"reference_point": [], **{name: {"evaluations": [], "hypervolume": []} for name in sides}}
    low, extent = hypervolume_box(both)
    result: dict[str, Any] = {"reference_point": minimized((low + extent)[None], directions)[0].tolist()}
    for name, values in turned.items():
        scaled = (values - low) / extent
        scaled[~usable[name]] = np.inf  # adds nothing
        counts = np.unique(np.linspace(1, len(scaled), min(CURVE_POINTS, len(scaled))).astype(int)).tolist()
        curve = hypervolume_curve(scaled, np.ones(len(directions)), counts) if counts else np.zeros(0)
        result[name] = {"evaluations": counts, "hypervolume": curve.tolist()}
    return result


def match_costs(
    members: np.ndarray, random: np.ndarray, feasible: np.ndarray, objectives: Sequence[Objective]
) -> list[int | None]:
    """Return for each member the random architecture that one would have taken instead of it.

    That is the one of the highest searched accuracy among those no worse in any other objective; what is
    compared afterwards is another estimate of theirs, not this one.

    Args:
        members: Values of the front, natural directions, shape ``(k, m)``.
        random: Values of random architectures, shape ``(n, m)``; NaN: failed.
        feasible: Which of these keep to all constraints, shape ``(n,)``.
        objectives: What the columns are; one is ``acc``.

    Returns:
        k indices in `random`, None where every random architecture is worse in another objective.
    """
    acc = next(i for i, objective in enumerate(objectives) if objective.name == "acc")
    rest = [i for i in range(len(objectives)) if i != acc]
    directions = [objective.direction for objective in objectives]
    ours, theirs = minimized(members, directions), minimized(random, directions)
    usable = feasible & np.isfinite(theirs).all(axis=1)
    matches: list[int | None] = []
    for row in ours:
        fit = np.flatnonzero(usable & (theirs[:, rest] <= row[rest]).all(axis=1))
        matches.append(int(fit[theirs[fit, acc].argmin()]) if len(fit) else None)
    return matches


def improvement(pairs: Sequence[tuple[str, str | None]], reports: Mapping[str, float]) -> dict[str, Any] | None:
    """Return the relative improvement of a front over random architectures of no higher cost.

    Args:
        pairs: Texts of a member and of its match, None where there is none.
        reports: ``acc_report`` by text: accuracy on the report part, which neither was selected on.

    Returns:
        ``value``; ``low``, ``high``, ``confidence`` and ``p`` (None where too few pairs have no interval);
        ``pairs`` and ``unmatched``; None where no pair is known.
    """
    known = [(a, b) for a, b in pairs if b is not None and a in reports and b in reports]
    theirs = [reports[b] for _, b in known]
    if not known or np.mean(theirs) <= 0:
        return None
    ri = relative_improvement([reports[a] for a, _ in known], theirs)
    enough = len(known) >= FEWEST_PAIRS
    return {
        "value": ri.value,
        **{name: _finite(getattr(ri, name)) if enough else None for name in ("low", "high", "confidence", "p")},
        "pairs": len(known),
        "unmatched": len(pairs) - len(known),
        "by": "acc_report: the supernet on the report part, which was not selected on; each member against the "
        "random architecture of the highest acc that is no worse in any other objective",
    }


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None

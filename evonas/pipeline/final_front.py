"""The end of a search: its front, with what whole measurements and the report part say of each member."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict

import numpy as np

from evonas.errors import EvaluationError, InfeasibleError
from evonas.files.progress import Progress
from evonas.objectives import Context
from evonas.objectives.accuracy.accuracy import ACC, TOP1
from evonas.objectives.accuracy.low_fidelity import accuracy_evaluator, trains
from evonas.objectives.accuracy.majority import BestAccuracy, clearest, majority_share
from evonas.objectives.accuracy.ranked import LOW
from evonas.objectives.latency.latency import LatencyEvaluator, measure_whole
from evonas.objectives.parts import part_evaluator
from evonas.objectives.robust.names import is_robust
from evonas.pareto.assemble import make_front
from evonas.pareto.front import Front
from evonas.pareto.objective import Constraint, Objective, split_direction, split_names
from evonas.pipeline.budget import Budget
from evonas.pipeline.problem import SearchProblem
from evonas.runs.run import Run
from evonas.runtime import Timing
from evonas.spaces import Candidate, parse_candidate
from evonas.tasks import make_task

REPORT = 3.0
"""Seconds before a deadline that are left for writing the report."""
LATENCY_SHARE = 0.5
"""Of what is left at the end, the share for whole latencies."""


def write_front(
    problem: SearchProblem,
    run: Run,
    objectives: Sequence[Objective],
    texts: Sequence[str],
    values: np.ndarray,
    context: Context,
    progress: Progress,
    budget: Budget,
) -> None:
    """Measure the members of the front and write ``front.csv`` and ``front.json``.

    Args:
        problem: What was searched.
        run: Its run.
        objectives: What was optimized, k of them.
        texts: Canonical text of each of the n architectures evaluated.
        values: Their values in natural directions, shape ``(n, len(problem.evaluated))``; NaN: failed.
        context: What evaluators are made from.
        progress: Shows how far it is.
        budget: Time that may be taken: what is not measured when it is over is left out.

    Raises:
        EvaluationError: Every evaluation failed.
        InfeasibleError: No architecture keeps to the constraints.
    """
    own = values[:, : len(objectives)]
    if not np.isfinite(own).all(axis=1).any():
        raise EvaluationError(f"All {len(values)} evaluations failed; {run.path} holds their causes")
    violations = problem.bounds.violations(values)
    front = make_front(texts, own, objectives, violations)
    if not len(front):
        raise InfeasibleError(_infeasible(problem, run, values))
    members = {m.architecture: parse_candidate(m.architecture, problem.space) for m in front}
    with progress.task("Measuring the front", len(members)) as task:
        _note_costs(problem, run, members)
        if "latency" in problem.evaluated:
            column = values[:, problem.evaluated.index("latency")].tolist()
            _note_latency(problem, run, members, dict(zip(texts, column, strict=True)), budget)
        if context.supernet is not None and "acc" in problem.learned:
            _note_beside(run, list(members), context)
        longest = 0.0
        for member in members.values():
            if context.supernet is not None and budget.left > REPORT + longest:
                began = budget.now()
                note_report(run, member, context)
                longest = max(longest, budget.now() - began)
            task.advance(1)
    known = {t: {name: note.value for name, note in notes.items()} for t, notes in run.store.notes().items()}
    front = make_front(texts, own, objectives, violations, known, _measured_bounds(problem))
    if "acc" in problem.learned and (best := best_accuracy(front, context)) is not None:
        run.update_manifest(acc_best=asdict(best))
    run.write("front.csv", front.to_csv())
    run.write("front.json", front.to_json())


def best_accuracy(front: Front, context: Context) -> BestAccuracy | None:
    """Best plain accuracy that is known: of anchors, and of the front's members on either half of the validation part.

    Args:
        front: With what is known of its members.
        context: Data, and the anchors if there are any.
    """
    data, anchors = context.data, context.options.get("anchors")
    if data is None:
        return None
    parts = {
        "a member on images not selected on": (data.report, [m.known.get("acc_report") for m in front]),
        "a member with shared weights": (data.search, [m.known.get(TOP1.name) for m in front]),
        "an anchor": (data.search, [] if anchors is None else [max(a.values) for a in anchors.known]),
    }
    if front.objectives and any(o == ACC and LOW.name not in m.known for o in front.objectives for m in front):
        parts["a member"] = data.search, [m.values[ACC.name] for m in front]
    found = {of: (part, [v for v in values if v is not None]) for of, (part, values) in parts.items()}
    return clearest(
        BestAccuracy(max(values), majority_share(part.labels.cpu()), len(part.labels), of)
        for of, (part, values) in found.items()
        if values and len(part.labels)
    )


def note_report(run: Run, candidate: Candidate, context: Context) -> None:
    """Note what a candidate's accuracy, or other measures, are on the report part, which was not selected on.

    These are the task's first measure, and those that the search optimizes.
    """
    text = str(candidate)
    known, by = run.store.notes().get(text, {}), "short training" if trains(context) else "supernet"
    for name in reported(run, context):
        if f"{name}_report" in known:
            continue
        (row,) = part_evaluator(context, name, "report").evaluate([candidate])
        if (value := row[name].value) is not None:
            run.store.note(text, f"{name}_report", value, {"by": f"{by}, the half not selected on"})


def reported(run: Run, context: Context) -> list[str]:
    """Return what is read on the report part: the task's first measure, and measures and robustness optimized."""
    task = None if context.data is None else make_task(context.data)
    if task is None:
        return ["acc"]
    asked = [split_direction(text)[0] for text in split_names(run.settings.get("objectives", ()) or ("acc",))]
    own = [name for name in asked if task.named(name) or is_robust(name)]
    return [task.objective, *(name for name in own if name != task.objective)]


def _note_beside(run: Run, texts: Sequence[str], context: Context) -> None:
    """Note what was read together with an estimate of accuracy: plain accuracy, the ends of its interval, its score."""
    evaluator = accuracy_evaluator(context)
    for objective in evaluator.objectives[1:]:
        by = "supernet, the half selected on" if objective == TOP1 else "ranker"
        for text, row in run.store.lookup(texts, objective.name, evaluator.fingerprint).items():
            if row.value is not None:
                run.store.note(text, objective.name, row.value, {"by": by})


def _note_costs(problem: SearchProblem, run: Run, members: Mapping[str, Candidate]) -> None:
    for name in {"flops", "params"} - set(problem.names):
        for text, row in zip(members, problem.bounds.cheap[name].evaluate(list(members.values())), strict=True):
            value = row[name].value
            assert value is not None  # a table's cost of a canonical architecture
            run.store.note(text, name, value, {"by": "cost table"})


def _note_latency(
    problem: SearchProblem,
    run: Run,
    members: Mapping[str, Candidate],
    estimates: Mapping[str, float],
    budget: Budget,
) -> None:
    """Note whole latencies: of all members or, where the time is short, of as many spread over the front.

    Args:
        problem: What was searched.
        run: Its run.
        members: Of the front, by text.
        estimates: Latency of each member as it was searched with, by text.
        budget: Time that may be taken.
    """
    noted = run.store.notes()
    missing = [text for text in members if "latency_measured" not in noted.get(text, {})]
    if not missing:
        return

    def measure(texts: Sequence[str], seconds: float | None) -> list[Timing]:
        chosen = [members[text].sized for text in texts]
        return measure_whole(problem.space, problem.skeleton, chosen, threads=problem.settings.threads, seconds=seconds)

    seconds = None
    if budget.bounded:
        allowed, began = LATENCY_SHARE * (budget.left - REPORT), budget.now()
        if allowed <= 0:
            return
        slowest = max(missing, key=lambda text: estimates[text])
        measure([slowest], 0.0)  # to see what one takes at most: that counts for nothing
        one = budget.now() - began
        count = min(len(missing), int((allowed - one) / max(one, 1e-3)))
        missing = [missing[i] for i in np.unique(np.linspace(0, len(missing) - 1, max(0, count)).round().astype(int))]
        if not missing:
            return
        seconds = max(0.0, allowed - (1 + len(missing)) * one)
    timings = measure(missing, seconds)
    for text, timing in zip(missing, timings, strict=True):
        run.store.note(text, "latency_measured", timing.median_ms, asdict(timing))
        run.store.note(text, "latency_mad", timing.mad_ms, {})


def _measured_bounds(problem: SearchProblem) -> list[Constraint]:
    """Return the constraints that whole measurements must meet: none on the latency of another device than this."""
    evaluator = problem.bounds.cheap.get("latency")
    foreign = isinstance(evaluator, LatencyEvaluator) and bool(evaluator.foreign)
    return [c for c in problem.constraints if not (foreign and c.objective == "latency")]


def _infeasible(problem: SearchProblem, run: Run, values: np.ndarray) -> str:
    """Return in words which constraint nothing keeps to."""
    for constraint in problem.constraints:
        column = values[:, problem.evaluated.index(constraint.objective)]
        best = float(np.nanmin(column) if constraint.sign == "<=" else np.nanmax(column))
        if constraint.violation(best) > 0:
            return (
                f"None of {len(values)} architectures keeps to {constraint}, the nearest has {best:,.6g}: "
                f"search on with  evonas resume {run.path} --generations N  or loosen it"
            )
    return (
        f"None of {len(values)} architectures keeps to all constraints at once: search on with  "
        f"evonas resume {run.path} --generations N  or loosen one"
    )

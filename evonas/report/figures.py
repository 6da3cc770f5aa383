"""Data of the report's figures: pure functions from the contents of a run to numbers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from evonas.pareto.dominance import first_front
from evonas.pareto.indicators import hypervolume, hypervolume_box
from evonas.pareto.short_id import short_id
from evonas.report.amounts import is_accuracy, unit_shown
from evonas.report.contents import Contents
from evonas.report.origins import meaning, origin
from evonas.report.truths import finite

POINTS = 5000
"""Evaluations in the front's chart at most; beyond it an even part of them, and all of the front."""
STEPS = 200
"""Points of the hypervolume's curve at most."""


def columns(contents: Contents) -> list[dict[str, Any]]:
    """Return what can be an axis: the objectives, then further numbers that some members have.

    Returns:
        ``name``, ``unit`` on screens, ``direction``, ``origin``, ``scale`` (100 of an accuracy, else 1, by which values
        are shown), and of an objective with an interval ``interval``: the numbers of the columns of its ends.
    """
    names = {objective.name for objective in contents.objectives}
    found: list[dict[str, Any]] = [
        {
            "name": o.name,
            "unit": unit_shown(o.name, o.unit),
            "direction": o.direction,
            "origin": origin(o.name, contents.settings, o.unit, contents.manifest),
            "scale": 100 if is_accuracy(o.name, o.unit) else 1,
        }
        for o in contents.objectives
    ]
    directions = {o.name: o.direction for o in contents.objectives}
    more = sorted({name for member in contents.front for name in member.known} - names)
    for name in more:
        whole, _, ending = name.rpartition("_")
        unit = next((o.unit for o in contents.objectives if o.name == whole and ending != "score"), "")
        found.append(
            {
                "name": name,
                "unit": unit_shown(name, unit),
                "scale": 100 if is_accuracy(name, unit) else 1,
                "direction": "min" if ending == "mad" else directions.get(whole, "min"),
                "origin": meaning(name),
            }
        )
    numbers = {column["name"]: number for number, column in enumerate(found)}
    for column in found[: len(contents.objectives)]:
        ends = [numbers.get(f"{column['name']}_{end}") for end in ("low", "high")]
        if column["scale"] == 100 and None not in ends:
            column["interval"] = ends
    return found


def chart_points(contents: Contents, limit: int = POINTS) -> dict[str, Any]:
    """Return the evaluated architectures, column by column, in the order reported.

    Args:
        contents: The run.
        limit: Most points; members of the front and all that they descend from are always among them.

    Returns:
        ``texts``, ``ids``, ``generations``, ``states`` (0: kept to the constraints, 1: broke one, 2: failed),
        ``values`` (one list per column of `columns`, on its scale, None where not known), ``parents`` (numbers of
        points), ``front`` (numbers of the front's members, in its order), ``left_out`` (how many).
    """
    members = [member.architecture for member in contents.front]
    unreported = [text for text in members if text not in contents.indices]
    texts = [*contents.texts, *unreported]
    index = {text: i for i, text in enumerate(texts)}
    kept = _kept(contents, members, index, len(texts), limit)
    number = {old: new for new, old in enumerate(kept)}
    failed = ~np.isfinite(contents.values).all(axis=1)
    states = np.where(failed, 2, np.where(contents.feasible, 0, 1)).tolist() + [0] * len(unreported)
    lineage = [*contents.parents, *([()] * len(unreported))]
    generations = [*contents.generations.tolist(), *([None] * len(unreported))]
    return {
        "texts": [texts[old] for old in kept],
        "ids": [short_id(texts[old]) for old in kept],
        "generations": [generations[old] for old in kept],
        "states": [states[old] for old in kept],
        "values": _point_values(contents, texts, kept),
        "parents": [[number[index[parent]] for parent in lineage[old] if index.get(parent) in number] for old in kept],
        "front": [number[index[text]] for text in members],
        "left_out": len(texts) - len(kept),
    }


def _point_values(contents: Contents, texts: Sequence[str], kept: Sequence[int]) -> list[list[float | None]]:
    """Return the values of some architectures, one list per column of `columns`."""
    own = {member.architecture: member for member in contents.front}
    values: list[list[float | None]] = []
    for i, column in enumerate(columns(contents)):
        name = column["name"]
        if i < len(contents.objectives):
            unreported = texts[len(contents.texts) :]
            every = [*contents.values[:, i].tolist(), *(own[text].values[name] for text in unreported)]
            values.append([finite(every[old]) for old in kept])
        else:
            values.append([own[texts[old]].known.get(name) if texts[old] in own else None for old in kept])
        if (scale := column["scale"]) != 1:
            values[-1] = [None if value is None else scale * value for value in values[-1]]
    return values


def _kept(contents: Contents, members: Sequence[str], index: Mapping[str, int], n: int, limit: int) -> list[int]:
    if n <= limit:
        return list(range(n))
    needed: set[int] = set()
    open_ = [index[text] for text in members]
    while open_ and len(needed) < limit:
        one = open_.pop()
        if one in needed:
            continue
        needed.add(one)
        if one < len(contents.parents):
            open_ += [index[parent] for parent in contents.parents[one] if parent in index]
    needed.update(index[text] for text in members)
    others = [i for i in range(n) if i not in needed]
    room = max(0, limit - len(needed))
    if others and room:
        needed.update(others[i] for i in np.linspace(0, len(others) - 1, room).astype(int))
    return sorted(needed)


def progress(contents: Contents) -> dict[str, Any]:
    """Return the hypervolume after each number of evaluations.

    It is a share of the box of all feasible evaluations (`hypervolume_box`), as the front's own hypervolume is. Where
    random sampling was asked for, both curves stand on the scale of both together.

    Returns:
        ``evaluations`` and ``hypervolume``, lists of equal length; with random sampling also ``others``, the
        same lists by name, and ``reference_point``, natural directions.
    """
    baseline = contents.baseline
    if baseline and baseline["search"]["evaluations"][-1:] == [len(contents.texts)]:  # not of a shorter search
        return {
            **baseline["search"],
            "others": {"random sampling": baseline["random"]},
            "reference_point": baseline["reference_point"],
        }
    feasible = contents.feasible
    if not feasible.any():
        return {"evaluations": [], "hypervolume": []}
    low, extent = hypervolume_box(contents.minimized[feasible])
    scaled = (contents.minimized - low) / extent
    counts = np.unique(np.linspace(1, len(scaled), min(STEPS, len(scaled))).astype(int)).tolist()
    reference = np.ones(scaled.shape[1])
    best = np.zeros((0, scaled.shape[1]))
    curve, done = [], 0
    for count in counts:
        new = np.flatnonzero(feasible[done:count]) + done
        best = np.concatenate([best, scaled[new]])
        if len(new):
            best = np.unique(best[first_front(best)], axis=0)
        curve.append(hypervolume(best, reference) if len(best) else 0.0)
        done = count
    return {"evaluations": counts, "hypervolume": curve}


def supernet(contents: Contents) -> dict[str, Any]:
    """Return the supernet's losses by epoch, and what training others made architectures forget."""
    epochs = [e for e in contents.supernet.get("epochs", ()) if isinstance(e, Mapping) and "loss" in e]
    values = [
        {"step": v["step"], "value": v["after"] - v["before"]}
        for v in contents.supernet.get("forgetting", ())
        if isinstance(v, Mapping) and {"step", "before", "after"} <= set(v)
    ]
    forgotten = [v["value"] for v in values]
    return {
        "epochs": [e.get("epoch", i + 1) for i, e in enumerate(epochs)],
        "losses": [finite(e["loss"]) for e in epochs],
        "seconds": sum(e.get("seconds", 0.0) for e in epochs),
        "passes": epochs[-1].get("passes") if epochs else None,
        "last": dict(epochs[-1]) if epochs else {},
        "forgetting": values,
        "forgetting_mean": float(np.mean(forgotten)) if forgotten else None,
        "forgetting_sd": float(np.std(forgotten, ddof=1)) if len(forgotten) > 1 else None,
    }


def predictors(contents: Contents) -> list[dict[str, Any]]:
    """Return which predictor a surrogate chose, round by round and objective by objective.

    Returns:
        One mapping per round and objective: ``round`` (from 1), ``objective``, ``predictor`` and ``spearman``, its
        rank correlation in cross-validation, or None.
    """
    rows = []
    for number, content in enumerate(contents.rounds, start=1):
        for index, choice in sorted(content.get("predictors", {}).items()):
            if str(index).isdecimal() and int(index) < len(contents.objectives):
                name = choice.get("name", "")
                rho = choice.get("correlations", {}).get(name)
                objective = contents.objectives[int(index)].name
                rows.append({"round": number, "objective": objective, "predictor": name, "spearman": finite(rho)})
    return rows


def failures(contents: Contents) -> list[tuple[str, int]]:
    """Return the causes of failed evaluations, the most frequent first."""
    return Counter(contents.causes.values()).most_common()


def timings(contents: Contents) -> list[tuple[str, str]]:
    """Return what took how long."""
    rows = [
        (name.replace("_", " "), f"{value:,.4g}")
        for name, value in contents.manifest.get("timings", {}).items()
        if isinstance(value, int | float)
    ]
    net = supernet(contents)
    if net["epochs"]:
        rows.append(("training the supernet, seconds", f"{net['seconds']:,.4g}"))
    rows += [
        (f"{name}: {count:,} results, seconds in all", f"{seconds:,.4g}")
        for name, (count, seconds) in contents.seconds.items()
    ]
    return rows

"""The report in plain words: what was found, what limits the trust in it, which member for which need."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from evonas.objectives.accuracy.estimators import describe_estimator
from evonas.pareto.front import Member
from evonas.pareto.improvement import FEWEST_PAIRS
from evonas.pareto.objective import Objective
from evonas.report.contents import Contents
from evonas.report.figures import failures, progress, supernet, truths
from evonas.report.origins import number, trainable

NEAR = 0.01
"""Accuracy that a cheaper member may lie below the best, to be named."""

FEW = 5
"""Pairs below which a rank correlation says nothing."""


@dataclass(frozen=True)
class Need:
    """A need, and the member of the front for it: its place on the front, and why."""

    name: str
    place: int
    why: str


def needs(contents: Contents) -> list[Need]:
    """Return which member to take for which need; a member is named once."""
    front = contents.front
    if not len(front):
        return []
    places = {id(member): i for i, member in enumerate(front)}
    first, *costs = contents.objectives
    able = [member for member in front if not member.breaks] or list(front)
    best = _best(able, first)
    word = "Highest" if first.direction == "max" else "Lowest"
    found = [Need(f"{word} {first.name}", places[id(best)], _says(contents, best))]
    if costs and first.direction == "max":
        near = [m for m in able if m.values[first.name] >= best.values[first.name] - NEAR]
        cost = costs[0]
        cheap = _best(near, cost)
        if cheap is not best:
            found.append(Need("Nearly the best, for less", places[id(cheap)], _says(contents, cheap)))
    if costs:
        knee = front.select("knee")
        found.append(Need("A balance of all", places[id(knee)], _says(contents, knee)))
    for cost in costs:
        least = _best(able, cost)
        word = "Lowest" if cost.direction == "min" else "Highest"
        found.append(Need(f"{word} {cost.name}", places[id(least)], _says(contents, least)))
    # A member that suits several needs is named once, with all of them.
    merged: dict[int, Need] = {}
    for need in found:
        first_need = merged.get(need.place)
        name = need.name if first_need is None else f"{first_need.name}; {need.name[0].lower()}{need.name[1:]}"
        merged[need.place] = Need(name, need.place, need.why)
    return list(merged.values())


def _best(members: Sequence[Member], objective: Objective) -> Member:
    sign = 1 if objective.direction == "max" else -1
    return max(members, key=lambda member: sign * member.values[objective.name])


def _says(contents: Contents, member: Member) -> str:
    return ", ".join(
        f"{o.name} {number(member.values[o.name])}{f' {o.unit}' if o.unit else ''}" for o in contents.objectives
    )


def found(contents: Contents) -> list[str]:
    """Return sentences on what was found."""
    settings, front = contents.settings, contents.front
    n = len(contents.texts)
    space, data = Path(str(settings.get("space", ""))).stem, Path(str(settings.get("data", "digits"))).name
    if contents.ended:
        lines = [f"The search evaluated {n:,} architectures of the space {space} on {data}."]
    else:
        lines = [f"The search is under way: {n:,} architectures of the space {space} on {data} so far."]
    if not len(front):
        return [*lines, "None of them keeps to all constraints yet." if n else "Nothing is known of any yet."]
    names = " and ".join(o.name for o in contents.objectives)
    if len(front) == 1:
        lines.append(f"One of them is the best in {names}.")
    else:
        lines.append(f"{len(front)} of them are on the front: none is beaten in {names} at once.")
    for objective in contents.objectives[: 1 if len(contents.objectives) > 3 else None]:
        values = [member.values[objective.name] for member in front]
        unit = f" {objective.unit}" if objective.unit else ""
        low, high = number(min(values)), number(max(values))
        if low != high:
            lines.append(f"{objective.name} runs from {low} to {high}{unit}.")
    if front.hypervolume is not None and len(contents.objectives) > 1:
        point = ", ".join(f"{o.name} {number(v)}" for o, v in zip(contents.objectives, front.reference, strict=True))
        lines.append(
            f"The hypervolume is {front.hypervolume:.4f}, each axis scaled to what was seen, reference point {point}."
        )
    return lines


def limits(contents: Contents) -> list[str]:
    """Return sentences on what limits the trust in what was found."""
    lines: list[str] = []
    pairs = truths(contents)
    judged = {pair["truth"] for pair in pairs}
    names = {objective.name for objective in contents.objectives}
    if "acc" in names and not contents.settings.get("table"):
        lines.append(
            f"acc is {describe_estimator(contents.settings.get('estimator', 'supernet'))}: it ranks architectures, it "
            "does not promise what training to the end gives."
        )
    if weights := contents.manifest.get("acc_weights"):
        shares = ", ".join(f"{name} {weight:.0%}" for name, weight in weights.items())
        lines.append(f"How much each counts in acc, by how far it agrees with the others: {shares}.")
    if "acc" in names and any("acc_top1" in member.known for member in contents.front):
        lines.append("acc_top1 is plain accuracy with shared weights.")
    for pair in pairs:
        lines.append(_judged(pair))
    own = trainable((objective.name for objective in contents.objectives), contents.settings)
    if own is not None and f"{own}_trained" not in judged and contents.ended:
        lines.append("No member has been trained to the end yet; until one has, the order of the front is a guess.")
    net = supernet(contents)
    if net["forgetting_mean"] is not None:
        lines.append(
            f"Training other architectures changed an architecture's {quality(contents)} by "
            f"{net['forgetting_mean']:+.3f} on "
            "average within an epoch (below 0: forgotten)."
        )
    error = contents.latency.get("error")
    if "latency" in names and isinstance(error, int | float):
        lines.append(
            f"latency is a sum over a table of measured blocks; on whole networks its median error was {error:.1%}."
        )
    if "flops" in names:
        lines.append("flops counts a multiply-add as one and says little about the time on a given device.")
    broken = sum(bool(member.breaks) for member in contents.front)
    if broken:
        lines.append(told_broken(broken))
    if causes := failures(contents):
        total = sum(count for _, count in causes)
        lines.append(f"{total:,} evaluation{'s' if total != 1 else ''} failed, most often because: {causes[0][0]}.")
    if contents.baseline:
        lines.append(baseline_sentence(contents.baseline))
    if line := _levelled(contents):
        lines.append(line)
    lines.append("All of it comes from one seed: another one gives another front.")
    return lines


def quality(contents: Contents) -> str:
    """Name of what forgetting is read in: accuracy, or of another task its quality, by which higher is better."""
    own = trainable((objective.name for objective in contents.objectives), contents.settings)
    return "accuracy" if own in (None, "acc") else f"quality (for {own}: higher is better)"


def baseline_sentence(baseline: Mapping[str, Any]) -> str:
    """Comparison with random sampling that a ``baseline.json`` holds, in one line."""
    ours, theirs = (baseline[name]["hypervolume"][-1:] for name in ("search", "random"))
    text = (
        f"Random sampling with {baseline['evaluations']:,} evaluations reaches hypervolume "
        f"{(theirs or [0.0])[0]:.4f}, the search {(ours or [0.0])[0]:.4f} on the same scale"
    )
    ri = baseline.get("improvement")
    if ri is None:
        return f"{text}."
    text += f"; accuracy not selected on, against random architectures of no higher cost: {ri['value']:+.1f} %"
    if ri["low"] is not None and ri["high"] is not None:
        text += f" ({ri['confidence']:.0%} interval {ri['low']:+.1f} to {ri['high']:+.1f} %)"
    few = ", too few to tell" if ri["pairs"] < FEWEST_PAIRS else ""
    pairs = f"{ri['pairs']} pair{'s' if ri['pairs'] != 1 else ''}{few}"
    missing = f"; {ri['unmatched']} more had no random architecture as cheap" if ri["unmatched"] else ""
    return f"{text} over {pairs}{missing}."


def told_broken(members: int) -> str:
    """Return in words that members break a constraint."""
    if members == 1:
        return "1 member, marked !, breaks a constraint now that it was measured whole."
    return f"{members} members, marked !, break a constraint now that they were measured whole."


def _judged(pair: Mapping[str, Any]) -> str:
    n = len(pair["texts"])
    text = f"{pair['truth']} ({pair['meaning']}) is known of {n} architecture{'s' if n != 1 else ''}"
    if pair["truth"].endswith("measured") and pair["error"] is not None:
        text += f"; the estimate is off by {pair['error']:.1%}{' in the median' if n > 1 else ''}"
    else:
        side = "higher" if pair["gap"] >= 0 else "lower"
        text += f"; it is {abs(pair['gap']):.3g} {side} than {pair['less']}{' on average' if n > 1 else ''}"
    if pair["kendall"] is not None and n >= FEW:
        tau = pair["kendall"]
        word = "agree well" if tau > 0.7 else "agree in part" if tau > 0.3 else "hardly agree"
        text += f", and its order and {pair['estimate']}'s {word} (Kendall's τ {tau:.2f})"
    return text + "."


def _levelled(contents: Contents) -> str:
    """Return whether a longer search promises more, by the last quarter of this one."""
    curve = progress(contents)["hypervolume"]
    if len(curve) < 8 or not contents.ended:
        return ""
    before, last = curve[(3 * len(curve)) // 4 - 1], curve[-1]
    rise = (last - before) / last if last else 0.0
    if rise > 0.02:
        return (
            f"The hypervolume still rose by {rise:.1%} in the last quarter of the search: a longer one may find more."
        )
    return f"The hypervolume rose by {rise:.1%} in the last quarter of the search: it had nearly leveled out."

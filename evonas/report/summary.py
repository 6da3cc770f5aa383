"""Summary of the report in plain words: results, and limits of the trust in them."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from evonas.pareto.improvement import FEWEST_PAIRS
from evonas.report.amounts import is_accuracy, reference_text, shown
from evonas.report.cards import no_knee
from evonas.report.contents import Contents
from evonas.report.figures import failures, progress, supernet
from evonas.report.origins import origin, trainable
from evonas.report.trust import trust_sentences
from evonas.report.truths import truths

FEW = 5
"""Pairs below which a rank correlation says nothing."""


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
        low, high = (shown(end, objective.name, objective.unit) for end in (min(values), max(values)))
        if low != high:
            high = shown(max(values), objective.name, objective.unit, with_unit=True)
            lines.append(f"{objective.name} runs from {low} to {high}.")
    if front.hypervolume is not None and len(contents.objectives) > 1:
        point = reference_text(contents.objectives, front.reference)
        lines.append(
            f"The hypervolume is {front.hypervolume:.4f}, a share of what was seen to the reference point {point}."
        )
    return lines


def limits(contents: Contents) -> list[str]:
    """Return sentences on what limits the trust in what was found."""
    # A column of a table may be called as what is computed here; it alone has no unit.
    own = [objective for objective in contents.objectives if objective.unit or not contents.settings.get("table")]
    names = {objective.name for objective in own}
    lines = [why] if (why := no_knee(contents.manifest)) else []
    lines += _accuracy_limits(contents) if "acc" in names else []
    lines += _training_limits(contents)
    error = contents.latency.get("error")
    if "latency" in names and isinstance(error, int | float):
        lines.append(
            f"latency is a sum over a table of measured blocks; on whole networks its median error was {error:.1%}."
        )
    if "flops" in names:
        lines.append("flops counts a multiply-add as one and says little about the time on a given device.")
    return lines + _search_limits(contents)


def _accuracy_limits(contents: Contents) -> list[str]:
    """Return what `acc` is, and of what."""
    lines = []
    if not contents.settings.get("table"):
        lines.append(
            f"acc is {origin('acc', contents.settings, manifest=contents.manifest)}: it ranks architectures, it does "
            "not promise what training to the end gives."
        )
        lines += trust_sentences(contents.manifest)
    return lines


def _training_limits(contents: Contents) -> list[str]:
    """Return how estimates compare with what is known better, and what the supernet forgot."""
    lines = []
    names = {objective.name for objective in contents.objectives}
    pairs = truths(contents)
    if weights := contents.manifest.get("acc_weights"):
        shares = ", ".join(f"{name} {weight:.0%}" for name, weight in weights.items())
        lines.append(f"How much each counts in acc, by how far it agrees with the others: {shares}.")
    if "acc" in names and any("acc_top1" in member.known for member in contents.front):
        lines.append("acc_top1 is plain accuracy with shared weights.")
    lines += [_truth_sentence(pair) for pair in pairs]
    own = trainable((objective.name for objective in contents.objectives), contents.settings)
    if own is not None and f"{own}_trained" not in {pair["truth"] for pair in pairs} and contents.ended:
        lines.append("No member has been trained to the end yet; until one has, the order of the front is a guess.")
    net = supernet(contents)
    if net["forgetting_mean"] is not None:
        mean = net["forgetting_mean"]
        changed = f"{100 * mean:+.1f} points" if quality(contents) == "accuracy" else f"{mean:+.3f}"
        lines.append(
            f"Training other architectures changed an architecture's {quality(contents)} by "
            f"{changed} on average within an epoch (below 0: forgotten)."
        )
    return lines


def _search_limits(contents: Contents) -> list[str]:
    """Return what broke a constraint or failed, and what another search might find."""
    lines = []
    broken = sum(bool(member.breaks) for member in contents.front)
    if broken:
        lines.append(broken_sentence(broken))
    if causes := failures(contents):
        total = sum(count for _, count in causes)
        lines.append(f"{total:,} evaluation{'s' if total != 1 else ''} failed, most often because: {causes[0][0]}.")
    if contents.baseline:
        lines.append(baseline_sentence(contents.baseline))
    if line := _levelled(contents):
        lines.append(line)
    return [*lines, "All of it comes from one seed: another one gives another front."]


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


def broken_sentence(members: int) -> str:
    """Return the sentence that members break a constraint."""
    if members == 1:
        return "1 member, marked !, breaks a constraint now that it was measured whole."
    return f"{members} members, marked !, break a constraint now that they were measured whole."


def _truth_sentence(pair: Mapping[str, Any]) -> str:
    n = len(pair["texts"])
    text = f"{pair['truth']} ({pair['meaning']}) is known of {n} architecture{'s' if n != 1 else ''}"
    if pair["truth"].endswith("measured") and pair["error"] is not None:
        text += f"; the estimate is off by {pair['error']:.1%}{' in the median' if n > 1 else ''}"
    else:
        side = "higher" if pair["gap"] >= 0 else "lower"
        gap = abs(pair["gap"])
        much = f"{100 * gap:.3g} points" if is_accuracy(pair["truth"], pair["unit"]) else f"{gap:.3g}"
        text += f"; it is {much} {side} than {pair['less']}{' on average' if n > 1 else ''}"
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

"""Trust in predicted accuracy, in sentences: what it is, how far off it is, and how well it orders what was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from evonas.pareto.objective import Objective
from evonas.predictors.calibration import MIN_CALIBRATED
from evonas.report.origins import COSTS

__all__ = ["SIGNALS", "trust_line", "trust_rows", "trust_sentences"]

SIGNALS = {
    "flops": "FLOPs",
    "swap": "SWAP",
    "supernet:loss": "shared weights",
    "supernet:smoothed": "shared weights, smoothed",
    "general": "trainings in other spaces",
}
"""What signals are called on screens, where that is not their own name."""
RANKS = "Trust: {name} only ranks, untested by trainings{test}."
"""Where nothing bears out an estimate."""


def trust_sentences(manifest: Mapping[str, Any]) -> list[str]:
    """Return what a run knows of its predicted accuracy; none where accuracy was not predicted from anchors.

    Args:
        manifest: Of the run.
    """
    trust, anchors = manifest.get("acc_trust"), manifest.get("anchors")
    if not trust or not anchors:
        return []
    return [_meaning(trust, anchors), *_error(trust), _orders(trust), *_chance(trust), *_cost(anchors, manifest)]


def trust_line(manifest: Mapping[str, Any], settings: Mapping[str, Any], objectives: Sequence[Objective]) -> str:
    """Return in one line of at most 80 characters how far to trust what a front was chosen by.

    Args:
        manifest: Of the run.
        settings: Of the run.
        objectives: The front's.
    """
    if settings.get("table"):
        return "Trust: values are a table's, measured before; nothing here is an estimate."
    trust, names = manifest.get("acc_trust"), {objective.name for objective in objectives}
    if "acc" not in names:
        estimated = [o.name for o in objectives if o.name not in COSTS]
        return "Trust: figures are counted or measured." if not estimated else RANKS.format(name=estimated[0], test="")
    if not trust:
        return RANKS.format(name="acc", test=" (evonas verify RUN --ranking 8)")
    one = trust["agreement"]["acc"]
    if one["tau"] is None:
        return "Trust: low. The trainings tell too little to say how well acc orders."
    if one["low"] <= 0:
        return f"Trust: low. Over {one['n']} trainings the order by acc is not shown to beat chance."
    off = "" if trust["error"] is None else f", {100 * trust['error']:.1f} points off"
    held = f"{one['tau']:.2f} ({one['low']:.2f} to {one['high']:.2f})"
    return f"Trust: rank correlation with {one['n']} trainings {held}{off}."


def trust_rows(manifest: Mapping[str, Any]) -> list[tuple[str, str, str, str]]:
    """Return for each signal its name, its rank correlation with the anchors, the ends of its interval, and how many.

    Args:
        manifest: Of the run; without anchors there are no rows.
    """
    agreement = (manifest.get("acc_trust") or {}).get("agreement", {})
    return [
        (SIGNALS.get(name, name), f"{one['tau']:.2f}", f"{one['low']:.2f} to {one['high']:.2f}", f"{one['n']}")
        for name, one in agreement.items()
        if one["tau"] is not None
    ]


def _others(trust: Mapping[str, Any]) -> list[tuple[str, float]]:
    """Return the signals beside `acc` by the names that people know, and their correlations."""
    agreement = trust["agreement"].items()
    return [(SIGNALS.get(n, n), one["tau"]) for n, one in agreement if n != "acc" and one["tau"] is not None]


def _meaning(trust: Mapping[str, Any], anchors: Mapping[str, Any]) -> str:
    n, last = trust["anchors"], anchors["levels"][-1]
    failed = f", {anchors['failed']} more failed" if anchors["failed"] else ""
    if trust["calibrated"]:
        return (
            f"acc is the accuracy after {last} epochs of training alone, predicted by a ranker that {n} such trainings "
            f"have taught ({trust['top']} of them to the end{failed}); acc_low and acc_high hold it with 95 %."
        )
    return (
        f"acc is a score without a unit: {trust['top']} of {n} anchors were trained all {last} epochs{failed}, and it "
        f"takes {MIN_CALIBRATED} to say what accuracy it means; give more --anchors."
    )


def _error(trust: Mapping[str, Any]) -> list[str]:
    if trust["error"] is None:
        return []
    return [
        f"Over these {trust['top']} it is {100 * trust['error']:.1f} points off on average, each predicted without "
        f"itself; counting on so few images alone is {100 * trust['noise']:.1f} off."
    ]


def _orders(trust: Mapping[str, Any]) -> str:
    """Return how well each signal orders the anchors."""
    own = trust["agreement"]["acc"]
    parts = [] if own["tau"] is None else [f"acc {own['tau']:.2f} ({own['low']:.2f} to {own['high']:.2f})"]
    parts += [f"{name} {tau:.2f}" for name, tau in _others(trust)]
    if not parts:
        return "The anchors tell no signal's worth: too few are known, or all gave the same."
    return f"Kendall's tau with the anchors, acc predicting each without itself (95 % interval): {', '.join(parts)}."


def _chance(trust: Mapping[str, Any]) -> list[str]:
    one = trust["agreement"]["acc"]
    if one["tau"] is None or one["low"] > 0:
        return []
    needed = one["needed"]
    more = (
        f"with about {needed} a correlation of this size would be"
        if needed is not None and needed > one["n"]
        else "more may show otherwise"
    )
    return [f"With {one['n']} anchors the order by acc is not shown to beat chance; {more} (--anchors N)."]


def _cost(anchors: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[str]:
    seconds = manifest.get("timings", {}).get("search_seconds", 0.0)
    if not seconds:
        return []
    return [
        f"The anchors trained {anchors['epochs']} epochs in all, {anchors['seconds']:.0f} s of the search's "
        f"{seconds:.0f}."
    ]

"""Origin of an objective's numbers, in words: no estimate is shown without what estimated it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from evonas.objectives.accuracy.estimators import anchors_that_taught, describe_estimator, describe_measure
from evonas.objectives.registry import describe_objectives
from evonas.objectives.robust.names import is_robust, read_robust
from evonas.proxies.registry import is_proxy
from evonas.tasks import named_measure

COSTS = {
    "flops": "one multiply-add is 1; norms and pooling are free",
    "macs": "one multiply-add is 1; norms and pooling are free",
    "params": "trainable parameters",
    "latency": "sum over a table of measured blocks",
}
KNOWN = {
    "report": "estimated by the supernet on validation images that the search did not select on",
    "measured": "the whole network, measured",
    "verified": "measured again",
    "mad": "median absolute deviation of the measurements",
    "top1": "plain accuracy, estimated by the supernet",
    "onnx": "measured on the exported model",
    "low": "lower end of the 95 % interval",
    "high": "upper end of the 95 % interval",
    "score": "what the ranker predicts, without a unit",
}
"""What the endings of further numbers say, such as that of ``acc_report``."""


def origin(
    name: str, settings: Mapping[str, Any], unit: str | None = None, manifest: Mapping[str, Any] | None = None
) -> str:
    """Return what an objective's values are, such as "sum over a table of measured blocks".

    Args:
        name: Name of the objective.
        settings: Those of the run.
        unit: That of the objective; a column of a table has none, whatever its name, nor has a score.
        manifest: That of the run, which knows how many anchors were trained; None: as many as asked for.
    """
    if name in COSTS and not (unit == "" and settings.get("table")):
        return COSTS[name]
    if settings.get("table"):
        return "from a table"
    estimator = settings.get("estimator", "supernet")
    if name == "acc":
        text = describe_estimator(estimator, anchors_that_taught(settings, manifest or {}))
        return f"a score without unit, {text}" if unit == "" else text
    if is_robust(name):
        under = read_robust(name, settings.get("corruptions", ())).text
        return describe_measure(f"share of images right under {under}", estimator)
    if (measure := named_measure(name)) is not None:
        return describe_measure(measure.text or name, estimator)
    if is_proxy(name) or name.startswith("rank("):
        return "training-free score"
    return describe_objectives().get(name, "of a package that is not installed")


def meaning(name: str) -> str:
    """Return what a further number such as ``acc_report`` is, or "" where its name does not tell."""
    measure, _, ending = name.rpartition("_")
    if ending == "trained":
        return f"test {'accuracy' if measure == 'acc' else measure} after training to the end"
    return COSTS.get(name) or KNOWN.get(ending, "")


def trainable(names: Iterable[str], settings: Mapping[str, Any]) -> str | None:
    """Return the objective that training improves: accuracy or another task's measure; None where there is none.

    Args:
        names: Objectives of a search, in order.
        settings: Those of the run; what a table holds cannot be trained.
    """
    if settings.get("table"):
        return None
    return next((name for name in names if name == "acc" or named_measure(name)), None)


def number(value: float | None, *, pad: bool = False) -> str:
    """Return a number as people read it: 0.9512, 12.3, 4,096, 5.33 M.

    Args:
        value: The number; None or what is not finite is a dash.
        pad: Keep zeros at the end, so that columns line up.
    """
    if value is None or not math.isfinite(value):
        return "–"
    size, form = abs(value), "#.4g" if pad else ".4g"
    for bound, letter in ((1e12, "T"), (1e9, "G"), (1e6, "M")):
        if size >= bound:
            return f"{value / bound:{form}} {letter}"
    if size >= 1000:
        return f"{value:,.0f}"
    return f"{value:{form}}"

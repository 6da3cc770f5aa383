"""Deployed ensemble in lines for people."""

from __future__ import annotations

import shlex

from evonas.deployment.ensemble.ensemble import EnsembleDeployment
from evonas.deployment.ensemble.steps import ATTACK, ATTACKED, MEASURES

__all__ = ["ensemble_summary"]


def ensemble_summary(ensemble: EnsembleDeployment) -> list[str]:
    """Return what was chosen, how it compares, and what to type next, as lines for people."""
    deployment, price = ensemble.deployment, ensemble.bounds[0].objective
    attacked = ensemble.compared[0][ATTACK] is not None
    measures = [key for key in MEASURES if attacked or key != ATTACK]
    wide = max(len(str(row["name"])) for row in ensemble.compared)
    lines = [ensemble.words, f"{'':{wide}}  {price:>12}  " + "  ".join(f"{key:>8}" for key in measures)]
    lines += [
        f"{row['name']:{wide}}  {row['cost']:>12,.4g}  "
        + "  ".join(f"{row[key]:>{max(8, len(key))}.4f}" for key in measures)
        for row in ensemble.compared
    ]
    figures = deployment.figures
    lines.append(
        f"All on the {figures.images:,} test images" + (f"; {ATTACK} on {ATTACKED} at most." if attacked else ".")
    )
    lines.append(
        f"{deployment.model}: one ONNX model, {figures.size:,} bytes; off by at most {figures.error:.2g} from float64, "
        f"where torch's own rounding is {figures.torch_error:.2g}; {figures.latency.median_ms:.3g} ms on "
        f"{deployment.measured_on}."
    )
    if len(ensemble.members) == 1:
        lines.append("One member alone is best within this budget: a larger one may hold an ensemble.")
    folder = shlex.quote(str(deployment.folder))
    return [*lines, "Next:", f"  evonas verify {folder}", f"  evonas predict {folder} PHOTO..."]

"""Nonlinearity of a network in words, and drawn stage by stage."""

from __future__ import annotations

import math
from collections import Counter

from evonas.proxies.nlc_profile import BAND, NlcProfile
from evonas.report.drawing import Box, Drawing, Label, Shape

__all__ = ["draw_nonlinearity", "nonlinearity_sentences"]

ROW, NAMES, WIDTH, NUMBERS, TOP = 30.0, 120.0, 360.0, 130.0, 26.0
"""Pixels: height of a row, width of names, bars and numbers, height above the first row."""
SHOWN = 3
"""Changes named on each side."""
STANDS_OUT = 1.05
"""Factor over the middle one from which an activation is named."""
RELU = 1.2112
"""Coefficient of a rectifier under a unit Gaussian."""


def nonlinearity_sentences(profile: NlcProfile) -> list[str]:
    """Return what a profile says: the coefficient, a verdict for this depth, what bends most and what would change it.

    Args:
        profile: That of an architecture.
    """
    whole = profile.stages[-1]
    return [
        f"NLC {profile.nlc:.3g}{_interval(profile)}; 1 is a linear map.",
        *_verdict(profile),
        _products(profile),
        *([_most_bent(profile)] if whole.depth else []),
        *_changes(profile),
    ]


def _interval(profile: NlcProfile) -> str:
    n = profile.repeats
    if profile.low != profile.low:
        return " of one initialization"
    return f" ({profile.low:.3g} to {profile.high:.3g}, 95 % of the mean over {n} initializations)"


def _verdict(profile: NlcProfile) -> list[str]:
    """Return whether the coefficient lies in the band, and what that asks of each activation at this depth."""
    low, high = BAND
    band = f"the band {low:g} to {high:g} in which networks generalize best (Philipp 2021, fully connected ones)"
    depth = profile.stages[-1].depth
    if profile.nlc > high:
        words = f"It is above {band}: too nonlinear"
        if profile.low <= high:
            words += ", though its interval reaches into the band"
    elif profile.nlc < 1.05 * low:
        words = f"It is at the lower end of {band}: nearly linear, its depth adds little"
    else:
        words = f"It lies in {band}"
    if not depth:
        return [f"{words}; no activation follows another."]
    each = profile.nlc ** (1 / depth)
    return [
        f"{words}. At a depth of {depth} activations in a row each multiplies it by {each:.3f} on average; "
        f"{high ** (1 / depth):.3f} would keep this depth in the band, and a chain of {depth} rectifiers without skips "
        f"has {RELU:.4f} each, {RELU**depth:.3g} together."
    ]


def _products(profile: NlcProfile) -> str:
    whole = profile.stages[-1]
    kinds = Counter((one.kind, round(one.unit, 4)) for one in profile.activations)
    each = ", ".join(f"{count} × {kind} {unit:.4g}" for (kind, unit), count in kinds.most_common())
    if not each:
        return "There is no activation module: what bends it are other parts, or nothing."
    tells = "as a chain would be" if 0.8 < profile.nlc / whole.product < 1.25 else _why(profile.nlc / whole.product)
    return (
        f"Activations under a unit Gaussian: {each}; their product along the most nonlinear path is "
        f"{whole.product:.3g}, and {profile.nlc:.3g} was measured: {tells}."
    )


def _why(share: float) -> str:
    if share < 1:
        return "skips, sums and pooling let linear paths through"
    return "gates, pooling or inputs that are not Gaussian bend more than the activations by themselves"


def _most_bent(profile: NlcProfile) -> str:
    one = profile.most_bent
    assert one is not None
    usual = sorted(other.here for other in profile.activations)[len(profile.activations) // 2]
    if one.here < STANDS_OUT * usual:
        return (
            f"No activation stands out at its own inputs: the middle one has {usual:.4g}, the greatest {one.here:.4g}."
        )
    return (
        f"The most nonlinear activation at its own inputs is {one.name} ({one.kind}): {one.here:.4g}, "
        f"{one.unit:.4g} under a unit Gaussian."
    )


def _changes(profile: NlcProfile) -> list[str]:
    if not profile.changes:
        return []
    measured = len(profile.changes) + profile.failed
    drawn = "" if measured == profile.considered else f", drawn of {profile.considered:,}"
    if profile.failed:
        drawn += f", {profile.failed:,} without a coefficient"
    lines = [f"One choice changed ({len(profile.changes):,} architectures{drawn}):"]
    up = [one for one in profile.changes if one.factor > 1][:SHOWN]
    down = [one for one in profile.changes[::-1] if one.factor < 1][:SHOWN]
    for word, found in (("raise", up), ("lower", down)):
        named = "; ".join(f"{one.choice} {one.before} → {one.after} × {one.factor:.3f}" for one in found)
        lines.append(f"{word} it most: {named or 'none'}.")
    return [f"{lines[0]} {lines[1]} {lines[2][0].upper()}{lines[2][1:]}"]


def draw_nonlinearity(profile: NlcProfile) -> Drawing:
    """Draw the coefficients of a network's prefixes as bars, the products of their activations behind them.

    The scale is logarithmic and begins at 1; the band's end is dashed.

    Args:
        profile: That of an architecture.
    """
    top = math.log(max(BAND[1], *(max(one.nlc, one.product) for one in profile.stages)))

    def width(value: float) -> float:
        return WIDTH * max(0.0, math.log(value)) / top

    height = TOP + ROW * len(profile.stages) + 8
    edge = NAMES + width(BAND[1])
    shapes: list[Shape] = [Label(edge, 12, f"band ends at {BAND[1]:g}", "soft", 10.5, anchor="middle")]
    for row, one in enumerate(profile.stages):
        y = TOP + ROW * row
        shapes.append(Label(NAMES - 8, y + 17, one.stage, size=11.0, anchor="end"))
        if width(one.product):
            shapes.append(Box(NAMES, y + 2, width(one.product), ROW - 8, "idle", radius=2, dashed=True,
                              hint=f"product of {one.depth} activations: {one.product:.3g}"))  # fmt: skip
        role = "conv" if one.nlc <= BAND[1] else "pool"
        shapes.append(
            Box(NAMES, y + 7, max(1.0, width(one.nlc)), ROW - 18, role, radius=2, hint=f"measured: {one.nlc:.3g}")
        )
        end = NAMES + max(width(one.nlc), width(one.product)) + 6
        shapes.append(Label(end, y + 17, f"{one.nlc:.3g} of {one.product:.3g}", "soft", 10.5))
    shapes.append(Box(edge - 0.4, 18, 0.8, height - 26, "edge", radius=0, dashed=True))
    title = (
        f"Nonlinearity stage by stage: {profile.nlc:.3g} measured, {profile.stages[-1].product:.3g} by its activations"
    )
    return Drawing(NAMES + WIDTH + NUMBERS, height, tuple(shapes), title)

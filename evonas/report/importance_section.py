"""Section of the report's page on which choices matter for the first objective."""

from __future__ import annotations

import numpy as np

from evonas.errors import EvonasError
from evonas.predictors.importance import choice_importances
from evonas.report.amounts import is_accuracy, unit_shown
from evonas.report.contents import Contents
from evonas.report.markup import text
from evonas.report.origins import number, origin
from evonas.spaces import parse_candidate
from evonas.spaces.named_genes import named_genes

__all__ = ["importance_section"]

MOST = 12
"""Choices that are listed, the most important."""
EVALUATIONS = 2000
"""Evaluations that are read, an even part of more: a page must not wait for it."""


def importance_section(contents: Contents) -> str:
    """Return the section; nothing where there are too few architectures or choices predict next to nothing.

    A resolution that candidates chose is one of the choices. A space that cannot be read has no section.

    Args:
        contents: The run.
    """
    space, objective = contents.space, contents.objectives[0]
    known = np.flatnonzero(np.isfinite(contents.values[:, 0]))
    if space is None or not len(known):
        return ""
    if len(known) > EVALUATIONS:
        known = known[np.linspace(0, len(known) - 1, EVALUATIONS).astype(int)]
    try:
        genes = named_genes(space, [parse_candidate(contents.texts[i], space) for i in known])
    except EvonasError:
        return ""
    found, predicted = choice_importances(*genes, contents.values[known, 0])
    if not found:
        return ""
    percent = is_accuracy(objective.name, objective.unit)
    unit = "points" if percent else unit_shown(objective.name, objective.unit)

    def effect(option: tuple[str, float]) -> str:
        size = f"{100 * option[1]:+.1f}" if percent else f"{'+' if option[1] > 0 else ''}{number(option[1])}"
        return f"{option[0]} ({size}{f' {unit}' if unit else ''})"

    high, low = ("best", "worst") if objective.direction == "max" else ("worst", "best")
    rows = "".join(
        f"<tr><th scope='row' class='text'>{text(one.choice)}</th><td class='left'><span class='meter'>"
        f"<span style='width:{100 * one.share / found[0].share:.1f}%'></span></span> {one.share:.0%}</td>"
        f"<td class='left'>{text(effect(one.best))}</td><td class='left'>{text(effect(one.worst))}</td></tr>"
        for one in found[:MOST]
    )
    more = f" The {MOST} that matter most of {len(found)} choices." if len(found) > MOST else ""
    estimate = origin(objective.name, contents.settings, objective.unit, contents.manifest)
    return (
        "<section class='card' aria-labelledby='importance'><h2 id='importance'>"
        f"Which choices matter for {text(objective.name)}</h2><p class='small soft'>{text(objective.name)} is "
        f"{text(estimate)}. A sum of one effect for each option was fitted to {len(known):,} evaluated architectures; "
        f"it predicts {predicted:.0%} of the spread of those left out of the fit. A choice's share is its part of the "
        "variance of all effects; beside it its options furthest above and below its mean."
        f"{more} What was evaluated was chosen by the search, so a choice that it settled early looks unimportant.</p>"
        "<div class='scroll' tabindex='0' role='region' aria-labelledby='importance'><table><thead><tr>"
        "<th scope='col' class='text'>choice</th><th scope='col' class='left'>share</th>"
        f"<th scope='col' class='left'>{high} option</th><th scope='col' class='left'>{low} option</th></tr></thead>"
        f"<tbody>{rows}</tbody></table></div></section>"
    )

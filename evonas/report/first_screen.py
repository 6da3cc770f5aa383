"""First screen of the report's page: the front, its cards, and in one line how far to trust it."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.pareto.front import Member
from evonas.pareto.objective import Objective
from evonas.pareto.short_id import short_id
from evonas.report import figures
from evonas.report.amounts import bound_text, headline, is_accuracy
from evonas.report.cards import Card, no_knee
from evonas.report.contents import Contents
from evonas.report.markup import text
from evonas.report.trust import trust_line

__all__ = ["first_screen"]


def first_screen(contents: Contents, chosen: Sequence[Card]) -> str:
    """Return the front's chart with its controls beside the cards and the line of trust.

    Args:
        contents: The run.
        chosen: Cards of its front.
    """
    trust = trust_line(contents.manifest, contents.settings, contents.objectives)
    why = no_knee(contents.manifest)
    no_card = f"<p class='small'>{text(why)}</p>" if why else ""
    return (
        "<div class='first'><section class='card' aria-labelledby='front-title'><h2 id='front-title'>The front</h2>"
        "<div id='front' class='chart' tabindex='0' role='application' aria-label='Chart of the front. Arrow keys go "
        "from member to member; the table of members holds the same numbers.'></div>"
        "</section>"
        "<section class='card' aria-labelledby='cards-title'><h2 id='cards-title'>Which one to take</h2>"
        f"<div class='cards'>{''.join(_card(contents, card) for card in chosen)}</div>"
        f"<p class='trust'>{text(trust)}</p>"
        f"{no_card}"
        "<p class='small soft'>What limits this trust stands below, in words and charts.</p></section>"
        "<div class='controls'><div class='axes'><label>Vertical <select id='y'></select></label>"
        "<label>Horizontal <select id='x'></select></label><button type='button' id='swap'>Swap axes</button></div>"
        "<p class='small soft'>Click a point, or use the arrow keys, for its details. The line joins what no member "
        f"beats.{text(_constraints(contents))}{text(_left_out(contents))}</p></div></div>"
    )


def _card(contents: Contents, card: Card) -> str:
    member, (first, *costs) = contents.front[card.index], contents.objectives
    breaks = " It breaks a constraint as measured." if member.breaks else ""
    return (
        f"<button type='button' class='pick' data-index='{card.index}' aria-pressed='false'>"
        f"<b>{text(card.name)}</b><span class='value'>{text(headline(member, first, with_unit=True))}"
        f"<small> {text(_named(member, first))}</small></span>"
        f"<span>{text(', '.join(f'{headline(member, o, with_unit=True)}{_unitless(o)}' for o in costs))}</span>"
        f"<span class='soft'>{text(card.need)}; member {card.index}, id {short_id(member.architecture)}."
        f"{breaks}</span></button>"
    )


def _named(member: Member, objective: Objective) -> str:
    """Return an objective's name; beside a score plain accuracy on images that the search did not select on."""
    report = f"{objective.name}_report"
    if is_accuracy(objective.name, objective.unit) or report not in member.known:
        return objective.name
    return f"{objective.name}, a score; plain {100 * member.known[report]:.1f} %"


def _unitless(objective: Objective) -> str:
    """Return the name of an objective whose number has no unit to tell what it is."""
    return "" if objective.unit else f" {objective.name}"


def _left_out(contents: Contents) -> str:
    """Return what the chart leaves out, in sentences."""
    parts = ""
    if len(contents.texts) > figures.POINTS:
        parts = f" Of {len(contents.texts):,} evaluations an even part of {figures.POINTS:,} is drawn."
    failed = len(contents.causes)
    return f"{parts} {failed:,} failed evaluations are not drawn." if failed else parts


def _constraints(contents: Contents) -> str:
    """Return the bounds that the search kept to, in a sentence."""
    if not contents.constraints:
        return ""
    units = {o.name: o.unit for o in contents.objectives}
    return f" Constraints: {', '.join(bound_text(c, units.get(c.objective, '')) for c in contents.constraints)}."

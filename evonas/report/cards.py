"""Cards of a front: the knee, the best and the cheapest member, each with the need that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.objectives.accuracy.majority import BestAccuracy
from evonas.pareto.front import Front

__all__ = ["Card", "cards", "knee_warning", "no_knee"]


@dataclass(frozen=True)
class Card:
    """A member of a front by a name that ``--select`` takes.

    Attributes:
        name: ``knee``, ``best`` or ``cheapest``; of one that is several, all of them.
        index: Its index on the front.
        selection: What ``--select`` takes for it.
        need: What it is for.
    """

    name: str
    index: int
    selection: str
    need: str


def cards(front: Front, manifest: Mapping[str, Any]) -> list[Card]:
    """Cards of a front; a member that is the answer to several needs has one card.

    The best is that of the first objective, the cheapest that of the second. A front of one objective has no knee.

    Args:
        front: The front.
        manifest: That of its run.
    """
    if not len(front):
        return []
    first, *costs = front.objectives
    wanted = []
    if costs and no_knee(manifest) is None:
        wanted.append(("knee", "knee", "a balance of all"))
    wanted.append(("best", f"best:{first.name}", f"{'highest' if first.direction == 'max' else 'lowest'} {first.name}"))
    if costs:
        word = "lowest" if costs[0].direction == "min" else "highest"
        wanted.append(("cheapest", f"best:{costs[0].name}", f"{word} {costs[0].name}"))
    indices = {id(member): i for i, member in enumerate(front)}
    found: dict[int, Card] = {}
    for name, selection, need in wanted:
        index = indices[id(front.select(selection))]
        card = found.get(index)
        if card is None:
            found[index] = Card(name, index, selection, need)
        else:
            found[index] = Card(f"{card.name}, {name}", index, card.selection, f"{card.need}, {need}")
    return list(found.values())


def no_knee(manifest: Mapping[str, Any]) -> str | None:
    """Why a front has no knee: its search has learnt nothing yet; None: it may have one.

    Args:
        manifest: That of a run: the best plain accuracy is compared with always answering the most frequent class.
    """
    best = BestAccuracy.of_manifest(manifest)
    if best is None or best.learned:
        return None
    return (
        f"The search has learnt nothing yet: the best plain accuracy, {100 * best.best:.1f} % of {best.of}, is not "
        f"beyond the {100 * best.majority:.1f} % of always answering the most frequent class by two standard errors "
        f"({200 * best.error:.1f} points on {best.images:,} images). So no knee is marked. Give it more --epochs or "
        "--time, more images, or a lower --resolution."
    )


def knee_warning(manifest: Mapping[str, Any], selection: str) -> list[str]:
    """Warning before a knee is taken that means nothing, one line; none of another selection or where it may.

    Args:
        manifest: That of a run.
        selection: As ``--select`` takes it.
    """
    why = no_knee(manifest) if selection == "knee" else None
    return [] if why is None else [f"Warning: {why} What is taken now lies between the front's ends, no more."]

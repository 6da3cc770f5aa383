"""Cards of a front: the knee, the best and the cheapest member, each with the need that it is for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from evonas.pareto.front import Front

__all__ = ["Card", "cards", "no_knee"]


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
    """Why a front has no knee: the search has learnt nothing that orders architectures; None: it may have one.

    Args:
        manifest: That of a run; what it says of anchors decides.
    """
    agreement = manifest.get("acc_trust", {}).get("agreement", {}).get("acc")
    if not agreement or agreement.get("low") is None or agreement["low"] > 0:
        return None
    return (
        f"No knee: on {agreement['n']} trained anchors the order by acc is not told apart from chance, so a balance "
        "with it means nothing; train longer or more anchors"
    )

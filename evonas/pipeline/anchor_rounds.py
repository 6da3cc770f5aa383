"""Rounds in which anchors are trained: how many each chooses, what they take, and the line that announces them."""

from __future__ import annotations

from collections.abc import Sequence

from evonas.files.progress import Progress
from evonas.pipeline.anchor_defaults import FEWEST_ANCHORS
from evonas.pipeline.problem import SearchProblem
from evonas.training.ladder import Ladder

__all__ = ["affordable_anchors", "anchor_rounds", "announce_anchors", "start_and_rounds"]

FEWEST_IN_ROUNDS = 8
"""Anchors from which they are chosen in several rounds."""


def anchor_rounds(number: int) -> list[int]:
    """Return how many anchors each round chooses: half of them at the start, then a quarter at a time."""
    if number < FEWEST_IN_ROUNDS:
        return [number] if number else []
    rounds, left = [-(-number // 2)], number // 2
    while left:
        rounds.append(min(-(-number // 4), left))
        left -= rounds[-1]
    return rounds


def start_and_rounds(rounds: Sequence[int], started: bool) -> tuple[int, Sequence[int]]:
    """Return the start's size and those of further rounds; where something stands already, all are further ones."""
    return (0, rounds) if started or not rounds else (rounds[0], rounds[1:])


def affordable_anchors(ladder: Ladder, wanted: int, epochs: float) -> int:
    """Return how many anchors so many epochs train at most; 0 where they would be too few to teach anything.

    Args:
        ladder: What they climb.
        wanted: How many are asked for.
        epochs: Epochs in all.
    """
    found = wanted
    while found and ladder.total_epochs(*start_and_rounds(anchor_rounds(found), False)) > epochs:
        found -= 1
    return found if found >= min(FEWEST_ANCHORS, wanted) else 0


def announce_anchors(problem: SearchProblem, progress: Progress) -> None:
    """Say in a line what anchors will be trained."""
    number, ladder = problem.settings.anchors, problem.ladder
    if not number:
        return
    first, *others = anchor_rounds(number)
    progress.say(
        f"Anchors: {number} candidates are trained alone, in {1 + len(others)} rounds, to "
        f"{' and '.join(map(str, ladder.epochs))} epochs, {_climbers(problem)}: at most "
        f"{ladder.total_epochs(first, others)} epochs in all (--anchors 0: none)"
    )


def _climbers(problem: SearchProblem) -> str:
    if problem.settings.anchor_rounds == "cokriging":
        return "later rounds by co-kriging: what informs most for its cost"
    return f"the better {problem.ladder.fraction:.0%} of each round to the next level"

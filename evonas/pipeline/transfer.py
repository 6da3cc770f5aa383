"""What a search from published weights costs, so that plain transfer can be given as much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evonas.errors import SettingsError
from evonas.spaces import Candidate, as_candidates, parse_candidate
from evonas.supernet.adaptation import RANDOM_PATHS

if TYPE_CHECKING:
    from evonas.pipeline.problem import SearchProblem
    from evonas.runs.run import Run

__all__ = ["TRAINING_PASSES", "search_cost"]

TRAINING_PASSES = 3
"""Cost of training on an image, in forward passes: one forward, and a backward pass that costs two."""
NORM_IMAGES = 512
"""Images that norms are estimated on for an evaluation, at most, as accuracy evaluators read them."""


def search_cost(problem: SearchProblem, run: Run, texts: Sequence[str]) -> int:
    """Multiply-adds that a search from published weights has spent, in passes over images.

    A forward pass counts once, a training pass three times. Counted are the features for the classifier, the epochs of
    the largest path and of the sandwich rule (the largest, the smallest and two paths of the mean cost of those
    evaluated), and for each evaluation the images that norms are estimated on and those that accuracy is read on.

    Args:
        problem: What was searched.
        run: Its run, which holds what adaptation did.
        texts: Canonical text of each of the architectures evaluated.
    """
    if problem.data is None:
        raise SettingsError("The baseline 'transfer' needs images, and the search has none")
    costs = problem.bounds.cheap["flops"]

    def flops(candidates: Sequence[Candidate]) -> list[int]:
        return [int(row["flops"].value or 0) for row in costs.evaluate(candidates)]

    smallest, largest = flops(as_candidates(problem.space.extremes()))
    evaluated = flops([parse_candidate(text, problem.space) for text in texts])
    mean = sum(evaluated) // max(1, len(evaluated))
    images, read = len(problem.data.train), len(problem.data.search)
    done = run.manifest.get("supernet", {})
    first, second = done.get("epochs", [0, 0])
    cost = images * largest if done.get("classifier") else 0
    cost += TRAINING_PASSES * images * first * largest
    cost += TRAINING_PASSES * images * second * (largest + smallest + RANDOM_PATHS * mean)
    return int(cost + sum(evaluated) * (min(images, NORM_IMAGES) + read))

"""Cost of a search from published weights, so that plain transfer can be given as much."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from evonas.config import Settings
from evonas.errors import SettingsError
from evonas.objectives.accuracy.distillation import LARGEST, read_distillation
from evonas.objectives.accuracy.estimators import read_estimator, read_training
from evonas.objectives.accuracy.teacher import TEACHER_FACTOR
from evonas.pipeline.context import ANCHORS_FILE
from evonas.pipeline.shrunk import FIRST, Shrunk
from evonas.predictors.anchor_set import AnchorSet
from evonas.spaces import Candidate, as_candidates, parse_candidate
from evonas.supernet.adaptation import RANDOM_PATHS
from evonas.supernet.evaluate import NORM_IMAGES

if TYPE_CHECKING:
    from evonas.pipeline.problem import SearchProblem
    from evonas.runs.run import Run

__all__ = ["TRAINING_PASSES", "search_cost"]

TRAINING_PASSES = 3
"""Cost of training on an image, in forward passes: one forward, and a backward pass that costs two."""


def search_cost(problem: SearchProblem, run: Run, texts: Sequence[str]) -> int:
    """Multiply-adds that a search from published weights has spent, in passes over images.

    A forward pass counts once, a training pass three times. Counted are the features for the classifier, the epochs of
    the largest path and of the sandwich rule (the largest, the smallest and two paths of the mean cost of those
    evaluated), what anchors and their teacher were trained, and for each evaluation either its training or the images
    that norms are estimated on, where they are, and those that accuracy is read on.

    Args:
        problem: What was searched.
        run: Its run, which holds what adaptation and anchors did.
        texts: Canonical text of each of the architectures evaluated.

    Raises:
        SettingsError: The search has no images.
        EvaluationError: The cost of an architecture is not known.
    """
    if problem.data is None:
        raise SettingsError("The baseline 'transfer' needs images, and the search has none")
    costs = problem.bounds.cheap["flops"]

    def flops(candidates: Sequence[Candidate]) -> list[int]:
        return [int(row["flops"].required("The cost of an architecture")) for row in costs.evaluate(candidates)]

    smallest, largest = flops(as_candidates(problem.space.extremes()))
    evaluated = flops([parse_candidate(text, problem.space) for text in texts])
    mean = sum(evaluated) // max(1, len(evaluated))
    images, read = len(problem.data.train), len(problem.data.search)
    done = run.manifest.get("supernet", {})
    first, second = done.get("epochs", [0, 0])
    cost = images * largest if done.get("classifier") else 0
    cost += TRAINING_PASSES * images * first * largest
    cost += TRAINING_PASSES * images * second * (largest + smallest + RANDOM_PATHS * mean)
    kind, option = read_estimator(problem.settings.estimator)
    if kind == "train":
        epochs, imitates = read_training(option)
        cost += epochs * images * (TRAINING_PASSES * sum(evaluated) + len(evaluated) * (largest if imitates else 0))
    else:
        # What was read to choose the first population, and was not evaluated again, is read as evaluations are.
        chosen = Shrunk(*run.store.decisions(FIRST).get(FIRST, (None, [])))
        evaluated += flops([parse_candidate(text, problem.space) for text in chosen.read if text not in set(texts)])
        if problem.settings.norm_statistics != "published":
            cost += sum(evaluated) * min(images, NORM_IMAGES)
    cost += sum(evaluated) * read
    file = run.path / ANCHORS_FILE
    if file.is_file():
        anchors = AnchorSet.from_json(file.read_bytes())
        candidates = [parse_candidate(anchor.text, problem.space) for anchor in anchors.anchors]
        cost += _anchors_cost(anchors, flops(candidates), problem.settings, largest, images, read)
    return int(cost)


def _anchors_cost(
    anchors: AnchorSet, flops: Sequence[int], settings: Settings, largest: int, images: int, read: int
) -> int:
    """Return what anchors were trained and read, and their teacher where it was trained here.

    One that failed counts to the level that it did not reach.
    """
    taught = read_distillation(settings.distillation) is not None
    cost = TRAINING_PASSES * TEACHER_FACTOR * anchors.levels[-1] * images * largest if taught else 0
    if settings.teacher != LARGEST:  # a given one was not trained, and what its passes cost is not known
        cost, taught = 0, False
    for anchor, own in zip(anchors.anchors, flops, strict=True):
        tried = len(anchor.values) + (anchor.cause is not None)
        epochs = anchors.levels[tried - 1] if tried else 0
        cost += epochs * images * (TRAINING_PASSES * own + (largest if taught else 0)) + len(anchor.values) * read * own
    return cost

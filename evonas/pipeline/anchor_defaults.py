"""Anchors of a search where settings leave them open: how many, and the levels that they climb."""

from __future__ import annotations

from evonas.config import Settings
from evonas.errors import SettingsError
from evonas.objectives.accuracy.anchor import RECIPE
from evonas.spaces import Space
from evonas.training import load_recipe

__all__ = ["default_ladder", "with_anchors"]

EVALUATIONS_PER_ANCHOR, FEWEST_ANCHORS = 100, 6
"""Evaluations of a search for each anchor, and the anchors below which none are trained unless they are asked for."""
FIRST_UPDATES, LEAST_EPOCHS, RISE = 26, 2, 3
"""Updates of a ladder's first level, its fewest epochs, and how many times these the last level has."""


def with_anchors(settings: Settings, space: Space, *, learns: bool, images: int, published: bool = False) -> Settings:
    """Return settings that say how many anchors are trained, and to which levels.

    Args:
        settings: Of a search.
        space: What is searched.
        learns: Whether there is an estimate that learns from anchors.
        images: Images trained on.
        published: Whether the search starts from published weights.

    Raises:
        SettingsError: Anchors are asked for that nothing would learn from, or more than the space holds.
    """
    if settings.anchors and not learns:
        raise SettingsError(
            f"Anchors teach the default estimate of 'acc', got --anchors {settings.anchors} without it: leave out "
            "--anchors, or --estimator, or optimize acc"
        )
    number = settings.anchors
    if number is None:
        number = settings.population * settings.generations // EVALUATIONS_PER_ANCHOR
        # A training from nothing says little of what published weights give.
        if number < FEWEST_ANCHORS or published:
            number = 0
    if not learns:
        number = 0
    if number > space.size:
        raise SettingsError(
            f"Expected at most the {space.size} architectures of the space {space.name} as anchors, got "
            f"{number}: give --anchors {space.size} or fewer"
        )
    levels = settings.anchor_epochs
    if number and levels is None:
        levels = ",".join(map(str, default_ladder(images, load_recipe(RECIPE).batch_size)))
    return settings.model_copy(update={"anchors": number, "anchor_epochs": levels})


def default_ladder(images: int, batch_size: int) -> tuple[int, ...]:
    """Return the epochs of a ladder's levels by the size of the data.

    Args:
        images: Those trained on.
        batch_size: Of the trainings.
    """
    first = max(LEAST_EPOCHS, round(FIRST_UPDATES * batch_size / images))
    return first, RISE * first
